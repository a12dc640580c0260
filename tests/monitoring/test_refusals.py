"""What a monitor cannot work with it refuses, naming the argument, and records nothing of it."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from enum import StrEnum
from typing import Any

import pytest

from cachery.exceptions import CacheValueError
from cachery.monitoring import AlertRule, CachePerformanceMonitor
from cachery.testing import FakeClock

NO_NUMBERS: list[Any] = [-1, -0.001, float("nan"), float("inf"), "1", None, True, [], 10**400, 2**63]


def short(value: object) -> str:
    return f"{type(value).__name__}-{str(value)[:5]}"


class Unready:
    def __float__(self) -> float:
        raise ValueError("not yet")


@pytest.fixture
def monitor() -> CachePerformanceMonitor:
    return CachePerformanceMonitor(clock=FakeClock())


@pytest.mark.parametrize("value", [*NO_NUMBERS, 0, Unready()], ids=short)
@pytest.mark.parametrize(
    "name",
    ["retention_hours", "max_measurements", "memory_warning_threshold_bytes", "memory_critical_threshold_bytes"],
)
def test_a_monitor_is_made_of_numbers_above_nothing(name: str, value: Any) -> None:
    with pytest.raises(CacheValueError, match=name):
        CachePerformanceMonitor(**{name: value})


def test_a_warning_comes_before_what_is_critical() -> None:
    with pytest.raises(CacheValueError, match=r"memory_warning_threshold_bytes.*memory_critical_threshold_bytes"):
        CachePerformanceMonitor(memory_warning_threshold_bytes=2, memory_critical_threshold_bytes=1)


@pytest.mark.parametrize("value", [value for value in [*NO_NUMBERS, 0] if value is not None], ids=short)
@pytest.mark.parametrize(
    "name",
    [
        "key_generation_threshold",
        "cache_operation_threshold",
        "invalidation_rate_warning_per_hour",
        "invalidation_rate_critical_per_hour",
        "memory_warning_threshold_bytes",
        "hit_rate_threshold_percent",
    ],
)
def test_a_threshold_is_a_number_above_nothing(monitor: CachePerformanceMonitor, name: str, value: Any) -> None:
    before = getattr(monitor, name)
    with pytest.raises(CacheValueError, match=name):
        setattr(monitor, name, value)
    assert getattr(monitor, name) == before


@pytest.mark.parametrize("value", NO_NUMBERS, ids=short)
@pytest.mark.parametrize(
    ("method", "arguments", "name"),
    [
        ("record_key_generation_time", {"text_length": 1}, "duration"),
        ("record_key_generation_time", {"duration": 0.1}, "text_length"),
        ("record_cache_operation_time", {"operation": "get", "cache_hit": True}, "duration"),
        ("record_cache_operation_time", {"operation": "get", "cache_hit": True, "duration": 0.1}, "text_length"),
        ("record_compression_ratio", {"compressed_size": 1, "compression_time": 0.1}, "original_size"),
        ("record_compression_ratio", {"original_size": 1, "compression_time": 0.1}, "compressed_size"),
        ("record_compression_ratio", {"original_size": 1, "compressed_size": 1}, "compression_time"),
        ("record_invalidation_event", {"pattern": "a*", "duration": 0.1}, "keys_invalidated"),
        ("record_invalidation_event", {"pattern": "a*", "keys_invalidated": 1}, "duration"),
    ],
)
def test_what_is_no_measurement_is_refused(
    monitor: CachePerformanceMonitor, method: str, arguments: dict[str, Any], name: str, value: Any
) -> None:
    with pytest.raises(CacheValueError, match=name):
        getattr(monitor, method)(**arguments, **{name: value})
    totals = monitor.totals()
    assert totals.operations == {}
    assert totals.key_generations[0] == totals.compressions[0] == totals.invalidations[0] == 0


@pytest.mark.parametrize(
    ("method", "arguments", "name"),
    [
        ("record_key_generation_time", (0.1, 1, 7), "operation_type"),
        ("record_key_generation_time", (0.1, 1, "", 7), "additional_data"),
        ("record_cache_operation_time", (7, 0.1, True), "operation"),
        ("record_cache_operation_time", (["get"], 0.1, True), "operation"),
        ("record_cache_operation_time", ("get", 0.1, True, 0, [1]), "additional_data"),
        ("record_compression_ratio", (1, 1, 0.1, None), "operation_type"),
        ("record_compression_ratio", (1.5, 1, 0.1), "original_size"),
        ("record_invalidation_event", (None, 1, 0.1), "pattern"),
        ("record_invalidation_event", ("a*", 1, 0.1, 3), "invalidation_type"),
        ("record_invalidation_event", ("a*", 1, 0.1, "", 3), "operation_context"),
        ("record_memory_usage", ([1],), "memory_cache"),
        ("record_memory_usage", ({}, 3), "redis_stats"),
        ("record_memory_usage", ({}, {"memory_used_bytes": "3"}), "memory_used_bytes"),
        ("record_memory_usage", ({}, None, 3), "additional_data"),
        ("get_recent_slow_operations", (0,), "threshold_multiplier"),
        ("get_recent_slow_operations", ("2",), "threshold_multiplier"),
        ("recent_durations", ("nonsense", 60), "kind"),
        ("recent_durations", ("key_generation", -1), "seconds"),
        ("recent_invalidations", ("1h",), "seconds"),
        ("on_alert", (None,), "callback"),
        ("add_alert_rule", ("name",), "rule"),
    ],
)
def test_what_is_of_another_kind_is_refused(
    monitor: CachePerformanceMonitor, method: str, arguments: tuple[Any, ...], name: str
) -> None:
    with pytest.raises(CacheValueError, match=name):
        getattr(monitor, method)(*arguments)


@pytest.mark.parametrize("name", ["entry_count", "size_bytes", "max_entries"])
def test_what_is_told_of_memory_is_checked(monitor: CachePerformanceMonitor, name: str) -> None:
    with pytest.raises(CacheValueError, match=name):
        monitor.record_memory_usage({}, None, None, **{name: -1})
    assert monitor.memory_usage_measurements == []


def test_a_coroutine_refuses_too(monitor: CachePerformanceMonitor) -> None:
    with pytest.raises(CacheValueError, match="duration_ms"):
        asyncio.run(monitor.record_operation("get", -1.0, success=True))


def test_other_numbers_and_texts_are_taken(monitor: CachePerformanceMonitor) -> None:
    class Operation(StrEnum):
        GET = "get"

    monitor.record_cache_operation_time(Operation.GET, Decimal("0.5"), 1, 3.0)  # type: ignore[arg-type]
    (metric,) = monitor.cache_operation_times
    assert (metric.duration, metric.text_length, metric.operation_type) == (0.5, 3, "get")
    assert type(metric.operation_type) is str
    assert monitor.cache_hits == 1
    monitor.cache_operation_threshold = Decimal("0.25")
    report = CachePerformanceMonitor(Decimal("0.5"), 10).get_performance_stats()  # type: ignore[arg-type]
    taken = [monitor.__dict__["cache_operation_threshold"], report["retention_hours"]]
    assert [(type(number), number) for number in taken] == [(float, 0.25), (float, 0.5)]


def read_nothing(_: object) -> None:
    return None


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (("", read_nothing, 1), "name"),
        ((7, read_nothing, 1), "name"),
        (("rule", 7, 1), "read"),
        (("rule", read_nothing, "1"), "threshold"),
        (("rule", read_nothing, True), "threshold"),
        (("rule", read_nothing, float("nan")), "threshold"),
        (("rule", read_nothing, 1, 1), "clear_at"),
        (("rule", read_nothing, 1, "1"), "clear_at"),
        (("rule", read_nothing, 1, None, "fatal"), "severity"),
        (("rule", read_nothing, 1, None, "warning", "sideways"), "direction"),
        (("rule", read_nothing, 1, 0, "warning", "below"), "clear_at"),
        (("rule", read_nothing, 1, None, "warning", "above", 0), "min_samples"),
    ],
)
def test_a_rule_that_contradicts_itself_is_refused(arguments: tuple[Any, ...], name: str) -> None:
    with pytest.raises(CacheValueError, match=name):
        AlertRule(*arguments)
