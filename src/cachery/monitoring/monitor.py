"""``CachePerformanceMonitor``: takes measurements, and says what they come to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import inf
from typing import Any

from cachery.exceptions import CacheValueError
from cachery.locks import make_lock
from cachery.monitoring import reports
from cachery.monitoring.alerts import Alert, AlertCallback, AlertRule
from cachery.monitoring.arguments import LARGEST, Threshold, exact_count, exact_data, exact_name, exact_number
from cachery.monitoring.books import Books, Limits, Recorded
from cachery.monitoring.entries import INVALIDATION, Totals
from cachery.monitoring.invalidations import invalidation_advice
from cachery.monitoring.memory import measured
from cachery.monitoring.metrics import CompressionMetric, InvalidationMetric, MemoryUsageMetric, PerformanceMetric
from cachery.monitoring.performance import requests
from cachery.monitoring.rules import default_rules
from cachery.monitoring.watch import Watch
from cachery.ports.clock import Clock, wall

__all__ = ["CachePerformanceMonitor"]

_MEBIBYTE = 1024 * 1024
_MOST_RECENT = 1000


class CachePerformanceMonitor:
    """Takes what callers measured of a cache, and makes reports, recommendations and alerts of it.

    Reports cover the last ``retention_hours``. Counts are of everything in them; durations, their percentiles and the
    like are of the newest ``max_measurements`` of each kind, which are all that is kept. Where more was recorded than
    is kept, counts are right to a hundred and twentieth of the window at its far edge. Recording takes less than a
    microsecond, and threads lose nothing.

    The memory thresholds are bytes. These attributes may be changed at any time, to a number above 0:
    ``key_generation_threshold`` (0.1) and ``cache_operation_threshold`` (0.05), in seconds; those of the memory;
    ``invalidation_rate_warning_per_hour`` (50) and ``invalidation_rate_critical_per_hour`` (100); and
    ``hit_rate_threshold_percent`` (``None``: no alert). ``clock`` returns the time of day in seconds.

    Raises ``CacheValueError``, here and in all methods, for numbers that make no sense; it names the argument.

    >>> from cachery.testing import FakeClock
    >>> monitor = CachePerformanceMonitor(clock=FakeClock())
    >>> monitor.record_cache_operation_time("get", 0.002, cache_hit=True)
    >>> monitor.record_cache_operation_time("get", 0.004, cache_hit=False)
    >>> monitor.record_cache_operation_time("set", 0.003, cache_hit=False)
    >>> report = monitor.get_performance_stats()
    >>> report["cache_hit_rate"], report["total_cache_operations"], report["cache_operations"]["p50"]
    (50.0, 3, 0.003)
    """

    key_generation_threshold = Threshold()
    cache_operation_threshold = Threshold()
    invalidation_rate_warning_per_hour = Threshold()
    invalidation_rate_critical_per_hour = Threshold()
    memory_warning_threshold_bytes = Threshold()
    memory_critical_threshold_bytes = Threshold()
    hit_rate_threshold_percent = Threshold(is_optional=True)

    def __init__(
        self,
        retention_hours: float = 1,
        max_measurements: int = 1000,
        memory_warning_threshold_bytes: int = 50 * _MEBIBYTE,
        memory_critical_threshold_bytes: int = 100 * _MEBIBYTE,
        *,
        clock: Clock = wall,
    ) -> None:
        hours = exact_number(retention_hours, "retention_hours")
        if not hours > 0:
            raise CacheValueError(f"retention_hours is a number above 0, not {retention_hours!r}")
        capacity = exact_count(max_measurements, "max_measurements", least=1)
        self.memory_warning_threshold_bytes = memory_warning_threshold_bytes
        self.memory_critical_threshold_bytes = memory_critical_threshold_bytes
        if self.memory_warning_threshold_bytes > self.memory_critical_threshold_bytes:
            raise CacheValueError(
                f"memory_warning_threshold_bytes is {memory_warning_threshold_bytes:,}, "
                f"above memory_critical_threshold_bytes, {memory_critical_threshold_bytes:,}"
            )
        self.key_generation_threshold, self.cache_operation_threshold = 0.1, 0.05
        self.invalidation_rate_warning_per_hour, self.invalidation_rate_critical_per_hour = 50, 100
        self.hit_rate_threshold_percent = None
        self._clock = clock
        self._books = Books(hours, capacity, clock())
        self._add_key, self._add_operation = self._books.keys.add, self._books.operations.add
        self._lock = make_lock()
        self._watch = Watch(default_rules())
        self._checked = self._due = inf

    @property
    def retention_hours(self) -> float:
        """How many hours reports cover."""
        return self._books.retention_hours

    @property
    def max_measurements(self) -> int:
        """How many measurements of each kind are kept at most."""
        return self._books.capacity

    # Recording

    def record_key_generation_time(
        self,
        duration: float,
        text_length: int,
        operation_type: str = "",
        additional_data: Mapping[str, Any] | None = None,
    ) -> None:
        """Record that it took ``duration`` seconds to make a key of a text of ``text_length`` characters."""
        if duration.__class__ is not float or not 0.0 <= duration < LARGEST:
            duration = exact_number(duration, "duration")
        if text_length.__class__ is not int or not 0 <= text_length < LARGEST:
            text_length = exact_count(text_length, "text_length")
        if operation_type.__class__ is not str:
            operation_type = exact_name(operation_type, "operation_type")
        data = None if additional_data is None else exact_data(additional_data)
        now = self._clock()
        self._add_key((now, (operation_type,), duration, text_length, data))
        if not self._checked <= now < self._due:
            self._check(now)

    def record_cache_operation_time(
        self,
        operation: str,
        duration: float,
        cache_hit: bool,  # noqa: FBT001 - the name and place that callers know
        text_length: int = 0,
        additional_data: Mapping[str, Any] | None = None,
    ) -> None:
        """Record that ``operation`` took ``duration`` seconds.

        ``cache_hit`` counts for ``"get"`` only. An ``operation_type`` in ``additional_data`` says what the request was
        for; operations of which none is ever a hit are recommended to be looked at.
        """
        if duration.__class__ is not float or not 0.0 <= duration < LARGEST:
            duration = exact_number(duration, "duration")
        if text_length.__class__ is not int or not 0 <= text_length < LARGEST:
            text_length = exact_count(text_length, "text_length")
        if operation.__class__ is not str:
            operation = exact_name(operation, "operation")
        data = None if additional_data is None else exact_data(additional_data)
        now = self._clock()
        self._add_operation((now, (operation, bool(cache_hit)), duration, text_length, data))
        if not self._checked <= now < self._due:
            self._check(now)

    def record_compression_ratio(
        self, original_size: int, compressed_size: int, compression_time: float, operation_type: str = ""
    ) -> None:
        """Record that ``original_size`` bytes became ``compressed_size`` in ``compression_time`` seconds."""
        before = exact_count(original_size, "original_size")
        after = exact_count(compressed_size, "compressed_size")
        seconds = exact_number(compression_time, "compression_time")
        now = self._clock()
        self._books.compressions.add((now, (exact_name(operation_type, "operation_type"),), before, after, seconds))
        self._check_if_due(now)

    def record_memory_usage(
        self,
        memory_cache: Mapping[Any, Any] | None = None,
        redis_stats: Mapping[str, Any] | None = None,
        additional_data: Mapping[str, Any] | None = None,
        *,
        entry_count: int | None = None,
        size_bytes: int | None = None,
        max_entries: int | None = None,
    ) -> MemoryUsageMetric:
        """Measure what the cache takes now, record it and return it.

        Every key and value of ``memory_cache`` is looked at, with all that it holds; who knows better gives
        ``entry_count``, ``size_bytes`` and how many entries there may be, ``max_entries``. ``redis_stats`` may tell
        what this cache takes on a server: ``memory_used_bytes`` and the number of its ``keys``. That should be the part
        of this cache: what the whole server uses, others' data too, is not what this cache takes.
        """
        now = self._clock()
        told = {"entry_count": entry_count, "size_bytes": size_bytes, "max_entries": max_entries}
        warning = self.memory_warning_threshold_bytes
        metric = measured(memory_cache, redis_stats, additional_data, told, now=now, warning_bytes=warning)
        self._books.memory.append(metric)
        self._check_if_due(now)
        return metric

    def record_invalidation_event(
        self,
        pattern: str,
        keys_invalidated: int,
        duration: float,
        invalidation_type: str = "manual",
        operation_context: str = "",
        additional_data: Mapping[str, Any] | None = None,
    ) -> None:
        """Record that what ``pattern`` stands for was invalidated: ``keys_invalidated``, in ``duration`` seconds."""
        said = (
            exact_name(pattern, "pattern"),
            exact_name(invalidation_type, "invalidation_type"),
            exact_name(operation_context, "operation_context"),
        )
        keys = exact_count(keys_invalidated, "keys_invalidated")
        seconds, data = exact_number(duration, "duration"), exact_data(additional_data)
        now = self._clock()
        self._books.invalidations.add((now, INVALIDATION, keys, seconds, *said, data))
        self._check_if_due(now)

    async def record_operation(self, name: str, duration_ms: float, success: bool) -> None:  # noqa: FBT001
        """Record that ``name`` took ``duration_ms`` milliseconds; of a ``"get"``, ``success`` is a hit."""
        seconds = exact_number(duration_ms, "duration_ms") / 1000
        data = {"source": "integration", "success": bool(success)}
        self.record_cache_operation_time(name, seconds, bool(success), additional_data=data)

    # What was recorded: within the window, the oldest first

    @property
    def key_generation_times(self) -> list[PerformanceMetric]:
        """The newest makings of keys."""
        return reports.performances(self._books.keys.since(self._cutoff()))

    @property
    def cache_operation_times(self) -> list[PerformanceMetric]:
        """The newest operations."""
        return reports.performances(self._books.operations.since(self._cutoff()))

    @property
    def compression_ratios(self) -> list[CompressionMetric]:
        """The newest compressions."""
        return reports.compressions(self._books.compressions.since(self._cutoff()))

    @property
    def memory_usage_measurements(self) -> list[MemoryUsageMetric]:
        """The newest measurements of memory."""
        return self._books.memory_since(self._cutoff())

    @property
    def invalidation_events(self) -> list[InvalidationMetric]:
        """The newest invalidations."""
        return reports.invalidations(self._books.invalidations.since(self._cutoff()))

    # Counts since the monitor was made, or reset

    @property
    def cache_hits(self) -> int:
        """How many ``"get"`` were hits, since the beginning."""
        return self.totals().hits

    @property
    def cache_misses(self) -> int:
        """How many ``"get"`` were misses, since the beginning."""
        return self.totals().misses

    @property
    def total_operations(self) -> int:
        """How many operations were recorded, since the beginning."""
        return self.totals().operation_count

    @property
    def total_invalidations(self) -> int:
        """How many invalidations were recorded, since the beginning."""
        return self.totals().invalidations[0]

    @property
    def total_keys_invalidated(self) -> int:
        """How many keys those hit."""
        return int(self.totals().invalidations[1])

    def totals(self) -> Totals:
        """Return all counts since the beginning; exporters read them."""
        return self._books.totals()

    # Reports

    def get_performance_stats(self) -> dict[str, Any]:
        """Return the report of everything in the window: JSON can carry it, and it is the caller's own."""
        return reports.stats(self._recorded())

    def get_memory_usage_stats(self) -> dict[str, Any]:
        """Return what the cache takes now, the thresholds, and how it grew."""
        return reports.memory_report(self._recorded())

    def get_memory_warnings(self) -> list[dict[str, Any]]:
        """Return what a person should know about memory: each a ``severity``, a ``message``, ``recommendations``."""
        return reports.warnings_of_memory(self._recorded())

    def get_invalidation_frequency_stats(self) -> dict[str, Any]:
        """Return how often the cache is invalidated. The last hour and day are known whatever the retention is."""
        return reports.invalidation_report(self._recorded())

    def get_invalidation_recommendations(self) -> list[dict[str, Any]]:
        """Return what could be done about invalidations: ``severity``, ``issue``, ``message``, ``suggestions``."""
        return invalidation_advice(self._recorded().invalidations)

    def get_recommendations(self) -> list[dict[str, Any]]:
        """Return all that could be done better: ``severity``, ``issue``, ``message``, ``suggestions`` of each."""
        return reports.recommendations(self._recorded())

    def get_recent_slow_operations(self, threshold_multiplier: float = 2.0) -> dict[str, list[dict[str, Any]]]:
        """Return what took ``threshold_multiplier`` times as long as the quickest four fifths on average, or longer."""
        if not exact_number(threshold_multiplier, "threshold_multiplier") > 0:
            raise CacheValueError(f"threshold_multiplier is a number above 0, not {threshold_multiplier!r}")
        return reports.slow_report(self._recorded(), threshold_multiplier)

    def export_metrics(self) -> dict[str, Any]:
        """Return every measurement that is kept, as plain data, and the counts since the beginning."""
        return reports.export(self._recorded())

    def reset_stats(self) -> None:
        """Forget all measurements and counts. Thresholds, rules and callbacks stay."""
        self._books.clear(self._clock())

    # What rules read

    def recent_durations(self, kind: str, seconds: float) -> list[float]:
        """Return the newest durations of the last ``seconds``, of ``"key_generation"`` or ``"cache_operations"``.

        There are a thousand at most.
        """
        journals = {"key_generation": self._books.keys, "cache_operations": self._books.operations}
        if kind not in journals:
            raise CacheValueError(f"kind is one of {', '.join(map(repr, journals))}, not {kind!r}")
        cutoff = self._clock() - exact_number(seconds, "seconds")
        return [entry[2] for entry in journals[kind].newest(cutoff, _MOST_RECENT)]

    def recent_requests(self) -> tuple[int, int]:
        """Return how many hits and misses there were in the window."""
        return requests(self._books.operations.since(self._cutoff()))

    def recent_invalidations(self, seconds: float) -> int:
        """Return how many invalidations there were in the last ``seconds``, a day at most."""
        return self._books.invalidations.since(self._clock() - exact_number(seconds, "seconds")).count

    def newest_memory_usage(self) -> MemoryUsageMetric | None:
        """Return the newest measurement of memory in the window, ``None`` if there is none."""
        return next(reversed(self.memory_usage_measurements), None)

    # Alerts

    def on_alert(self, callback: AlertCallback) -> Callable[[], None]:
        """Call ``callback`` with each ``Alert`` that is raised or cleared; return a function that ends it.

        It is called on the thread that recorded or checked, outside of all locks, and may use the monitor. What it
        raises is logged.
        """
        return self._watch.hear(callback)

    def add_alert_rule(self, rule: AlertRule) -> None:
        """Judge by ``rule`` too, in the place of one that has the same name."""
        if not isinstance(rule, AlertRule):
            raise CacheValueError(f"rule is an AlertRule, not {rule!r}")
        self._watch.add(rule)

    def remove_alert_rule(self, name: str) -> bool:
        """Judge by the rule ``name`` no more; True if there was one."""
        return self._watch.remove(name)

    def alert_rules(self) -> list[AlertRule]:
        """Return the rules, those that every monitor begins with first."""
        return self._watch.rules()

    def active_alerts(self) -> list[Alert]:
        """Return the alerts that are raised, as of the last check."""
        return self._watch.raised()

    def check_alerts(self) -> list[Alert]:
        """Judge by all rules now; return the alerts that this raised or cleared.

        Recording does the same, at most once a second.
        """
        now = self._clock()
        self._checked, self._due = now, now + 1
        return self._watch.check(self, now)

    def _check_if_due(self, now: float) -> None:
        if not self._checked <= now < self._due:
            self._check(now)

    def _check(self, now: float) -> None:
        """Judge by all rules, unless another thread is about to."""
        with self._lock:
            if self._checked <= now < self._due:
                return
            self._checked, self._due = now, now + 1
        self._watch.check(self, now)

    def _cutoff(self) -> float:
        return self._books.cutoff(self._clock())

    def _recorded(self) -> Recorded:
        limits = Limits(
            key=self.key_generation_threshold,
            operation=self.cache_operation_threshold,
            memory_warning=self.memory_warning_threshold_bytes,
            memory_critical=self.memory_critical_threshold_bytes,
            invalidation_warning=self.invalidation_rate_warning_per_hour,
            invalidation_critical=self.invalidation_rate_critical_per_hour,
        )
        return self._books.read(self._clock(), limits)
