"""The memory store as the backend of an engine: stamps, and loads that never bring back what was invalidated."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, rule

from cachery import InMemoryCache
from cachery.exceptions import CacheClosedError, CacheValueError
from cachery.model.entry import Entry
from cachery.ports.backend import BlockingBackend
from cachery.testing import FakeClock, check_invariants


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def cache(clock: FakeClock) -> InMemoryCache:
    return InMemoryCache(clock=clock)


def test_the_store_is_a_backend(cache: InMemoryCache) -> None:
    backend: BlockingBackend[Any] = cache
    assert backend.read_entry("a") is None


def test_an_entry_comes_back_with_its_stamps(cache: InMemoryCache, clock: FakeClock) -> None:
    entry = Entry("value", clock() + 10, clock() + 8, clock() + 30, ("red",), 2.5)
    assert cache.write_entry("a", entry) is True
    assert cache.read_entry("a") == entry
    assert cache.stats.total_requests == 0
    cache.set("b", 1, ttl=5)
    assert cache.read_entry("b") == Entry(1, clock() + 5)
    cache.set("c", 1, tags=["red"], cost=3)
    assert cache.read_entry("c") == Entry(1, tags=("red",), cost=3)


def test_a_stale_entry_is_absent_for_the_plain_verbs_only(cache: InMemoryCache, clock: FakeClock) -> None:
    cache.write_entry("a", Entry("old", clock() + 10, math.inf, clock() + 30))
    clock.advance(10)
    assert cache.get("a") is None
    assert not cache.exists("a")
    assert cache.ttl("a") is None
    assert list(cache.keys()) == []
    assert len(cache) == cache.stats.size == 0
    assert cache.cleanup_expired() == 0
    stale = cache.read_entry("a")
    assert stale is not None
    assert stale.value == "old"
    check_invariants(cache)
    clock.advance(20)
    assert cache.read_entry("a") is None
    assert cache.cleanup_expired() == 1
    check_invariants(cache)


@pytest.mark.parametrize(
    "overwrite",
    [
        lambda cache: cache.set("a", "new"),
        lambda cache: cache.add("a", "new"),
        lambda cache: cache.incr("a"),
        lambda cache: cache.delete("a"),
        lambda cache: cache.clear(),
    ],
)
def test_a_stale_entry_makes_way(
    cache: InMemoryCache, clock: FakeClock, overwrite: Callable[[InMemoryCache], object]
) -> None:
    cache.write_entry("a", Entry("old", clock() + 10, math.inf, clock() + 30))
    clock.advance(10)
    assert len(cache) == 0
    overwrite(cache)
    assert cache.read_entry("a") is None or cache.get("a") != "old"
    assert len(cache) == len(list(cache.keys()))
    check_invariants(cache)


def test_touch_moves_the_stale_time_along(cache: InMemoryCache, clock: FakeClock) -> None:
    cache.write_entry("a", Entry(1, clock() + 10, clock() + 8, clock() + 30))
    cache.touch("a", 100)
    assert cache.read_entry("a") == Entry(1, clock() + 100, math.inf, clock() + 120)


INVALIDATIONS: dict[str, Callable[[InMemoryCache], object]] = {
    "delete": lambda cache: cache.delete("a"),
    "delete_many": lambda cache: cache.delete_many(["a"]),
    "delete_pattern": lambda cache: cache.delete_pattern("*"),
    "set": lambda cache: cache.set("a", "newer"),
    "set to nothing": lambda cache: cache.set("a", "newer", ttl=0),
    "incr": lambda cache: cache.set("a", 1) and cache.incr("a"),
    "tag": lambda cache: cache.invalidate_tags("red"),
    "clear": lambda cache: cache.clear(),
}


@pytest.mark.parametrize("name", INVALIDATIONS)
@pytest.mark.parametrize("is_there", [True, False])
def test_an_invalidation_beats_a_load_that_began_before_it(cache: InMemoryCache, name: str, *, is_there: bool) -> None:
    if is_there:
        cache.set("a", "old", tags=["red"])
    if name == "delete_pattern" and not is_there:
        cache.set("a", "old")
    token = cache.open_token("a")
    assert cache.is_current(token)
    INVALIDATIONS[name](cache)
    assert cache.is_current(token) is (name == "tag")
    assert cache.write_entry("a", Entry("loaded before", tags=("red",)), token) is False
    cache.close_token(token)
    assert cache.get("a") != "loaded before"
    after = cache.open_token("a")
    assert cache.write_entry("a", Entry("loaded after", tags=("red",)), after) is True
    cache.close_token(after)
    assert cache.get("a") == "loaded after"


def test_what_concerns_others_does_not_stop_a_load(cache: InMemoryCache, clock: FakeClock) -> None:
    cache.set("a", "expiring", ttl=5)
    token = cache.open_token("a")
    cache.set("b", 1)
    cache.delete("b")
    cache.invalidate_tags("blue")
    clock.advance(5)
    assert cache.get("a") is None
    cache.cleanup_expired()
    assert cache.write_entry("a", Entry("loaded", tags=("red",)), token) is True
    cache.close_token(token)


def test_of_two_loads_the_one_that_began_later_stays(cache: InMemoryCache) -> None:
    early = cache.open_token("a")
    cache.invalidate_tags("blue")
    late = cache.open_token("a")
    assert cache.write_entry("a", Entry("late"), late) is True
    assert cache.write_entry("a", Entry("early"), early) is False
    assert cache.get("a") == "late"


def test_a_tag_hit_while_thousands_of_others_were_forgotten(cache: InMemoryCache) -> None:
    token = cache.open_token("a")
    cache.invalidate_tags("red")
    for number in range(3000):
        cache.invalidate_tags(f"tag {number}")
    assert cache.write_entry("a", Entry("loaded", tags=("red",)), token) is False
    assert cache.write_entry("a", Entry("loaded without tags"), token) is True


def test_a_token_is_for_one_key_and_one_time(cache: InMemoryCache) -> None:
    token = cache.open_token("a")
    with pytest.raises(CacheValueError, match="for the key 'a'"):
        cache.write_entry("b", Entry(1), token)
    cache.close_token(token)
    cache.close_token(token)
    assert not cache.is_current(token)
    assert cache.write_entry("a", Entry(1), token) is False


def test_a_closed_store_takes_no_load() -> None:
    cache = InMemoryCache()
    token = cache.open_token("a")
    cache.close()
    assert cache.write_entry("a", Entry(1), token) is False
    for call in (
        lambda: cache.open_token("a"),
        lambda: cache.read_entry("a"),
        lambda: cache.write_entry("a", Entry(1)),
    ):
        with pytest.raises(CacheClosedError):
            call()


class LoadMachine(RuleBasedStateMachine):
    """Loads and invalidations in any order: no load that an invalidation overtook is ever served."""

    tokens = Bundle("tokens")

    @initialize()
    def begin(self) -> None:
        self.cache = InMemoryCache()
        self.time = 0
        self.key_hit = dict.fromkeys("ab", -1)
        self.tag_hit = dict.fromkeys(["red", "blue"], -1)
        self.cleared = -1

    def tick(self) -> int:
        self.time += 1
        return self.time

    @rule(target=tokens, key=st.sampled_from("ab"))
    def open(self, key: str) -> tuple[int, object]:
        return self.tick(), self.cache.open_token(key)

    @rule(opened=consumes(tokens), tags=st.sampled_from([(), ("red",), ("red", "blue")]))
    def finish(self, opened: tuple[int, object], tags: tuple[str, ...]) -> None:
        born, token = opened
        key = token.key  # type: ignore[attr-defined]
        stored = self.cache.write_entry(key, Entry(born, tags=tags), token)  # type: ignore[arg-type]
        self.cache.close_token(token)  # type: ignore[arg-type]
        hits = [self.key_hit[key], self.cleared, *(self.tag_hit[tag] for tag in tags)]
        if any(hit > born for hit in hits):
            assert not stored
        value = self.cache.get(key)
        assert value is None or value > max(self.key_hit[key], self.cleared)

    @rule(key=st.sampled_from("ab"))
    def delete(self, key: str) -> None:
        self.cache.delete(key)
        self.key_hit[key] = self.tick()
        assert self.cache.get(key) is None

    @rule(tag=st.sampled_from(["red", "blue"]))
    def invalidate(self, tag: str) -> None:
        self.cache.invalidate_tags(tag)
        self.tag_hit[tag] = self.tick()

    @rule()
    def clear(self) -> None:
        self.cache.clear()
        self.cleared = self.tick()

    def teardown(self) -> None:
        check_invariants(self.cache)


TestLoadMachine = LoadMachine.TestCase
