"""What the routes ask of a cache: of one that keeps answers of models, or of any other of ``cachery.aio``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from cachery.ai.managed import ManagedCache
from cachery.aio.cache import Cache
from cachery.exceptions import CacheValueError
from cachery.monitoring import CachePerformanceMonitor
from cachery.ports.clock import stopwatch

__all__ = ["Manageable", "manageable"]


class Manageable(Protocol):
    """A cache, as its management sees it. All raise ``CacheError`` when it is closed or cannot be asked."""

    def is_degraded(self) -> bool:
        """Tell whether a server is wanted that does not answer."""

    async def status(self) -> dict[str, Any]:
        """Return ``redis``, ``memory`` and ``performance``."""

    async def invalidate(self, what: str, value: str, context: str) -> int:
        """Remove what ``value`` stands for: a ``"pattern"``, ``"all"``, ...; return how many entries that were.

        Raises ``CacheValueError`` for what this cache does not know.
        """

    def metrics(self) -> dict[str, Any]:
        """Return the numbers."""

    def invalidation_stats(self) -> dict[str, Any]:
        """Return how often it was invalidated."""

    def recommendations(self) -> list[dict[str, Any]]:
        """Return what could be done better about that."""


def manageable(cache: Any, monitor: CachePerformanceMonitor) -> Manageable:
    """Return ``cache`` as the routes ask it. ``monitor`` remembers the invalidations of one that has none itself.

    Raises ``CacheValueError`` for what cannot be managed.
    """
    if isinstance(cache, ManagedCache):
        return _Answers(cache)
    if isinstance(cache, Cache):
        return _Entries(cache, monitor)
    kind = f"{type(cache).__module__}.{type(cache).__qualname__}"
    raise CacheValueError(f"an AIResponseCache can be managed, and the caches of cachery.aio, not {kind}")


class _Answers:
    """An ``AIResponseCache``."""

    def __init__(self, cache: ManagedCache) -> None:
        self._cache = cache

    def is_degraded(self) -> bool:
        return self._cache.degraded

    async def status(self) -> dict[str, Any]:
        return await self._cache.get_cache_stats()

    async def invalidate(self, what: str, value: str, context: str) -> int:
        cache = self._cache
        if what == "all":
            return await cache.invalidate_all(context)
        ways: dict[str, Callable[[str, str], Awaitable[int]]] = {
            "pattern": cache.invalidate_pattern,
            "operation": cache.invalidate_by_operation,
            "model": cache.invalidate_by_model,
            "scope": cache.invalidate_scope,
        }
        return await ways[what](value, context)

    def metrics(self) -> dict[str, Any]:
        monitor = self._open_monitor()
        self._cache.record_memory_usage()
        return monitor.get_performance_stats()

    def invalidation_stats(self) -> dict[str, Any]:
        return self._open_monitor().get_invalidation_frequency_stats()

    def recommendations(self) -> list[dict[str, Any]]:
        return self._open_monitor().get_invalidation_recommendations()

    def _open_monitor(self) -> CachePerformanceMonitor:
        self._cache.check_open()
        return self._cache.performance_monitor


class _Entries:
    """A cache of ``cachery.aio``: patterns, and all. ``monitor`` knows what was invalidated here."""

    def __init__(self, cache: Cache, monitor: CachePerformanceMonitor) -> None:
        self._cache = cache
        self._monitor = monitor
        self._whole = _whole(cache)

    def is_degraded(self) -> bool:
        return bool(getattr(self._whole, "degraded", False))

    async def status(self) -> dict[str, Any]:
        size = await self._cache.size()  # raises when the cache is closed, or cannot be asked
        if hasattr(self._whole, "degraded") and not self.is_degraded():
            server, memory = {"status": "connected", "keys": size}, {}
        else:
            server = {"status": "unavailable" if self.is_degraded() else "disabled", "keys": 0}
            memory = {"entries": size}
        return {"redis": server, "memory": memory, "performance": self._numbers()}

    async def invalidate(self, what: str, value: str, context: str) -> int:
        if what not in {"pattern", "all"}:
            raise CacheValueError(f"this cache knows no {what}: invalidate by pattern, or all")
        begun = stopwatch()
        count = await (self._clear() if what == "all" else self._cache.delete_pattern(value))
        self._monitor.record_invalidation_event(value, count, stopwatch() - begun, "manual", context)
        return count

    def metrics(self) -> dict[str, Any]:
        report = self._monitor_of_open().get_performance_stats()
        return {**report, "window": None, "lifetime": None, "retention_hours": None, **self._numbers()}

    def invalidation_stats(self) -> dict[str, Any]:
        return self._monitor_of_open().get_invalidation_frequency_stats()

    def recommendations(self) -> list[dict[str, Any]]:
        return self._monitor_of_open().get_invalidation_recommendations()

    def _numbers(self) -> dict[str, Any]:
        stats = self._cache.stats
        return {
            "cache_hit_rate": 100.0 * stats.hit_rate,
            "total_cache_operations": stats.total_requests,
            "cache_hits": stats.hits,
            "cache_misses": stats.misses,
        }

    def _monitor_of_open(self) -> CachePerformanceMonitor:
        self._cache.check_open()
        return self._monitor

    async def _clear(self) -> int:
        count = await self._cache.size()
        await self._cache.clear()
        return count


def _whole(cache: Cache) -> Cache:
    """Return the cache that ``cache`` is a part of, or itself: that one knows of its server."""
    beneath = getattr(cache, "cache", None)
    return _whole(beneath) if isinstance(beneath, Cache) else cache
