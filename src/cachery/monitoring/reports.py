"""Reports: what was recorded, as plain data that belongs to whoever asked. All parts of one cover the same window."""

from __future__ import annotations

from typing import Any

from cachery.monitoring.advice import compression_advice, hit_advice, memory_advice
from cachery.monitoring.books import Recorded
from cachery.monitoring.entries import as_compression, as_invalidation, as_performance
from cachery.monitoring.figures import moment
from cachery.monitoring.invalidations import invalidation_advice, invalidation_section
from cachery.monitoring.journal import Window
from cachery.monitoring.memory import memory_section, memory_warnings, thresholds_only
from cachery.monitoring.metrics import CompressionMetric, InvalidationMetric, PerformanceMetric
from cachery.monitoring.performance import compression_section, hit_rate, key_section, operation_section, requests
from cachery.monitoring.plain import record_as_plain
from cachery.monitoring.slow import slow_compressions, slow_operations

__all__ = [
    "compressions",
    "export",
    "invalidation_report",
    "invalidations",
    "memory_report",
    "performances",
    "recommendations",
    "slow_report",
    "stats",
    "warnings_of_memory",
]


def performances(window: Window) -> list[PerformanceMetric]:
    """Return the records of keys or operations."""
    return [as_performance(entry) for entry in window.entries]


def compressions(window: Window) -> list[CompressionMetric]:
    """Return the records of compressions."""
    return [as_compression(entry) for entry in window.entries]


def invalidations(window: Window) -> list[InvalidationMetric]:
    """Return the records of invalidations."""
    return [as_invalidation(entry) for entry in window.entries]


def stats(seen: Recorded) -> dict[str, Any]:
    """Return the report of everything; a section stands in it if there is something to say."""
    hits, misses = requests(seen.operations)
    report = {
        "timestamp": moment(seen.now),
        "retention_hours": seen.retention_hours,
        "window": _window(seen),
        "cache_hit_rate": hit_rate(hits, misses),
        "total_cache_operations": seen.operations.count,
        "cache_hits": hits,
        "cache_misses": misses,
        "lifetime": _lifetime(seen),
    }
    if seen.keys.entries:
        report["key_generation"] = key_section(seen.keys, seen.limits.key)
    if seen.operations.entries:
        report["cache_operations"] = operation_section(seen.operations, seen.limits.operation)
    if seen.compressions.entries:
        report["compression"] = compression_section(seen.compressions)
    if seen.memory:
        report["memory_usage"] = memory_report(seen)
    if seen.invalidations.window.entries:
        report["invalidation"] = invalidation_report(seen)
    return report


def memory_report(seen: Recorded) -> dict[str, Any]:
    """Return the report of what the cache takes."""
    limits = seen.limits.memory_warning, seen.limits.memory_critical
    if not seen.memory:
        return {"no_measurements": True, **thresholds_only(*limits)}
    return memory_section(seen.memory, *limits)


def warnings_of_memory(seen: Recorded) -> list[dict[str, Any]]:
    """Return what a person should know about the newest measurement of memory."""
    limits = seen.limits.memory_warning, seen.limits.memory_critical
    return memory_warnings(seen.memory[-1], *limits) if seen.memory else []


def invalidation_report(seen: Recorded) -> dict[str, Any]:
    """Return the report of invalidations."""
    return invalidation_section(seen.invalidations)


def recommendations(seen: Recorded) -> list[dict[str, Any]]:
    """Return all that could be done better."""
    newest = seen.memory[-1] if seen.memory else None
    return [
        *hit_advice(seen.operations),
        *compression_advice(seen.compressions),
        *memory_advice(newest, seen.limits.memory_warning),
        *invalidation_advice(seen.invalidations),
    ]


def slow_report(seen: Recorded, multiplier: float) -> dict[str, list[dict[str, Any]]]:
    """Return what took ``multiplier`` times as long as most, or longer."""
    return {
        "key_generation": slow_operations(seen.keys.entries, multiplier),
        "cache_operations": slow_operations(seen.operations.entries, multiplier),
        "compression": slow_compressions(seen.compressions.entries, multiplier),
    }


def export(seen: Recorded) -> dict[str, Any]:
    """Return every measurement that is kept, and the counts since the beginning."""
    events, keys, _ = seen.totals.invalidations
    return {
        "key_generation_times": [record_as_plain(each) for each in performances(seen.keys)],
        "cache_operation_times": [record_as_plain(each) for each in performances(seen.operations)],
        "compression_ratios": [record_as_plain(each) for each in compressions(seen.compressions)],
        "memory_usage_measurements": [record_as_plain(each) for each in seen.memory],
        "invalidation_events": [record_as_plain(each) for each in invalidations(seen.invalidations.window)],
        "cache_hits": seen.totals.hits,
        "cache_misses": seen.totals.misses,
        "total_operations": seen.totals.operation_count,
        "total_invalidations": events,
        "total_keys_invalidated": keys,
        "export_timestamp": moment(seen.now),
    }


def _window(seen: Recorded) -> dict[str, Any]:
    begins = max(seen.now - seen.retention_hours * 3600, seen.since)
    return {"begins": moment(begins), "ends": moment(seen.now), "seconds": max(0.0, seen.now - begins)}


def _lifetime(seen: Recorded) -> dict[str, Any]:
    totals = seen.totals
    events, keys, _ = totals.invalidations
    return {
        "since": moment(seen.since),
        "cache_hit_rate": hit_rate(totals.hits, totals.misses),
        "total_cache_operations": totals.operation_count,
        "cache_hits": totals.hits,
        "cache_misses": totals.misses,
        "total_invalidations": events,
        "total_keys_invalidated": keys,
    }
