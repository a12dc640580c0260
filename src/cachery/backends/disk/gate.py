"""The one door to writing: a thread of a process at a time, and nobody waits there for ever."""

from __future__ import annotations

try:
    import cython

    if not cython.compiled:
        raise ImportError
except ImportError:
    from cachery import _cython as cython  # type: ignore[no-redef]

from _thread import allocate_lock, get_ident
from typing import Any

from cachery.backends.byte_locks import ByteLocks
from cachery.exceptions import CacheRecursionError, CacheTimeoutError

__all__ = ["Gate"]

_WRITING = 2


@cython.final
@cython.cclass
class Gate:
    """Lets one thread of one process write at a time; who waits for longer than ``timeout`` seconds is told so.

    LMDB has such a lock too, and waits at it for ever, when its holder was stopped for instance; so nobody comes there
    who has not passed here.
    """

    timeout: float
    _locks: ByteLocks
    _threads: Any
    _within: int

    def __init__(self, locks: ByteLocks, timeout: Any) -> None:
        self.timeout = timeout
        self._locks = locks
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
            is_ours = self._locks.lock(_WRITING, self.timeout)
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

    @property
    def is_mine(self) -> bool:
        """Whether this very thread is within."""
        return self._within == get_ident()

    def _lateness(self) -> CacheTimeoutError:
        return CacheTimeoutError(
            f"another process has been writing for {self.timeout:g} seconds; it may have been stopped",
            place=str(self._locks.path.parent),
        )
