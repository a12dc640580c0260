"""The one door to writing: a thread of a process at a time, and nobody waits there for ever."""

from __future__ import annotations

try:
    import cython

    if not cython.compiled:
        raise ImportError
except ImportError:
    from cachery import _cython as cython  # type: ignore[no-redef]

import time
from _thread import allocate_lock, get_ident
from random import random
from typing import Any

from cachery.backends.byte_locks import ByteLocks
from cachery.exceptions import CacheRecursionError, CacheTimeoutError
from cachery.ports.clock import stopwatch

if not cython.compiled:
    from cachery.backends.disk.state import State

__all__ = ["Gate"]

_WRITING = 2
_FIRST_PAUSE, _LONGEST_PAUSE = 0.00005, 0.002
_PATIENCE, _ASKED_FOR, _GIVEN_WAY = 0.05, 0.02, 0.005


@cython.final
@cython.cclass
class Gate:
    """Lets one thread of one process write at a time; who waits for longer than ``timeout`` seconds is told so.

    LMDB has such a lock too, and waits at it for ever, when its holder was stopped for instance; so nobody comes there
    who has not passed here.

    Who waits looks again from time to time, so a process that writes without a pause would keep the others out. After a
    while they ask it, through the state, to let them through, and it pauses before its next write.
    """

    timeout: float
    _locks: ByteLocks
    _state: State
    _threads: Any
    _within: int

    def __init__(self, locks: ByteLocks, state: State, timeout: Any) -> None:
        self.timeout = timeout
        self._locks = locks
        self._state = state
        self.reset_after_fork()

    def reset_after_fork(self) -> None:
        """Forget who is within: not this process."""
        self._threads = allocate_lock()
        self._within = 0

    def __enter__(self) -> None:
        if self._within == get_ident():
            raise CacheRecursionError("a finalizer, or a loader in a transaction, would write in the midst of a write")
        if not self._threads.acquire(False) and not self._threads.acquire(True, self.timeout):
            raise self._lateness()
        is_ours = False
        try:
            if self._state.is_way_asked_for():
                time.sleep(_GIVEN_WAY)
            is_ours = self._locks.try_lock(_WRITING) or self._wait()
        finally:  # an interrupt may end the wait too
            if not is_ours:
                self._threads.release()
        if not is_ours:
            raise self._lateness()
        self._within = get_ident()

    def __exit__(self, *failure: object) -> None:
        self._within = 0
        self._locks.unlock(_WRITING)
        self._threads.release()

    def _wait(self) -> bool:
        """Wait until the other processes let us in; False when that takes longer than the timeout."""
        began, pause = stopwatch(), _FIRST_PAUSE
        while not self._locks.try_lock(_WRITING):
            waited = stopwatch() - began
            if waited > self.timeout:
                return False
            if waited > _PATIENCE:
                self._state.ask_for_way(_ASKED_FOR)
            time.sleep(pause * (0.5 + random()))  # noqa: S311 - spreads those who wait, no secret
            pause = min(pause * 2, _LONGEST_PAUSE)
        return True

    @property
    def is_mine(self) -> bool:
        """Whether this very thread is within."""
        return self._within == get_ident()

    def _lateness(self) -> CacheTimeoutError:
        return CacheTimeoutError(
            f"another process or thread has been writing for {self.timeout:g} seconds; it may have been stopped",
            place=str(self._locks.path.parent),
        )
