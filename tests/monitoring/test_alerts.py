"""Alerts: raised at a threshold, cleared beyond another, told once an episode, whatever those who hear of them do."""

from __future__ import annotations

import logging
import threading
from typing import Any

import pytest

from cachery.monitoring import Alert, AlertRule, CachePerformanceMonitor, Reading
from cachery.testing import FakeClock

MEBIBYTE = 1024 * 1024


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def monitor(clock: FakeClock) -> CachePerformanceMonitor:
    return CachePerformanceMonitor(clock=clock)


@pytest.fixture
def heard(monitor: CachePerformanceMonitor) -> list[Alert]:
    alerts: list[Alert] = []
    monitor.on_alert(alerts.append)
    return alerts


def states(alerts: list[Alert]) -> list[tuple[str, str]]:
    return [(alert.name, alert.state) for alert in alerts]


class Gauge:
    """A number to read, and how often it was."""

    def __init__(self) -> None:
        self.value: Any = 0.0
        self.reads = 0

    def __call__(self, monitor: object) -> Any:
        self.reads += 1
        return self.value


@pytest.fixture
def gauge(monitor: CachePerformanceMonitor) -> Gauge:
    gauge = Gauge()
    monitor.add_alert_rule(AlertRule("gauge", gauge, 10, clear_at=5, description="the gauge"))
    return gauge


def test_an_alert_is_told_once_an_episode(
    monitor: CachePerformanceMonitor, heard: list[Alert], gauge: Gauge, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "cachery.monitoring")
    for value in (9, 10, 11, 7, 12, 6, 5, 9, 10):
        gauge.value = value
        monitor.check_alerts()
    assert [(alert.state, alert.value) for alert in heard] == [("raised", 10), ("cleared", 5), ("raised", 10)]
    assert [(record.levelname, record.name) for record in caplog.records] == [
        ("WARNING", "cachery.monitoring"),
        ("INFO", "cachery.monitoring"),
        ("WARNING", "cachery.monitoring"),
    ]
    assert [record.getMessage() for record in caplog.records][:2] == [
        "gauge raised: the gauge: 10, which is 10 or more",
        "gauge cleared: the gauge: 5 again",
    ]


def test_an_alert_says_what_it_is(monitor: CachePerformanceMonitor, clock: FakeClock, gauge: Gauge) -> None:
    gauge.value = 20
    clock.advance(1)
    (alert,) = monitor.check_alerts()
    expected = Alert("gauge", "warning", "raised", 20.0, 10.0, 1001.0, "the gauge: 20, which is 10 or more")
    assert alert == expected
    assert monitor.active_alerts() == [expected]
    assert monitor.check_alerts() == []
    gauge.value = None
    (alert,) = monitor.check_alerts()
    assert (alert.state, alert.value, alert.message) == ("cleared", None, "the gauge: nothing is measured any more")
    assert monitor.active_alerts() == []


def test_a_rule_may_watch_for_what_is_too_low(monitor: CachePerformanceMonitor, heard: list[Alert]) -> None:
    gauge = Gauge()
    monitor.add_alert_rule(AlertRule("low", gauge, 5, clear_at=8, direction="below", severity="critical"))
    for value in (6, 5, 7, 8):
        gauge.value = value
        monitor.check_alerts()
    assert [(alert.state, alert.value, alert.severity) for alert in heard] == [
        ("raised", 5, "critical"),
        ("cleared", 8, "critical"),
    ]
    assert heard[0].message == "low: 5, which is 5 or less"


def test_without_a_place_to_clear_at_the_threshold_is_it(monitor: CachePerformanceMonitor, heard: list[Alert]) -> None:
    gauge = Gauge()
    monitor.add_alert_rule(AlertRule("plain", gauge, 5))
    for value in (5, 5, 4.9):
        gauge.value = value
        monitor.check_alerts()
    assert [alert.value for alert in heard] == [5, 4.9]


def test_few_measurements_change_nothing(monitor: CachePerformanceMonitor, heard: list[Alert]) -> None:
    gauge = Gauge()
    monitor.add_alert_rule(AlertRule("careful", gauge, 5, min_samples=10))
    for value, samples in ((9, 9), (9, 10), (1, 9), (1, 10)):
        gauge.value = Reading(value, samples)
        monitor.check_alerts()
    assert [(alert.state, alert.value) for alert in heard] == [("raised", 9), ("cleared", 1)]


def test_recording_judges_once_a_second_at_most(
    monitor: CachePerformanceMonitor, clock: FakeClock, gauge: Gauge, heard: list[Alert]
) -> None:
    for _ in range(100):
        monitor.record_cache_operation_time("get", 0.001, cache_hit=True)
    assert gauge.reads == 1
    gauge.value = 20
    monitor.record_key_generation_time(0.001, 10)
    assert heard == []
    clock.advance(1)
    monitor.record_key_generation_time(0.001, 10)
    assert (gauge.reads, states(heard)) == (2, [("gauge", "raised")])
    for _ in range(60):
        clock.advance(1)
        monitor.record_compression_ratio(10, 5, 0.001)
    assert gauge.reads == 62
    assert states(heard) == [("gauge", "raised")]
    clock.jump(500)
    monitor.record_compression_ratio(10, 5, 0.001)
    assert gauge.reads == 63


def test_slow_operations_raise_an_alert(monitor: CachePerformanceMonitor, clock: FakeClock, heard: list[Alert]) -> None:
    for _ in range(9):
        monitor.record_cache_operation_time("get", 0.06, cache_hit=True)
        monitor.record_key_generation_time(0.2, 10)
        clock.advance(1)
    assert heard == []
    monitor.record_cache_operation_time("get", 0.06, cache_hit=True)
    monitor.record_key_generation_time(0.2, 10)
    clock.advance(1)
    monitor.record_key_generation_time(0.2, 10)
    assert sorted(states(heard)) == [("cache_operation_slow", "raised"), ("key_generation_slow", "raised")]
    monitor.cache_operation_threshold = 0.1
    assert states(monitor.check_alerts()) == [("cache_operation_slow", "cleared")]
    clock.advance(61)
    (alert,) = monitor.check_alerts()
    assert (alert.name, alert.state, alert.value) == ("key_generation_slow", "cleared", None)


def test_invalidations_raise_an_alert_and_the_next_hour_clears_it(
    monitor: CachePerformanceMonitor, clock: FakeClock, heard: list[Alert], caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(120):
        clock.advance(1)
        monitor.record_invalidation_event("a*", 1, 0.001)
    assert states(heard) == [("invalidation_rate_warning", "raised"), ("invalidation_rate_critical", "raised")]
    assert [record.levelname for record in caplog.records] == ["WARNING", "ERROR"]
    clock.advance(3600)
    monitor.check_alerts()
    assert states(heard)[2:] == [("invalidation_rate_warning", "cleared"), ("invalidation_rate_critical", "cleared")]


def test_memory_raises_an_alert(monitor: CachePerformanceMonitor, clock: FakeClock, heard: list[Alert]) -> None:
    for size in (49, 50, 45, 101, 79, 30):
        monitor.record_memory_usage(size_bytes=size * MEBIBYTE)
        clock.advance(1)
    assert states(heard) == [
        ("memory_warning", "raised"),
        ("memory_critical", "raised"),
        ("memory_critical", "cleared"),
        ("memory_warning", "cleared"),
    ]


def test_a_low_hit_rate_raises_an_alert_if_that_is_asked_for(
    monitor: CachePerformanceMonitor, heard: list[Alert]
) -> None:
    for _ in range(100):
        monitor.record_cache_operation_time("get", 0.001, cache_hit=False)
    assert monitor.check_alerts() == []
    monitor.hit_rate_threshold_percent = 40
    monitor.check_alerts()
    assert states(heard) == [("hit_rate_low", "raised")]
    for _ in range(130):
        monitor.record_cache_operation_time("get", 0.001, cache_hit=True)
    assert states(monitor.check_alerts()) == [("hit_rate_low", "cleared")]
    monitor.hit_rate_threshold_percent = 90
    monitor.check_alerts()
    monitor.hit_rate_threshold_percent = None
    monitor.check_alerts()
    assert states(heard)[2:] == [("hit_rate_low", "raised"), ("hit_rate_low", "cleared")]


def test_who_fails_harms_nobody(
    monitor: CachePerformanceMonitor, gauge: Gauge, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: Alert) -> None:
        raise RuntimeError("boom")

    later: list[Alert] = []
    monitor.on_alert(fail)
    monitor.on_alert(later.append)
    gauge.value = 20
    monitor.record_cache_operation_time("get", 0.001, cache_hit=True)
    assert states(later) == [("gauge", "raised")]
    assert any(record.exc_info and "boom" in str(record.exc_info[1]) for record in caplog.records)


def test_a_rule_that_fails_is_logged_once(
    monitor: CachePerformanceMonitor, gauge: Gauge, heard: list[Alert], caplog: pytest.LogCaptureFixture
) -> None:
    gauge.value = 20
    monitor.check_alerts()
    gauge.value = "nonsense"
    for _ in range(5):
        monitor.check_alerts()
    assert [record.exc_info is not None for record in caplog.records] == [False, True]
    assert states(monitor.active_alerts()) == [("gauge", "raised")]
    gauge.value = 20
    monitor.check_alerts()
    gauge.value = "nonsense"
    monitor.check_alerts()
    assert len(caplog.records) == 3
    assert states(heard) == [("gauge", "raised")]


def test_a_callback_may_use_the_monitor(monitor: CachePerformanceMonitor, clock: FakeClock, gauge: Gauge) -> None:
    told: list[tuple[str, int]] = []

    def react(alert: Alert) -> None:
        clock.advance(1)
        monitor.record_cache_operation_time("get", 0.001, cache_hit=True)
        told.append((alert.state, len(monitor.active_alerts())))
        gauge.value = 0
        monitor.check_alerts()

    monitor.on_alert(react)
    gauge.value = 20
    monitor.check_alerts()
    assert sorted(told) == [("cleared", 0), ("raised", 1)]
    assert monitor.active_alerts() == []


def test_no_lock_is_held_while_someone_is_told(monitor: CachePerformanceMonitor, gauge: Gauge) -> None:
    seen: list[int] = []

    def ask_elsewhere(_: Alert) -> None:
        thread = threading.Thread(target=lambda: seen.append(len(monitor.active_alerts()) + monitor.total_operations))
        thread.start()
        thread.join(10)

    monitor.on_alert(ask_elsewhere)
    gauge.value = 20
    monitor.check_alerts()
    assert seen == [1]


def test_a_rule_that_asks_for_a_check_ends(monitor: CachePerformanceMonitor) -> None:
    inner: list[list[Alert]] = []

    def read(owner: CachePerformanceMonitor) -> float:
        inner.append(owner.check_alerts())
        return 7

    monitor.add_alert_rule(AlertRule("curious", read, 5))
    assert states(monitor.check_alerts()) == [("curious", "raised")]
    assert inner == [[]]


def test_who_unsubscribed_hears_no_more(monitor: CachePerformanceMonitor, gauge: Gauge) -> None:
    heard: list[Alert] = []
    first, second = monitor.on_alert(heard.append), monitor.on_alert(heard.append)
    gauge.value = 20
    monitor.check_alerts()
    first()
    first()
    gauge.value = 0
    monitor.check_alerts()
    assert [alert.state for alert in heard] == ["raised", "raised", "cleared"]
    second()


def test_rules_come_and_go(monitor: CachePerformanceMonitor, gauge: Gauge, heard: list[Alert]) -> None:
    gauge.value = 20
    monitor.check_alerts()
    monitor.add_alert_rule(AlertRule("gauge", gauge, 30))
    assert [rule.threshold for rule in monitor.alert_rules() if rule.name == "gauge"] == [30]
    assert states(monitor.check_alerts()) == [("gauge", "cleared")]
    assert monitor.remove_alert_rule("gauge") is True
    assert monitor.remove_alert_rule("gauge") is False
    gauge.value = 40
    assert monitor.check_alerts() == []
    assert len(heard) == 2


def test_a_rule_that_is_removed_takes_its_alert_along(monitor: CachePerformanceMonitor, gauge: Gauge) -> None:
    gauge.value = 20
    monitor.check_alerts()
    monitor.remove_alert_rule("gauge")
    assert monitor.active_alerts() == []


def test_threads_raise_an_alert_once(heard: list[Alert], monitor: CachePerformanceMonitor, gauge: Gauge) -> None:
    gauge.value = 20
    barrier = threading.Barrier(4)

    def check() -> None:
        barrier.wait(10)
        for _ in range(50):
            monitor.check_alerts()

    threads = [threading.Thread(target=check) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert states(heard) == [("gauge", "raised")]
