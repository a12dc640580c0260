"""Rules bought with other libraries' bugs, the part on time. Each test bears the rule as its docstring."""

from __future__ import annotations

import heapq
import random
from typing import Any

import pytest

from cachery import CacheValueError, InMemoryCache
from cachery.testing import FakeClock, check_invariants


@pytest.mark.parametrize("jump", [-500.0, 0.0, 500.0])
def test_a_wall_clock_that_jumps_changes_nothing(monkeypatch: pytest.MonkeyPatch, jump: float) -> None:
    """Monotonic in memory."""
    cache = InMemoryCache()
    cache.get_or_set("a", lambda: 1, ttl=60, stale_ttl=60)
    now = __import__("time").time()
    monkeypatch.setattr("time.time", lambda: now + jump)
    assert cache.get("a") == 1


@pytest.mark.parametrize("to", [0.0, 999.0, 5000.0, 1000.0])
def test_a_given_clock_that_jumps_breaks_nothing(to: float) -> None:
    """Clocks jump both ways: a value may live longer or shorter, the cache stays whole."""
    clock = FakeClock(1000.0)
    cache = InMemoryCache(clock=clock)
    for key in "abc":
        cache.get_or_set(key, lambda: 1, ttl=10, stale_ttl=10, refresh_ahead=0.5, tags=["red"])
    clock.jump(to)
    for key in "abc":
        assert cache.get_or_set(key, lambda: 1, ttl=10, stale_ttl=10) == 1
    cache.cleanup_expired()
    assert cache.drain()
    check_invariants(cache)


@pytest.mark.parametrize(
    ("ttl", "is_kept"),
    [(0, False), (-1, False), (float("-inf"), False), (float("inf"), True), (1e30, True), ("10", True), (0.5, True)],
)
def test_any_number_is_a_ttl_of_a_load(ttl: Any, is_kept: bool) -> None:  # noqa: FBT001 - a column of the table
    """TTL is validated at the door: 0, negative, inf, 1e30, text."""
    cache = InMemoryCache(clock=FakeClock())
    assert cache.get_or_set("a", lambda: 1, ttl=ttl) == 1
    assert cache.exists("a") is is_kept
    assert cache.get_many_or_set(["b"], lambda keys: dict.fromkeys(keys, 1), ttl=ttl) == {"b": 1}
    assert cache.exists("b") is is_kept


@pytest.mark.parametrize("ttl", [float("nan"), True, "soon", "", b"10", [], object()])
def test_anything_else_is_no_ttl(ttl: Any) -> None:
    """TTL is validated at the door: nan, bool, text that is no time, other types."""
    cache = InMemoryCache()
    with pytest.raises(CacheValueError, match="ttl"):
        cache.get_or_set("a", lambda: 1, ttl=ttl)
    with pytest.raises(CacheValueError, match="ttl"):
        cache.cached(ttl=ttl)
    assert len(cache) == 0


def most_at_once(loads: list[float], duration: float) -> int:
    """Return how many loads of ``duration`` seconds, begun at these times, run at the same time at most."""
    running: list[float] = []
    most = 0
    for began in sorted(loads):
        while running and running[0] <= began:
            heapq.heappop(running)
        heapq.heappush(running, began + duration)
        most = max(most, len(running))
    return most


def loads_of_a_herd(**options: Any) -> int:
    """Store a thousand keys at once, read them at random for two lifetimes; return the most loads at the same time."""
    clock = FakeClock()
    cache = InMemoryCache(clock=clock)
    chance = random.Random(3)
    loads: list[float] = []
    keys = [str(number) for number in range(1000)]
    for key in keys:
        cache.get_or_set(key, lambda: 1, ttl=100, **options)
    for _ in range(20_000):
        clock.advance(0.01)
        cache.get_or_set(chance.choice(keys), lambda: loads.append(clock()), ttl=100, **options)
    assert cache.drain()
    return most_at_once(loads, duration=1.0)


def test_jitter_spreads_mass_expiry() -> None:
    """Jitter against mass expiry: the most loads at the same time of a herd that was stored at once."""
    together, spread = loads_of_a_herd(), loads_of_a_herd(jitter=0.5)
    assert together > 60
    assert spread < together / 2


def test_tags_and_clearing_go_by_number_not_by_time() -> None:
    """Tag and clear stamps are counters, not clocks: a clock that stands or runs backwards does not matter."""
    clock = FakeClock()
    cache = InMemoryCache(clock=clock)
    for to in (1000.0, 1.0, 1000.0):
        cache.get_or_set("a", lambda: "old", tags=["red"])
        clock.jump(to)
        cache.invalidate_tags("red")
        assert cache.get_or_set("a", lambda: "new", tags=["red"]) == "new"
        cache.clear()
        assert cache.get("a") is None
