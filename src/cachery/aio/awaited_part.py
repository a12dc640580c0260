"""A part of a cache that is awaited: the verbs of ``NamespacedCache``, over the door to the cache beneath."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any

from cachery.aio.door import Door
from cachery.model.durations import Duration
from cachery.model.sentinels import MISSING
from cachery.namespaced import NamespacedCache

__all__ = ["AwaitedPart"]


class AwaitedPart(Door):
    """The asynchronous door to ``blocking``, a namespace. ``cache``: the door to the cache beneath."""

    blocking: NamespacedCache
    cache: Any

    async def get(self, key: str, default: Any = None) -> Any:
        """Return the value of ``key``, or ``default`` when it is absent or expired."""
        part = self.blocking
        return part.counted(await self.cache.get(part.stored(key), MISSING), default)

    async def get_many(self, keys: Iterable[str]) -> dict[str, Any]:
        """Return the values of those of ``keys`` that are there."""
        stored = self.blocking.stored_many(keys)
        return self.blocking.answered(stored, await self.cache.get_many(stored.values()))

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
        """Store ``value``, as the cache beneath does."""
        part = self.blocking
        own = () if tags == () else part.stored_tags(tags)
        sources = () if depends_on == () else part.stored_sources(depends_on)
        return part.wrote(await self.cache.set(part.stored(key), value, ttl, tags=own, cost=cost, depends_on=sources))

    async def set_many(self, mapping: Mapping[str, Any], ttl: Duration | None = None) -> bool:
        """Store every value of ``mapping``, as the cache beneath does."""
        stored = self.blocking.stored_values(mapping)
        return self.blocking.wrote_all(await self.cache.set_many(stored, ttl), len(stored))

    async def add(self, key: str, value: Any, ttl: Duration | None = None) -> bool:
        """Store ``value`` only if ``key`` is absent, in one step; True when stored."""
        return self.blocking.wrote(await self.cache.add(self.blocking.stored(key), value, ttl))

    async def delete(self, key: str) -> bool:
        """Remove ``key``; True if it was there."""
        return bool(self.blocking.deleted(int(await self.cache.delete(self.blocking.stored(key)))))

    async def delete_many(self, keys: Iterable[str]) -> int:
        """Remove ``keys``, as the cache beneath does; return how many were there."""
        return self.blocking.deleted(await self.cache.delete_many(self.blocking.stored_many(keys).values()))

    async def exists(self, key: str) -> bool:
        """Tell whether ``key`` is there. Neither recency nor counters change."""
        is_there: bool = await self.cache.exists(self.blocking.stored(key))
        return is_there

    async def clear(self) -> bool:
        """Remove every entry of this namespace; True, also when there was none."""
        await self.delete_pattern("*")
        return True

    async def incr(self, key: str, by: int = 1, *, initial: int = 0, ttl: Duration | None = None) -> int:
        """Add ``by`` to the whole number under ``key``, in one step, and return the sum."""
        total: int = await self.cache.incr(self.blocking.stored(key), by, initial=initial, ttl=ttl)
        self.blocking.wrote(True)
        return total

    async def touch(self, key: str, ttl: Duration | None = None) -> bool:
        """Let ``key`` live for ``ttl`` from now on; True if it was there."""
        was_there: bool = await self.cache.touch(self.blocking.stored(key), ttl)
        return was_there

    async def ttl(self, key: str) -> float | None:
        """Return the seconds that ``key`` has left: ``None`` when it is absent, ``inf`` when it never expires."""
        left: float | None = await self.cache.ttl(self.blocking.stored(key))
        return left

    def keys(self, pattern: str = "*") -> AsyncIterator[str]:
        """Return an asynchronous iterator over the live keys of this namespace that match the glob ``pattern``."""
        own = self.blocking.own
        return (own(key) async for key in self.cache.keys(self.blocking.stored_pattern(pattern)))

    async def size(self) -> int:
        """Return how many live entries this namespace has, by counting them."""
        count = 0
        async for _ in self.keys():
            count += 1
        return count

    async def delete_pattern(self, pattern: str) -> int:
        """Remove every key of this namespace that matches the glob ``pattern``; return how many there were."""
        return self.blocking.deleted(await self.cache.delete_pattern(self.blocking.stored_pattern(pattern)))

    async def invalidate_tags(self, *tags: str) -> None:
        """Make every entry of this namespace that carries one of ``tags`` unreadable."""
        await self.cache.invalidate_tags(*self.blocking.stored_tags(tags))

    async def cleanup_expired(self) -> int:
        """Sweep the cache beneath, all of it; return how many entries went."""
        self.check_open()
        count: int = await self.cache.cleanup_expired()
        return count

    def peek(self, key: str) -> Any:
        """Return the value of ``key`` if it is fresh and at hand in memory, else ``MISSING``."""
        return self.blocking.glance(key)
