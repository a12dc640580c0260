"""The verbs of a cache that lives on a server (``ports/store.py``), awaited.

Written once: over a link that never suspends the facade for blocking code carries each call through by one step.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from cachery.backends.redis.leases import Leases
from cachery.backends.redis.link import Link
from cachery.backends.redis.loads import Loads
from cachery.backends.redis.reach import stamp
from cachery.backends.redis.reading import plain_values
from cachery.backends.redis.records import STAMP_SIZE, whole_life
from cachery.backends.redis.scanning import describe, living, matching, reclaim, summaries, verified
from cachery.backends.redis.shelf import Found, Later, Shared
from cachery.exceptions import CacheValueError
from cachery.model.entry import Entry
from cachery.model.sentinels import MISSING
from cachery.ports.store import Description, Observer, Summary
from cachery.serializers.pipeline import INTEGER, TooLarge, key_bytes

__all__ = ["RedisStore"]

_FOREVER = float("inf")
_MOST_BY_SCRIPT = 2**47


class RedisStore(Loads):
    """Entries on a server or in a cluster."""

    def __init__(self, link: Link, shared: Shared, observer: Observer, later: Later) -> None:
        super().__init__(link, shared, observer, later)
        self.leases = Leases(self, shared.settings.lease_timeout)

    async def fetch(self, key: str) -> Any:
        """Return the value of ``key`` if it is fresh, else ``MISSING``."""
        name = key_bytes(key)
        return self.fresh_value(key, name, await self.row(self.names.entry(name)))

    async def fetch_many(self, keys: list[str]) -> dict[str, Any]:
        """Return the fresh values among those of ``keys``: in one round trip, and another for those with tags."""
        names = [key_bytes(key) for key in keys]
        records, state = await self.reach.records([self.names.entry(name) for name in names])
        if state is None:
            return {}
        found, undecided = plain_values(self.codec, keys, names, records, state, self.observer.unreadable)
        return found | await self._fetch_undecided(undecided) if undecided else found

    async def _fetch_undecided(self, keys: list[str]) -> dict[str, Any]:
        """Return the fresh values among those of ``keys``, whose tags or times have to be asked for."""
        names = [key_bytes(key) for key in keys]
        rows = await self.rows([self.names.entry(name) for name in names])
        values = [self.fresh_value(key, name, row) for key, name, row in zip(keys, names, rows, strict=True)]
        return {key: value for key, value in zip(keys, values, strict=True) if value is not MISSING}

    def glance(self, key: str) -> Any:
        """Return ``MISSING``: nothing is at hand in memory."""
        del key
        return MISSING

    async def put_new(self, key: str, entry: Entry) -> bool:
        """Store ``entry`` if nothing live stands under ``key``; True when stored."""
        while True:
            found, seen = await self._seen(key)
            if found is not None:
                return False
            try:
                parcel = self.parcel(key, entry)
            except TooLarge:
                await self.discard([key])
                return False
            if await self._settle(key, seen, parcel.record, parcel.life):
                return True

    async def put_many(self, entries: Mapping[str, Entry]) -> bool:
        """Store all ``entries`` in one round trip; True when none was too large. Others may see some before others."""
        parcels = await self.parcels(list(entries.items()))
        with self.overtaking(*entries):
            await self.reach.put(parcels)
        for parcel in parcels:
            self.observer.stored(parcel.key)
        return len(parcels) == len(entries)

    async def increment(self, key: str, by: int, absent: Entry) -> int:
        """Add ``by`` to the whole number under ``key`` and return the sum; where there is none, store ``absent``."""
        total = await self._count(key, by, absent) if self.codec.plain_head is not None else None
        return await self._count_by_swaps(key, by, absent) if total is None else total

    async def _count(self, key: str, by: int, absent: Entry) -> int | None:
        """Let the server add; ``None`` where there is more to it than a script knows, and nothing has changed."""
        if not -_MOST_BY_SCRIPT < by < _MOST_BY_SCRIPT:
            return None
        is_over = absent.fresh_until <= self.read_clock()
        parcel = self.parcel(key, absent._replace(fresh_until=_FOREVER) if is_over else absent)
        with self.overtaking(key):
            total = await self.reach.count(parcel, by, None if is_over else absent.value)
        if total is not None:
            self.observer.stored(key)
        return total

    async def _count_by_swaps(self, key: str, by: int, absent: Entry) -> int:
        """Add here, and store the sum where nobody has changed the number meanwhile; else again."""
        while True:
            found, seen = await self._seen(key)
            if found is None and absent.fresh_until <= self.read_clock():
                begun: int = absent.value
                return begun
            total: int
            if found is None:
                parcel = self.parcel(key, absent)
                total, record, life = absent.value, parcel.record, parcel.life
            else:
                total = self._number(key, found) + by
                name = found.envelope.key
                body = self.codec.body_of(name, total)
                record, life = self.versioned(self.codec.record_of(name, body, found.envelope.entry(total), 0)), None
            if await self._settle(key, seen, record, life, stamp_of=found):
                return total

    def _number(self, key: str, found: Found) -> int:
        if found.envelope.body.serializer != INTEGER:
            raise CacheValueError(f"{key!r} holds something that is not an int", key=key)
        number: int = self.value(key, found.envelope)
        return number

    async def _seen(self, key: str) -> tuple[Found | None, bytes]:
        """Return what is live under ``key``, and the record that stands there, live or not."""
        name = key_bytes(key)
        row = await self.reach.row(self.names.entry(name))
        if row is None:
            return None, b""
        found = self.opened(key, name, row) if await self.stands(row) else None
        is_live = found is not None and found.times.fresh_until > self.read_clock()
        return found if is_live else None, row.record

    async def _settle(
        self, key: str, seen: bytes, record: bytes, life: int | None, *, stamp_of: Found | None = None
    ) -> bool:
        """Store ``record`` where ``seen`` stands still, born now or with what it replaces; True when done."""
        if stamp_of is None:
            birth = (await stamp(self.link, self.names, (), 1)).stamp
        else:
            birth = stamp_of.row.record[:STAMP_SIZE]
        with self.overtaking(key):
            is_done = await self.swap(self.names.entry(key_bytes(key)), seen, birth + record, life)
        if is_done:
            self.observer.stored(key)
        return is_done

    async def prolong(self, key: str, life: float) -> bool:
        """Let what is live under ``key`` live for ``life`` seconds from now on; True if there was something."""
        while True:
            found, seen = await self._seen(key)
            if found is None:
                return False
            envelope = found.envelope
            stale_until = envelope.stale_until
            if stale_until > -_FOREVER and envelope.fresh_until < _FOREVER:  # as long a stale time as before
                stale_until += life - envelope.fresh_until
            entry = envelope.entry(None)._replace(fresh_until=life, refresh_at=_FOREVER, stale_until=stale_until)
            record = self.versioned(self.codec.record_of(envelope.key, envelope.body, entry, 0))
            whole = whole_life(life, stale_until)
            if entry.tags:
                await stamp(self.link, self.names, entry.tags, whole)
            with self.overtaking(key):
                if await self.swap(self.names.entry(envelope.key), seen, seen[:STAMP_SIZE] + record, whole):
                    return True

    async def expiry(self, key: str) -> float | None:
        """Return when what is live under ``key`` is over, by the clock of this process; ``None`` when nothing is."""
        found, _ = await self._seen(key)
        return None if found is None else found.times.fresh_until

    async def remove(self, key: str) -> bool:
        """Remove ``key``; True if it was live."""
        return await self.remove_many([key]) == 1

    async def remove_many(self, keys: list[str]) -> int:
        """Remove ``keys``; return how many were live."""
        with self.overtaking(*keys):
            rows = await self.reach.remove([self.names.entry(key_bytes(key)) for key in keys])
        return sum(self.is_live(row) for row in await self.standing(rows))

    async def remove_matching(self, matches: Callable[[str], object]) -> int:
        """Remove every key that ``matches``; return how many were live. Loads under way are overtaken, whatever key."""
        return await matching(self, matches)

    async def clear(self) -> int:
        """Make everything unreadable, and reclaim the room in the background; what was live is reported then."""
        await self.invalidate("clear")
        self.later(lambda: reclaim(self))
        return 0

    async def hit_tags(self, tags: tuple[str, ...]) -> None:
        """Make every entry that carries one of ``tags`` unreadable."""
        if tags:
            await self.invalidate("tags", tags)

    def live_keys(self) -> AsyncIterator[str]:
        """Return an iterator over the live keys, fetched as it goes on."""
        return living(self)

    async def count(self) -> int:
        """Return how many entries are live. All of them are looked at."""
        count = 0
        async for _ in living(self):
            count += 1
        return count

    def summaries(self) -> AsyncIterator[Summary]:
        """Return an iterator over all entries, the dead among them."""
        return summaries(self)

    async def describe(self, key: str) -> Description | None:
        """Return what is known of what stands under ``key``, dead or alive; ``None`` when nothing does."""
        return await describe(self, key)

    def verify(self) -> AsyncIterator[tuple[str, str]]:
        """Return an iterator over all keys, each with what is wrong with its record, empty when nothing is."""
        return verified(self)

    async def sweep(self) -> int:
        """Remove what was undone by a clearing or a tag; return how many entries that were.

        What is over, the server removes.
        """
        return await reclaim(self)

    def note_use(self, key: str) -> None:
        """Do nothing: the server knows what is used."""

    async def close(self) -> None:
        """Close the connections of this door."""
        await self.link.close()

    def audit(self) -> list[str]:
        """Return what is wrong inside, nothing when all is well."""
        return [f"{len(self.tokens)} keys have open tokens"] if len(self.tokens) else []
