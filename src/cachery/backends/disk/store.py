"""The verbs of a cache that lives in an LMDB database (``ports/store.py``)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from threading import Lock
from typing import Any

from cachery.backends.disk.index import TAGGED, Row, unpack_row
from cachery.backends.disk.inventory import describe, summaries, verified
from cachery.backends.disk.loads import Loads
from cachery.backends.disk.settings import Settings
from cachery.backends.disk.shelf import MOST_USES
from cachery.backends.disk.state import EVERYTHING
from cachery.backends.disk.sweeping import has_too_many_tags, recount, sweep
from cachery.backends.disk.writing import Parcel, Writing, digest_of, is_outdated
from cachery.exceptions import CacheValueError
from cachery.forks import reset_in_child
from cachery.model.entry import Entry
from cachery.model.sentinels import FOREVER, MISSING
from cachery.ports.store import Description, Observer, Summary
from cachery.serializers.envelope import Envelope, Unreadable, key_of, unpack
from cachery.serializers.pipeline import INTEGER, Codec, key_bytes

__all__ = ["DiskStore"]


class DiskStore(Loads):
    """Entries in the directory ``place``."""

    def __init__(self, place: Path, codec: Codec, settings: Settings, observer: Observer) -> None:
        super().__init__(place, codec, settings, observer)
        self.reset_after_fork()
        reset_in_child(self)
        if self.volume.is_uncounted:
            self.write(recount)
            self.volume.is_uncounted = False

    def reset_after_fork(self) -> None:
        """Forget the loads of the parent."""
        self._tokens = {}
        self._tokens_lock = Lock()

    def fetch(self, key: str, *, is_first_look: bool = False) -> Any:
        """Return the value of ``key`` if it is fresh, else ``MISSING``."""
        name = key_bytes(key)
        digest = digest_of(name)
        record = self.raw(digest)
        if record is None:
            return MISSING
        envelope = self.valid(key, name, record)
        if envelope is None:
            return MISSING
        has_times = envelope.fresh_until != FOREVER or envelope.refresh_at != FOREVER
        if has_times and not self._is_fresh(key, digest, envelope, is_first_look=is_first_look):
            return MISSING
        body = envelope.body
        try:
            value = self.value(envelope) if body.flags else self.codec.value_of(name, body)
        except Unreadable:
            return self._fetch_again(key)
        if len(self._uses) < MOST_USES:
            self._uses[digest] = None
        return value

    def _is_fresh(self, key: str, digest: bytes, envelope: Envelope, *, is_first_look: bool) -> bool:
        """Tell whether ``envelope`` is to be served; what is over is reported."""
        now = self.read_clock()
        if envelope.fresh_until > now:
            return not (is_first_look and envelope.refresh_at <= now)
        if envelope.stale_until <= now and not is_first_look:
            self.note_over(key, digest)
        return False

    def _fetch_again(self, key: str) -> Any:
        """Return the value of ``key``, whose record may have been replaced while it was read."""
        now = self.read_clock()
        found = self.look(key, lambda envelope: envelope.fresh_until > now)
        return MISSING if found is None else found[1]

    def fetch_many(self, keys: list[str]) -> dict[str, Any]:
        """Return the fresh values among those of ``keys``."""
        found = {key: self.fetch(key) for key in keys}
        return {key: value for key, value in found.items() if value is not MISSING}

    def glance(self, key: str) -> Any:
        """Return ``MISSING``: nothing is at hand in memory."""
        del key
        return MISSING

    def put_new(self, key: str, entry: Entry) -> bool:
        """Store ``entry`` if nothing live stands under ``key``; True when stored."""
        if self.live(key, digest_of(key_bytes(key)), self.read_clock()) is not None:
            return False
        parcel = self.try_parcel(key, entry, self.volume.state.sequence)
        return parcel is not None and self.store([parcel], lambda writing: self._put_new(writing, parcel))

    def _put_new(self, writing: Writing, parcel: Parcel) -> bool:
        if self.live_in(writing, parcel.key, parcel.digest) is not None:
            self.discard(parcel)
            return False
        writing.put(parcel)
        return True

    def put_many(self, entries: Mapping[str, Entry]) -> bool:
        """Store all ``entries`` in one transaction; True when none was too large."""
        number = self.volume.state.sequence
        parcels: list[Parcel | None] = []
        try:
            parcels.extend(self.try_parcel(key, entry, number) for key, entry in entries.items())
            self.write(lambda writing: writing.put_all([parcel for parcel in parcels if parcel is not None]))
        except BaseException:
            self.discard_all(parcels)
            raise
        return None not in parcels

    def increment(self, key: str, by: int, absent: Entry) -> int:
        """Add ``by`` to the whole number under ``key`` and return the sum; where there is none, store ``absent``."""
        return self.write(lambda writing: self._increment(writing, key, by, absent))

    def _increment(self, writing: Writing, key: str, by: int, absent: Entry) -> int:
        name = key_bytes(key)
        digest = digest_of(name)
        envelope = self.live_in(writing, key, digest)
        if envelope is None:
            entry, epoch = absent, writing.state.sequence
        elif envelope.body.serializer != INTEGER:
            raise CacheValueError(f"{key!r} holds something that is not an int", key=key)
        else:
            old: int = self.codec.value_of(name, envelope.body)
            entry, epoch = envelope.entry(old + by), envelope.epoch
        total: int = entry.value
        if envelope is None and absent.fresh_until <= writing.now:
            return total
        record = self.codec.record_of(name, self.codec.body_of(name, total), entry, epoch)
        writing.put(Parcel(key, digest, record, entry))
        return total

    def prolong(self, key: str, life: float) -> bool:
        """Let what is live under ``key`` live for ``life`` seconds from now on; True if there was something."""
        return self.write(lambda writing: self._prolong(writing, key, life))

    def _prolong(self, writing: Writing, key: str, life: float) -> bool:
        digest = digest_of(key_bytes(key))
        envelope = self.live_in(writing, key, digest)
        if envelope is None:
            return False
        fresh_until = writing.now + life
        stale_until = envelope.stale_until
        if stale_until > -FOREVER and envelope.fresh_until < FOREVER:  # as long a stale time as before
            stale_until += fresh_until - envelope.fresh_until
        entry = envelope.entry(None)._replace(fresh_until=fresh_until, stale_until=stale_until, refresh_at=float("inf"))
        self.restamp(writing, digest, envelope, entry)
        return True

    def expiry(self, key: str) -> float | None:
        """Return when what is live under ``key`` is over; ``None`` when nothing is."""
        envelope = self.live(key, digest_of(key_bytes(key)), self.read_clock())
        return None if envelope is None else envelope.fresh_until

    def remove(self, key: str) -> bool:
        """Remove ``key``; True if it was live."""
        return self.write(lambda writing: self._remove(writing, key))

    def remove_many(self, keys: list[str]) -> int:
        """Remove ``keys`` in one transaction; return how many were live."""
        return self.write(lambda writing: sum([self._remove(writing, key) for key in keys]))

    def _remove(self, writing: Writing, key: str) -> bool:
        digest = digest_of(key_bytes(key))
        is_live = self.live_in(writing, key, digest) is not None
        row = writing.drop(digest)
        if row is None:
            writing.touch(digest)
        elif row.dead_at <= writing.now and self._over.pop(digest, self) is self:
            writing.note(self.observer.expired, key)
        return is_live

    def remove_matching(self, matches: Callable[[str], object]) -> int:
        """Remove every key that ``matches``; return how many were live. Every load under way is overtaken."""

        def remove(writing: Writing) -> int:
            writing.state.mark(EVERYTHING, writing.number)
            environment = self.volume.environment
            with writing.transaction.cursor(environment.records) as cursor:
                found = [key for _, record in cursor if matches(key := key_of(record))]
            return sum([self._remove(writing, key) for key in found])

        return self.write(remove)

    def clear(self) -> int:
        """Remove everything; return how many entries were live."""

        def clear(writing: Writing) -> int:
            count = self._count_in(writing.transaction)
            writing.clear()
            self._uses.clear()
            self._over.clear()
            return count

        return self.write(clear)

    def hit_tags(self, tags: tuple[str, ...]) -> None:
        """Make every entry that carries one of ``tags`` unreadable."""
        if not tags:
            return

        def hit(writing: Writing) -> bool:
            writing.hit_tags(tags)
            return has_too_many_tags(writing)

        is_crowded = self.write(hit)
        if is_crowded and not self.volume.gate.is_mine:
            self.sweep()

    def live_keys(self) -> Iterator[str]:
        """Return an iterator over the live keys, those of this moment."""
        now = self.read_clock()
        environment = self.volume.environment
        with self.reading() as transaction:
            rows = [(digest, unpack_row(data)) for digest, data in transaction.cursor(environment.index)]
            fresh = [(digest, row) for digest, row in rows if row.fresh_until > now]
            keys = [self._key_at(transaction, digest, row) for digest, row in fresh]
        return iter([key for key in keys if key is not None])

    def _key_at(self, transaction: Any, digest: bytes, row: Row) -> str | None:
        record = transaction.get(digest, b"", self.volume.environment.records)
        if row.flags & TAGGED and self._is_outdated(transaction, record):
            return None
        return key_of(record)

    def _is_outdated(self, transaction: Any, record: bytes) -> bool:
        try:
            return is_outdated(transaction, self.volume.environment, unpack(record), self.read_clock)
        except Unreadable:
            return False

    def count(self) -> int:
        """Return how many entries are live. At once, unless some may be over: then they are looked at."""
        with self.reading() as transaction:
            return self._count_in(transaction)

    def _count_in(self, transaction: Any) -> int:
        now = self.read_clock()
        index = self.volume.environment.index
        if self.volume.state.soonest > now:
            entries: int = transaction.stat(index)["entries"]
            return entries
        return sum(unpack_row(data).fresh_until > now for _, data in transaction.cursor(index))

    def sweep(self) -> int:
        """Remove what is dead, and what a crash left behind; return how many entries that were."""
        return sweep(self)

    def live_in(self, writing: Writing, key: str, digest: bytes) -> Envelope | None:
        """Return the parts of what stands under ``key``, as ``writing`` sees it, if the plain verbs may see it."""
        record = writing.record(digest)
        envelope = None if record is None else self.opened(key, key_bytes(key), record, writing.note_unreadable)
        if envelope is None or envelope.fresh_until <= writing.now:
            return None
        if not envelope.tags:
            return envelope
        environment = self.volume.environment
        is_dead = is_outdated(writing.transaction, environment, envelope, lambda: writing.now)
        return None if is_dead else envelope

    def summaries(self) -> Iterator[Summary]:
        """Return an iterator over all entries, the dead among them."""
        return summaries(self)

    def describe(self, key: str) -> Description | None:
        """Return what is known of what stands under ``key``, dead or alive; ``None`` when nothing does."""
        return describe(self, key)

    def verify(self) -> Iterator[tuple[str, str]]:
        """Return an iterator over all keys, each with what is wrong with its record, empty when nothing is."""
        return verified(self)

    def audit(self) -> list[str]:
        """Return what is wrong inside, nothing when all is well."""
        with self.reading() as transaction:
            environment = self.volume.environment
            rows = {digest: unpack_row(data) for digest, data in transaction.cursor(environment.index)}
            records = {digest for digest, _ in transaction.cursor(environment.records)}
        complaints = [] if rows.keys() == records else [f"{len(records)} records and {len(rows)} rows"]
        total = sum(row.size for row in rows.values())
        if total != self.volume.state.total:
            complaints.append(f"{total} bytes are stored, {self.volume.state.total} are counted")
        return complaints
