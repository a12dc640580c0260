"""One directory with a store in it, as this process has it open: the database, the shared state, the locks.

LMDB and POSIX locks are both per process, so there is one volume for a directory and a process, however many caches
stand over it. It is opened and closed under a lock of its own among processes, ``_OPENING``. While it is open a process
shares the lock ``_USING``: who finds itself the last one writes everything through to the device.

Before the first write that may not reach the device the state says so, and it does until all was written through: by
the last one to close, or when nobody has written for a while. If the machine was started anew in between, there may be
holes in the store, and LMDB would not notice them before it fails on one; so it is moved aside, and an empty one begun.
"""

from __future__ import annotations

import atexit
import logging
import threading
import time
from collections import deque
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from cachery.backends.byte_locks import ByteLocks
from cachery.backends.disk.environment import Environment
from cachery.backends.disk.gate import Gate
from cachery.backends.disk.state import State, boot_id
from cachery.backends.places import refusal
from cachery.exceptions import CacheConnectionError, CacheError, CacheTimeoutError
from cachery.forks import hold_for_forks, reset_in_child
from cachery.ports.clock import stopwatch

__all__ = ["Volume", "open_volume"]

_OPENING, _USING = 0, 1
_FIRST_FREE = 16
_PATIENCE = 30.0
_FORK_PATIENCE = 5.0
_PAUSE = 0.0005
_PARTS = ("data.mdb", "lock.mdb", "state", "values")

_log = logging.getLogger("cachery")


class _Volumes:
    """Those that this process has open, by place. The lock is a plain one: it is held while a device is waited for."""

    def __init__(self) -> None:
        self.by_place: dict[Path, Volume] = {}
        self.dropped: deque[Volume] = deque()
        self.reset_after_fork()
        reset_in_child(self)
        atexit.register(self.leave_all)

    def reset_after_fork(self) -> None:
        """Forget that a thread of the parent is opening one."""
        self.lock = threading.Lock()

    def close_dropped(self) -> None:
        """Close those whose caches were let go of without being closed."""
        while self.dropped:
            self.dropped.popleft().close()

    def leave_all(self) -> None:
        """Write everything through before the interpreter ends, where nobody else uses a store."""
        self.close_dropped()
        for volume in list(self.by_place.values()):
            try:
                volume.leave()
            except CacheError as error:  # a transaction is open, for instance
                _log.warning("%s was not written through: %s", volume.place, error)


_volumes = _Volumes()


class Volume:
    """The store in ``place``, for this process."""

    def __init__(self, place: Path, budget: int, *, is_synced: bool, timeout: float) -> None:
        self.place = place
        self.users = 1
        self.is_synced = is_synced
        self.locks = ByteLocks(place / "locks")
        try:
            with _Opening(self.locks, place):
                self.state = self._state()
                self.gate = Gate(self.locks, self.state, timeout)
                self.environment = Environment(place, budget, self.gate, is_synced=is_synced)
                self._enter()
        except BaseException:
            self.locks.close()
            raise
        self.current: Any = None
        reset_in_child(self)
        hold_for_forks(self)

    def _state(self) -> State:
        """Return the state; what a fall of the machine may have damaged is moved aside first."""
        state = State(self.place / "state")
        if state.is_unsafe and state.boot != boot_id():
            self._move_aside()
            return State(self.place / "state")
        return state

    def _move_aside(self) -> None:
        number = 1
        while (aside := self.place / f"damaged-{number}").exists():
            number += 1
        try:
            aside.mkdir(mode=0o700)
            for part in _PARTS:
                with suppress(FileNotFoundError):
                    (self.place / part).rename(aside / part)
        except OSError as error:
            raise refusal(error, aside, "move a store to") from error
        _log.warning(
            "the machine went down while the store in %s was in use: it may have holes, so it is now in %s, and an "
            "empty one begun",
            self.place,
            aside,
        )

    def _enter(self) -> None:
        was_left = self.state.is_unsafe and self.locks.try_lock(_USING)  # nobody is here, and nobody closed it
        self.is_uncounted = self.state.is_new or was_left
        self.state.begin(boot_id())
        self.locks.share(_USING)

    def hold(self) -> None:
        """Let what is being done with the database end, and close it: the process is about to fork."""
        if self.users:
            self._await_transaction()
            is_quiet = self.environment.calls.hold()
            if is_quiet and self.current is None:
                self.environment.suspend()

    def _await_transaction(self) -> None:
        """Wait a while for the transaction of another thread."""
        deadline = stopwatch() + _FORK_PATIENCE
        while self.current is not None and not self.gate.is_mine and stopwatch() < deadline:
            time.sleep(_PAUSE)

    def resume(self) -> None:
        """Go on after a fork."""
        if self.users:
            self.environment.calls.resume()

    def reset_after_fork(self) -> None:
        """Begin as the process that this is now."""
        if self.users:
            self.current = None
            self.locks.reset_after_fork()
            self.gate.reset_after_fork()
            self.environment.reset_after_fork()
            self.locks.share(_USING)

    def sync(self) -> bool:
        """Write everything through to the device; True when nothing was written meanwhile."""
        commits = self.state.commits
        self.environment.sync()
        with self.gate:
            self.state.note_sync(commits)
        return not self.state.is_unsafe

    def lease_place(self, digest: bytes, mark: int) -> int:
        """Return the place of the lock that a load of the key with ``digest`` holds, as the key stands at ``mark``."""
        number = int.from_bytes(digest[4:12], "little") ^ (mark * 0x9E3779B97F4A7C15)
        return _FIRST_FREE + number % (2**62 - _FIRST_FREE)

    def drop(self) -> None:
        """Let go of it some time later, once for a user. A finalizer may call this: nothing is waited for."""
        _volumes.dropped.append(self)

    def close(self) -> None:
        """Let go of it, once for each user."""
        with _volumes.lock:
            self.users -= 1
            if self.users:
                return
            if _volumes.by_place.get(self.place) is self:
                del _volumes.by_place[self.place]
            try:
                self.leave()
            finally:
                self._end()

    def _end(self) -> None:
        """Close everything, when this process writes nothing any more, or has for too long."""
        with ExitStack() as stack:
            with suppress(CacheError):
                stack.enter_context(self.gate)
            self.environment.close()
            self.locks.close()

    def leave(self) -> None:
        """Write everything through, if nobody else uses the store."""
        with _Opening(self.locks, self.place):
            self.state.note_time(self.state.now())
            if self.state.is_unsafe and self.place.exists() and self.locks.try_lock(_USING):
                self.sync()


class _Opening:
    """One process at a time opens or closes a store."""

    def __init__(self, locks: ByteLocks, place: Path) -> None:
        self._locks = locks
        self._place = place

    def __enter__(self) -> None:
        if not self._locks.hold(_OPENING, _PATIENCE):
            raise CacheTimeoutError(f"another process has been opening {self._place} for {_PATIENCE:g} seconds")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._locks.release(_OPENING)


def open_volume(place: Path, budget: int, *, is_synced: bool, timeout: float) -> Volume:
    """Return the volume in ``place``, opened if this process has not yet.

    ``is_synced``: every write reaches the device before it is done.
    """
    _volumes.close_dropped()
    with _volumes.lock:
        found = _volumes.by_place.get(place)
        if found is None or found.locks.is_removed:  # else who comes now would share what is no longer there
            found = _volumes.by_place[place] = Volume(place, budget, is_synced=is_synced, timeout=timeout)
            return found
        if found.is_synced != is_synced:
            raise CacheConnectionError(f"{place} is open in this process with another durability", place=str(place))
        found.users += 1
        return found
