"""The alerts that every monitor begins with; their thresholds are attributes of the monitor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cachery.monitoring.alerts import AlertRule, Reading
from cachery.monitoring.figures import percentile

__all__ = ["default_rules"]

_RELIEF = 0.8
_LAST_SECONDS = 60
_ENOUGH_TIMES = 10
_ENOUGH_REQUESTS = 100
_WORST_SHARE = 0.95


def default_rules() -> list[AlertRule]:
    """Return the rules, new ones.

    Each alert is cleared at four fifths of its threshold, that of the hit rate a quarter of the way
    from there to 100 %.

    >>> [rule.name for rule in default_rules()][:2]
    ['key_generation_slow', 'cache_operation_slow']
    """
    return [
        _slow("key_generation_slow", "key_generation", "key_generation_threshold", "makings of keys"),
        _slow("cache_operation_slow", "cache_operations", "cache_operation_threshold", "operations of the cache"),
        _frequent("invalidation_rate_warning", "invalidation_rate_warning_per_hour"),
        _frequent("invalidation_rate_critical", "invalidation_rate_critical_per_hour", is_critical=True),
        _large("memory_warning", "memory_warning_threshold_bytes"),
        _large("memory_critical", "memory_critical_threshold_bytes", is_critical=True),
        _hit_rate(),
    ]


def _attribute(name: str, factor: float = 1.0) -> Callable[[Any], float | None]:
    def read(monitor: Any) -> float | None:
        limit = getattr(monitor, name)
        return None if limit is None else limit * factor

    return read


def _slow(name: str, kind: str, threshold: str, what: str) -> AlertRule:
    def read(monitor: Any) -> Reading | None:
        times = sorted(monitor.recent_durations(kind, _LAST_SECONDS))
        return Reading(percentile(times, _WORST_SHARE), len(times)) if times else None

    return AlertRule(
        name,
        read,
        _attribute(threshold),
        _attribute(threshold, _RELIEF),
        min_samples=_ENOUGH_TIMES,
        description=f"seconds that 95 % of the {what} of the last minute took at most",
    )


def _frequent(name: str, threshold: str, *, is_critical: bool = False) -> AlertRule:
    return AlertRule(
        name,
        lambda monitor: float(monitor.recent_invalidations(3600)),
        _attribute(threshold),
        _attribute(threshold, _RELIEF),
        severity="critical" if is_critical else "warning",
        description="invalidations in the last hour",
    )


def _large(name: str, threshold: str, *, is_critical: bool = False) -> AlertRule:
    def read(monitor: Any) -> float | None:
        newest = monitor.newest_memory_usage()
        return None if newest is None else newest.total_cache_size_bytes

    return AlertRule(
        name,
        read,
        _attribute(threshold),
        _attribute(threshold, _RELIEF),
        severity="critical" if is_critical else "warning",
        description="bytes that the cache takes",
    )


def _hit_rate() -> AlertRule:
    def read(monitor: Any) -> Reading | None:
        hits, misses = monitor.recent_requests()
        return Reading(100.0 * hits / (hits + misses), hits + misses) if hits + misses else None

    return AlertRule(
        "hit_rate_low",
        read,
        _attribute("hit_rate_threshold_percent"),
        lambda monitor: monitor.hit_rate_threshold_percent + (100 - monitor.hit_rate_threshold_percent) / 4,
        direction="below",
        min_samples=_ENOUGH_REQUESTS,
        description="hit rate in percent",
    )
