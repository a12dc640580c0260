"""Locks that survive a fork.

A thread that holds a lock while another one forks would leave it locked for ever in the child. So all locks made here
are taken before a fork and let go after it, on both sides: no structure is ever copied half changed.

Every lock guards a few plain statements: nothing waits while it holds one, so taking them all before a fork is short.
"""

from __future__ import annotations

import os
from _thread import RLock
from weakref import WeakSet

__all__ = ["make_lock"]

_all_locks: WeakSet[RLock] = WeakSet()
_registry_lock = RLock()
_held_for_fork: list[RLock] = []


def make_lock() -> RLock:
    """Return a new re-entrant lock.

    >>> with make_lock():
    ...     pass
    """
    lock = RLock()
    with _registry_lock:
        _all_locks.add(lock)
    return lock


def _take_all() -> None:
    """Take every lock, never waiting for one while holding another: a thread may hold two, in any order.

    Nor while holding that of the registry: whoever holds the lock that is waited for may be making another.
    """
    _registry_lock.acquire()
    while (busy := _first_busy(list(_all_locks))) is not None:
        _registry_lock.release()
        with busy:
            pass
        _registry_lock.acquire()


def _first_busy(locks: list[RLock]) -> RLock | None:
    """Take all ``locks`` and return ``None``, or take none and return the first that another thread holds."""
    for lock in locks:
        if not lock.acquire(blocking=False):
            _let_go()
            return lock
        _held_for_fork.append(lock)
    return None


def _let_go() -> None:
    while _held_for_fork:
        _held_for_fork.pop().release()


def _release_all() -> None:
    _let_go()
    _registry_lock.release()


if hasattr(os, "register_at_fork"):  # not on Windows, which cannot fork
    os.register_at_fork(before=_take_all, after_in_parent=_release_all, after_in_child=_release_all)
