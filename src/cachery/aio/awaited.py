"""The door to a cache whose store is awaited: the verbs of ``StoredCache``, each waiting where its store does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from cachery.aio.door import Door
from cachery.keys.text import exact_keys, exact_tags
from cachery.model.durations import Duration
from cachery.sources.source import exact_sources
from cachery.stored import StoredCache

if TYPE_CHECKING:  # loaded when something is loaded through a cache for the first time
    from cachery.loading import LoopEngine

__all__ = ["AwaitedDoor"]


class AwaitedDoor(Door):
    """The asynchronous door to ``blocking``. ``store``: the same entries, awaited."""

    blocking: StoredCache
    store: Any

    @property
    def name(self) -> str | None:
        """The name of the cache, in events and errors."""
        return self.blocking.name

    @property
    def default_ttl(self) -> Duration | None:
        """The TTL of an entry stored without one, as it was given."""
        return self.blocking.default_ttl

    @property
    def degraded(self) -> bool:
        """Whether a server that this cache needs did not answer when it was last asked."""
        return self.blocking.degraded

    async def get(self, key: str, default: Any = None) -> Any:
        """Return the value of ``key``, or ``default`` when it is absent, expired or cannot be read."""
        blocking = self.blocking
        key = blocking.checked(key)
        return blocking.answer(key, await self.store.fetch(key), default)

    async def set(
        self,
        key: str,
        value: Any,
        ttl: Duration | None = None,
        *,
        tags: Iterable[str] = (),
        cost: float | None = None,
        depends_on: Iterable[Any] = (),
    ) -> bool:
        """Store ``value``; True when stored."""
        key = self.blocking.checked(key)
        bonds = () if depends_on == () else await self.store.observe((key,), exact_sources(depends_on))
        entry = self.blocking.entry_of(value, ttl, tags, cost, bonds)
        if entry is None:
            await self.delete(key)
            return False
        is_stored: bool = await self.store.put(key, entry)
        return is_stored

    async def add(self, key: str, value: Any, ttl: Duration | None = None) -> bool:
        """Store ``value`` only if ``key`` is absent, in one step among all processes; True when stored."""
        key = self.blocking.checked(key)
        entry = self.blocking.entry_of(value, ttl)
        return entry is not None and await self.store.put_new(key, entry)

    async def delete(self, key: str) -> bool:
        """Remove ``key``; True if it was there."""
        key = self.blocking.checked(key)
        return self.blocking.note_deleted(key, await self.store.remove(key))

    async def exists(self, key: str) -> bool:
        """Tell whether ``key`` is there. Neither recency nor counters change."""
        return await self.store.expiry(self.blocking.checked(key)) is not None

    async def clear(self) -> bool:
        """Remove this cache's own entries; True, also when there were none."""
        self.check_open()
        self.blocking.note_invalidated("clear", ("",), await self.store.clear())
        return True

    async def get_many(self, keys: Iterable[str]) -> dict[str, Any]:
        """Return the values of those of ``keys`` that are there."""
        self.check_open()
        wanted = exact_keys(keys)
        return self.blocking.answered(wanted, await self.store.fetch_many(wanted))

    async def set_many(self, mapping: Mapping[str, Any], ttl: Duration | None = None) -> bool:
        """Store every value of ``mapping``; True when all were stored."""
        entries = self.blocking.entries_of(mapping, ttl)
        if entries is None:
            await self.delete_many(mapping)
            return False
        is_stored: bool = await self.store.put_many(entries)
        return is_stored

    async def delete_many(self, keys: Iterable[str]) -> int:
        """Remove ``keys``; return how many were there."""
        self.check_open()
        wanted = exact_keys(keys)
        return self.blocking.note_invalidated("delete", wanted, await self.store.remove_many(wanted))

    async def incr(self, key: str, by: int = 1, *, initial: int = 0, ttl: Duration | None = None) -> int:
        """Add ``by`` to the whole number under ``key``, in one step among all processes, and return the sum."""
        key = self.blocking.checked(key)
        total: int = await self.store.increment(key, by, self.blocking.first_number(by, initial, ttl))
        return total

    async def touch(self, key: str, ttl: Duration | None = None) -> bool:
        """Let ``key`` live for ``ttl`` from now on; True if it was there."""
        key = self.blocking.checked(key)
        life = self.blocking.life(ttl)
        return await self.store.prolong(key, life) if life > 0 else await self.delete(key)

    async def ttl(self, key: str) -> float | None:
        """Return the seconds that ``key`` has left: ``None`` when it is absent, ``inf`` when it never expires."""
        return self.blocking.time_left(await self.store.expiry(self.blocking.checked(key)))

    def keys(self, pattern: str = "*") -> AsyncIterator[str]:
        """Return an asynchronous iterator over the live keys that match the glob ``pattern``."""
        matches = self.blocking.matcher(pattern)
        return (key async for key in self.store.live_keys() if matches(key))

    async def size(self) -> int:
        """Return how many entries are live."""
        self.check_open()
        count: int = await self.store.count()
        return count

    async def delete_pattern(self, pattern: str) -> int:
        """Remove every key that matches the glob ``pattern``; return how many there were."""
        matches = self.blocking.matcher(pattern)
        return self.blocking.note_invalidated("pattern", (pattern,), await self.store.remove_matching(matches))

    async def invalidate_tags(self, *tags: str) -> None:
        """Make every entry that carries one of ``tags`` unreadable."""
        checked = exact_tags(tags)
        self.check_open()
        await self.store.hit_tags(checked)
        self.blocking.note_invalidated("tag", checked)

    async def cleanup_expired(self) -> int:
        """Remove what is dead already; return how many entries that were."""
        self.check_open()
        count: int = await self.store.sweep()
        return count

    async def close(self) -> None:
        """Let what is loaded in the background end, then close both doors."""
        await self.drain()
        self.blocking.close()
        await self.store.close()

    def peek(self, key: str) -> Any:
        """Return the value of ``key`` if it is fresh and at hand in memory, else ``MISSING``, which counts nothing."""
        return self.blocking.glance(key)

    def build_engine(self) -> LoopEngine:
        """Return an engine that shares its loads with the blocking door, and awaits the store."""
        return self.blocking.engine.for_loops(self.store)

    def carry_on(self, work: Callable[[], Coroutine[Any, Any, object]]) -> None:
        """Have what ``work`` returns carried out in the background of this loop; ``drain`` waits for it."""
        from cachery.loading import go_on_without  # noqa: PLC0415 - loaded when something is loaded first

        go_on_without(self.engine, work)
