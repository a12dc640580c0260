"""What is done with a cache of answers besides asking it: invalidate, watch, connect, close."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

from cachery.ai.interface import CacheInterface
from cachery.ai.invalidations import Invalidations
from cachery.ai.keys import CacheKeyGenerator
from cachery.ai.places import Place
from cachery.ai.reports import memory_report, performance_summary, server_report
from cachery.ai.savings import Saving
from cachery.ai.tally import Tally
from cachery.events import Listener
from cachery.monitoring import MemoryUsageMetric
from cachery.settings import hide_password
from cachery.statistics.stats import CacheStats

__all__ = ["ManagedCache"]


class ManagedCache(CacheInterface):
    """A cache of answers, as those see it who run it. ``AIResponseCache`` is one."""

    def __init__(
        self, place: Place, keys: CacheKeyGenerator, tally: Tally, memory_cache_size: int, redis_url: str | None
    ) -> None:
        self.name = tally.name
        self.key_generator = keys
        self.performance_monitor = tally.monitor
        self.memory_cache_size = memory_cache_size
        self.redis_url = None if redis_url is None else hide_password(redis_url)
        self._place = place
        self._tally = tally
        self._invalidations = Invalidations(place, keys, tally)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r} over {self._place.door!r}>"

    async def connect(self) -> bool:
        """Tell whether the server can be reached. Nobody has to ask: the first answer connects too.

        False without a server; what is asked then is answered from memory. Never raises for a server that is away, only
        ``CacheClosedError``.
        """
        self.check_open()
        return await self._place.connect()

    def check_open(self) -> None:
        """Raise ``CacheClosedError`` once the cache is closed."""
        self._place.door.check_open()

    @property
    def degraded(self) -> bool:
        """Whether a server is wanted and did not answer when it was last asked."""
        return self._place.is_degraded

    # Invalidation: memory and server alike, and loads under way

    async def invalidate_pattern(self, pattern: str, operation_context: str = "") -> int:
        """Remove the answers in whose keys the glob ``pattern`` stands somewhere; return how many there were.

        Keys show operation and model, and digests of the rest. Raises ``CacheValueError`` for an empty pattern, which
        would match everything: that is ``invalidate_all``.
        """
        return await self._invalidations.by_pattern(pattern, operation_context)

    async def invalidate_by_operation(self, operation: str, operation_context: str = "") -> int:
        """Remove the answers of ``operation``; return how many there were."""
        return await self._invalidations.by_operation(operation, operation_context)

    async def invalidate_by_model(self, model: str, operation_context: str = "") -> int:
        """Remove the replies of ``model``; return how many there were."""
        return await self._invalidations.by_model(model, operation_context)

    async def invalidate_scope(self, scope: str, operation_context: str = "") -> int:
        """Remove the answers of ``scope``; return how many there were."""
        return await self._invalidations.by_scope(scope, operation_context)

    async def invalidate_all(self, operation_context: str = "manual_clear_all") -> int:
        """Remove all answers; return how many there were."""
        return await self._invalidations.everything(operation_context)

    async def invalidate_memory_cache(self, operation_context: str = "memory_cache_clear") -> int:
        """Remove what this process has in memory; return how many answers. Without Redis these are all there are."""
        return await self._invalidations.memory(operation_context)

    # Watching

    @property
    def stats(self) -> CacheStats:
        """What was asked of this object and what became of it.

        Who waited for the call of another counts as ``coalesced``, and neither as hit nor as miss. ``size``,
        ``evictions`` and ``expirations`` are those of memory.
        """
        numbers, memory = self._tally.stats, self._place.memory
        if memory is not None:
            numbers.size, numbers.max_size = memory.stats.size, self.memory_cache_size
            numbers.evictions, numbers.expirations = memory.stats.evictions, memory.stats.expirations
        return numbers

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` with each ``cachery.events.Answered`` from now on; return a function that ends it."""
        return self._tally.subscribe(listener)

    def savings(self) -> list[Saving]:
        """Return the calls, tokens and seconds that hits have saved, by model, operation and scope.

        Of more than 10,000 kinds, further scopes count together as ``(others)``.
        """
        return self._tally.ledger.rows()

    async def get_cache_stats(self) -> dict[str, Any]:
        """Return ``redis``, ``memory`` and ``performance``: state, size, and what the monitor says.

        ``keys`` are counted by going through all of this cache; the server goes on working meanwhile.
        """
        server = await server_report(self._place)
        self.record_memory_usage()
        return {
            "redis": server,
            "memory": memory_report(self._place, self.memory_cache_size),
            "performance": self.performance_monitor.get_performance_stats(),
        }

    def get_cache_hit_ratio(self) -> float:
        """Return how many of those that were looked for were found, 0.0 to 100.0."""
        return 100.0 * self._tally.stats.hit_rate

    def get_performance_summary(self) -> dict[str, Any]:
        """Return the numbers that matter: hits, times in seconds, invalidations."""
        return performance_summary(self.performance_monitor)

    def record_memory_usage(self, redis_stats: Mapping[str, Any] | None = None) -> MemoryUsageMetric:
        """Note how much memory the answers of this process take; ``redis_stats`` may tell of a server of their own."""
        memory = self._place.memory
        sizes = [] if memory is None else [len(value) for value in self._place.values_at_hand()]
        return self.performance_monitor.record_memory_usage(
            None,
            redis_stats,
            entry_count=len(sizes),
            size_bytes=sum(sizes),
            max_entries=self.memory_cache_size or None,
        )

    def get_memory_usage_stats(self) -> dict[str, Any]:
        """Return what is known of memory: now, thresholds, trend."""
        return self.performance_monitor.get_memory_usage_stats()

    def get_memory_warnings(self) -> list[dict[str, Any]]:
        """Return what there is to be said of memory that is too full."""
        return self.performance_monitor.get_memory_warnings()

    def get_invalidation_frequency_stats(self) -> dict[str, Any]:
        """Return how often answers are invalidated, by which patterns, and how many go."""
        return self.performance_monitor.get_invalidation_frequency_stats()

    def get_invalidation_recommendations(self) -> list[dict[str, Any]]:
        """Return what could be done better about invalidation."""
        return self.performance_monitor.get_invalidation_recommendations()

    def reset_performance_stats(self) -> None:
        """Let all counts begin at 0."""
        self.performance_monitor.reset_stats()
        self._tally.stats.reset()
        self._tally.ledger.clear()

    # The end

    async def close(self) -> None:
        """Tell the server what it missed, and close the connections. Closing again does nothing."""
        await self._place.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()
