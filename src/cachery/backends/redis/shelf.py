"""Records read and written: what stands on the server under a key, judged and taken apart."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from math import ceil
from os import urandom
from typing import Any, NamedTuple, TypeAlias

from cachery.backends.redis import scripts
from cachery.backends.redis.link import Link
from cachery.backends.redis.names import Names, fence_of
from cachery.backends.redis.reach import Parcel, Reach, reach_of
from cachery.backends.redis.reading import fresh_value
from cachery.backends.redis.records import (
    ENVELOPE_AT,
    STAMP_SIZE,
    Row,
    Times,
    aged,
    birth_of,
    is_marked,
    is_record,
    opened_head,
    spans_of,
    whole_life,
)
from cachery.backends.redis.renewal import Renewal
from cachery.backends.redis.settings import Settings
from cachery.backends.redis.tokens import Tokens
from cachery.exceptions import CacheConnectionError, CacheTimeoutError
from cachery.model.entry import Entry
from cachery.model.marks import marks_in
from cachery.model.sentinels import MISSING
from cachery.ports.store import Observer
from cachery.serializers.envelope import Envelope, Unreadable
from cachery.serializers.pipeline import Codec, TooLarge, key_bytes
from cachery.sources.observing import UNKNOWN, Seen, keys_in, observe, stand
from cachery.sources.source import Source, names_of_keys

__all__ = ["Found", "Later", "Shared", "Shelf"]


Later: TypeAlias = Callable[[Callable[[], Coroutine[Any, Any, object]]], None]
"""Has what a function returns carried out in the background."""


class Shared(NamedTuple):
    """What all doors to a cache in this process have in common."""

    names: Names
    codec: Codec
    settings: Settings
    tokens: Tokens
    renewal: Renewal


class Found(NamedTuple):
    """A record taken apart, with its ``birth`` and its times by the clock of this process."""

    row: Row
    envelope: Envelope
    birth: float
    times: Times

    @classmethod
    def of(cls, row: Row, envelope: Envelope, now: float) -> Found:
        """Return the record of ``row``, taken apart, with its times as they are at ``now``."""
        birth = birth_of(envelope, row.left, now)
        return cls(row, envelope, birth, aged(envelope, birth))


class Shelf:
    """Entries of a cache over ``link``. ``later`` has work carried out in the background."""

    def __init__(self, link: Link, shared: Shared, observer: Observer, later: Later) -> None:
        self.link = link
        self.names = shared.names
        self.codec = shared.codec
        self.settings = shared.settings
        self.tokens = shared.tokens
        self.observer = observer
        self.later = later
        self.reach: Reach = reach_of(link, shared.names, lambda _: [])
        self.renewal = shared.renewal
        self._unanswered: set[str] = set()

    @property
    def default_life(self) -> float:
        """How long an entry lives that is stored without a TTL, in seconds."""
        return self.settings.default_life

    def read_clock(self) -> float:
        """Return the time of this process. Times of entries go by it, though the server keeps how much is left."""
        return self.settings.clock()

    def isolate(self, value: Any) -> Any:
        """Return ``value``: who reads it from the server gets an object of its own anyway."""
        return value

    # Reading

    async def found(self, key: str) -> Found | None:
        """Return what stands under ``key``, if it can be read and nothing has undone it; it may be over."""
        name = key_bytes(key)
        row = await self.row(self.names.entry(name))
        return None if row is None else self.opened(key, name, row)

    async def row(self, entry: bytes) -> Row | None:
        """Return what stands under the name ``entry``, unless a source of it has changed."""
        row = await self.reach.row(entry)
        return row if row is None or not row.numbers or await self.stands(row) else None

    async def rows(self, entries: Sequence[bytes], *, versions: Sequence[bytes] = ()) -> list[Row | None]:
        """Return what stands under ``entries``, as ``row`` does; without bodies where the version is known."""
        return await self.standing(await self.reach.rows(entries, versions=versions))

    async def stands(self, row: Row) -> bool:
        """Tell whether all that ``row``, which has tags, says was seen of its sources looks the same now."""
        return await self.standing([row]) != [None]

    async def standing(self, rows: list[Row | None]) -> list[Row | None]:
        """Return ``rows``, with ``None`` for those of which a source has changed: one round trip for all of them."""
        marked = {at: self._tags_of(row) for at, row in enumerate(rows) if row is not None and is_marked(row.record)}
        if not marked:
            return rows
        seen = await self.look_at(list(dict.fromkeys(key for tags in marked.values() for key in keys_in(tags))))
        gone = {at for at, tags in marked.items() if not stand(marks_in(tags), lambda key: seen[key].stamp)}
        return [None if at in gone else row for at, row in enumerate(rows)]

    def _tags_of(self, row: Row) -> tuple[str, ...]:
        found = self.head(row)
        return () if found is None else found.envelope.tag_names

    async def observe(self, keys: Sequence[str], sources: tuple[Source, ...]) -> tuple[str, ...]:
        """Return the tags of entries under ``keys`` that depend on ``sources`` as they are now.

        Where the server is away nothing is learned of other keys: who depends on them then is not there later.
        """
        try:
            seen = await self.look_at(names_of_keys(sources))
        except (CacheConnectionError, CacheTimeoutError):  # reported by the link
            seen = {}
        return observe(keys, sources, lambda name: seen.get(name, Seen(UNKNOWN)))

    async def look_at(self, keys: Sequence[str]) -> dict[str, Seen]:
        """Return what is live under ``keys``, as who depends on them has to know it."""
        entries = [self.names.entry(key_bytes(key)) for key in keys]
        rows = await self.reach.rows(entries, is_head=True) if keys else []
        return {key: self._seen_in(row) for key, row in zip(keys, rows, strict=True)}

    def _seen_in(self, row: Row | None) -> Seen:
        if row is None or not self.is_live(row):
            return Seen()
        return Seen(row.record[STAMP_SIZE:ENVELOPE_AT].hex(), self._tags_of(row))

    def opened(self, key: str, name: bytes, row: Row) -> Found | None:
        """Return ``row`` taken apart; ``None`` when it was undone or cannot be read, which is reported."""
        if row.is_undone and is_record(row.record):
            return None
        try:
            envelope = self.codec.opened(name, row.record[ENVELOPE_AT:])
        except Unreadable as error:
            self.observer.unreadable(key, error.reason)
            return None
        return Found.of(row, envelope, self.read_clock())

    def value(self, key: str, envelope: Envelope) -> Any:
        """Return the value in ``envelope``; ``MISSING`` when it cannot be read, which is reported."""
        try:
            return self.codec.value_of(envelope.key, envelope.body)
        except Unreadable as error:
            self.observer.unreadable(key, error.reason)
            return MISSING

    def fresh_value(self, key: str, name: bytes, row: Row | None) -> Any:
        """Return the value in ``row`` if it is fresh, else ``MISSING``."""
        if row is None:
            return MISSING
        try:
            return fresh_value(self.codec, name, row, self.read_clock)
        except Unreadable as error:
            self.observer.unreadable(key, error.reason)
            return MISSING

    def head(self, row: Row, now: float | None = None) -> Found | None:
        """Return ``row`` taken apart, its body left out; ``None`` where it is no record. No signature is checked.

        ``now``: when it was asked for, where its birth must not be taken to be later than it is.
        """
        try:
            return Found.of(row, opened_head(row.record), self.read_clock() if now is None else now)
        except Unreadable:
            return None

    def was_fresh(self, row: Row) -> bool:
        """Tell whether the time of what is in ``row`` is not over, whatever else became of it."""
        found = self.head(row)
        return found is not None and found.times.fresh_until > self.read_clock()

    def is_live(self, row: Row | None) -> bool:
        """Tell whether the plain verbs may see what is in ``row``."""
        return row is not None and not row.is_undone and self.was_fresh(row)

    # Writing

    def parcel(self, key: str, entry: Entry, born: float | None = None) -> Parcel:
        """Return ``entry``, which was ``born`` then or is now, ready to be stored. Raises ``TooLarge``."""
        name = key_bytes(key)
        now = self.read_clock()
        age = 0.0 if born is None else now - born
        spans = spans_of(entry, now - age)
        record = self.codec.record_of(name, self.codec.body_of(name, entry.value), spans, 0)
        life = max(1, whole_life(spans.fresh_until, spans.stale_until) - ceil(age * 1000))
        return Parcel(key, self.names.entry(name), self.versioned(record), life, entry.tags)

    def versioned(self, record: bytes) -> bytes:
        """Return ``record``, an envelope, with a version of its own before it, by which ``is_own`` knows it."""
        writer = self.tokens.writer
        return writer + urandom(ENVELOPE_AT - STAMP_SIZE - len(writer)) + record

    def is_own(self, row: Row) -> bool:
        """Tell whether this process has written what is in ``row``."""
        return row.record.startswith(self.tokens.writer, STAMP_SIZE)

    async def parcels(self, entries: Sequence[tuple[str, Entry]]) -> list[Parcel]:
        """Return ``entries`` ready to be stored; what is under the key of one that is too large is removed."""
        packed: list[Parcel] = []
        too_large: list[str] = []
        for key, entry in entries:
            try:
                packed.append(self.parcel(key, entry))
            except TooLarge:
                too_large.append(key)
        if too_large:
            await self.discard(too_large)
        return packed

    async def discard(self, keys: Sequence[str]) -> None:
        """Remove what is under ``keys``, whose new values are too large."""
        await self.reach.remove([self.names.entry(key_bytes(key)) for key in keys])
        for key in keys:
            self.tokens.overtake(key)
            self.observer.evicted(key, "too_large")

    async def swap(self, entry: bytes, seen: bytes, new: bytes, life: int | None = None, token: bytes = b"") -> bool:
        """Store ``new`` where ``seen`` stands still, both with their stamps; ``life``: ``None`` for what is left.

        ``token``: that of a load which only restamps; without one, loads are overtaken. True when done.
        """
        arguments = (seen, new, "" if life is None else life, token)
        command = scripts.SWAP.call([entry, fence_of(entry)], *arguments)
        is_done, *_ = await scripts.ask(self.link, [command, *self.reach.announce([entry])])
        return bool(is_done)
