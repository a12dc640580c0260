"""The verbs of a cache that lives in plain files (``ports/store.py``).

What concerns one key is one step, also among processes and machines. What concerns many is done key by key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from threading import Lock
from typing import Any

from cachery.backends.file_based.layout import META, hash_of
from cachery.backends.file_based.loads import Loads
from cachery.backends.file_based.metas import written_at
from cachery.backends.file_based.pairs import Found
from cachery.backends.file_based.shelf import Parcel, Settings
from cachery.backends.file_based.survey import Survey
from cachery.backends.file_based.sweeping import SPARE_TAGS, has_too_many_tags, remove_drafts, sweep
from cachery.exceptions import CacheFullError, CacheValueError
from cachery.forks import reset_in_child
from cachery.model.entry import Entry
from cachery.model.sentinels import MISSING
from cachery.ports.store import Description, Observer, Summary
from cachery.serializers.describing import described, unreadable
from cachery.serializers.envelope import Unreadable
from cachery.serializers.pipeline import INTEGER, Codec, TooLarge, key_bytes

__all__ = ["FileStore"]

_FOREVER = float("inf")
_NUMBER_SIZE = 1024


class FileStore(Loads):
    """Entries in the directory ``place``."""

    def __init__(self, place: Path, codec: Codec, settings: Settings, observer: Observer) -> None:
        super().__init__(place, codec, settings, observer)
        self._survey = Survey(self.files, self.pairs, observer.unreadable)
        self.reset_after_fork()
        reset_in_child(self)

    def reset_after_fork(self) -> None:
        """Forget the loads of the parent."""
        self._open = set()
        self._open_lock = Lock()

    # Reading

    def fetch(self, key: str, *, is_first_look: bool = False) -> Any:
        """Return the value of ``key`` if it is fresh, else ``MISSING``."""
        if self._is_closed:
            self.check_open()
        name = key_bytes(key)
        key_hash = hash_of(name)
        try:
            found = self.pairs.look(key, key_hash)
            if found is None or found.is_outdated:
                return MISSING
            meta = found.meta
            entry = meta.entry
            if (entry.fresh_until != _FOREVER or entry.refresh_at != _FOREVER) and not self._is_fresh(
                key, key_hash, entry, is_first_look=is_first_look
            ):
                return MISSING
            value = self.codec.value_of(name, meta.body(found.data))
        except Unreadable as unreadable:
            self.observer.unreadable(key, unreadable.reason)
            return MISSING
        self.budget.note_use(key_hash)
        return value

    def _is_fresh(self, key: str, key_hash: str, entry: Entry, *, is_first_look: bool) -> bool:
        now = self.read_clock()
        if entry.fresh_until > now:
            return not (is_first_look and entry.refresh_at <= now)
        if entry.stale_until <= now and not is_first_look:
            self.expire(key, key_hash)
        return False

    def fetch_many(self, keys: list[str]) -> dict[str, Any]:
        """Return the fresh values among those of ``keys``."""
        found = {key: self.fetch(key) for key in keys}
        return {key: value for key, value in found.items() if value is not MISSING}

    def glance(self, key: str) -> Any:
        """Return ``MISSING``: nothing is at hand in memory."""
        del key
        return MISSING

    def expiry(self, key: str) -> float | None:
        """Return when what is live under ``key`` is over; ``None`` when nothing is."""
        found = self.live(key, hash_of(key_bytes(key)))
        return None if found is None else found.meta.entry.fresh_until

    def note_use(self, key: str) -> None:
        """Remember that ``key`` was used now."""
        self.budget.note_use(hash_of(key_bytes(key)))

    # Writing

    def put_new(self, key: str, entry: Entry) -> bool:
        """Store ``entry`` if nothing live stands under ``key``; True when stored."""
        key_hash = hash_of(key_bytes(key))
        if self.live(key, key_hash) is not None:
            return False
        is_wanted = self.overtaking(key_hash, lambda: self.live(key, key_hash, is_locked=True) is None)
        parcel = self.try_parcel(key, entry, self.birth(entry), is_wanted)
        return parcel is not None and self.store(parcel, is_wanted)

    def put_many(self, entries: Mapping[str, Entry]) -> bool:
        """Store all ``entries``, one after the other, after all were serialized; True when none was too large."""
        self.check_open()
        parcels: list[Parcel] = []
        is_whole = True
        try:
            for key, entry in entries.items():
                parcel = self.try_parcel(key, entry, self.birth(entry))
                is_whole = is_whole and parcel is not None
                parcels += [] if parcel is None else [parcel]
            parcels.reverse()
            while parcels:
                parcel = parcels.pop()
                self.store(parcel, self.overtaking(parcel.hash))
        finally:
            for parcel in parcels:
                self.files.discard(parcel.draft)
        return is_whole

    def increment(self, key: str, by: int, absent: Entry) -> int:
        """Add ``by`` to the whole number under ``key`` and return the sum; where there is none, store ``absent``."""
        self.check_open()
        key_hash = hash_of(key_bytes(key))
        try:
            with self.budget.room(key_hash, _NUMBER_SIZE), self.hold(key_hash):
                entry, born = self._counted(key, key_hash, by, absent)
                total: int = entry.value
                if entry.fresh_until <= self.read_clock():
                    return total
                self.fences.overtake(key_hash)
                is_stored = self._put_number(key, key_hash, entry, born)
        finally:
            self.tell()
        if is_stored:
            self.observer.stored(key)
        else:
            self.observer.evicted(key, "too_large")
        return total

    def _counted(self, key: str, key_hash: str, by: int, absent: Entry) -> tuple[Entry, int]:
        """Return the entry of the sum, and its birth."""
        found = self.look(key, key_hash, is_locked=True)
        if found is None or not self.is_live(found):
            return absent, self.birth(absent)
        if found.meta.code != INTEGER:
            raise CacheValueError(f"{key!r} holds something that is not an int", key=key)
        try:
            old: int = self.value(key, found)
        except Unreadable as unreadable:
            self.note(self.observer.unreadable, key, unreadable.reason)
            return absent, self.birth(absent)
        return found.meta.entry._replace(value=old + by), found.meta.born

    def _put_number(self, key: str, key_hash: str, entry: Entry, born: int) -> bool:
        try:
            parcel = self.parcel(key, entry, born)
        except TooLarge:
            self.drop(key_hash)
            return False
        try:
            self.put_down(parcel)
        except BaseException:
            self.files.discard(parcel.draft)
            raise
        return True

    def prolong(self, key: str, life: float) -> bool:
        """Let what is live under ``key`` live for ``life`` seconds from now on; True if there was something."""
        self.check_open()
        key_hash = hash_of(key_bytes(key))
        with self.section(key_hash):
            found = self.live(key, key_hash, is_locked=True)
            if found is None:
                return False
            entry = found.meta.entry
            fresh_until = self.read_clock() + life
            stale_until = entry.stale_until  # as long a stale time as before
            if _FOREVER not in {entry.fresh_until, fresh_until, -stale_until}:
                stale_until += fresh_until - entry.fresh_until
            changed = Entry(None, fresh_until, _FOREVER, stale_until, entry.tags, entry.cost)
            self.restamp(found, key_hash, changed)
        return True

    # Removing

    def remove(self, key: str) -> bool:
        """Remove ``key``; True if it was live."""
        self.check_open()
        key_hash = hash_of(key_bytes(key))
        with self.section(key_hash):
            found = self.glimpse(key, key_hash, is_locked=True)
            self.fences.overtake(key_hash)
            self.drop(key_hash)
        return self._was_live(found)

    def _was_live(self, found: Found | None) -> bool:
        """Tell whether what was removed was live; report what it was otherwise."""
        if found is None:
            return False
        if found.meta.dead_at <= self.read_clock():
            self.observer.expired(found.meta.key)
        elif found.is_outdated:
            self.observer.removed(1)
        return self.is_live(found)

    def remove_many(self, keys: list[str]) -> int:
        """Remove ``keys``, one after the other; return how many were live."""
        return sum([self.remove(key) for key in keys])

    def remove_matching(self, matches: Callable[[str], object]) -> int:
        """Remove every key that ``matches``; return how many were live. Every load under way is overtaken."""
        self.check_open()
        self.tags.hit_all()
        listing = self._survey.listing()
        known = {key_hash: meta.key for key_hash, meta in self._survey.entries(listing)}
        others = {key_hash: self._survey.key_of(key_hash) for key_hash in listing.metas.keys() - known.keys()}
        keys = [
            key for key_hash, key in (known | others).items() if matches(key) and hash_of(key_bytes(key)) == key_hash
        ]
        return self.remove_many(keys)

    def clear(self) -> int:
        """Remove everything; return how many entries were live. That goes on a full disk too: it makes room first."""
        self.check_open()
        live = 0
        try:
            number = self.tags.hit_all()
        except CacheFullError:
            live = self._empty(None)
            number = self.tags.hit_all()
        return live + self._empty(number)

    def _empty(self, number: int | None) -> int:
        """Remove everything, the tags that were hit up to ``number`` too; return how many entries were live."""
        listing = self._survey.listing()
        now = self.read_clock()
        live = sum(meta.entry.fresh_until > now for _, meta in self._survey.entries(listing))
        for key_hash in listing.metas.keys() | listing.bodies.keys() | listing.fences.keys():
            with self.hold(key_hash):
                self.fences.overtake(key_hash)
                self.drop(key_hash)
        if number is not None:
            self.tags.forget(listing.tags, number)
        remove_drafts(self, listing)
        self._survey.forget()
        return live

    def hit_tags(self, tags: tuple[str, ...]) -> None:
        """Make every entry that carries one of ``tags`` unreadable."""
        if not tags:
            return
        self.check_open()
        self.tags.hit(tags)
        if self.tags.written > SPARE_TAGS:
            self.tags.written = 0
            if has_too_many_tags(self._survey.listing()):
                self.sweep()

    # All of them

    def live_keys(self) -> Iterator[str]:
        """Return an iterator over the live keys, those of this moment."""
        self.check_open()
        now = self.read_clock()
        numbers: dict[str, float] = {}
        keys = []
        for _, meta in self._survey.entries(self._survey.listing()):
            for tag in meta.entry.tags:
                if tag not in numbers:
                    numbers[tag] = self.tags.hit_number(tag)
            is_valid = all(numbers[tag] <= meta.born for tag in meta.entry.tags) and self.pairs.stands(meta)
            if meta.entry.fresh_until > now and is_valid:
                keys.append(meta.key)
        return iter(keys)

    def count(self) -> int:
        """Return how many entries are live. Looks at every meta file, and reads those that are new."""
        self.check_open()
        now = self.read_clock()
        return sum(meta.entry.fresh_until > now for _, meta in self._survey.entries(self._survey.listing()))

    def summaries(self) -> Iterator[Summary]:
        """Return an iterator over all entries that can be read, the dead among them."""
        self.check_open()
        listing = self._survey.listing()
        for key_hash, meta in list(self._survey.entries(listing)):
            state = self.files.state(key_hash + META)
            size = meta.size + (0 if state is None else state.st_size)
            yield Summary(meta.key, size, meta.entry.fresh_until, meta.dead_at)

    def describe(self, key: str) -> Description | None:
        """Return what is known of what stands under ``key``, dead or alive; ``None`` when nothing does."""
        self.check_open()
        key_hash = hash_of(key_bytes(key))
        state = self.files.state(key_hash + META)
        if state is None:
            return None
        try:
            found = self.pairs.glance(key, key_hash)
        except Unreadable as error:
            return unreadable(state.st_size, error.reason)
        if found is None:
            return None
        meta, size = found.meta, found.meta.size + state.st_size
        body, when = meta.body(b""), written_at(meta)
        return described(self.codec, meta.entry, body, size=size, is_invalidated=found.is_outdated, written_at=when)

    def verify(self) -> Iterator[tuple[str, str]]:
        """Return an iterator over all keys, each with what is wrong with its entry: empty when nothing is.

        Every body is read, and nothing deserialized.
        """
        self.check_open()
        for key_hash in self._survey.listing().metas:
            key = self._survey.key_of(key_hash)
            try:
                found = self.pairs.look(None, key_hash)
            except Unreadable as unreadable:
                yield key, unreadable.reason
            else:
                if found is not None:
                    yield found.meta.key, ""

    def sweep(self) -> int:
        """Remove what is dead, and what a crash left behind; return how many entries that were."""
        return sweep(self, self._survey)

    def audit(self) -> list[str]:
        """Return what is wrong inside, nothing when all is well. Nobody else may be writing."""
        is_loading = bool(self._open)
        listing = self._survey.listing()
        readable = dict(self._survey.entries(listing))
        complaints = [f"{key_hash} is but half an entry" for key_hash in listing.metas.keys() ^ listing.bodies.keys()]
        complaints += [f"{key_hash} cannot be read" for key_hash in listing.metas.keys() - readable.keys()]
        complaints += [f"{name} was left behind" for name in listing.drafts]
        complaints += [f"{key_hash} is fenced, and nobody loads it" for key_hash in listing.fences if not is_loading]
        if self.budget.is_bounded and self.budget.is_counted:
            counted = self.budget.entries, self.budget.size
            self.budget.count()
            if counted != (self.budget.entries, self.budget.size):
                complaints.append(f"{counted} are counted, {self.budget.entries, self.budget.size} are there")
        return complaints
