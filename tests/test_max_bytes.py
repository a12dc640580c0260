"""``max_bytes=``, ``weigher=`` and ``cost=`` of the memory cache: what is heavy, and what is worth its weight."""

from __future__ import annotations

import asyncio
import random
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.servers.redis_servers import HOST

from cachery import CacheValueError, DiskCache, InMemoryCache, LoadContext, RedisCache, TieredCache, aio, get_cache
from cachery.events import Event, Evicted, Expired
from cachery.policies.node import is_compiled
from cachery.policies.registry import POLICIES
from cachery.testing import FakeClock, check_invariants
from cachery.weighing import weigh_entry

KEYS = st.sampled_from([f"key {number}" for number in range(12)])


def by_value(_key: str, value: int) -> int:
    return value


@pytest.mark.parametrize("policy", POLICIES)
@given(
    steps=st.lists(st.tuples(st.sampled_from(["set", "add", "delete", "load"]), KEYS, st.integers(0, 130)), max_size=60)
)
def test_it_never_holds_more_than_it_may(policy: str, steps: list[tuple[str, str, int]]) -> None:
    with InMemoryCache(policy=policy, max_bytes=100, weigher=by_value) as cache:
        gone: list[str] = []
        cache.subscribe(lambda event: gone.append(event.key) if isinstance(event, Evicted) else None)
        held: dict[str, int] = {}
        for verb, key, weight in steps:
            if verb == "delete":
                cache.delete(key)
                held.pop(key, None)
                continue
            is_new = verb == "set" or key not in held
            if verb == "load":
                assert cache.get_or_set(key, lambda weight=weight: weight) == (weight if is_new else held[key])
            else:
                assert getattr(cache, verb)(key, weight) == (is_new and weight <= 100)
            if is_new:
                held[key] = weight
            for each in gone:
                held.pop(each, None)
            gone.clear()
            assert {each: cache.get(each) for each in held} == held, "what nobody said has left is there"
            assert len(cache) == len(held)
            assert sum(held.values()) <= 100
            check_invariants(cache)


def test_nobody_leaves_while_there_is_room() -> None:
    with InMemoryCache(max_bytes=100, weigher=by_value) as cache:
        for number in range(10):
            cache.set(f"{number}", 10)
        assert (len(cache), cache.stats.evictions) == (10, 0)
        cache.set("one more", 1)
        assert (len(cache), cache.stats.evictions) == (10, 1)


def test_a_heavy_entry_takes_the_place_of_many() -> None:
    left: list[Event] = []
    with InMemoryCache(max_bytes=100, weigher=by_value) as cache:
        for number in range(100):
            cache.set(f"{number}", 1)
        cache.subscribe(left.append)
        cache.set("heavy", 95)
        assert sorted(cache.keys()) == sorted(["heavy", *[f"{number}" for number in range(95, 100)]])
        assert [event.key for event in left if isinstance(event, Evicted)] == [f"{number}" for number in range(95)]
        assert cache.stats.evictions == 95


def test_what_is_too_heavy_is_not_kept_and_takes_the_old_value_along() -> None:
    left: list[Event] = []
    with InMemoryCache(max_bytes=100, weigher=by_value) as cache:
        cache.set_many({"a": 1, "b": 2})
        cache.subscribe(left.append)
        assert cache.set("a", 101) is False
        assert cache.add("c", 101) is False
        assert cache.get_or_set("d", lambda: 101) == 101
        assert cache.incr("e", initial=101) == 102
        assert {event.key for event in left if isinstance(event, Evicted) and event.cause == "too_large"} >= {
            "a",
            "c",
            "d",
        }
        assert cache.get_many(list("abcde")) == {"b": 2}
        assert cache.add("b", 101) is False
        assert cache.get("b") == 2, "what is there stays: nothing was to replace it"
        check_invariants(cache)


def test_a_value_that_grows_pushes_others_out_and_one_that_shrinks_makes_room() -> None:
    with InMemoryCache(max_bytes=100, weigher=by_value) as cache:
        for letter in "abcd":
            cache.set(letter, 25)
        cache.set("d", 60)
        assert sorted(cache.keys()) == ["c", "d"]
        cache.set("d", 5)
        cache.set("e", 70)
        assert sorted(cache.keys()) == ["c", "d", "e"]
        check_invariants(cache)


@pytest.mark.parametrize("weight", [-1, 1.5, "5", None, True])
def test_a_weigher_says_how_many_bytes(weight: Any) -> None:
    with InMemoryCache(max_bytes=100, weigher=lambda _key, value: weight if value == "bad" else 10) as cache:
        cache.set("a", "good")
        with pytest.raises(CacheValueError, match="'a' weighs"):
            cache.set("a", "bad")
        assert cache.get("a") == "good"
        check_invariants(cache)


def test_a_weigher_that_fails_leaves_the_cache_as_it_was() -> None:
    with InMemoryCache(max_bytes=100, weigher=lambda _key, value: len(value)) as cache:
        cache.set("a", "12345")
        with pytest.raises(TypeError):
            cache.set("a", 5)
        with pytest.raises(TypeError):
            cache.incr("n")
        assert cache.get("a") == "12345"
        check_invariants(cache)


def test_a_weigher_may_use_the_cache() -> None:
    def weigher(key: str, value: int) -> int:
        if not key.startswith("copy of "):
            cache.set(f"copy of {key}", value)
            cache.delete(key)
        return value

    with InMemoryCache(max_bytes=100, weigher=weigher) as cache:
        for number in range(20):
            cache.set(f"{number}", 8)
            check_invariants(cache)
        assert cache.get("19") == cache.get("copy of 19") == 8


def test_a_bound_beyond_what_a_node_can_count() -> None:
    with InMemoryCache(max_bytes="1TiB", weigher=lambda _key, value: value << 30) as cache:
        for number in range(10):
            cache.set(f"{number}", 300)
        assert sorted(cache.keys()) == ["7", "8", "9"]
        assert cache.set("all", 1025) is False
        cache.set("tiny", 0)
        check_invariants(cache)


def test_bounds_of_entries_and_of_bytes() -> None:
    with InMemoryCache(5, max_bytes=100, weigher=by_value) as cache:
        for number in range(10):
            cache.set(f"{number}", 1)
        assert len(cache) == 5
        cache.set("heavy", 98)
        assert len(cache) == 3
        assert (cache.max_size, cache.max_bytes) == (5, 100)


def test_with_a_bound_in_bytes_there_is_none_of_entries_unless_it_is_said() -> None:
    with InMemoryCache(max_bytes="1MiB") as cache, InMemoryCache(1000, max_bytes="1MiB") as both:
        for number in range(2000):
            cache.set(f"{number}", number)
            both.set(f"{number}", number)
        assert (len(cache), cache.max_size, len(both)) == (2000, None, 1000)
        assert repr(cache) == "<InMemoryCache lru, max_size=None, max_bytes=1048576>"
    assert InMemoryCache().max_size == 1000
    named: Any = get_cache("bytes", max_bytes="1MiB")
    assert named.max_size is None


@pytest.mark.parametrize(
    "options",
    [
        {"max_bytes": 0},
        {"max_bytes": "lots"},
        {"max_bytes": 1.5},
        {"weigher": by_value},
        {"max_bytes": 10, "weigher": 5},
    ],
)
def test_bad_bounds(options: dict[str, Any]) -> None:
    with pytest.raises(CacheValueError):
        InMemoryCache(**options)


@pytest.mark.parametrize("policy", POLICIES)
def test_what_has_expired_leaves_before_what_is_live(policy: str) -> None:
    clock = FakeClock()
    left: list[Event] = []
    with InMemoryCache(policy=policy, max_bytes=100, weigher=by_value, clock=clock) as cache:
        for number in range(5):
            cache.set(f"short {number}", 10, 1)
            cache.set(f"long {number}", 10, 1000)
        clock.advance(1)
        cache.subscribe(left.append)
        cache.set("new", 50)
        assert sum(isinstance(event, Expired) for event in left) == 5
        assert not any(isinstance(event, Evicted) for event in left)
        assert len(cache) == 6


def test_favourites_stay_through_a_scan_of_heavy_ones() -> None:
    with InMemoryCache(policy="tinylfu", max_bytes=10_000, weigher=by_value) as cache:
        for _ in range(10):
            for number in range(80):
                cache.get_or_set(f"favourite {number}", lambda: 100)
        for number in range(2000):
            cache.get_or_set(f"scanned {number}", lambda number=number: 50 + number % 400)
        assert sum(cache.exists(f"favourite {number}") for number in range(80)) >= 72
        check_invariants(cache)


def zipf(count: int, seed: int) -> list[int]:
    chance = random.Random(seed)
    return chance.choices(range(1000), [1 / (rank + 1) for rank in range(1000)], k=count)


@pytest.mark.parametrize("policy", ["lru", "tinylfu"])
def test_heavy_ones_of_equal_popularity_leave_first_by_tinylfu(policy: str) -> None:
    """Every other key is ten times as heavy. LRU takes no notice."""
    with InMemoryCache(policy=policy, max_bytes=1100, weigher=lambda key, _value: 10 if int(key) % 2 else 1) as cache:
        for number in zipf(30_000, 1):
            cache.get_or_set(f"{number}", lambda: 0)
        light = sum(int(key) % 2 == 0 for key in cache.keys())  # noqa: SIM118 - a cache is not iterable
        share = light / len(cache)
    assert (share > 0.7) == (policy == "tinylfu")


@pytest.mark.parametrize("policy", ["lru", "tinylfu"])
def test_what_is_dear_outlives_what_is_cheap_by_tinylfu(policy: str) -> None:
    """All are asked for equally often; every other key costs a hundred times as much. LRU takes no notice."""
    chance = random.Random(7)
    misses = {1: 0, 100: 0}
    with InMemoryCache(100, policy=policy) as cache:
        for _ in range(40_000):
            number = chance.randrange(400)
            cost = 100 if number % 2 else 1
            if cache.get(f"{number}") is None:
                misses[cost] += 1
                cache.set(f"{number}", number, cost=cost)
    ratio = misses[100] / misses[1]
    assert ratio < 0.6 if policy == "tinylfu" else 0.95 < ratio < 1.05


def test_a_loader_may_say_what_its_value_took() -> None:
    def load(context: LoadContext) -> str:
        context.cost = 2.5
        return "value"

    def lie(context: LoadContext) -> str:
        context.cost = -1
        return "value"

    with InMemoryCache(policy="tinylfu") as cache:
        assert cache.get_or_set("a", load) == "value"
        entry = cache.read_entry("a")
        assert entry is not None
        assert entry.cost == 2.5
        with pytest.raises(CacheValueError, match="cost is seconds or money"):
            cache.get_or_set("b", lie)
        for cost in (-1, float("nan"), float("inf"), 10**400, "dear"):
            with pytest.raises(CacheValueError, match="cost is seconds or money"):
                cache.set("a", 1, cost=cost)


def test_costs_of_any_unit_and_none_at_all() -> None:
    with InMemoryCache(50, policy="tinylfu") as cache:
        for number in range(500):
            cache.set(f"{number}", number, cost=[None, 0, 1e-300, 1e300, 5][number % 5])
        assert len(cache) == 50
        check_invariants(cache)


@pytest.mark.parametrize("far", ["disk", "redis"])
def test_before_another_cache_the_weigher_sees_the_values(far: str, request: pytest.FixtureRequest) -> None:
    if far == "disk":
        there: Any = DiskCache(request.getfixturevalue("tmp_path"))
    else:
        there = RedisCache(HOST, request.getfixturevalue("redis_port"), name=request.getfixturevalue("redis_prefix"))
    near = InMemoryCache(max_bytes=100, weigher=by_value)
    with TieredCache(near, there) as cache:
        for number in range(10):
            cache.set(f"{number}", 40)
            assert cache.get(f"{number}") == 40
        assert len(near) <= 2
        assert cache.get_many([f"{number}" for number in range(10)]) == {f"{number}": 40 for number in range(10)}


@pytest.mark.parametrize("answer", ["fail", -1, None])
def test_before_another_cache_a_weigher_that_fails_costs_a_copy_and_no_read(
    answer: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def weigh(_key: str, value: str) -> Any:
        if value == "bad" and answer == "fail":
            raise RuntimeError
        return answer if value == "bad" else 1

    near = InMemoryCache(max_bytes=100, weigher=weigh)
    with TieredCache(near, DiskCache(tmp_path)) as cache:
        for value in ("bad", "good"):
            cache.set(value, value)
            assert cache.get(value) == cache.get(value) == value
        assert list(near.keys()) == ["good"]
    assert ("a copy is not kept" in caplog.text) == (answer == "fail")


def test_how_much_is_counted() -> None:
    with InMemoryCache(max_bytes="1MB") as cache, InMemoryCache() as free:
        cache.set("a", "x" * 1000)
        plain = cache.total_bytes
        assert plain == weigh_entry("a", "x" * 1000)
        cache.set("a", "x" * 1000, tags=["red", "blue"])
        assert cache.total_bytes == plain + 112 + 2 * 64 + 7
        cache.delete("a")
        assert (cache.total_bytes, free.total_bytes) == (0, None)


def test_tags_and_costs_are_counted() -> None:
    """Within a quarter, and never far below, as the texts of tags may be shared."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        cache = InMemoryCache(max_bytes="1GiB")
        for number in range(3000):
            cache.set(f"key {number}", "x" * (number % 70), cost=1, tags=[f"tag {number}", f"other {number}"])
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    least = 0.9 if is_compiled else 0.5  # interpreted, what the cache itself needs is more
    assert least < (cache.total_bytes or 0) / (after - before) < 1.25


def test_awaited() -> None:
    async def work() -> None:
        cache = aio.InMemoryCache(max_bytes=100, weigher=by_value, idle_ttl=50)
        assert await cache.set("a", 60)
        assert await cache.set("b", 60, idle_ttl=5)
        assert (await cache.get("a"), await cache.get("b")) == (None, 60)
        assert (cache.max_bytes, cache.idle_ttl, cache.max_size) == (100, 50, None)
        await cache.close()

    asyncio.run(work())
