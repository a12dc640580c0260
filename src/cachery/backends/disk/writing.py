"""One write: a transaction, what it does to records, index and marks, and the facts to be told when it is over."""

from __future__ import annotations

try:
    import cython

    if not cython.compiled:
        raise ImportError
except ImportError:
    from cachery import _cython as cython  # type: ignore[no-redef]

from collections.abc import Callable
from functools import partial
from hashlib import blake2b
from typing import Any

from cachery.backends.disk.big_files import BigFiles, Reference
from cachery.backends.disk.environment import Environment, LmdbError
from cachery.backends.disk.index import (
    BIG,
    ROW_SIZE,
    TAGGED,
    Row,
    is_nearly,
    pack_row,
    rows_from,
    size_and_flags,
    unpack_row,
    worst_of,
)
from cachery.backends.disk.settings import Bounds, Settings
from cachery.backends.disk.state import EVERYTHING
from cachery.backends.disk.volume import Volume
from cachery.model.entry import Entry
from cachery.model.keys import Key
from cachery.model.marks import marks_in
from cachery.ports.clock import Clock
from cachery.ports.store import Observer
from cachery.serializers.envelope import REFERENCE, Body, Envelope, Unreadable, key_of, unpack
from cachery.serializers.pipeline import key_bytes
from cachery.sources.observing import NOT_THERE, stand

if not cython.compiled:
    from cachery.backends.disk.state import State

__all__ = [
    "DIGEST_SIZE",
    "Parcel",
    "Writing",
    "body_stamp",
    "digest_of",
    "hit_number",
    "is_outdated",
    "reference_of",
    "tag_digest",
]

DIGEST_SIZE = 16
_OVERHEAD = 2 * DIGEST_SIZE + ROW_SIZE
_LOOKED_AT = 8
_BEGUN = blake2b(digest_size=DIGEST_SIZE)


@cython.final
@cython.cclass
class Parcel:
    """A value ready to be stored: its key's digest, its record and stamps, and the file of a large body.

    ``size``: the bytes it takes. ``flags``: what its row says of it.
    """

    key: str
    digest: bytes
    record: bytes
    entry: Entry
    big: Reference | None
    size: int
    flags: int

    def __init__(self, key: Key, digest: bytes, record: bytes, entry: Entry, big: Reference | None = None) -> None:
        self.key = key
        self.digest = digest
        self.record = record
        self.entry = entry
        self.big = big
        self.size = len(record) + _OVERHEAD
        self.flags = TAGGED if entry.tags else 0
        if big is not None:
            self.size += big.size
            self.flags |= BIG


@cython.final
@cython.cclass
class Writing:
    """A write transaction over ``volume``. Whoever makes one stands within the gate."""

    volume: Volume
    state: State
    environment: Environment
    bounds: Bounds
    files: BigFiles
    observer: Observer
    now: float
    total: int
    number: int
    transaction: Any
    facts: list[tuple[Callable[..., None], tuple[Any, ...]]]
    _gone: list[str]
    _made: list[str]
    _chance: Callable[[int], bytes]

    def __init__(self, volume: Volume, settings: Settings, files: BigFiles, observer: Observer, now: Any) -> None:
        self.volume, self.state, self.environment = volume, volume.state, volume.environment
        self.bounds, self._chance = settings.bounds, settings.chance
        self.files = files
        self.observer = observer
        self.now = now
        self.total = self.state.total
        self.facts = []
        self._gone = []
        self._made = []
        try:
            self.transaction = self.environment.begin(None, None, True, False)
        except LmdbError as error:
            raise self.environment.failure(error, "write to") from error
        self.number = self.transaction.id()

    def commit(self) -> None:
        """Make it so."""
        self.state.note_time(self.now)
        if not self.volume.is_synced:
            self.state.note_write()
        self.state.total, before = self.total, self.state.total
        try:
            self.transaction.commit()
        except LmdbError as error:
            self.state.total = before
            raise self.environment.failure(error, "write to") from error
        self._made.clear()
        if self._gone:
            self.files.remove(self._gone)

    def abort(self) -> None:
        """Leave everything as it was."""
        self.facts.clear()
        self.transaction.abort()
        self.files.remove(self._made)

    def tell(self) -> None:
        """Report what was done, now that it is over."""
        for report, arguments in self.facts:
            report(*arguments)

    def note(self, report: Callable[..., None], *arguments: Any) -> None:
        """Keep a fact for later."""
        self.facts.append((report, arguments))

    def note_unreadable(self, key: Key, reason: Key) -> None:
        """Keep for later that what stands under ``key`` cannot be read."""
        self.note(self.observer.unreadable, key, reason)

    def record(self, digest: bytes) -> bytes | None:
        """Return the record with ``digest``."""
        found: bytes | None = self.transaction.get(digest, None, self.environment.records)
        return found

    def row(self, digest: bytes) -> Row | None:
        """Return the row with ``digest``."""
        data = self.transaction.get(digest, None, self.environment.index)
        return None if data is None else unpack_row(data)

    @cython.ccall
    def put(self, parcel: Parcel) -> None:
        """Store ``parcel``, after making room for it."""
        digest, entry, size = parcel.digest, parcel.entry, parcel.size
        self.touch(digest)
        bounds = self.bounds
        if self.total + size > bounds.max_bytes or bounds.max_size is not None:
            self.make_room(digest, size)
        dead_at = max(entry.fresh_until, entry.stale_until)
        row = pack_row(entry.fresh_until, dead_at, self.now, size, parcel.flags)
        old = self.transaction.get(digest, None, self.environment.index)
        if old is not None:
            self._forget(digest, old)
        if old is None or bounds.are_near(self.total) or not is_nearly(old, row):
            self.transaction.put(digest, row, True, True, False, self.environment.index)
        if parcel.big is not None:
            self.files.publish(parcel.big)
            self._made.append(parcel.big.name)
        self.transaction.put(digest, parcel.record, True, True, False, self.environment.records)
        self.total += size
        self.state.note_expiry(entry.fresh_until)
        self.facts.append((self.observer.stored, (parcel.key,)))

    def put_all(self, parcels: list[Parcel]) -> None:
        """Store all ``parcels``."""
        for parcel in parcels:
            self.put(parcel)

    def restamp(self, digest: bytes, record: bytes, entry: Entry) -> None:
        """Give the record with ``digest``, which stays as large as it is, other stamps."""
        row = self.row(digest)
        if row is None:
            return
        self.touch(digest)
        dead_at = max(entry.fresh_until, entry.stale_until)
        changed = pack_row(entry.fresh_until, dead_at, self.now, row.size, row.flags)
        self.transaction.put(digest, changed, db=self.environment.index)
        self.transaction.put(digest, record, db=self.environment.records)
        self.state.note_expiry(entry.fresh_until)

    @cython.ccall
    def touch(self, digest: bytes) -> None:
        """Outdate the copies and the loads of the key with ``digest``."""
        self.state.mark(self.state.group_of(digest), self.number)

    def drop(self, digest: bytes) -> Row | None:
        """Remove the record with ``digest``, and outdate its copies and loads; return its row."""
        row = self.take_out(digest)
        if row is not None:
            self.touch(digest)
        return row

    def take_out(self, digest: bytes) -> Row | None:
        """Remove the record with ``digest``, which was dead before: that says nothing about loads of its key."""
        data = self.transaction.pop(digest, self.environment.index)
        if data is None:
            return None
        self._forget(digest, data)
        self.transaction.delete(digest, db=self.environment.records)
        return unpack_row(data)

    @cython.cfunc
    def _forget(self, digest: bytes, data: bytes) -> None:
        """Note that the record with ``digest``, whose row is ``data``, goes, and so does its file."""
        size, flags = size_and_flags(data)
        self.total -= size
        if flags & BIG:
            reference = reference_of(self.record(digest) or b"")
            if reference is not None:
                self._gone.append(reference.name)

    def make_room(self, digest: bytes, size: Any) -> None:
        """Remove entries until one of ``size`` bytes fits, which is to stand under ``digest``."""
        old = self.row(digest)
        more = size - (0 if old is None else old.size)
        newcomers = 1 if old is None else 0
        with self.transaction.cursor(self.environment.index) as cursor:
            while self._is_over(more, newcomers):
                found = worst_of(cursor, self._chance(DIGEST_SIZE), self.now, digest)
                if found is None:
                    return
                self._evict(*found)

    def _is_over(self, more: Any, newcomers: Any) -> bool:
        if self.total + more > self.bounds.max_bytes:
            return True
        most = self.bounds.max_size
        return most is not None and self.count() + newcomers > most

    def _evict(self, digest: bytes, row: Row) -> None:
        key = key_of(self.record(digest) or b"")
        if row.dead_at <= self.now:
            self.take_out(digest)
            self.note(self.observer.expired, key)
        else:
            self.drop(digest)
            self.note(self.observer.evicted, key, "size")

    def count(self) -> int:
        """Return how many records there are, the dead among them."""
        entries: int = self.transaction.stat(self.environment.index)["entries"]
        return entries

    def expire_some(self) -> None:
        """Remove those that are over among a few rows from a random place on."""
        with self.transaction.cursor(self.environment.index) as cursor:
            rows = rows_from(cursor, self._chance(DIGEST_SIZE))
            over = [
                digest for _, (digest, row) in zip(range(_LOOKED_AT), rows, strict=False) if row.dead_at <= self.now
            ]
        for digest in over:
            self.expire(digest)

    def expire(self, digest: bytes, *, is_known: bool = False) -> bool:
        """Remove the record with ``digest`` if it is over; True then. ``is_known``: that was reported before."""
        row = self.row(digest)
        if row is None or row.dead_at > self.now:
            return False
        key = "" if is_known else key_of(self.record(digest) or b"")
        self.take_out(digest)
        if not is_known:
            self.note(self.observer.expired, key)
        return True

    def expire_all(self, digests: list[bytes]) -> None:
        """Remove those of the records with ``digests`` that are over, which was reported before."""
        for digest in digests:
            self.expire(digest, is_known=True)

    def use_all(self, digests: list[bytes]) -> None:
        """Note that the records with ``digests`` were used lately."""
        for digest in digests:
            row = self.row(digest)
            if row is not None and row.used < self.now:
                data = pack_row(row.fresh_until, row.dead_at, self.now, row.size, row.flags)
                self.transaction.put(digest, data, db=self.environment.index)

    def hit_tags(self, tags: tuple[str, ...]) -> None:
        """Note that each of ``tags`` was invalidated."""
        number: int = self.state.sequence + 1
        self.state.sequence = number
        for tag in tags:
            digest = tag_digest(tag)
            self.touch(digest)
            self.transaction.put(digest, number.to_bytes(8, "little"), db=self.environment.tags)

    def clear(self) -> None:
        """Remove every record."""
        self.state.mark(EVERYTHING, self.number)
        self._gone.extend(self.files.names())
        self.transaction.drop(self.environment.records, delete=False)
        self.transaction.drop(self.environment.index, delete=False)
        self.total = 0
        self.state.soonest = float("inf")


def is_outdated(transaction: Any, environment: Environment, envelope: Envelope, read_clock: Clock) -> bool:
    """Tell whether a tag of ``envelope`` was invalidated after its birth, or a source of it has changed since."""
    if _is_hit(transaction, environment, envelope):
        return True
    marks = marks_in(envelope.tag_names)
    return bool(marks) and not stand(marks, partial(stamp_of, transaction, environment, read_clock))


def _is_hit(transaction: Any, environment: Environment, envelope: Envelope) -> bool:
    return any(hit_number(transaction, environment.tags, tag) > number for tag, number in envelope.tags)


def stamp_of(transaction: Any, environment: Environment, read_clock: Clock, key: str) -> str:
    """Return what tells the value that is live under ``key`` from any other; empty where there is none."""
    record = transaction.get(digest_of(key_bytes(key)), b"", environment.records)
    try:
        envelope = unpack(record) if record else None
    except Unreadable:
        return NOT_THERE
    if envelope is None or envelope.fresh_until <= read_clock() or _is_hit(transaction, environment, envelope):
        return NOT_THERE
    return body_stamp(envelope.body)


def body_stamp(body: Body) -> str:
    """Return what tells a value, as it is stored, from any other."""
    return blake2b(body.data, digest_size=12).hexdigest()


def hit_number(transaction: Any, table: Any, tag: str) -> int:
    """Return the number of the last invalidation of ``tag``, 0 for none."""
    return int.from_bytes(transaction.get(tag_digest(tag), b"", table), "little")


def digest_of(name: bytes) -> bytes:
    """Return the digest of a key, given as bytes."""
    state = _BEGUN.copy()  # half of making one
    state.update(name)
    return state.digest()


def tag_digest(tag: str) -> bytes:
    """Return what stands for ``tag`` in the table."""
    return blake2b(tag.encode("utf-8", "surrogatepass"), digest_size=DIGEST_SIZE, person=b"cachery tag").digest()


def reference_of(record: bytes) -> Reference | None:
    """Return the reference that ``record`` holds, unchecked; ``None`` when it holds none."""
    try:
        body = unpack(record).body
    except Unreadable:
        return None
    return Reference.unpack(body.data) if body.flags & REFERENCE else None
