"""``InMemoryCache``: the memory cache behind ``CacheInterface``, for development and tests."""

from __future__ import annotations

import math
from typing import Any

import cachery.in_memory
from cachery.ai.interface import CacheInterface
from cachery.model.durations import Duration
from cachery.ports.clock import Clock

__all__ = ["InMemoryCache"]


class InMemoryCache(CacheInterface):
    """Values in this process, awaited: least recently used out first, each for its time.

    ``default_ttl``: seconds that a value lives which is stored without a TTL, ``None`` for ever. ``max_size``: the most
    entries. Values are copied on the way in and out, so nothing that is done to one reaches the cache. ``blocking`` is
    the cache beneath. Raises ``CacheValueError`` for a life or size of 0 or less.

    >>> import asyncio
    >>> cache = InMemoryCache(default_ttl=3600, max_size=1000)
    >>> asyncio.run(cache.set("answer", {"text": "42"})), asyncio.run(cache.get("answer"))
    (None, {'text': '42'})
    """

    def __init__(
        self, default_ttl: Duration | None = 3600, max_size: int = 1000, *, clock: Clock | None = None
    ) -> None:
        self.blocking = cachery.in_memory.InMemoryCache(max_size, default_ttl, copy="deep", clock=clock)

    def __repr__(self) -> str:
        return f"<ai.InMemoryCache over {self.blocking!r}>"

    async def get(self, key: str) -> Any | None:
        """Return the value of ``key``, or ``None`` when it is absent or expired."""
        return self.blocking.get(key)

    async def set(self, key: str, value: Any, ttl: Duration | None = None) -> None:
        """Store ``value`` for ``ttl`` seconds, or for the default; with 0 or less, ``key`` is removed."""
        self.blocking.set(key, value, ttl)

    async def delete(self, key: str) -> None:
        """Remove ``key``, if it is there."""
        self.blocking.delete(key)

    async def exists(self, key: str) -> bool:
        """Tell whether ``key`` is there."""
        return self.blocking.exists(key)

    async def get_ttl(self, key: str) -> int | None:
        """Return the whole seconds that ``key`` has left; ``None`` when it is absent or lives for ever."""
        left = self.blocking.ttl(key)
        return None if left is None or math.isinf(left) else int(left)

    async def invalidate_pattern(self, pattern: str, operation_context: str = "") -> int:
        """Remove the keys that match the glob ``pattern``; return how many there were."""
        del operation_context
        return self.blocking.delete_pattern(pattern)

    def clear(self) -> None:
        """Remove everything."""
        self.blocking.clear()

    def size(self) -> int:
        """Return how many entries are live."""
        return len(self.blocking)

    def get_keys(self) -> list[str]:
        """Return the keys that are live."""
        return list(self.blocking.keys())

    def get_active_keys(self) -> list[str]:
        """Return the keys that are live."""
        return self.get_keys()

    def get_stats(self) -> dict[str, Any]:
        """Return what there is and what was asked; ``hit_rate`` and ``utilization_percent`` are 0 to 100.

        >>> InMemoryCache(max_size=10).get_stats()["utilization"]
        '0/10'
        """
        cache, numbers = self.blocking, self.blocking.stats
        kept = sum(1 for _ in cache.known_keys())
        live = len(cache)
        return {
            "total_entries": kept,
            "expired_entries": kept - live,
            "active_entries": live,
            "max_size": numbers.max_size,
            "utilization": f"{live}/{numbers.max_size}",
            "utilization_percent": numbers.usage_percent,
            "default_ttl": cache.default_ttl,
            "hits": numbers.hits,
            "misses": numbers.misses,
            "hit_rate": 100.0 * numbers.hit_rate,
            "evictions": numbers.evictions,
        }

    async def close(self) -> None:
        """Let go of everything."""
        self.blocking.close()
