"""How large the window is: climbed by what it did to the hit ratio.

A cache that is asked again for what it was just asked for wants a large window, one that is asked for favourites a small
one, and workloads change from one into the other. So the window is made larger or smaller by a step, and after ten
requests for each entry it is looked whether more were hits than before: then on in the same direction, else back. Steps
shrink by 2 % each, so that it settles; a hit ratio that jumps by 5 points begins anew with the first step (Einziger,
Eytan, Friedman and Manes, "Adaptive software cache management", Middleware 2018).
"""

from __future__ import annotations

from typing import Any

try:
    import cython

    if not cython.compiled:
        raise ImportError
except ImportError:
    from cachery import _cython as cython  # type: ignore[no-redef]

_FIRST_WINDOW = 0.01
_LARGEST_WINDOW = 0.8
_FIRST_STEP = 0.0625
_DECAY = 0.98
_JUMP = 0.05
_REQUESTS_AN_ENTRY = 10


@cython.final
@cython.cclass
class Climber:
    """Knows how many of ``entries`` the window may hold: ``window``.

    >>> climber = Climber(1000)
    >>> climber.window
    10
    """

    def __init__(self, entries: Any) -> None:
        self.entries = entries
        self.window = max(1, int(entries * _FIRST_WINDOW))
        self.largest = max(1, int(entries * _LARGEST_WINDOW))
        self.period = entries * _REQUESTS_AN_ENTRY
        self.step = entries * _FIRST_STEP
        self.hits = self.requests = 0
        self.ratio = -1.0

    @cython.cfunc
    @cython.exceptval(check=False)
    def climb(self) -> cython.void:
        """Take a step, as enough requests were counted."""
        ratio: cython.double = 1.0 * self.hits / self.requests
        change: cython.double = 0.0 if self.ratio < 0 else ratio - self.ratio
        amount: cython.double = self.step if change >= 0 else -self.step
        if -_JUMP < change < _JUMP:
            self.step = amount * _DECAY
        else:
            first: cython.double = self.entries * _FIRST_STEP
            self.step = first if amount >= 0 else -first
        self.ratio = ratio
        self.hits = self.requests = 0
        self.move_by(amount)

    @cython.cfunc
    @cython.exceptval(check=False)
    def move_by(self, amount: cython.double) -> cython.void:
        """Make the window larger by ``amount``, or smaller, within its bounds."""
        window: cython.Py_ssize_t = self.window + int(amount + (0.5 if amount >= 0 else -0.5))
        self.window = 1 if window < 1 else self.largest if window > self.largest else window
