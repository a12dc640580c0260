"""How many threads are in a call of the database, so that none is when the process forks.

In a child only the thread lives that forked: a call that another one was in would never end there. So a fork waits
until all are out, and keeps new ones from entering; but for a thread that writes, as one who is within may be waiting
for its turn to write, and for one that is within already.
"""

from __future__ import annotations

try:
    import cython
    from cython import critical_section

    if not cython.compiled:  # the Cython package itself: it has no locks
        raise ImportError
except ImportError:
    from cachery import _cython as cython  # type: ignore[no-redef]
    from cachery._cython import critical_section  # type: ignore[assignment]

import time
from typing import Any

from cachery.locks import make_lock
from cachery.ports.clock import stopwatch

__all__ = ["Calls"]

_PATIENCE = 5.0
_PAUSE = 0.0002


@cython.final
@cython.cclass
class Calls:
    """Counts the threads that have entered and not left. While ``is_held``, who would enter waits.

    ``gate``: where writers pass; its ``is_mine`` tells whether this thread has.
    """

    count: int
    is_held: bool
    gate: Any
    guard: Any

    def __init__(self, gate: Any = None) -> None:
        self.gate = gate
        self.guard = None if cython.compiled else make_lock()
        self.count = 0
        self.is_held = False

    @cython.ccall
    def enter(self) -> None:
        """Begin to call the database."""
        while True:
            with critical_section(self):
                if not self.is_held or self.may_pass():
                    self.count += 1
                    return
            time.sleep(_PAUSE)

    @cython.cfunc
    def may_pass(self) -> cython.bint:
        """Tell whether this thread may enter while others are kept out: only as long as somebody is within."""
        return self.count > 0 and self.gate is not None and self.gate.is_mine

    @cython.ccall
    @cython.exceptval(check=False)
    def leave(self) -> cython.void:
        """End it."""
        with critical_section(self):
            self.count -= 1

    def __enter__(self) -> None:
        self.enter()

    def __exit__(self, *failure: object) -> None:
        self.leave()

    def hold(self) -> bool:
        """Let nobody enter, and wait until all are out; False when that takes too long: a fork must not hang."""
        with critical_section(self):
            self.is_held = True
        deadline = stopwatch() + _PATIENCE
        while self.count > 0 and stopwatch() < deadline:
            time.sleep(_PAUSE)
        return self.count == 0

    def resume(self) -> None:
        """Let others enter again."""
        self.is_held = False

    def restart(self) -> None:
        """Begin anew: those who were within are in another process."""
        self.count = 0
        self.is_held = False
