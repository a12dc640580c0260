"""What is the memory cache's own, beside what every cache does."""

from __future__ import annotations

import math
from typing import Any

import pytest

from cachery import MISSING, InMemoryCache, NamespacedCache
from cachery.exceptions import CacheValueError
from cachery.testing import FakeClock, check_invariants


def test_what_it_is_made_with_by_default() -> None:
    cache = InMemoryCache()
    assert (cache.max_size, cache.default_ttl, cache.policy, cache.name) == (1000, None, "lru", None)
    assert repr(cache) == "<InMemoryCache lru, max_size=1000>"
    assert repr(InMemoryCache(5, "5m", policy="LFU", name="small")) == "<InMemoryCache 'small', lfu, max_size=5>"


@pytest.mark.parametrize(
    "options",
    [
        {"max_size": 0},
        {"max_size": -1},
        {"max_size": True},
        {"max_size": 1.5},
        {"max_size": "5"},
        {"default_ttl": 0},
        {"default_ttl": -1},
        {"default_ttl": math.nan},
        {"default_ttl": "soon"},
        {"default_ttl": True},
        {"policy": "mru"},
        {"policy": None},
        {"copy": "shallow"},
        {"clock": 5},
    ],
)
def test_a_bad_setting_is_named(options: dict[str, Any]) -> None:
    (name,) = options
    with pytest.raises(CacheValueError, match=name):
        InMemoryCache(**options)


def test_without_a_bound_nothing_is_evicted() -> None:
    cache = InMemoryCache(max_size=None)
    for number in range(5000):
        cache.set(str(number), number)
    assert len(cache) == 5000
    assert cache.max_size is None
    assert (cache.stats.max_size, cache.stats.usage_percent, cache.stats.evictions) == (0, 0.0, 0)


def test_a_bound_beyond_all_memory_is_a_bound() -> None:
    assert InMemoryCache(max_size=10**30).set("a", 1)


def test_an_expired_entry_that_makes_room_is_an_expiration() -> None:
    clock = FakeClock()
    cache = InMemoryCache(max_size=1, clock=clock)
    seen: list[str] = []
    cache.subscribe(lambda event: seen.append(type(event).__name__))
    cache.set("a", 1, ttl=5)
    clock.advance(5)
    cache.set("b", 1)
    assert (cache.stats.evictions, cache.stats.expirations) == (0, 1)
    assert seen == ["Stored", "Expired", "Stored"]


def test_the_clock_of_the_machine_moves() -> None:
    cache = InMemoryCache()
    cache.set("a", 1, ttl="1h")
    left = cache.ttl("a")
    assert left is not None
    assert left == pytest.approx(3600, abs=10)
    assert cache.get("a") == 1


def test_a_clock_that_was_set_back_revives_nothing_that_was_removed() -> None:
    clock = FakeClock()
    cache = InMemoryCache(clock=clock)
    cache.set("a", 1, ttl=10)
    clock.advance(20)
    assert cache.get("a") is None
    clock.jump(1000.0)
    assert cache.get("a") is None
    clock.jump(0.0)
    cache.set("b", 1, ttl=10)
    assert cache.ttl("b") == 10
    check_invariants(cache)
    with pytest.raises(CacheValueError, match="monotonic"):
        clock.advance(-1)


def test_missing_is_told_from_every_value() -> None:
    assert repr(MISSING) == "MISSING"
    assert not MISSING
    assert InMemoryCache().get("a", MISSING) is MISSING


def test_the_invariants_are_looked_at_through_a_namespace() -> None:
    base = InMemoryCache()
    base.stats.hits = -1
    with pytest.raises(AssertionError, match="hits is -1"):
        check_invariants(NamespacedCache(base, "part"))


def test_numbers_that_do_not_add_up_are_found() -> None:
    cache = InMemoryCache()
    cache.stats.total_requests = 5
    with pytest.raises(AssertionError, match="make 5 requests"):
        check_invariants(cache)


@pytest.mark.parametrize("setting", ["max_size", "default_ttl", "policy", "stats"])
def test_settings_do_not_change(setting: str) -> None:
    with pytest.raises(AttributeError):
        setattr(InMemoryCache(), setting, 1)


def test_a_kind_of_cache_of_ones_own() -> None:
    class Counting(InMemoryCache):
        asked = 0

        def get(self, key: str, default: Any = None) -> Any:
            self.asked += 1
            return super().get(key, default)

    cache = Counting(5)
    cache.set("a", 1)
    assert cache.get_many(["a", "b"]) == {"a": 1}
    assert cache.asked == 2


def test_an_entry_that_lives_on_hides_nobody_who_is_over() -> None:
    clock = FakeClock()
    cache = InMemoryCache(clock=clock)
    cache.set("renewed", 1, ttl=0.505)
    cache.set("renewed", 2, ttl=1e6)
    cache.set("over", 3, ttl=0.52)
    clock.advance(0.506)  # in the very sixty-fourth of a second in which the first was to be over
    assert len(cache) == 2
    clock.advance(1.0)
    assert len(cache) == 1
    check_invariants(cache)
