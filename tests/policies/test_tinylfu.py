"""``tinylfu``: favourites stay through scans, newcomers get a chance, and the window finds its size."""

from __future__ import annotations

import random
from itertools import cycle, islice

import pytest

from cachery import CacheValueError, InMemoryCache
from cachery.policies import create_policy
from cachery.simulation import read_trace, replay_trace, shipped_traces
from cachery.testing import check_invariants


def asked(cache: InMemoryCache, key: str) -> bool:
    """Ask for ``key`` and store what is missing; tell whether it was a hit."""
    if cache.get(key) is not None:
        return True
    cache.set(key, True)
    return False


def hits(cache: InMemoryCache, keys: list[str]) -> int:
    return sum(asked(cache, key) for key in keys)


def test_a_scan_harms_no_favourites() -> None:
    with InMemoryCache(100, policy="tinylfu") as cache:
        favourites = [f"favourite {number}" for number in range(80)]
        for _ in range(5):
            hits(cache, favourites)
        hits(cache, [f"scanned {number}" for number in range(10_000)])
        assert hits(cache, favourites) >= 75
        check_invariants(cache)


def test_a_loop_larger_than_the_cache_has_hits() -> None:
    loop = list(islice(cycle(f"{number}" for number in range(150)), 15_000))
    with InMemoryCache(100, policy="tinylfu") as cache:
        assert hits(cache, loop) > 0.5 * len(loop)  # lru has none; 2 of 3 is the most there is


def test_the_window_grows_where_recency_counts() -> None:
    chance = random.Random(5)
    walk = [f"{number // 2 + int(chance.expovariate(1 / 15))}" for number in range(60_000)]
    with InMemoryCache(100, policy="tinylfu") as cache, InMemoryCache(100, policy="lru") as lru:
        assert hits(cache, walk) >= 0.95 * hits(lru, walk)
        check_invariants(cache)


def test_what_was_popular_once_gives_way() -> None:
    with InMemoryCache(100, policy="tinylfu") as cache:
        for name in ("old", "new"):
            keys = [f"{name} {number}" for number in range(100)]
            for _ in range(100):
                hits(cache, keys)
        assert hits(cache, [f"new {number}" for number in range(100)]) >= 90


@pytest.mark.parametrize("size", [1, 2, 3, 10, None])
def test_any_size(size: int | None) -> None:
    chance = random.Random(5)
    with InMemoryCache(size, policy="tinylfu") as cache:
        for _ in range(5000):
            key = f"{chance.randrange(30)}"
            if chance.random() < 0.1:
                cache.delete(key)
            else:
                asked(cache, key)
            if size is not None:
                assert len(cache) <= size
        check_invariants(cache)
        if size is None:
            assert cache.stats.evictions == 0


def test_clearing_and_deleting_leave_nothing_behind() -> None:
    with InMemoryCache(50, policy="tinylfu") as cache:
        for number in range(200):
            cache.set(f"{number}", number, tags=["odd"] if number % 2 else [])
        cache.invalidate_tags("odd")
        cache.delete_pattern("1*")
        check_invariants(cache)
        cache.clear()
        assert len(cache) == 0
        for number in range(200):
            cache.set(f"{number}", number)
        assert len(cache) == 50
        check_invariants(cache)


def test_it_has_as_many_hits_on_a_real_trace_as_were_measured() -> None:
    trace = read_trace(shipped_traces()["multi2"])
    assert replay_trace(trace, "tinylfu", 500).hit_ratio > 0.47  # lru 0.36, the most there is 0.54
    web = read_trace(shipped_traces()["web07"])
    assert replay_trace(web, "tinylfu", 1000).hit_ratio > 0.52  # lru 0.50, 0.64


def test_there_is_no_container() -> None:
    with pytest.raises(CacheValueError, match="InMemoryCache"):
        create_policy("tinylfu", 10)
