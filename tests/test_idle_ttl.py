"""``idle_ttl=``: an entry is over when nobody reads it, and in any case after its TTL."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cachery import CacheValueError, InMemoryCache, NamespacedCache, NullCache, aio
from cachery.testing import FakeClock, check_invariants


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def test_who_is_read_lives_on(clock: FakeClock) -> None:
    with InMemoryCache(clock=clock) as cache:
        cache.set("read", 1, idle_ttl=10)
        cache.set("unread", 2, idle_ttl=10)
        for _ in range(5):
            clock.advance(9)
            assert cache.get("read") == 1
        assert cache.get("unread") is None
        clock.advance(10)
        assert len(cache) == 0


def test_but_no_longer_than_its_ttl(clock: FakeClock) -> None:
    with InMemoryCache(clock=clock) as cache:
        cache.set("a", 1, ttl=25, idle_ttl=10)
        for _ in range(3):
            assert cache.get("a") == 1
            clock.advance(8)
        assert (cache.get("a"), cache.ttl("a")) == (1, 1)
        clock.advance(1)
        assert cache.get("a") is None


@pytest.mark.parametrize("look", ["exists", "ttl", "__contains__"])
def test_to_look_is_not_to_read(clock: FakeClock, look: str) -> None:
    with InMemoryCache(clock=clock) as cache:
        cache.set("a", 1, idle_ttl=10)
        clock.advance(9)
        assert getattr(cache, look)("a")
        clock.advance(1)
        assert cache.get("a") is None


def test_a_cache_may_say_it_of_all_its_entries(clock: FakeClock) -> None:
    with InMemoryCache(default_ttl=100, idle_ttl="10s", clock=clock) as cache:
        cache.set("set", 1)
        cache.add("added", 1)
        cache.incr("counted")
        cache.get_or_set("loaded", lambda: 1)
        cache.set("longer", 1, idle_ttl=50)
        keys = set(cache.keys())
        for _ in range(3):
            clock.advance(8)
            assert cache.get_many(keys).keys() == keys
        clock.advance(10)
        assert list(cache.keys()) == ["longer"]
        assert cache.idle_ttl == "10s"
        check_invariants(cache)


def test_a_hit_of_a_loading_verb_is_a_read(clock: FakeClock) -> None:
    with InMemoryCache(idle_ttl=10, clock=clock) as cache:
        calls: list[int] = []
        for _ in range(5):
            cache.get_or_set("a", lambda: calls.append(1))
            clock.advance(9)
        assert len(calls) == 1
        clock.advance(1)
        cache.get_or_set("a", lambda: calls.append(1))
        assert len(calls) == 2


def test_stale_times_move_along(clock: FakeClock) -> None:
    with InMemoryCache(idle_ttl=10, clock=clock) as cache:
        options: dict[str, Any] = {"ttl": 100, "stale_ttl": 30}
        cache.get_or_set("a", lambda: "old", **options)
        clock.advance(9)
        assert cache.get("a") == "old"
        clock.advance(25)  # 15 seconds past its time

        def fail() -> str:
            raise OSError("away")

        assert cache.get_or_set("a", fail, **options) == "old"
        clock.advance(16)
        with pytest.raises(OSError, match="away"):
            cache.get_or_set("a", fail, **options)
        check_invariants(cache)


def test_to_touch_sets_the_end_and_begins_the_idle_time_anew(clock: FakeClock) -> None:
    with InMemoryCache(clock=clock) as cache:
        cache.set("a", 1, ttl=15, idle_ttl=10)
        clock.advance(9)
        assert cache.touch("a", 100)
        assert cache.ttl("a") == 10
        clock.advance(9)
        assert cache.get("a") == 1
        assert cache.ttl("a") == 10


def test_a_new_value_has_a_new_idle_time_or_none(clock: FakeClock) -> None:
    with InMemoryCache(clock=clock) as cache:
        cache.set("a", 1, idle_ttl=10)
        cache.set("a", 2)
        clock.advance(1000)
        assert cache.get("a") == 2


def test_with_tags(clock: FakeClock) -> None:
    with InMemoryCache(clock=clock) as cache:
        cache.set("a", 1, tags=["red"], idle_ttl=10)
        clock.advance(9)
        assert cache.get("a") == 1
        cache.invalidate_tags("red")
        assert cache.get("a") is None
        check_invariants(cache)


def test_a_namespace_has_the_idle_time_of_its_cache(clock: FakeClock) -> None:
    with InMemoryCache(idle_ttl=10, clock=clock) as cache:
        space = NamespacedCache(cache, "users")
        space.set("a", 1)
        clock.advance(9)
        assert space.get("a") == 1
        clock.advance(9)
        assert space.get("a") == 1


def test_a_namespace_passes_it_on_and_nobody_is_no_other_caller(clock: FakeClock) -> None:
    with InMemoryCache(clock=clock) as cache:
        assert NamespacedCache(cache, "users").set("a", 1, idle_ttl=10)
        clock.advance(10)
        assert len(cache) == 0
    assert NullCache().set("a", 1, idle_ttl=10) is False
    assert asyncio.run(aio.NullCache().set("a", 1)) is False
    with pytest.raises(CacheValueError):
        NullCache().set("a", 1, idle_ttl=0)


@pytest.mark.parametrize("idle_ttl", [0, -1, "soon", True, float("nan")])
def test_bad_idle_times(idle_ttl: Any) -> None:
    with pytest.raises(CacheValueError):
        InMemoryCache(idle_ttl=idle_ttl)
    with InMemoryCache() as cache:
        cache.set("a", "before")
        with pytest.raises(CacheValueError):
            cache.set("a", 1, idle_ttl=idle_ttl)
        with pytest.raises(CacheValueError):
            cache.set("a", 1, ttl=0, idle_ttl=idle_ttl)
        assert cache.get("a") == "before"
