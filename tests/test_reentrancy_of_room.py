"""A clock or a weigher that uses the cache while room is made: nothing is corrupted, nothing wins wrongly."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from cachery import FOREVER, CacheClosedError, InMemoryCache
from cachery.model.entry import Entry
from cachery.policies.registry import POLICIES
from cachery.testing import FakeClock, check_invariants

INFINITY = float("inf")


class TrapClock:
    """A clock that does something when it is asked for the ``at``-th time from now."""

    def __init__(self) -> None:
        self.now = 0.0
        self._left = 0
        self._trap: Callable[[], object] = bool

    def __call__(self) -> float:
        now = self.now
        self._left -= 1
        if self._left == 0:
            self._trap()
        return now

    def set_trap(self, at: int, trap: Callable[[], object]) -> None:
        self._left, self._trap = at, trap


VERBS: dict[str, Callable[[InMemoryCache], Any]] = {
    "delete": lambda cache: cache.delete("k0"),
    "get": lambda cache: cache.get("k0"),
    "set": lambda cache: cache.set("k0", 20, ttl=50),
    "set another": lambda cache: cache.set("new", 20, ttl=50),
    "add": lambda cache: cache.add("new", 20, ttl=50),
    "incr": lambda cache: cache.incr("k1", ttl=50),
    "touch": lambda cache: cache.touch("k0", 5),
    "miss": lambda cache: cache.get("nothing"),
    "len": len,
}


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("is_weighed", [False, True])
@pytest.mark.parametrize("outer", VERBS)
def test_a_clock_that_uses_the_cache(policy: str, outer: str, *, is_weighed: bool) -> None:
    """Every verb, with every other one coming in whenever the clock is asked."""
    bounds: dict[str, Any] = {"max_bytes": 100, "weigher": lambda _key, value: value} if is_weighed else {"max_size": 6}
    for inner, verb in VERBS.items():
        for at in range(1, 8):
            clock = TrapClock()
            with InMemoryCache(policy=policy, clock=clock, **bounds) as cache:
                for number in range(6):
                    cache.set(f"k{number}", 10 + number, ttl=5 + number)
                clock.now = 6.5
                clock.set_trap(at, partial(verb, cache))
                VERBS[outer](cache)
                check_invariants(cache)
                clock.set_trap(-1, bool)
                clock.now = 1000.0
                cache.set("last", 1)
                check_invariants(cache)
                assert len(cache) == 1, (inner, at)


UNDOING: dict[str, Callable[[InMemoryCache], object]] = {
    "delete": lambda cache: cache.delete("a"),
    "clear": lambda cache: cache.clear(),
    "pattern": lambda cache: cache.delete_pattern("a*"),
}


@pytest.mark.parametrize("at", range(1, 7))
@pytest.mark.parametrize("undo", UNDOING)
def test_an_invalidation_while_room_is_made_wins_over_the_load(at: int, undo: str) -> None:
    clock = TrapClock()
    with InMemoryCache(clock=clock) as cache:
        cache.set("expired", 1, ttl=1)
        token = cache.open_token("a")
        clock.now = 5.0
        undone: list[bool] = []

        def invalidate() -> None:
            UNDOING[undo](cache)
            undone.append(cache.exists("a"))

        clock.set_trap(at, invalidate)
        is_stored = cache.write_entry("a", Entry("old", 100.0), token)
        if undone:
            assert not cache.exists("a") or not is_stored
        cache.close_token(token)
        check_invariants(cache)


@pytest.mark.parametrize("at", range(1, 7))
def test_two_never_add_the_same(at: int) -> None:
    clock = TrapClock()
    with InMemoryCache(clock=clock) as cache:
        cache.set("expired", 1, ttl=1)
        clock.now = 5.0
        outcomes: list[bool] = []
        clock.set_trap(at, lambda: outcomes.append(cache.add("a", "inner", ttl=9)))
        outcomes.append(cache.add("a", "outer", ttl=9))
        assert outcomes.count(True) == 1


@pytest.mark.parametrize("at", range(1, 7))
@pytest.mark.parametrize("is_weighed", [False, True])
def test_no_count_is_lost(at: int, *, is_weighed: bool) -> None:
    clock = TrapClock()
    bounds: dict[str, Any] = {"max_bytes": 1000, "weigher": lambda _key, _value: 1} if is_weighed else {}
    with InMemoryCache(clock=clock, **bounds) as cache:
        cache.set("expired", 1, ttl=1)
        cache.set("n", 1, ttl=100)
        clock.now = 5.0
        inner: list[int] = []
        clock.set_trap(at, lambda: inner.append(cache.incr("n")))
        cache.incr("n")
        assert cache.get("n") == 2 + len(inner)


def test_a_touched_entry_that_was_removed_meanwhile_harms_no_other() -> None:
    clock = TrapClock()
    with InMemoryCache(clock=clock) as cache:
        for at in range(1, 5):
            cache.set("a", "old", ttl=100)
            clock.set_trap(at, lambda: cache.delete("a"))
            cache.touch("a", 5)
            clock.set_trap(-1, bool)
            cache.set("a", "new")
            clock.now += 10
            cache.set("b", 1)
            assert cache.get("a") == "new"
            check_invariants(cache)


def test_touching_for_ever_and_back_with_rare_fields() -> None:
    clock = FakeClock()
    with InMemoryCache(clock=clock) as cache:
        cache.set("a", 1, 10, tags=["red"])
        cache.touch("a", FOREVER)
        assert cache.ttl("a") == FOREVER
        cache.touch("a", 5)
        clock.advance(10)
        assert (len(cache), cache.get("a")) == (0, None)
        check_invariants(cache)


def test_a_stale_entry_written_again_with_the_same_end() -> None:
    clock = FakeClock(0.0)
    with InMemoryCache(clock=clock) as cache:
        entry = Entry(1, 10.0, INFINITY, 50.0)
        cache.write_entry("a", entry)
        clock.advance(20)
        assert len(cache) == 0
        cache.write_entry("a", entry)
        check_invariants(cache)
        clock.advance(100)
        assert len(cache) == 0
        check_invariants(cache)


def test_stale_for_ever() -> None:
    clock = FakeClock(0.0)
    with InMemoryCache(clock=clock) as cache:
        cache.write_entry("a", Entry(1, 10.0, INFINITY, INFINITY))
        clock.advance(1e6)
        assert (len(cache), cache.get("a")) == (0, None)
        assert cache.read_entry("a") is not None
        check_invariants(cache)


def test_a_sum_is_weighed() -> None:
    with InMemoryCache(max_bytes=100, weigher=lambda _key, value: value) as cache:
        cache.set("a", 90)
        assert cache.incr("a", 50) == 140
        assert cache.get("a") is None, "it is heavier than all may be"
        cache.set("a", 10)
        cache.set("b", 60)
        assert cache.incr("a", 50) == 60
        assert list(cache.keys()) == ["a"]
        check_invariants(cache)


def test_time_that_passes_while_a_weigher_works() -> None:
    clock = FakeClock(0.0)

    def weigh(key: str, _value: object) -> int:
        if key == "late":
            clock.advance(0.01)
            len(cache)
        return 1

    cache = InMemoryCache(max_bytes=100, weigher=weigh, clock=clock)
    cache.set("other", 1, ttl=0.009)
    cache.set("late", 1, ttl=0.005)
    assert (len(cache), cache.exists("late")) == (0, False)
    check_invariants(cache)


def test_whose_time_is_over_leaves_before_the_live_also_for_weight() -> None:
    clock = FakeClock()
    with InMemoryCache(max_bytes=1000, weigher=lambda _key, value: value, clock=clock) as cache:
        cache.set("live", 10)
        for number in range(90):
            cache.set(f"{number}", 10, ttl=1)
        clock.advance(1)
        cache.set("heavy", 900)
        assert sorted(cache.keys()) == ["heavy", "live"]
        assert cache.stats.evictions == 0
        check_invariants(cache)


def test_nothing_enters_a_closed_cache() -> None:
    cache = InMemoryCache(max_bytes=10, weigher=lambda _key, value: value)
    cache.close()
    for weight in (5, 50):
        with pytest.raises(CacheClosedError):
            cache.set("a", weight)
    assert cache.stats.evictions == 0


def test_both_bounds_under_tinylfu() -> None:
    """A bound in bytes that never binds takes nothing from the policy."""
    keys = [f"{(number * number) % 97}" for number in range(20_000)]
    hits = []
    for bounds in ({}, {"max_bytes": 10**9, "weigher": lambda _key, _value: 1}):
        with InMemoryCache(10, policy="tinylfu", **bounds) as cache:  # type: ignore[arg-type]
            for key in keys:
                cache.get_or_set(key, lambda: 1)
            hits.append(cache.stats.hits)
    assert abs(hits[0] - hits[1]) < 0.02 * len(keys)
