"""What a cache takes in memory: measured, reported, warned of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cachery.exceptions import CacheValueError
from cachery.monitoring.arguments import exact_count, exact_data
from cachery.monitoring.figures import average
from cachery.monitoring.metrics import MemoryUsageMetric
from cachery.monitoring.process import resident_megabytes
from cachery.monitoring.sizing import size_of_entries

__all__ = ["Told", "measured", "memory_section", "memory_warnings", "thresholds_only"]

_MEGABYTE = 1024 * 1024
_HOUR = 3600
_NEWEST = 10
_NEARLY_FULL = 0.9

Told = Mapping[str, Any]
"""What a caller says: ``entry_count``, ``size_bytes``, ``max_entries``, each perhaps ``None``."""


def measured(
    entries: object, redis: object, data: object, told: Told, *, now: float, warning_bytes: float
) -> MemoryUsageMetric:
    """Return what a cache takes now; what its caller told is not measured again."""
    held = _mapping(entries)
    in_memory = _told(told, "size_bytes", lambda: size_of_entries(held))
    count = _told(told, "entry_count", lambda: len(held))
    far_bytes, far_count = _on_server(redis)
    total, total_count = in_memory + far_bytes, count + far_count
    return MemoryUsageMetric(
        total_cache_size_bytes=total,
        cache_entry_count=total_count,
        avg_entry_size_bytes=total / total_count if total_count else 0.0,
        memory_cache_size_bytes=in_memory,
        memory_cache_entry_count=count,
        process_memory_mb=resident_megabytes(),
        timestamp=now,
        cache_utilization_percent=100.0 * total / warning_bytes,
        warning_threshold_reached=total >= warning_bytes,
        additional_data=exact_data(data),
        redis_size_bytes=far_bytes,
        max_entries=_told(told, "max_entries", lambda: None, least=1),
    )


def memory_section(kept: list[MemoryUsageMetric], warning_bytes: float, critical_bytes: float) -> dict[str, Any]:
    """Return what there is to say about ``kept``, one at least."""
    newest = kept[-1]
    return {
        "current": _current(newest, warning_bytes),
        "thresholds": {
            **thresholds_only(warning_bytes, critical_bytes),
            "warning_threshold_reached": newest.total_cache_size_bytes >= warning_bytes,
            "critical_threshold_reached": newest.total_cache_size_bytes >= critical_bytes,
        },
        "trends": _trends(kept),
    }


def thresholds_only(warning_bytes: float, critical_bytes: float) -> dict[str, Any]:
    """Return both thresholds, in MiB."""
    return {
        "warning_threshold_mb": warning_bytes / _MEGABYTE,
        "critical_threshold_mb": critical_bytes / _MEGABYTE,
    }


def memory_warnings(newest: MemoryUsageMetric, warning_bytes: float, critical_bytes: float) -> list[dict[str, Any]]:
    """Return what a person should know about ``newest``."""
    found = []
    size = newest.total_cache_size_bytes
    if size >= critical_bytes:
        found.append(_warning("critical", size, critical_bytes, _WHEN_CRITICAL))
    elif size >= warning_bytes:
        found.append(_warning("warning", size, warning_bytes, _WHEN_WARNED))
    limit, count = newest.max_entries, newest.memory_cache_entry_count
    if limit is not None and count > _NEARLY_FULL * limit:
        said = f"the cache in memory holds {count:,} of {limit:,} entries, {100 * count / limit:.0f} %"
        found.append({"severity": "info", "message": said, "recommendations": list(_WHEN_FULL)})
    return found


_WHEN_CRITICAL = (
    "store less: shorter lives, or larger values not at all",
    "lower the number of entries in memory",
    "compress from a smaller size on",
    "look for values that are much larger than the others",
)
_WHEN_WARNED = (
    "watch how fast the size grows",
    "compress from a smaller size on",
    "shorten the lives of what is seldom asked for",
)
_WHEN_FULL = ("if the hit rate is low, allow more entries in memory",)


def _warning(severity: str, size: float, threshold: float, recommendations: tuple[str, ...]) -> dict[str, Any]:
    sizes = f"{size / _MEGABYTE:.1f} MiB, the {severity} threshold is {threshold / _MEGABYTE:.1f} MiB"
    return {"severity": severity, "message": f"the cache takes {sizes}", "recommendations": list(recommendations)}


def _current(newest: MemoryUsageMetric, warning_bytes: float) -> dict[str, Any]:
    return {
        "total_cache_size_mb": newest.total_cache_size_bytes / _MEGABYTE,
        "memory_cache_size_mb": newest.memory_cache_size_bytes / _MEGABYTE,
        "redis_size_mb": newest.redis_size_bytes / _MEGABYTE,
        "cache_entry_count": newest.cache_entry_count,
        "memory_cache_entry_count": newest.memory_cache_entry_count,
        "max_entries": newest.max_entries,
        "avg_entry_size_bytes": newest.avg_entry_size_bytes,
        "process_memory_mb": newest.process_memory_mb,
        "cache_utilization_percent": 100.0 * newest.total_cache_size_bytes / warning_bytes,
        "warning_threshold_reached": newest.total_cache_size_bytes >= warning_bytes,
    }


def _trends(kept: list[MemoryUsageMetric]) -> dict[str, Any]:
    newest = kept[-_NEWEST:]
    sizes = [each.total_cache_size_bytes / _MEGABYTE for each in newest]
    counts = [each.cache_entry_count for each in newest]
    trends = {
        "total_measurements": len(kept),
        "measurements": len(newest),
        "avg_total_cache_size_mb": average(sizes),
        "max_total_cache_size_mb": max(sizes),
        "avg_memory_cache_size_mb": average([each.memory_cache_size_bytes / _MEGABYTE for each in newest]),
        "avg_entry_count": average(counts),
        "max_entry_count": max(counts),
    }
    hours = (newest[-1].timestamp - newest[0].timestamp) / _HOUR
    return {**trends, "growth_rate_mb_per_hour": (sizes[-1] - sizes[0]) / hours} if hours > 0 else trends


def _mapping(entries: object) -> Mapping[Any, Any]:
    if entries is None:
        return {}
    if not isinstance(entries, Mapping):
        raise CacheValueError(
            f"memory_cache is a mapping or None, not {type(entries).__name__}; "
            "of other caches tell entry_count= and size_bytes="
        )
    return entries


def _told(told: Told, name: str, otherwise: Any, *, least: int = 0) -> Any:
    value = told[name]
    return otherwise() if value is None else exact_count(value, name, least=least)


def _on_server(redis: object) -> tuple[int, int]:
    """Return bytes and entries of the cache on a server; entries count only where the bytes are known."""
    told = exact_data(redis, "redis_stats")
    if told.get("memory_used_bytes") is None:
        return 0, 0
    size = exact_count(told["memory_used_bytes"], "redis_stats['memory_used_bytes']")
    return size, exact_count(told.get("keys") or 0, "redis_stats['keys']")
