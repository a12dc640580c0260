"""The monitor: what is recorded is reported truthfully, in bounded memory, as data of the caller's own."""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import threading
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cachery import monitoring
from cachery.monitoring import (
    CachePerformanceMonitor,
    CompressionMetric,
    InvalidationMetric,
    MemoryUsageMetric,
    PerformanceMetric,
)
from cachery.testing import FakeClock

MEBIBYTE = 1024 * 1024
DURATIONS = st.floats(0, 1e6)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def monitor(clock: FakeClock) -> CachePerformanceMonitor:
    return CachePerformanceMonitor(clock=clock)


def record_some_of_everything(monitor: CachePerformanceMonitor) -> None:
    monitor.record_key_generation_time(
        0.01, 500, "summarize", {"text_tier": "small", "odd": object(), "tags": ("a", {"b"})}
    )
    monitor.record_cache_operation_time("get", 0.002, True, 500, {"operation_type": "summarize"})
    monitor.record_cache_operation_time("get", 0.004, False)
    monitor.record_cache_operation_time("set", 0.006, False)
    monitor.record_compression_ratio(1000, 250, 0.001, "summarize")
    monitor.record_memory_usage({"a": b"x" * 100}, {"memory_used_bytes": 2 * MEBIBYTE, "keys": 3}, max_entries=10)
    monitor.record_invalidation_event("user:*", 4, 0.01, "manual", "test", {"nan": float("nan")})


def test_the_package_shows_what_it_has() -> None:
    assert set(monitoring.__all__) <= set(dir(monitoring))
    for name in monitoring.__all__:
        assert getattr(monitoring, name).__name__ == name


def test_only_gets_count_for_the_hit_rate(monitor: CachePerformanceMonitor) -> None:
    monitor.record_cache_operation_time("set", 0.001, cache_hit=False)
    monitor.record_cache_operation_time("get", 0.001, cache_hit=True)
    report = monitor.get_performance_stats()
    assert report["cache_hit_rate"] == 100.0
    assert (report["cache_hits"], report["cache_misses"], report["total_cache_operations"]) == (1, 0, 2)
    assert (monitor.cache_hits, monitor.cache_misses, monitor.total_operations) == (1, 0, 2)


def test_a_monitor_that_recorded_nothing_says_so(monitor: CachePerformanceMonitor) -> None:
    report = monitor.get_performance_stats()
    assert (report["cache_hit_rate"], report["total_cache_operations"]) == (0.0, 0)
    sections = {"key_generation", "cache_operations", "compression", "memory_usage", "invalidation"}
    assert not sections & report.keys()
    assert monitor.get_memory_usage_stats() == {
        "no_measurements": True,
        "warning_threshold_mb": 50.0,
        "critical_threshold_mb": 100.0,
    }
    assert monitor.get_invalidation_frequency_stats() == {
        "no_invalidations": True,
        "total_invalidations": 0,
        "total_keys_invalidated": 0,
        "warning_threshold_per_hour": 50,
        "critical_threshold_per_hour": 100,
    }
    assert monitor.get_memory_warnings() == monitor.get_recommendations() == []
    slow: dict[str, list[object]] = {"key_generation": [], "cache_operations": [], "compression": []}
    assert monitor.get_recent_slow_operations() == slow


def test_the_report_has_every_section_and_figure(monitor: CachePerformanceMonitor) -> None:
    record_some_of_everything(monitor)
    report = monitor.get_performance_stats()
    figures = {"avg_duration", "median_duration", "max_duration", "min_duration", "p50", "p95", "p99"}
    common = {"total_operations", "measurements", "slow_operations"} | figures
    assert report["timestamp"] == "1970-01-01T00:16:40+00:00"
    assert report["retention_hours"] == 1
    assert report["key_generation"].keys() == common | {"avg_text_length", "max_text_length"}
    assert report["cache_operations"].keys() == common | {"by_operation_type"}
    by_type = report["cache_operations"]["by_operation_type"]
    assert by_type.keys() == {"get", "set"}
    assert by_type["get"] == {
        "count": 2,
        "measurements": 2,
        "avg_duration": 0.003,
        "max_duration": 0.004,
        "p50": 0.003,
        "p95": pytest.approx(0.0039),
        "p99": pytest.approx(0.00398),
    }
    assert report["compression"] == {
        "total_operations": 1,
        "measurements": 1,
        "avg_compression_ratio": 0.25,
        "median_compression_ratio": 0.25,
        "best_compression_ratio": 0.25,
        "worst_compression_ratio": 0.25,
        "avg_compression_time": 0.001,
        "max_compression_time": 0.001,
        "total_bytes_processed": 1000,
        "total_bytes_saved": 750,
        "overall_savings_percent": 75.0,
    }
    assert report["memory_usage"] == monitor.get_memory_usage_stats()
    assert report["invalidation"] == monitor.get_invalidation_frequency_stats()
    assert report["lifetime"]["total_keys_invalidated"] == 4


def test_reports_are_the_callers_own_and_json_carries_them(monitor: CachePerformanceMonitor) -> None:
    record_some_of_everything(monitor)
    for read in (
        monitor.get_performance_stats,
        monitor.export_metrics,
        monitor.get_recommendations,
        monitor.get_recent_slow_operations,
        monitor.get_memory_usage_stats,
        monitor.get_invalidation_frequency_stats,
    ):
        before: Any = read()
        text = json.dumps(before, allow_nan=False)
        before.clear()
        assert json.dumps(read(), allow_nan=False) == text


def test_what_is_recorded_can_be_read_as_records(monitor: CachePerformanceMonitor) -> None:
    told = {"operation_type": "summarize"}
    monitor.record_cache_operation_time("get", 1, True, 500, MappingProxyType(told))
    monitor.record_key_generation_time(0.01, 500)
    told["operation_type"] = "changed later"
    assert monitor.cache_operation_times == [
        PerformanceMetric(1.0, 500, 1000.0, "get", {"operation_type": "summarize"}),
    ]
    assert monitor.key_generation_times == [PerformanceMetric(0.01, 500, 1000.0)]
    monitor.record_compression_ratio(0, 0, 0.0)
    assert monitor.compression_ratios == [CompressionMetric(0, 0, 1.0, 0.0, 1000.0)]
    monitor.record_invalidation_event("a*", 2, 0.5)
    assert monitor.invalidation_events == [InvalidationMetric("a*", 2, 0.5, 1000.0, "manual")]
    metric = monitor.record_memory_usage(size_bytes=10, entry_count=2)
    assert monitor.memory_usage_measurements == [metric]
    monitor.cache_operation_times.clear()
    assert len(monitor.cache_operation_times) == 1


def test_a_record_fills_what_is_left_out() -> None:
    assert PerformanceMetric(0.1, 1, 1.0, "", None).additional_data == {}  # type: ignore[arg-type]
    assert CompressionMetric(100, 50, 0.0, 0.1, 1.0).compression_ratio == 0.5
    assert CompressionMetric(0, 0, 0.0, 0.1, 1.0).compression_ratio == 0.0


def test_what_is_older_than_the_retention_is_gone(monitor: CachePerformanceMonitor, clock: FakeClock) -> None:
    record_some_of_everything(monitor)
    clock.advance(3599)
    assert monitor.get_performance_stats()["total_cache_operations"] == 3
    clock.advance(1)
    report = monitor.get_performance_stats()
    assert (report["total_cache_operations"], report["cache_hits"]) == (0, 0)
    assert "cache_operations" not in report
    exported = monitor.export_metrics()
    assert not any(value for value in exported.values() if isinstance(value, list))
    assert report["lifetime"]["total_cache_operations"] == monitor.total_operations == 3


def test_counts_go_beyond_what_is_kept(clock: FakeClock) -> None:
    monitor = CachePerformanceMonitor(max_measurements=100, clock=clock)
    for number in range(1500):
        monitor.record_cache_operation_time("get", 0.001, cache_hit=number % 3 == 0)
        clock.advance(1)
    report = monitor.get_performance_stats()
    assert len(monitor.cache_operation_times) == 100
    assert report["total_cache_operations"] == report["cache_operations"]["total_operations"] == 1500
    assert (report["cache_hits"], report["cache_misses"]) == (500, 1000)
    assert report["cache_operations"]["by_operation_type"]["get"]["count"] == 1500
    assert report["cache_operations"]["measurements"] == 100


def test_where_more_is_recorded_than_kept_the_window_is_right_to_a_part_of_it(clock: FakeClock) -> None:
    monitor = CachePerformanceMonitor(max_measurements=50, clock=clock)
    for _ in range(3 * 3600):
        monitor.record_cache_operation_time("get", 0.001, cache_hit=True)
        clock.advance(1)
    counted = monitor.get_performance_stats()["total_cache_operations"]
    assert 3600 - 1 <= counted <= 3600 * (1 + 1 / 120)
    assert monitor.total_operations == 3 * 3600


def test_an_operation_of_which_nothing_is_kept_is_counted(clock: FakeClock) -> None:
    monitor = CachePerformanceMonitor(max_measurements=10, clock=clock)
    monitor.record_cache_operation_time("delete", 0.001, cache_hit=False)
    for _ in range(10):
        monitor.record_cache_operation_time("get", 0.001, cache_hit=True)
    by_type = monitor.get_performance_stats()["cache_operations"]["by_operation_type"]
    assert by_type["delete"]["count"] == 1
    assert by_type["delete"]["avg_duration"] is by_type["delete"]["p99"] is None


def test_very_many_operations_are_counted_as_others(monitor: CachePerformanceMonitor) -> None:
    for number in range(1000):
        monitor.record_cache_operation_time(f"operation {number}", 0.001, cache_hit=False)
    by_type = monitor.get_performance_stats()["cache_operations"]["by_operation_type"]
    assert len(by_type) <= 201
    assert sum(each["count"] for each in by_type.values()) == monitor.total_operations == 1000
    assert by_type["other"]["count"] >= 800


def test_a_clock_that_was_set_back_loses_no_count(monitor: CachePerformanceMonitor, clock: FakeClock) -> None:
    for at in (5000, 1000, 9000):
        clock.jump(at)
        monitor.record_cache_operation_time("get", 0.001, cache_hit=True)
    assert monitor.cache_hits == 3
    assert monitor.get_performance_stats()["cache_hits"] == 1


def test_the_window_is_told(monitor: CachePerformanceMonitor, clock: FakeClock) -> None:
    clock.advance(60)
    assert monitor.get_performance_stats()["window"] == {
        "begins": "1970-01-01T00:16:40+00:00",
        "ends": "1970-01-01T00:17:40+00:00",
        "seconds": 60.0,
    }
    clock.advance(7200)
    assert monitor.get_performance_stats()["window"]["seconds"] == 3600.0


def test_invalidations_of_a_day_are_known_whatever_the_retention_is(clock: FakeClock) -> None:
    monitor = CachePerformanceMonitor(retention_hours=1, max_measurements=5, clock=clock)
    for _ in range(48):
        monitor.record_invalidation_event("a*", 2, 0.01)
        clock.advance(1800)
    report = monitor.get_invalidation_frequency_stats()
    assert report["rates"]["last_24_hours"] in {47, 48}
    assert report["rates"]["last_hour"] == report["total_invalidations"] == 1
    clock.advance(7200)
    report = monitor.get_invalidation_frequency_stats()
    assert report["total_invalidations"] == 0
    assert report["rates"]["last_24_hours"] >= 42
    clock.advance(25 * 3600)
    assert monitor.get_invalidation_frequency_stats()["no_invalidations"] is True
    assert (monitor.total_invalidations, monitor.total_keys_invalidated) == (48, 96)


def test_invalidations_are_reported(monitor: CachePerformanceMonitor) -> None:
    for number in range(60):
        monitor.record_invalidation_event("a*" if number % 3 else "b*", 2, 0.01 * number, "ttl")
    report = monitor.get_invalidation_frequency_stats()
    assert (report["total_invalidations"], report["total_keys_invalidated"]) == (60, 120)
    assert report["rates"] == {"last_hour": 60, "last_24_hours": 60, "average_per_hour": 60}
    assert report["thresholds"] == {"warning_per_hour": 50, "critical_per_hour": 100, "current_alert_level": "warning"}
    assert report["patterns"]["most_common_patterns"] == {"a*": 34, "b*": 16}
    assert report["patterns"]["invalidation_types"] == {"ttl": 50}
    assert report["efficiency"]["avg_keys_per_invalidation"] == 2
    assert report["efficiency"]["max_duration"] == 0.59
    assert [each["issue"] for each in monitor.get_invalidation_recommendations()] == [
        "High invalidation frequency",
        "Dominant invalidation pattern",
    ]


@pytest.mark.parametrize(("keys", "issue"), [(0, "Low invalidation efficiency"), (101, "High invalidation impact")])
def test_invalidations_that_hit_nothing_or_very_much_are_told_of(
    monitor: CachePerformanceMonitor, keys: int, issue: str
) -> None:
    monitor.record_invalidation_event("a*", keys, 0.01)
    (advice,) = monitor.get_invalidation_recommendations()
    assert advice["issue"] == issue
    assert advice.keys() == {"severity", "issue", "message", "suggestions"}


def test_the_level_of_invalidations_follows_its_thresholds(monitor: CachePerformanceMonitor) -> None:
    monitor.record_invalidation_event("a*", 1, 0.01)
    monitor.invalidation_rate_warning_per_hour = monitor.invalidation_rate_critical_per_hour = 1
    assert monitor.get_invalidation_frequency_stats()["thresholds"]["current_alert_level"] == "critical"


class Opaque:
    def __init__(self, inner: object) -> None:
        self.inner = inner


class Slotted:
    __slots__ = ("inner",)

    def __init__(self, inner: object) -> None:
        self.inner = inner


@pytest.mark.parametrize(
    "wrap",
    [
        lambda inner: inner,
        lambda inner: (inner,),
        lambda inner: {inner},
        lambda inner: [{"a": (inner,)}],
        Opaque,
        Slotted,
        memoryview,
    ],
)
def test_the_size_of_a_value_is_that_of_all_it_holds(monitor: CachePerformanceMonitor, wrap: Any) -> None:
    metric = monitor.record_memory_usage({b"key": wrap(b"x" * 100_000)})
    assert 100_003 <= metric.memory_cache_size_bytes < 101_500
    assert metric.memory_cache_entry_count == metric.cache_entry_count == 1


def test_bytes_count_by_their_length_and_what_is_shared_once(monitor: CachePerformanceMonitor) -> None:
    shared = b"x" * 1000
    assert monitor.record_memory_usage({b"a": shared, b"b": shared}).memory_cache_size_bytes == 1002
    circle: list[object] = [shared]
    circle.append(circle)
    assert monitor.record_memory_usage({b"a": circle, b"b": len}).total_cache_size_bytes > 1000


def test_who_knows_better_is_believed(monitor: CachePerformanceMonitor) -> None:
    metric = monitor.record_memory_usage(
        None,
        {"memory_used_bytes": 3000, "keys": 5},
        {"source": "test"},
        entry_count=10,
        size_bytes=1000,
        max_entries=20,
    )
    assert (metric.memory_cache_size_bytes, metric.memory_cache_entry_count) == (1000, 10)
    assert (metric.total_cache_size_bytes, metric.cache_entry_count) == (4000, 15)
    assert metric.avg_entry_size_bytes == 4000 / 15
    assert metric.additional_data == {"source": "test"}
    assert metric.process_memory_mb > 1
    assert monitor.record_memory_usage({}, {"connected_clients": 3}).total_cache_size_bytes == 0


def test_where_the_system_does_not_tell_of_memory_its_peak_or_nothing_is_told(
    monitor: CachePerformanceMonitor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("cachery.monitoring.process._STATM", tmp_path / "nowhere")
    assert monitor.record_memory_usage().process_memory_mb > 1
    monkeypatch.setitem(sys.modules, "resource", None)
    assert monitor.record_memory_usage().process_memory_mb == 0


def test_memory_is_reported_with_its_growth(monitor: CachePerformanceMonitor, clock: FakeClock) -> None:
    monitor.record_memory_usage(size_bytes=10 * MEBIBYTE, entry_count=1)
    assert "growth_rate_mb_per_hour" not in monitor.get_memory_usage_stats()["trends"]
    clock.advance(1800)
    monitor.record_memory_usage(size_bytes=60 * MEBIBYTE, entry_count=5)
    report = monitor.get_memory_usage_stats()
    assert report["current"]["total_cache_size_mb"] == 60
    assert report["current"]["cache_utilization_percent"] == 120
    assert report["thresholds"] == {
        "warning_threshold_mb": 50,
        "critical_threshold_mb": 100,
        "warning_threshold_reached": True,
        "critical_threshold_reached": False,
    }
    assert report["trends"]["growth_rate_mb_per_hour"] == 100
    assert report["trends"]["max_entry_count"] == 5


@pytest.mark.parametrize(
    ("told", "severities"),
    [
        ({"size_bytes": 0, "entry_count": 99}, []),
        ({"size_bytes": 0, "entry_count": 95, "max_entries": 1000}, []),
        ({"size_bytes": 0, "entry_count": 950, "max_entries": 1000}, ["info"]),
        ({"size_bytes": 50 * MEBIBYTE, "entry_count": 1}, ["warning"]),
        ({"size_bytes": 100 * MEBIBYTE, "entry_count": 1}, ["critical"]),
    ],
)
def test_memory_is_warned_of_relative_to_what_is_told(
    monitor: CachePerformanceMonitor, told: dict[str, Any], severities: list[str]
) -> None:
    monitor.record_memory_usage(**told)
    found = monitor.get_memory_warnings()
    assert [each["severity"] for each in found] == severities
    for each in found:
        assert each.keys() == {"severity", "message", "recommendations"}
        assert len(each["recommendations"]) == {"critical": 4, "warning": 3, "info": 1}[each["severity"]]


def test_slow_operations_stand_out_and_are_finite(monitor: CachePerformanceMonitor) -> None:
    for duration in [0.01] * 9 + [0.05]:
        monitor.record_key_generation_time(duration, 10, "qa")
        monitor.record_cache_operation_time("get", duration, cache_hit=True)
        monitor.record_compression_ratio(100, 50, duration)
    slow = monitor.get_recent_slow_operations()
    for entries in slow.values():
        assert [each["times_slower"] for each in entries] == [pytest.approx(5)]
    assert slow["cache_operations"][0]["operation_type"] == "get"
    assert slow["compression"][0]["original_size"] == 100
    assert not any(monitor.get_recent_slow_operations(threshold_multiplier=10).values())


def test_with_nothing_to_compare_with_what_is_slow_is_finite_still(monitor: CachePerformanceMonitor) -> None:
    for duration in (0.0, 0.0, 0.0, 0.0, 0.5):
        monitor.record_cache_operation_time("get", duration, cache_hit=True)
    (slow,) = monitor.get_recent_slow_operations()["cache_operations"]
    assert slow["times_slower"] == pytest.approx(500_000)
    json.dumps(slow, allow_nan=False)


def test_a_coroutine_records_too(monitor: CachePerformanceMonitor) -> None:
    asyncio.run(monitor.record_operation("get", 5.0, True))
    (metric,) = monitor.cache_operation_times
    assert (metric.duration, metric.operation_type) == (0.005, "get")
    assert metric.additional_data == {"source": "integration", "success": True}
    assert monitor.cache_hits == 1


def test_a_reset_forgets_measurements_and_keeps_thresholds(monitor: CachePerformanceMonitor) -> None:
    monitor.cache_operation_threshold = 0.5
    record_some_of_everything(monitor)
    monitor.reset_stats()
    assert monitor.total_operations == monitor.cache_hits == monitor.total_invalidations == 0
    assert monitor.export_metrics()["cache_operation_times"] == []
    assert monitor.cache_operation_threshold == 0.5


def test_the_export_has_all_lists_and_counters(monitor: CachePerformanceMonitor) -> None:
    record_some_of_everything(monitor)
    exported = monitor.export_metrics()
    lists = ("key_generation_times", "cache_operation_times", "compression_ratios", "memory_usage_measurements")
    assert [len(exported[name]) for name in (*lists, "invalidation_events")] == [1, 3, 1, 1, 1]
    counters = ("cache_hits", "cache_misses", "total_operations", "total_invalidations", "total_keys_invalidated")
    assert [exported[name] for name in counters] == [1, 1, 3, 1, 4]
    assert exported["export_timestamp"] == "1970-01-01T00:16:40+00:00"
    assert exported["cache_operation_times"][0]["duration"] == 0.002
    assert isinstance(monitor.memory_usage_measurements[0], MemoryUsageMetric)


def test_recommendations_see_what_the_report_shows(monitor: CachePerformanceMonitor) -> None:
    for number in range(100):
        name = "sentiment" if number % 2 else "qa"
        hit = name == "qa" and number < 40
        monitor.record_cache_operation_time("get", 0.001, hit, additional_data={"operation_type": name})
        monitor.record_compression_ratio(100, 99, 0.001)
    monitor.record_memory_usage(size_bytes=48 * MEBIBYTE)
    advice = monitor.get_recommendations()
    assert [each["issue"] for each in advice] == [
        "Low hit rate",
        "Operation without hits",
        "Compression saves little",
        "Memory nearly full",
    ]
    assert "'sentiment'" in advice[1]["message"]
    for each in advice:
        assert each.keys() == {"severity", "issue", "message", "suggestions"}


def test_threads_lose_no_count(monitor: CachePerformanceMonitor) -> None:
    def record() -> None:
        for number in range(5000):
            monitor.record_cache_operation_time("get", 0.001, cache_hit=number % 2 == 0)
            monitor.record_invalidation_event("a*", 1, 0.001)
            if number % 500 == 0:
                monitor.get_performance_stats()

    threads = [threading.Thread(target=record) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (monitor.cache_hits, monitor.cache_misses, monitor.total_operations) == (10_000, 10_000, 20_000)
    report = monitor.get_performance_stats()
    assert (report["cache_hits"], report["cache_misses"]) == (10_000, 10_000)
    assert (monitor.total_invalidations, monitor.total_keys_invalidated) == (20_000, 20_000)


def test_a_finalizer_that_records_is_counted() -> None:
    small = CachePerformanceMonitor(max_measurements=1)

    class Last:
        def __del__(self) -> None:
            small.record_cache_operation_time("finalized", 0.001, cache_hit=False)

    for _ in range(300):
        small.record_cache_operation_time("get", 0.001, True, 0, {"held": Last()})
    small.totals()  # now they leave
    operations = small.totals().operations
    assert (operations["get"][0], operations["finalized"][0]) == (300, 299)


@pytest.mark.parametrize("forget", [CachePerformanceMonitor.totals, CachePerformanceMonitor.reset_stats])
def test_no_lock_is_held_while_what_is_forgotten_goes(forget: Any) -> None:
    small = CachePerformanceMonitor(max_measurements=1)
    seen: list[int] = []

    class Last:
        def __del__(self) -> None:
            thread = threading.Thread(target=lambda: seen.append(small.total_operations), daemon=True)
            thread.start()
            thread.join(10)

    small.record_cache_operation_time("get", 0.001, True, 0, {"held": Last()})
    small.record_cache_operation_time("get", 0.001, cache_hit=True)
    forget(small)
    assert len(seen) == 1


@given(st.lists(DURATIONS, min_size=2, max_size=300))
def test_percentiles_are_those_of_the_standard_library(times: list[float]) -> None:
    monitor = CachePerformanceMonitor(clock=FakeClock())
    for duration in times:
        monitor.record_cache_operation_time("get", duration, cache_hit=True)
    section = monitor.get_performance_stats()["cache_operations"]
    hundredths = statistics.quantiles(times, n=100, method="inclusive")
    for name, place in (("p50", 49), ("p95", 94), ("p99", 98)):
        assert section[name] == pytest.approx(hundredths[place])
        assert section["by_operation_type"]["get"][name] == section[name]
    assert section["median_duration"] == pytest.approx(statistics.median(times))
    assert section["avg_duration"] == pytest.approx(statistics.fmean(times))
    assert (section["min_duration"], section["max_duration"]) == (min(times), max(times))


OPERATIONS = st.tuples(st.sampled_from(["get", "set", "delete"]), st.booleans(), st.integers(0, 900))


@given(st.lists(OPERATIONS, max_size=200), st.integers(1, 300))
def test_the_hit_rate_is_that_of_the_gets_in_the_window(
    operations: list[tuple[str, bool, int]], max_measurements: int
) -> None:
    clock = FakeClock()
    monitor = CachePerformanceMonitor(max_measurements=max_measurements, clock=clock)
    gets: list[tuple[float, bool]] = []
    for operation, is_hit, pause in operations:
        monitor.record_cache_operation_time(operation, 0.001, is_hit)
        if operation == "get":
            gets.append((clock(), is_hit))
        clock.advance(pause)
    report = monitor.get_performance_stats()
    recent = [is_hit for at, is_hit in gets if at > clock() - 3600]
    if max_measurements >= len(operations):
        assert (report["cache_hits"], report["cache_misses"]) == (sum(recent), len(recent) - sum(recent))
    hits, misses = report["cache_hits"], report["cache_misses"]
    assert report["cache_hit_rate"] == (100 * hits / (hits + misses) if hits + misses else 0)
    assert report["total_cache_operations"] >= hits + misses
    assert (monitor.cache_hits, monitor.cache_misses) == (sum(h for _, h in gets), sum(not h for _, h in gets))
