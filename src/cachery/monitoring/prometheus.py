"""Numbers for Prometheus: read when it asks, so they cost nothing in between. The file that knows prometheus_client.

It needs the extra ``prometheus``.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import nan
from typing import Any

from cachery.exceptions import CacheValueError
from cachery.monitoring.figures import percentile
from cachery.monitoring.monitor import CachePerformanceMonitor
from cachery.monitoring.readings import COUNTERS, SAVED, CacheReading, named
from cachery.serializers.extras import import_extra

__all__ = ["CacheCollector"]

_QUANTILES = (0.5, 0.95, 0.99)
_SAVED_NAMES = {
    "calls": "cachery_ai_calls_saved",
    "input_tokens": "cachery_ai_input_tokens_saved",
    "output_tokens": "cachery_ai_output_tokens_saved",
    "seconds": "cachery_ai_saved_seconds",
}


class CacheCollector:
    """What ``caches``, and perhaps a ``monitor``, count, for a registry of prometheus_client.

    ``caches`` are any with ``stats`` or ``savings()``, those of ``cachery.aio`` too. The label ``cache`` is the name of
    a cache, or that of its class; where several have the same, those after the first get a number. No label ever holds
    a key, a value, a prompt or a scope. The number of entries is told where it is at hand: not for Redis, files and
    namespaces, where all entries would be looked at. A cache that cannot be asked is left out, ``cachery_cache_up``
    says so. The caches are held as long as the collector is registered.

    Raises ``ImportError`` when the extra is missing, ``CacheValueError`` for what is no cache and no monitor.

    >>> from prometheus_client import CollectorRegistry
    >>> from cachery import InMemoryCache
    >>> registry = CollectorRegistry()
    >>> cache = InMemoryCache(name="answers")
    >>> registry.register(CacheCollector(cache))
    >>> cache.set("question", 42), cache.get("question")
    (True, 42)
    >>> registry.get_sample_value("cachery_hits_total", {"cache": "answers"})
    1.0
    """

    def __init__(self, *caches: Any, monitor: CachePerformanceMonitor | None = None) -> None:
        if not (monitor is None or isinstance(monitor, CachePerformanceMonitor)):
            raise CacheValueError(f"monitor is a CachePerformanceMonitor, not {monitor!r}")
        self._core = import_extra("prometheus_client.core", "prometheus")
        self._sources = named(caches)
        self._monitor = monitor

    def describe(self) -> list[Any]:
        """Return nothing: what there is shows when it is collected, and to register asks no cache anything."""
        return []

    def collect(self) -> Iterator[Any]:
        """Read all numbers and give them, family by family."""
        if self._sources:
            readings = [(source.name, source.read()) for source in self._sources]
            yield self._up(readings)
            known = [(name, reading) for name, reading in readings if reading is not None]
            yield from self._counters(known)
            yield from self._gauges(known)
            yield from self._savings(known)
        if self._monitor is not None:
            yield from self._operations(self._monitor)
            yield from self._events(self._monitor)
            yield self._alerts(self._monitor)

    def _up(self, readings: list[tuple[str, CacheReading | None]]) -> Any:
        family = self._core.GaugeMetricFamily("cachery_cache_up", "Whether the cache is open.", labels=["cache"])
        for name, reading in readings:
            family.add_metric([name], float(reading is not None and reading.is_open))
        return family

    def _counters(self, readings: list[tuple[str, CacheReading]]) -> Iterator[Any]:
        for counter, meaning in COUNTERS.items():
            family = self._core.CounterMetricFamily(f"cachery_{counter}", meaning, labels=["cache"])
            for name, reading in readings:
                if counter in reading.counters:
                    family.add_metric([name], float(reading.counters[counter]))
            yield family

    def _gauges(self, readings: list[tuple[str, CacheReading]]) -> Iterator[Any]:
        gauges = (
            ("cachery_entries", "Live entries.", "entries"),
            ("cachery_max_entries", "The most entries there may be.", "max_entries"),
            ("cachery_degraded", "Whether a server that the cache needs is away.", "is_degraded"),
        )
        for gauge, meaning, field in gauges:
            family = self._core.GaugeMetricFamily(gauge, meaning, labels=["cache"])
            for name, reading in readings:
                value = getattr(reading, field)
                if value is not None:
                    family.add_metric([name], float(value))
            yield family

    def _savings(self, readings: list[tuple[str, CacheReading]]) -> Iterator[Any]:
        for kind, meaning in SAVED.items():
            labels = ["cache", "model", "operation"]
            family = self._core.CounterMetricFamily(_SAVED_NAMES[kind], meaning, labels=labels)
            for name, reading in readings:
                for (model, operation), sums in reading.savings.items():
                    family.add_metric([name, model, operation], sums[kind])
            if family.samples:
                yield family

    def _operations(self, monitor: CachePerformanceMonitor) -> Iterator[Any]:
        """Give how long things took: counts and sums since the beginning, quantiles of the window."""
        totals = monitor.totals()
        meaning = "How long operations of the cache took."
        family = self._core.Metric("cachery_operation_duration_seconds", meaning, "summary")
        recent = monitor.cache_operation_times
        for name, (count, seconds, _) in totals.operations.items():
            times = sorted(each.duration for each in recent if each.operation_type == name)
            _add_summary(family, {"operation": name}, times, count, seconds)
        yield family
        meaning = "How long the making of keys took."
        family = self._core.Metric("cachery_key_generation_duration_seconds", meaning, "summary")
        times = sorted(each.duration for each in monitor.key_generation_times)
        _add_summary(family, {}, times, totals.key_generations[0], totals.key_generations[1])
        yield family

    def _events(self, monitor: CachePerformanceMonitor) -> Iterator[Any]:
        totals = monitor.totals()
        family = self._core.CounterMetricFamily("cachery_requests", "Requests by result.", labels=["result"])
        family.add_metric(["hit"], totals.hits)
        family.add_metric(["miss"], totals.misses)
        yield family
        compressions, before, after = totals.compressions
        invalidations, keys, _ = totals.invalidations
        for name, meaning, value in (
            ("cachery_compressions", "Compressions.", compressions),
            ("cachery_compression_input_bytes", "Bytes before compression.", before),
            ("cachery_compression_output_bytes", "Bytes after compression.", after),
            ("cachery_invalidations", "Invalidations.", invalidations),
            ("cachery_invalidated_keys", "Keys that invalidations hit.", keys),
        ):
            yield self._core.CounterMetricFamily(name, meaning, value=value)
        newest = monitor.newest_memory_usage()
        if newest is not None:
            size = newest.total_cache_size_bytes
            yield self._core.GaugeMetricFamily("cachery_memory_bytes", "What the cache takes.", value=size)

    def _alerts(self, monitor: CachePerformanceMonitor) -> Any:
        labels = ["alert", "severity"]
        family = self._core.GaugeMetricFamily("cachery_alert_active", "Whether an alert is raised.", labels=labels)
        monitor.check_alerts()
        active = {alert.name for alert in monitor.active_alerts()}
        for rule in monitor.alert_rules():
            family.add_metric([rule.name, rule.severity], float(rule.name in active))
        return family


def _add_summary(family: Any, labels: dict[str, str], times: list[float], count: int, seconds: float) -> None:
    for quantile in _QUANTILES:
        value = percentile(times, quantile) if times else nan
        family.add_sample(family.name, {**labels, "quantile": str(quantile)}, value)
    family.add_sample(f"{family.name}_count", labels, count)
    family.add_sample(f"{family.name}_sum", labels, seconds)
