"""What a cache of answers says of itself: state, numbers, in the forms of the LLM starter."""

from __future__ import annotations

from typing import Any

from cachery.ai.places import Place
from cachery.monitoring import CachePerformanceMonitor
from cachery.monitoring.figures import average

__all__ = ["memory_report", "performance_summary", "server_report"]

_RECENT = 10


async def server_report(place: Place) -> dict[str, Any]:
    """Return the state of the server: ``connected``, ``unavailable``, or ``disabled`` where none was wanted.

    ``keys``: those of this cache, which are counted by going through them, a few hundred at a time.
    """
    if not place.is_shared:
        return {"status": "unavailable" if place.is_degraded else "disabled", "keys": 0}
    info = await place.server_info()
    if info is None:
        return {"status": "unavailable", "keys": 0}
    return {
        "status": "connected",
        "keys": await place.door.size(),
        "memory_used": info.get("used_memory_human", ""),
        "memory_used_bytes": int(info.get("used_memory", 0)),
        "connected_clients": int(info.get("connected_clients", 0)),
    }


def memory_report(place: Place, limit: int) -> dict[str, Any]:
    """Return how full the memory of this process is."""
    entries = 0 if place.memory is None else len(place.memory)
    return {
        "memory_cache_entries": entries,
        "memory_cache_size_limit": limit,
        "memory_cache_utilization": f"{entries}/{limit}",
    }


def performance_summary(monitor: CachePerformanceMonitor) -> dict[str, Any]:
    """Return the numbers that matter; times in seconds, ``hit_ratio`` 0 to 100."""
    keys, operations = monitor.key_generation_times[-_RECENT:], monitor.cache_operation_times[-_RECENT:]
    summary: dict[str, Any] = {
        "hit_ratio": monitor.get_performance_stats()["cache_hit_rate"],
        "total_operations": monitor.total_operations,
        "cache_hits": monitor.cache_hits,
        "cache_misses": monitor.cache_misses,
        "recent_avg_key_generation_time": average([each.duration for each in keys]),
        "recent_avg_cache_operation_time": average([each.duration for each in operations]),
        "total_invalidations": monitor.total_invalidations,
        "total_keys_invalidated": monitor.total_keys_invalidated,
    }
    if monitor.memory_usage_measurements:
        summary["memory_usage"] = monitor.get_memory_usage_stats()
    return summary
