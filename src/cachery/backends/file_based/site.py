"""A directory as this process has it open: its files, its time, and who may change what.

POSIX locks of a file are dropped when any descriptor of it is closed in the process. So there is one site for a
directory and a process, however many caches stand over it: it is known by the identity of the file of locks.

Threads of this process exclude one another by locks in memory, sixty-four for all keys; then processes do by a byte of
the file. A key's byte is found by its hash.
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from types import TracebackType

from cachery.backends.byte_locks import ByteLocks
from cachery.backends.file_based.files import Files
from cachery.backends.file_based.layout import LOCKS
from cachery.exceptions import CacheClosedError, CacheConnectionError, CacheRecursionError, CacheTimeoutError
from cachery.forks import reset_in_child
from cachery.ports.clock import since_boot

__all__ = ["EVERYTHING", "Hold", "Site", "lease_place", "open_site", "place_of"]

_STRIPES = 64
_KEY, _LEASE, _SITE = range(3)
_KINDS = 4
_PATIENCE = 5.0
_CHECKED_FOR = 1.0
EVERYTHING = _SITE
"""The place of the lock for what concerns no single key."""


def place_of(key_hash: str) -> int:
    """Return the place of the lock of the key with this hash."""
    return int(key_hash[:14], 16) * _KINDS + _KEY


def _stripe_of(place: int) -> int:
    return _STRIPES if place == EVERYTHING else place // _KINDS % _STRIPES


def lease_place(key_hash: str, state: str) -> int:
    """Return the place of the lock that who loads the key holds, as long as its loads are in that ``state``."""
    digest = blake2b(f"{key_hash} {state}".encode(), digest_size=7).hexdigest()
    return int(digest, 16) * _KINDS + _LEASE


class Site:
    """The directory ``place``."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.users = 1
        self.files = Files(place)
        self.identity = (0, 0)
        self._locks = ByteLocks(place / LOCKS)
        self._locks_path = str(place / LOCKS)
        try:
            self.identity = identity_of(self._locks_path) or (0, 0)
            self._offset = self._checked_until = 0.0
            self.measure_time()
        except BaseException:
            self._locks.close()
            raise
        self._is_closed = False
        self._make_stripes()
        reset_in_child(self)

    def _make_stripes(self) -> None:
        self._stripes = [threading.Lock() for _ in range(_STRIPES + 1)]
        self._owners = [0] * (_STRIPES + 1)

    def reset_after_fork(self) -> None:
        """Forget what the threads of the parent hold."""
        self._make_stripes()
        self._locks.reset_after_fork()

    # Time

    def now(self) -> float:
        """Return the time by the clock of the file system, in seconds.

        It is read off a file now and then; in between, time goes on as it does on this machine since its start. So
        setting the clock of this machine moves nothing, and machines whose clocks differ agree.
        """
        return since_boot() + self._offset

    def measure_time(self) -> None:
        """Read the time off a new file."""
        draft = self.files.draft("probe", b"", is_looked_at=True)
        if draft.state is not None:
            self._offset = draft.state.st_mtime - since_boot()
        self.files.discard(draft)

    # Locks

    def acquire(self, place: int, timeout: float) -> None:
        """Hold ``place``, alone among all threads and processes.

        Raises ``CacheTimeoutError`` after ``timeout`` seconds, ``CacheRecursionError`` when this thread is just
        changing something, ``CacheConnectionError`` when the directory was removed.
        """
        stripe = _stripe_of(place)
        if self._owners[stripe] == threading.get_ident():
            raise CacheRecursionError("a finalizer would write in the midst of a write")
        lock = self._stripes[stripe]
        if not lock.acquire(blocking=False) and not lock.acquire(timeout=min(timeout, threading.TIMEOUT_MAX)):
            raise self._lateness(timeout)
        self._owners[stripe] = threading.get_ident()
        try:
            self._check_open()
            if not self._locks.lock(place, timeout):
                raise self._lateness(timeout)
            try:
                self._check_identity()
            except BaseException:
                self._locks.unlock(place)
                raise
        except BaseException:
            self._leave(stripe)
            raise

    def try_acquire(self, place: int) -> bool:
        """Hold ``place``; False when somebody else does."""
        stripe = _stripe_of(place)
        if not self._stripes[stripe].acquire(blocking=False):
            return False
        self._owners[stripe] = threading.get_ident()
        is_held = False
        try:
            is_held = not self._is_closed and self._locks.lock(place, 0.0)
            return is_held
        finally:
            if not is_held:
                self._leave(stripe)

    def release(self, place: int) -> None:
        """Let go of ``place``."""
        try:
            self._locks.unlock(place)
        finally:
            self._leave(_stripe_of(place))

    def _leave(self, stripe: int) -> None:
        self._owners[stripe] = 0
        self._stripes[stripe].release()

    def take_lease(self, place: int) -> bool:
        """Hold ``place`` for a load; False while another process does. Threads of this process share it."""
        return not self._is_closed and self._locks.try_hold(place)

    def drop_lease(self, place: int) -> None:
        """Let go of ``place``."""
        if not self._is_closed:
            self._locks.release(place)

    def _check_open(self) -> None:
        if self._is_closed:
            raise CacheClosedError("the cache was closed")

    def _check_identity(self) -> None:
        """Raise ``CacheConnectionError`` when the locks held here are no longer those that others ask for.

        Looked at once a second: until then, two who write one key may leave halves that do not fit, and so a miss.
        """
        now = since_boot()
        if now < self._checked_until:
            return
        self._checked_until = now + _CHECKED_FOR
        if identity_of(self._locks_path) != self.identity:
            self._checked_until = 0.0
            raise CacheConnectionError(
                f"{self.place} was removed, or its file {LOCKS}, while a cache was open there: open it anew",
                place=str(self.place),
            )

    def _lateness(self, timeout: float) -> CacheTimeoutError:
        return CacheTimeoutError(
            f"something else has been writing the same key for {timeout:g} seconds; it may have been stopped",
            place=str(self.place),
        )

    def close(self) -> None:
        """Let go of it, once for each user. Those who are just changing something are waited for."""
        with _sites.lock:
            self.users -= 1
            if self.users:
                return
            _sites.by_identity.pop(self.identity, None)
            held = [stripe for stripe in self._stripes if stripe.acquire(timeout=_PATIENCE)]
            self._is_closed = True
            self._locks.close()
            for stripe in held:
                stripe.release()


class Hold:
    """``with Hold(site, place, timeout):`` holds ``place``."""

    __slots__ = ("_place", "_site", "_timeout")

    def __init__(self, site: Site, place: int, timeout: float) -> None:
        self._site = site
        self._place = place
        self._timeout = timeout

    def __enter__(self) -> None:
        self._site.acquire(self._place, self._timeout)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._site.release(self._place)


class _Sites:
    """Those that this process has open. The lock is a plain one: it is held while a device is waited for."""

    def __init__(self) -> None:
        self.by_identity: dict[tuple[int, int], Site] = {}
        self.reset_after_fork()
        reset_in_child(self)

    def reset_after_fork(self) -> None:
        """Forget that a thread of the parent is opening one."""
        self.lock = threading.Lock()


_sites = _Sites()


def identity_of(path: str) -> tuple[int, int] | None:
    """Return what tells the file of locks at ``path`` from every other; ``None`` when there is none."""
    with suppress(OSError):
        state = os.lstat(path)
        return state.st_dev, state.st_ino
    return None


def open_site(place: Path) -> Site:
    """Return the site in ``place``, opened if this process has not yet."""
    with _sites.lock:
        identity = identity_of(str(place / LOCKS))
        found = None if identity is None else _sites.by_identity.get(identity)
        if found is None:
            found = Site(place)
            _sites.by_identity[found.identity] = found
            return found
        found.users += 1
        return found
