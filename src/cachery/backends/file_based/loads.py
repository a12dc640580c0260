"""The store as the backend of an engine: entries with their stamps, fenced loads, and one load for all processes.

A load's token holds the name of its key's fence, its number behind it, and the number of the last invalidation, as they
stood when it began. A load holds a lease, a lock that the kernel drops when the process ends. Its place is made from
the key, the name of the fence and the number of the last clearing: who asks after an invalidation finds another, and
does not wait for a load that nobody wants any more.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any

from cachery.backends.file_based.layout import hash_of
from cachery.backends.file_based.shelf import Parcel, Shelf
from cachery.backends.file_based.site import Hold, lease_place, place_of
from cachery.exceptions import CacheConnectionError, CacheError, CacheFullError, CacheTimeoutError, CacheValueError
from cachery.model.entry import Entry
from cachery.serializers.envelope import Unreadable
from cachery.serializers.pipeline import TooLarge, key_bytes
from cachery.sources.observing import Seen, observe
from cachery.sources.source import Source

__all__ = ["Lease", "LoadToken", "Loads"]

_SHORT = 0.25
_REFUSALS = (CacheConnectionError, CacheFullError, CacheTimeoutError)
_log = logging.getLogger("cachery")


class LoadToken:
    """The moment at which a load of ``key`` began: the ``number`` of the load behind the ``fence`` of that name."""

    __slots__ = ("born", "fence", "hash", "is_open", "key", "number", "process")

    def __init__(self, key: str, key_hash: str) -> None:
        self.key = key
        self.hash = key_hash
        self.born = 0
        self.process = os.getpid()
        self.fence = ""
        self.number = 0
        self.is_open = True


class Lease:
    """The right to load a key, as a ``place`` that is locked; ``None`` when none could be."""

    __slots__ = ("hash", "place", "process")

    def __init__(self, key_hash: str, place: int | None) -> None:
        self.hash = key_hash
        self.place = place
        self.process = os.getpid()


class Loads(Shelf):
    """Adds the backend port to the shelf."""

    _open: set[LoadToken | Lease]
    _open_lock: Lock

    @property
    def lease_timeout(self) -> float:
        """How many seconds a load waits for that of another process."""
        return self.settings.lease_timeout

    def isolate(self, value: Any) -> Any:
        """Return ``value``: who reads it from the store gets an object of its own anyway."""
        return value

    def read_entry(self, key: str) -> Entry | None:
        """Return what stands under ``key``, stale or fresh, or ``None``."""
        found = self.look(key, hash_of(key_bytes(key)))
        if found is None or found.is_outdated or found.meta.dead_at <= self.read_clock():
            return None
        try:
            value = self.value(key, found)
        except Unreadable as unreadable:
            self.observer.unreadable(key, unreadable.reason)
            return None
        return found.meta.entry._replace(value=value)

    def write_entry(self, key: str, entry: Entry, token: LoadToken | None = None) -> bool:
        """Store ``entry``; with a ``token``, only if nothing has invalidated it since. True when stored.

        Everything may be cleared while it is being stored, by who did not see it yet: so that is looked at again.
        """
        if token is None:
            return self.put(key, entry)
        if token.key != key:
            raise CacheValueError(f"the token is for the key {token.key!r}, not {key!r}")
        if not self.is_current(token, entry.tags):
            return False  # before anything is serialized
        wanted = _Settling(self, token, entry.tags)
        parcel = self.try_parcel(key, entry, token.born, wanted)
        return parcel is not None and self.store(parcel, wanted, lambda: self.tags.admits(token.born, ()))

    def put(self, key: str, entry: Entry) -> bool:
        """Store ``entry``; False when it is too large, and then there is nothing under ``key``."""
        self.check_open()
        parcel = self.try_parcel(key, entry, self.birth(entry))
        return parcel is not None and self.store(parcel, self.overtaking(parcel.hash))

    def birth(self, entry: Entry) -> int:
        """Return the number of the last invalidation, if ``entry`` is to know it: it has tags."""
        return self.tags.number() if entry.tags else 0

    def overtaking(self, key_hash: str, is_wanted: Callable[[], bool] | None = None) -> Callable[[], bool]:
        """Return a function that refuses the loads of a key that are under way, if ``is_wanted`` agrees."""

        def overtake() -> bool:
            if is_wanted is not None and not is_wanted():
                return False
            self.fences.overtake(key_hash)
            return True

        return overtake

    def try_parcel(
        self, key: str, entry: Entry, born: int, is_wanted: Callable[[], bool] | None = None
    ) -> Parcel | None:
        """Return ``entry`` ready to be stored; ``None`` when it is too large: then what is under ``key`` goes.

        That goes only if the entry ``is_wanted``.
        """
        try:
            return self.parcel(key, entry, born)
        except TooLarge:
            pass
        key_hash = hash_of(key_bytes(key))
        with self.section(key_hash):
            if is_wanted is not None and not is_wanted():
                return None
            self.fences.overtake(key_hash)
            self.drop(key_hash)
        self.observer.evicted(key, "too_large")
        return None

    def postpone_refresh(self, key: str, until: float, token: LoadToken) -> None:
        """Let the entry under ``key`` be refreshed no sooner than ``until``, unless ``token`` is no longer current."""
        self.check_open()
        with self.section(token.hash):
            found = self.glimpse(key, token.hash, is_locked=True)
            if found is not None and not found.is_outdated and self.is_current(token):
                self.restamp(found, token.hash, found.meta.entry._replace(refresh_at=until))

    # Tokens

    def open_token(self, key: str) -> LoadToken:
        """Note the moment: a load of ``key`` begins now.

        Where no fence can be made, on a full disk for instance, the token is not current: what is loaded reaches its
        caller and is not stored. That is logged.
        """
        self.check_open()
        token = LoadToken(key, hash_of(key_bytes(key)))
        try:
            token.born = self.tags.number()
            with self.hold(token.hash):
                fence = self.fences.begin(key, token.hash)
        except _REFUSALS as error:
            _log.warning("the value of %r that is being loaded will not be stored: %s", key, error)
            return token
        token.fence, token.number = fence.id, fence.begun
        self._open.add(token)
        return token

    def observe(self, keys: Sequence[str], sources: tuple[Source, ...]) -> tuple[str, ...]:
        """Return the tags of entries under ``keys`` that depend on ``sources`` as they are now."""
        return observe(keys, sources, self._look_at)

    def _look_at(self, key: str) -> Seen:
        found = self.live(key, hash_of(key_bytes(key)))
        return Seen() if found is None else Seen(found.meta.digest, found.meta.entry.tags)

    def close_token(self, token: LoadToken) -> None:
        """Forget ``token``; closing it again does nothing. A fence that cannot be reached at once stays for a sweep."""
        with self._open_lock:
            is_ours = token.is_open and token.process == os.getpid()
            token.is_open = False
        if not is_ours or not token.fence:
            return
        try:
            with Hold(self.site, place_of(token.hash), _SHORT):
                self.fences.end(token.key, token.hash, token.fence)
        except CacheError as error:
            _log.debug("the fence of %r stays: %s", token.key, error)
        finally:
            self._open.discard(token)

    def is_current(self, token: LoadToken, tags: tuple[str, ...] = ()) -> bool:
        """Tell whether nothing has changed the key of ``token``, hit ``tags`` or cleared all since it was opened."""
        if self._is_closed or not token.is_open or not token.fence:
            return False
        return self.fences.admits(token.hash, token.fence, token.number) and self.tags.admits(token.born, tags)

    def before_closing(self) -> None:
        """Close the tokens that are open."""
        for opened in list(self._open):
            if isinstance(opened, LoadToken):
                self.close_token(opened)

    # Leases

    def take_lease(self, key: str) -> Lease | None:
        """Return a lease to load ``key``; ``None`` while another process holds it.

        Where there can be none, on a full disk for instance, it is one that keeps nobody away.
        """
        self.check_open()
        key_hash = hash_of(key_bytes(key))
        numbers = self.tags.numbers()
        epoch = 0 if numbers is None else numbers.epoch
        try:
            with self.hold(key_hash):
                place = lease_place(key_hash, f"{self.fences.ensure(key, key_hash).id} {epoch}")
                is_taken = self.site.take_lease(place)
        except _REFUSALS as error:
            _log.debug("%r is loaded without a lease: %s", key, error)
            return Lease(key_hash, None)
        if not is_taken:
            return None
        lease = Lease(key_hash, place)
        self._open.add(lease)
        return lease

    def drop_lease(self, lease: Lease) -> None:
        """End ``lease``. Quick, and never fails."""
        if lease.process != os.getpid() or lease.place is None:
            return
        try:
            self.site.drop_lease(lease.place)
            if not self._is_closed and self.site.try_acquire(place_of(lease.hash)):
                try:
                    self.fences.remove_idle(lease.hash)
                finally:
                    self.site.release(place_of(lease.hash))
        except (CacheError, OSError, ValueError) as error:
            _log.debug("a lease ended badly: %s", error)
        finally:
            self._open.discard(lease)


class _Settling:
    """Whether what was loaded may be stored; asked with the lock of the key, it is noted that it is."""

    __slots__ = ("_loads", "_tags", "_token")

    def __init__(self, loads: Loads, token: LoadToken, tags: tuple[str, ...]) -> None:
        self._loads = loads
        self._token = token
        self._tags = tags

    def __call__(self) -> bool:
        token = self._token
        if not self._loads.is_current(token, self._tags):
            return False
        self._loads.fences.settle(token.key, token.hash, token.number)
        return True
