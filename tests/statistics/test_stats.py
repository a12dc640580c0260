"""Statistics made by hand, and their parts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cachery import CacheStats, InMemoryCache
from cachery.exceptions import CacheValueError
from cachery.statistics.hot_keys import HotKeys
from cachery.statistics.window import RateWindow
from cachery.testing import FakeClock


def test_the_line_for_a_person() -> None:
    stats = CacheStats(hits=847, misses=153, total_requests=1000, size=312, max_size=1000, evictions=23)
    assert stats.text() == "Cache: 847/1000 hits (84.7%), 312/1000 entries, 23 evictions"
    assert repr(stats) == f"<CacheStats {stats.text()}>"


def test_the_rates() -> None:
    stats = CacheStats(hits=8, total_requests=10, size=1, max_size=4, writes=5, evictions=1)
    assert (stats.hit_rate, stats.miss_rate, stats.usage_percent, stats.eviction_rate) == (0.8, 0.0, 25.0, 0.2)
    empty = CacheStats()
    assert (empty.hit_rate, empty.miss_rate, empty.usage_percent, empty.eviction_rate) == (0.0, 0.0, 0.0, 0.0)


def test_fields_are_assigned_like_those_of_a_record() -> None:
    stats = CacheStats()
    stats.total_requests = 10
    stats.hits = 8
    stats.size, stats.max_size = 1, 2
    assert (stats.hit_rate, stats.total_requests, stats.usage_percent) == (0.8, 10, 50.0)


def test_recording() -> None:
    stats = CacheStats(clock=FakeClock())
    stats.record_hit("a")
    stats.record_hit("a")
    stats.record_hit()
    stats.record_miss("b")
    stats.record_write()
    stats.record_eviction()
    stats.record_delete()
    assert stats.to_dict() == {
        "hits": 3,
        "misses": 1,
        "writes": 1,
        "deletes": 1,
        "evictions": 1,
        "expirations": 0,
        "load_success": 0,
        "load_failure": 0,
        "stale_hits": 0,
        "coalesced": 0,
        "total_requests": 4,
        "hit_rate": 0.75,
        "size": 0,
        "max_size": 0,
        "usage_percent": 0.0,
    }
    assert stats.hottest_keys() == [("a", 2)]
    assert stats.hit_rate_window() == 0.75
    given_total = CacheStats(total_requests=5)
    given_total.record_hit()
    assert given_total.total_requests == 6


def test_resetting_keeps_the_bound_only() -> None:
    stats = CacheStats(hits=5, total_requests=9, size=3, max_size=7)
    stats.record_hit("a")
    stats.reset()
    assert stats.to_dict() == CacheStats(max_size=7).to_dict()
    assert stats.hottest_keys() == []


def test_a_snapshot_of_a_record_is_a_record_of_its_own() -> None:
    stats = CacheStats(hits=1, size=2)
    twin = stats.snapshot()
    stats.record_hit("a")
    assert (twin.hits, twin.size, twin.hottest_keys()) == (1, 2, [])
    twin.record_hit("b")
    assert (twin.hits, twin.hottest_keys()) == (2, [("b", 1)])


@pytest.mark.parametrize("seconds", [0, -1, "x", None, True])
def test_a_window_is_a_span_above_nothing(seconds: float) -> None:
    with pytest.raises(CacheValueError, match="seconds"):
        CacheStats().hit_rate_window(seconds)


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([0, 0.1, 1, 7])), max_size=200), st.sampled_from([1, 5, 60]))
def test_with_a_clock_given_the_window_is_exact(requests: list[tuple[bool, float]], span: float) -> None:
    clock = FakeClock()
    cache = InMemoryCache(clock=clock)
    cache.set("there", 1)
    past: list[tuple[float, bool]] = []
    for is_hit, pause in requests:
        cache.get("there" if is_hit else "absent")
        past.append((clock(), is_hit))
        clock.advance(pause)
    recent = [is_hit for time, is_hit in past if time > clock() - span]
    assert cache.stats.hit_rate_window(span) == pytest.approx(sum(recent) / len(recent) if recent else 0.0)


def test_with_the_clock_of_the_machine_the_window_sees_the_present() -> None:
    cache = InMemoryCache()
    cache.set("there", 1)
    for _ in range(1000):
        cache.get("there")
    for _ in range(250):
        cache.get("absent")
    assert cache.stats.hit_rate_window(60) == 0.8


def test_a_window_forgets_finely_but_never_all() -> None:
    window = RateWindow()
    for second in range(100_000):
        window.note(float(second), second, 0)
    assert len(window) <= 512
    assert window.before(99_999.0) == (99_999, 0)
    assert window.before(-1.0) == (0, 0)
    for age in (10, 100, 1000, 10_000, 50_000):
        hits, _ = window.before(99_999.0 - age)
        assert 99_999 - hits == pytest.approx(age, rel=0.1)


@given(st.lists(st.sampled_from("abcdefgh"), max_size=200))
def test_hot_keys_are_never_off_by_more_than_their_share(uses: list[str]) -> None:
    hot = HotKeys(capacity=4)
    for key in uses:
        hot.use(key)
    found = dict(hot.hottest(10))
    assert len(found) <= 4
    for key, count in found.items():
        assert uses.count(key) <= count <= uses.count(key) + len(uses) / 4
    for key in set(uses):
        if uses.count(key) > len(uses) / 4:
            assert key in found
    counts = [count for _, count in hot.hottest(10)]
    assert counts == sorted(counts, reverse=True)
