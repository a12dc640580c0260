"""Entries, looked at and changed one at a time: what all verbs of the store stand on.

A change is made with the lock of its key, and never with that of another, so nobody waits in a circle; serializers have
done their work before. What there is to tell is told when all locks are let go.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock, local
from typing import Any, NamedTuple

from cachery.backends.file_based.budget import Bounds, Budget
from cachery.backends.file_based.fences import Fences
from cachery.backends.file_based.files import Draft
from cachery.backends.file_based.layout import hash_of
from cachery.backends.file_based.metas import Meta, Metas, body_digest
from cachery.backends.file_based.pairs import Found, Pairs
from cachery.backends.file_based.site import Hold, Site, open_site, place_of
from cachery.backends.file_based.tags import Tags
from cachery.exceptions import CacheClosedError, CacheError, CacheValueError
from cachery.model.entry import Entry
from cachery.ports.clock import Clock
from cachery.ports.store import Observer
from cachery.serializers.envelope import Body, Unreadable
from cachery.serializers.pipeline import Codec, TooLarge, key_bytes

__all__ = ["Parcel", "Settings", "Shelf"]

_log = logging.getLogger("cachery")


class Settings(NamedTuple):
    """What a store is made with. Times are in seconds. ``clock``: for tests, in the place of the file system's."""

    bounds: Bounds = Bounds()
    life: float = float("inf")
    write_timeout: float = 30.0
    lease_timeout: float = 600.0
    clock: Clock | None = None
    name: str | None = None


class Parcel(NamedTuple):
    """A value ready to be stored: the line of its meta file, and its body, written but not published."""

    key: str
    hash: str
    line: bytes
    draft: Draft
    body_size: int
    tags: tuple[str, ...]

    @property
    def size(self) -> int:
        """The bytes it takes."""
        return len(self.line) + self.body_size


class _Facts(local):
    """What a thread has to report when it holds no lock any more."""

    def __init__(self) -> None:
        self.waiting: deque[tuple[Callable[..., None], tuple[Any, ...]]] = deque()


class Shelf:
    """The entries in ``place``, written and read by ``codec``; ``observer`` hears what happens to them."""

    def __init__(self, place: Path, codec: Codec, settings: Settings, observer: Observer) -> None:
        if codec.keyring is None:
            raise CacheValueError("files are read only when they are signed: give the cache a secret=")
        self.place = place
        self.codec = codec
        self.settings = settings
        self.observer = observer
        self.default_life = settings.life
        self.site: Site = open_site(place)
        self.files = self.site.files
        self.read_clock: Clock = settings.clock or self.site.now
        self.metas = Metas(codec, codec.keyring)
        self.tags = Tags(self.site, settings.write_timeout)
        self.fences = Fences(self.files)
        self.pairs = Pairs(self.site, self.metas, self.tags, codec.recipe.limit, self.read_clock)
        self.budget = Budget(self.site, settings.bounds, settings.write_timeout, self._evict)
        self._is_closed = False
        self._closing = Lock()
        self._facts = _Facts()

    def check_open(self) -> None:
        """Raise ``CacheClosedError`` on a closed store."""
        if self._is_closed:
            raise CacheClosedError("the cache was closed", cache_name=self.settings.name)

    def close(self) -> None:
        """Let go of everything; what was used lately is written down first."""
        with self._closing:
            if self._is_closed:
                return
            self.before_closing()
            self._is_closed = True
            self.budget.fold_uses()
            self.site.close()

    def before_closing(self) -> None:
        """End what is open still."""

    def hold(self, key_hash: str) -> Hold:
        """Return a context with the lock of a key. Its ``with`` raises ``CacheTimeoutError``, if it is late."""
        return Hold(self.site, place_of(key_hash), self.settings.write_timeout)

    @contextmanager
    def section(self, key_hash: str) -> Iterator[None]:
        """Give the lock of a key; what there is to tell is told after it."""
        try:
            with self.hold(key_hash):
                yield
        finally:
            self.tell()

    def note(self, report: Callable[..., None], *arguments: Any) -> None:
        """Keep a fact until all locks are let go."""
        self._facts.waiting.append((report, arguments))

    def tell(self) -> None:
        """Report what this thread has noted."""
        waiting = self._facts.waiting
        while waiting:
            report, arguments = waiting.popleft()
            report(*arguments)

    # Looking

    def look(self, key: str, key_hash: str, *, is_locked: bool = False) -> Found | None:
        """Return what stands under ``key``, with its body; ``None`` when it cannot be read, which is reported."""
        return self._seen(key, key_hash, self.pairs.look, is_locked)

    def glimpse(self, key: str, key_hash: str, *, is_locked: bool = False) -> Found | None:
        """Return what stands under ``key``, without its body; ``None`` when it cannot be read, which is reported."""
        return self._seen(key, key_hash, self.pairs.glance, is_locked)

    def _seen(self, key: str, key_hash: str, look: Callable[..., Found | None], is_locked: bool) -> Found | None:  # noqa: FBT001
        if self._is_closed:
            self.check_open()
        try:
            return look(key, key_hash, is_locked=is_locked)
        except Unreadable as unreadable:
            self.note(self.observer.unreadable, key, unreadable.reason)
            if not is_locked:
                self.tell()
            return None

    def value(self, key: str, found: Found) -> Any:
        """Return the value of ``found``. Raises ``Unreadable``."""
        return self.codec.value_of(key_bytes(key), found.meta.body(found.data))

    def is_live(self, found: Found) -> bool:
        """Tell whether the plain verbs may see ``found``."""
        return not found.is_outdated and found.meta.entry.fresh_until > self.read_clock()

    def live(self, key: str, key_hash: str, *, is_locked: bool = False) -> Found | None:
        """Return what stands under ``key``, without its body, if the plain verbs may see it."""
        found = self.glimpse(key, key_hash, is_locked=is_locked)
        return found if found is not None and self.is_live(found) else None

    # Changing

    def parcel(self, key: str, entry: Entry, born: int, body: Body | None = None) -> Parcel:
        """Return ``entry`` ready to be stored. Raises ``TooLarge``, and what the serializer and the files raise."""
        name = key_bytes(key)
        if body is None:
            body = self.codec.body_of(name, entry.value)
        key_hash, size = hash_of(name), len(body.data)
        draft = self.files.draft(key_hash, body.data, is_looked_at=True)
        try:
            line = self.metas.line(
                key=key,
                entry=entry,
                body=body,
                size=size,
                digest=body_digest(body.data),
                file=draft.number,
                born=born,
                now=self.read_clock(),
            )
            most = self.settings.bounds.max_bytes
            if most is not None and len(line) + size > most:
                raise TooLarge
        except BaseException:
            self.files.discard(draft)
            raise
        return Parcel(key, key_hash, line, draft, size, entry.tags)

    def store(self, parcel: Parcel, is_wanted: Callable[[], bool], is_valid: Callable[[], bool] | None = None) -> bool:
        """Store ``parcel``, if it ``is_wanted``, which is asked with the lock of its key. It is used up in any case.

        ``is_valid`` is asked when it is stored: if it is not, it is removed again.
        """
        is_stored = False
        try:
            with self.budget.room(parcel.hash, parcel.size), self.hold(parcel.hash):
                if is_wanted():
                    self.put_down(parcel)
                    is_stored = is_valid is None or is_valid()
                    if not is_stored:
                        self.drop(parcel.hash)
        finally:
            if not is_stored:
                self.files.discard(parcel.draft)
            self.tell()
        if is_stored:
            self.observer.stored(parcel.key)
        return is_stored

    def put_down(self, parcel: Parcel) -> None:
        """Let ``parcel`` be the entry of its key, whose lock the caller holds."""
        with self.budget.changing():
            change = self.pairs.replace(parcel.key, parcel.hash, parcel.line, parcel.draft, parcel.body_size)
            self.budget.note(change)
        self.budget.note_use(parcel.hash)

    def drop(self, key_hash: str) -> None:
        """Remove the entry of a key, whose lock the caller holds."""
        with self.budget.changing():
            self.budget.note(self.pairs.remove(key_hash))

    def restamp(self, found: Found, key_hash: str, entry: Entry) -> None:
        """Give ``found`` the stamps of ``entry``. The caller holds the lock of the key."""
        meta = found.meta
        line = self.metas.line(
            key=meta.key,
            entry=entry,
            body=meta.body(b""),
            size=meta.size,
            digest=meta.digest,
            file=meta.file,
            born=meta.born,
            now=self.read_clock(),
        )
        with self.budget.changing():
            self.budget.note(self.pairs.restamp(key_hash, line))

    def expire(self, key: str, key_hash: str) -> bool:
        """Remove what stands under ``key`` if its time is over, and report it; True then. One being changed stays."""
        place = place_of(key_hash)
        try:
            if not self.site.try_acquire(place):
                return False
            try:
                found = self.glimpse(key, key_hash, is_locked=True)
                if found is None or found.meta.dead_at > self.read_clock():
                    return False
                self.drop(key_hash)
            finally:
                self.site.release(place)
                self.tell()
        except CacheError as error:  # a reader may not be allowed to write
            _log.debug("%r is over and could not be removed: %s", key, error)
            return False
        self.observer.expired(key)
        return True

    def _evict(self, key_hash: str) -> None:
        """Remove an entry to make room, unless somebody is changing it."""
        place = place_of(key_hash)
        if not self.site.try_acquire(place):
            return
        try:
            meta = self.meta_of(key_hash)
            self.drop(key_hash)
        finally:
            self.site.release(place)
        key = "" if meta is None else meta.key
        if meta is not None and meta.dead_at <= self.read_clock():
            self.note(self.observer.expired, key)
        else:
            self.note(self.observer.evicted, key, "size")

    def meta_of(self, key_hash: str) -> Meta | None:
        """Return what is known about an entry whose key is not; ``None`` when it cannot be read."""
        with suppress(Unreadable):
            found = self.pairs.glance(None, key_hash, is_locked=True)
            return None if found is None else found.meta
        return None
