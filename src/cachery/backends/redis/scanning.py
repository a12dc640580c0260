"""Going through all entries of a cache, a few hundred at a time, without holding up the server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import TYPE_CHECKING

from cachery.backends.redis import scripts
from cachery.backends.redis.records import ENVELOPE_AT, STAMP_SIZE, Row, aged, birth_of
from cachery.ports.store import Description, Summary
from cachery.serializers.describing import described, unreadable
from cachery.serializers.envelope import Unreadable, key_of
from cachery.serializers.pipeline import key_bytes

if TYPE_CHECKING:
    from cachery.backends.redis.store import RedisStore

__all__ = ["describe", "living", "matching", "reclaim", "summaries", "verified"]


async def _batches(store: RedisStore) -> AsyncIterator[list[bytes]]:
    """Yield the names of all entries, each once."""
    seen: set[bytes] = set()
    async for batch in store.link.scan(store.names.all_entries):
        fresh = list(dict.fromkeys(entry for entry in batch if entry not in seen))
        seen.update(fresh)
        if fresh:
            yield fresh


async def _heads(store: RedisStore) -> AsyncIterator[list[tuple[bytes, Row]]]:
    """Yield the names of all entries with what stands there, without bodies."""
    async for entries in _batches(store):
        rows = await store.reach.rows(entries, is_head=True)
        yield [(entry, row) for entry, row in zip(entries, rows, strict=True) if row is not None]


def _key_at(store: RedisStore, entry: bytes, row: Row) -> str:
    key = store.names.key_of(entry)
    return key_of(row.record[ENVELOPE_AT:]) if key is None else key


async def living(store: RedisStore) -> AsyncIterator[str]:
    """Yield the live keys."""
    async for heads in _heads(store):
        standing = await store.standing([row if store.is_live(row) else None for _, row in heads])
        for (entry, _), row in zip(heads, standing, strict=True):
            if row is not None:
                yield _key_at(store, entry, row)


async def matching(store: RedisStore, matches: Callable[[str], object]) -> int:
    """Remove the entries whose key ``matches``; return how many were live. Every load under way is overtaken.

    The loads first: what they bring from then on is not stored. Then what they brought before is found.
    """
    await store.invalidate("pattern")
    count = 0
    async for entries in _batches(store):
        unknown = [entry for entry in entries if store.names.key_of(entry) is None]
        heads = await store.reach.rows(unknown, is_head=True) if unknown else []
        keys = {
            entry: key_of(row.record[ENVELOPE_AT:])
            for entry, row in zip(unknown, heads, strict=True)
            if row is not None
        }
        chosen = [entry for entry in entries if matches(_known(store, entry, keys))]
        rows = await store.reach.remove(chosen) if chosen else []
        count += sum(store.is_live(row) for row in rows)
    store.tokens.overtake_all()
    return count


def _known(store: RedisStore, entry: bytes, keys: dict[bytes, str]) -> str:
    key = store.names.key_of(entry)
    return keys.get(entry, "") if key is None else key


async def reclaim(store: RedisStore) -> int:
    """Remove what a clearing or a tag has undone; return how many entries that were. What was fresh is reported."""
    count = 0
    async for heads in _heads(store):
        undone = [(entry, row) for entry, row in heads if row.is_undone]
        if undone:
            count += await _drop(store, undone)
    return count


async def _drop(store: RedisStore, undone: Sequence[tuple[bytes, Row]]) -> int:
    """Remove what stands still as it was seen; return how many entries that were."""
    commands = [scripts.DROP.call([entry], row.record[:STAMP_SIZE]) for entry, row in undone]
    dropped = await scripts.ask(store.link, commands)
    gone = [row for (_, row), is_gone in zip(undone, dropped, strict=True) if is_gone]
    store.observer.removed(sum(store.was_fresh(row) for row in gone))
    return len(gone)


async def summaries(store: RedisStore) -> AsyncIterator[Summary]:
    """Yield all entries, the dead among them, as an operator sees them."""
    async for entries in _batches(store):
        rows = await store.reach.rows(entries)
        for entry, row in zip(entries, rows, strict=True):
            if row is not None:
                yield _summary(store, entry, row)


def _summary(store: RedisStore, entry: bytes, row: Row) -> Summary:
    key, size, found = _key_at(store, entry, row), len(row.record), store.head(row)
    if found is None or row.is_undone:
        now = store.read_clock()
        return Summary(key, size, now, now)
    return Summary(key, size, found.times.fresh_until, max(found.times.fresh_until, found.times.stale_until))


async def describe(store: RedisStore, key: str) -> Description | None:
    """Return what is known of what stands under ``key``, dead or alive; ``None`` when nothing does."""
    name = key_bytes(key)
    row = await store.reach.row(store.names.entry(name))
    if row is None:
        return None
    size = len(row.record)
    try:
        envelope = store.codec.opened(name, row.record[ENVELOPE_AT:])
    except Unreadable as error:
        return unreadable(size, error.reason)
    birth = birth_of(envelope, row.left, store.read_clock())
    entry = envelope.entry(None)._replace(**aged(envelope, birth)._asdict())
    is_dead = row.is_undone or not await store.stands(row)
    return described(store.codec, entry, envelope.body, size=size, is_invalidated=is_dead, written_at=birth)


async def verified(store: RedisStore) -> AsyncIterator[tuple[str, str]]:
    """Yield all keys, each with what is wrong with its record; nothing is deserialized."""
    async for entries in _batches(store):
        rows = await store.reach.rows(entries)
        for entry, row in zip(entries, rows, strict=True):
            if row is not None:
                key = _key_at(store, entry, row)
                yield key, _fault(store, key, row)


def _fault(store: RedisStore, key: str, row: Row) -> str:
    try:
        store.codec.opened(key.encode("utf-8", "surrogatepass"), row.record[ENVELOPE_AT:])
    except Unreadable as error:
        return error.reason
    return ""
