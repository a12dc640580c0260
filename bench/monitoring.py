"""What it costs to record a measurement, and what exporters cost a cache between two questions: nothing."""

from __future__ import annotations

from bench.caches import KEYS, ours
from bench.effort import Effort
from bench.rows import Bar, Row, Topic
from bench.timing import Subject, nanoseconds_of
from cachery.monitoring import CachePerformanceMonitor

__all__ = ["monitoring"]

_TITLE = "Monitoring"
_RECORD = Bar(1000, is_absolute=True, unit=" ns")
_NOTHING = Bar(1.02)
_CACHES = 4
"""Of each kind, the best counts: where in memory a cache lies makes more of a difference than what is looked for."""

_PEER = "get, never watched"
_OFF = "get, exporters switched off"
_COLLECTED = "get, a collector for Prometheus registered"
_INSTRUMENTED = "get, instrumented for OpenTelemetry"


def monitoring(effort: Effort) -> Topic:
    """Measure both."""
    recorded = _recording(effort)
    try:
        return Topic(_TITLE, [*recorded, *_exporting(effort)])
    except ImportError as error:
        return Topic(_TITLE, recorded, [f"exporters not measured: {error}"])


def _recording(effort: Effort) -> list[Row]:
    calls = {
        "record_cache_operation_time": 'c.record_cache_operation_time("get", 0.001, True)',
        "the same with data": 'c.record_cache_operation_time("get", 0.001, True, 10, {"operation_type": k})',
        "record_key_generation_time": "c.record_key_generation_time(0.001, 100, v)",
        "record_compression_ratio": "c.record_compression_ratio(1000, 250, 0.001, v)",
    }
    subjects = [Subject(call, CachePerformanceMonitor(), KEYS) for call in calls.values()]
    times = nanoseconds_of(subjects, effort)
    return [Row(what, time, bar=_RECORD) for what, time in zip(calls, times, strict=True)]


def _exporting(effort: Effort) -> list[Row]:
    from prometheus_client import CollectorRegistry  # noqa: PLC0415 - where they are installed

    from cachery.monitoring.opentelemetry import instrument  # noqa: PLC0415
    from cachery.monitoring.prometheus import CacheCollector  # noqa: PLC0415

    groups = {what: [ours() for _ in range(_CACHES)] for what in (_PEER, _OFF, _COLLECTED, _INSTRUMENTED)}
    instrument(*groups[_OFF])()
    stop = instrument(*groups[_INSTRUMENTED])
    CollectorRegistry().register(CacheCollector(*groups[_COLLECTED]))
    subjects = [Subject("c.get(k)", cache, KEYS) for caches in zip(*groups.values(), strict=True) for cache in caches]
    times = nanoseconds_of(subjects, effort)
    stop()
    best = {what: min(times[place :: len(groups)]) for place, what in enumerate(groups)}
    bars = {_OFF: _NOTHING, _COLLECTED: _NOTHING, _INSTRUMENTED: None}
    return [Row(what, best[what], _PEER, best[_PEER], bar) for what, bar in bars.items()]
