"""Locks among the processes of a machine: one byte of a file each, out of 2**62.

They are POSIX record locks (``fcntl``). The kernel lets go of them when their holder ends, however it ends, so nothing
is ever left locked; they cost a system call and no space. Their owner is a process, so threads of one must exclude one
another by other means, and a forked child holds none. On network drives they work where the server offers locks; where
it does not, and on systems without them, every lock is granted.
"""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import random
from threading import Lock

from cachery.backends.places import refusal
from cachery.exceptions import CacheClosedError
from cachery.ports.clock import stopwatch

__all__ = ["ByteLocks"]

if sys.platform != "win32":
    from fcntl import LOCK_EX, LOCK_NB, LOCK_SH, LOCK_UN
    from fcntl import lockf as _lockf

    _SHARED, _ALONE, _NONE = LOCK_SH | LOCK_NB, LOCK_EX | LOCK_NB, LOCK_UN
else:

    def _lockf(_file: int, _kind: int, _length: int, _place: int) -> None:
        """Grant everything."""

    _SHARED = _ALONE = _NONE = 0

_BUSY = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)
_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL)
_PLACES = 2**62
_FIRST_PAUSE, _LONGEST_PAUSE = 0.00005, 0.005


class ByteLocks:
    """The locks of the file ``path``. A place that this process holds already is granted again, and counted."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._held: dict[int, int] = {}
        self._changing = Lock()
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise refusal(error, path, "open") from error

    def reset_after_fork(self) -> None:
        """Forget what the parent holds."""
        self._changing = Lock()
        self._held = {}

    def try_hold(self, number: int) -> bool:
        """Hold the place of ``number``; False while another process does."""
        place = number % _PLACES
        with self._changing:
            if place in self._held:
                self._held[place] += 1
                return True
            if not self._locked(place):
                return False
            self._held[place] = 1
            return True

    def hold(self, number: int, timeout: float) -> bool:
        """Hold the place of ``number``; False when another process does for ``timeout`` seconds."""
        return self.try_hold(number) or _comes_true(lambda: self.try_hold(number), timeout)

    def release(self, number: int) -> None:
        """Let go of the place of ``number``, once for each time it was held."""
        place = number % _PLACES
        with self._changing:
            count = self._held.get(place, 0) - 1
            if count > 0:
                self._held[place] = count
            elif self._held.pop(place, None) is not None:
                self.unlock(place)

    def try_lock(self, place: int) -> bool:
        """Hold ``place``, where no two threads of this process meet; False while another process does."""
        return self._locked(place)

    def lock(self, place: int, timeout: float) -> bool:
        """Hold ``place``, as ``try_lock``; False when another process does for ``timeout`` seconds."""
        return self._locked(place) or _comes_true(lambda: self._locked(place), timeout)

    def unlock(self, place: int) -> None:
        """Let go of ``place``, held by ``lock`` or ``try_lock``."""
        if self._file >= 0:
            _lockf(self._file, _NONE, 1, place)

    def share(self, number: int) -> bool:
        """Hold the place of ``number`` together with others who share it; False while another has it alone."""
        return self._locked(number % _PLACES, is_shared=True)

    @property
    def is_removed(self) -> bool:
        """Whether the file is gone from its directory, perhaps with all of that."""
        return os.fstat(self._file).st_nlink == 0

    def close(self) -> None:
        """Let go of everything."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _locked(self, place: int, *, is_shared: bool = False) -> bool:
        try:
            _lockf(self._file, _SHARED if is_shared else _ALONE, 1, place)
        except ValueError:  # it was closed meanwhile
            raise CacheClosedError("the cache was closed", place=str(self.path)) from None
        except OSError as error:
            if error.errno in _BUSY:
                return False
            if error.errno in _NO_LOCKS:
                return True
            raise refusal(error, self.path, "lock") from error
        return True


def _comes_true(condition: Callable[[], bool], timeout: float) -> bool:
    """Ask for ``condition`` again and again; False when it does not hold within ``timeout`` seconds."""
    deadline, pause = stopwatch() + timeout, _FIRST_PAUSE
    while not condition():
        if stopwatch() > deadline:
            return False
        time.sleep(pause * (0.5 + random()))  # noqa: S311 - spreads those who wait, no secret
        pause = min(pause * 2, _LONGEST_PAUSE)
    return True
