"""``InvalidationManager`` over a real cache, and the policies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from cachery import CacheKeyError, CacheValueError, DiskCache, InMemoryCache, aio
from cachery.events import Invalidated
from cachery.invalidation import (
    CacheEntry,
    FIFOPolicy,
    InvalidationManager,
    InvalidationPolicy,
    InvalidationStrategy,
    LFUPolicy,
    LRUPolicy,
    TTLPolicy,
)
from cachery.testing import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


class Largest(InvalidationPolicy):
    """Who is largest leaves first, and who is asked for a third time."""

    def should_evict(self, entry: CacheEntry) -> bool:
        return entry.access_count >= 2

    def select_for_eviction(self, entries: Mapping[str, CacheEntry]) -> str | None:
        return max(entries, key=lambda key: len(entries[key].value), default=None)


def test_a_time_to_live_is_enforced_whatever_the_policy(clock: FakeClock) -> None:
    for policy in (TTLPolicy(60), LRUPolicy(), LFUPolicy(), FIFOPolicy()):
        manager = InvalidationManager(policy, clock=clock)
        manager.set("a", 1, ttl=10)
        manager.set("b", 2, ttl=100)
        clock.advance(20)
        assert (manager.get("a"), manager.get("b")) == (None, 2)


def test_the_default_of_the_policy_is_used(clock: FakeClock) -> None:
    manager = InvalidationManager(TTLPolicy(default_ttl="1m"), clock=clock)
    manager.set("a", 1)
    clock.advance(59)
    assert manager.get("a") == 1
    clock.advance(2)
    assert manager.get("a") is None


@pytest.mark.parametrize(
    ("policy", "leaves"), [(LRUPolicy(), "b"), (FIFOPolicy(), "a"), (LFUPolicy(), "b"), (TTLPolicy(), "c")]
)
def test_the_bound_holds_and_the_policy_chooses(policy: InvalidationPolicy, leaves: str) -> None:
    manager = InvalidationManager(policy, max_size=3)
    for key, ttl in (("a", 30), ("b", 20), ("c", 10)):
        manager.set(key, key, ttl=ttl)
    for key in ("a", "a", "c"):
        manager.get(key)
    manager.set("d", "d", ttl=40)
    assert manager.size == 3
    assert manager.get(leaves) is None
    manager.set("d", "d again")
    assert manager.size == 3  # writing one anew costs nobody his place


def test_the_built_in_policies_choose_as_they_say(clock: FakeClock) -> None:
    entries = {
        "old": CacheEntry("old", 1, clock=clock, ttl_seconds=50, access_count=5),
        "new": CacheEntry("new", 2, created_at=clock() + 5, clock=clock, ttl_seconds=10, access_count=1),
    }
    chosen = [policy.select_for_eviction(entries) for policy in (TTLPolicy(), LRUPolicy(), LFUPolicy(), FIFOPolicy())]
    assert chosen == ["new", "old", "new", "old"]
    assert all(
        policy.select_for_eviction({}) is None for policy in (TTLPolicy(), LRUPolicy(), LFUPolicy(), FIFOPolicy())
    )
    clock.advance(50)
    assert [LRUPolicy().should_evict(entry) for entry in entries.values()] == [True, True]


def test_a_policy_of_ones_own_is_asked() -> None:
    manager = InvalidationManager(Largest(), max_size=2)
    manager.set("small", "x")
    manager.set("large", "xxx")
    manager.set("middle", "xx")
    assert (manager.get("small"), manager.get("large"), manager.size) == ("x", None, 2)
    assert manager.get("small") == "x"
    assert manager.get("small") is None
    manager.invalidate_all()
    manager.set("one", "x")
    assert manager.get("one") == "x"


class Broken(Largest):
    """Fails when it is to choose."""

    def select_for_eviction(self, entries: Mapping[str, CacheEntry]) -> str | None:
        raise LookupError("no idea")


def test_a_policy_that_fails_changes_nothing() -> None:
    manager = InvalidationManager(Broken(), max_size=1)
    manager.set("a", 1)
    with pytest.raises(LookupError):
        manager.set("b", 2)
    assert (manager.get("a"), manager.get("b"), manager.size) == (1, None, 1)


def test_what_is_not_stored_costs_nobody_a_place() -> None:
    manager = InvalidationManager(Largest(), max_size=2)
    manager.set("a", "x")
    manager.set("b", "xx")
    manager.set("c", "xxx", ttl=0)
    assert (manager.get("a"), manager.get("b"), manager.size) == ("x", "xx", 2)


def test_a_tag_that_an_entry_lost_does_not_reach_it() -> None:
    manager = InvalidationManager()
    manager.set("a", 1, tags={"old"})
    manager.set("a", 2, tags={"new"})
    assert manager.invalidate_by_tag("old") == 0
    assert manager.get("a") == 2
    assert manager.invalidate_by_tag("new") == 1


def test_another_version_of_a_namespace_makes_its_entries_misses() -> None:
    manager = InvalidationManager()
    manager.set("users:1", 1)
    manager.set("mails:1", 2)
    assert manager.get_version("users") == 1
    manager.set_version("users", 1)
    assert manager.get("users:1") == 1
    manager.set_version("users", 7)
    assert (manager.get("users:1"), manager.get("mails:1"), manager.get_version("users")) == (None, 2, 7)
    assert manager.increment_version("mails") == 2
    assert manager.get("mails:1") is None
    with pytest.raises(CacheValueError):
        manager.set_version("users", "2")  # type: ignore[arg-type]


def test_keys_patterns_and_everything() -> None:
    manager = InvalidationManager()
    heard: list[Invalidated] = []
    end = manager.on_invalidation(heard.append)
    for key in ("user:1", "user:2", "mail:1", "mail:2"):
        manager.set(key, key)
    assert (manager.invalidate("user:1"), manager.invalidate("user:1")) == (True, False)
    assert manager.invalidate_by_pattern("user:*") == ["user:2"]
    assert manager.invalidate_all() == 2
    assert [event.cause for event in heard] == ["delete", "pattern", "clear"]
    end()
    manager.invalidate_all()
    assert len(heard) == 3
    assert manager.stats() == {"size": 0, "max_size": 1000, "policy": "TTLPolicy", "namespaces": {}}


def test_another_cache_may_keep_the_entries(tmp_path: Any) -> None:
    with DiskCache(tmp_path) as cache:
        manager = InvalidationManager(cache=cache)
        manager.set("a", 1, tags={"red"})
        assert (cache.get("a"), manager.invalidate_by_tag("red"), manager.size) == (1, 1, 0)


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(CacheValueError):
        InvalidationManager("lru")  # type: ignore[arg-type]
    with pytest.raises(CacheValueError):
        InvalidationManager(max_size=0)
    for cache in (3, aio.InMemoryCache()):
        with pytest.raises(CacheValueError, match="blocking cache"):
            InvalidationManager(cache=cache)  # type: ignore[arg-type]
    manager = InvalidationManager(Largest(), max_size=None)
    with pytest.raises(CacheValueError, match="not one str"):
        manager.set("a", 1, tags="people")
    bad: Any = None
    for refused in (manager.get, manager.invalidate, manager.increment_version, lambda key: manager.set(key, 1)):
        with pytest.raises(CacheKeyError):
            refused(bad)
    assert InvalidationStrategy("tag_based") is InvalidationStrategy.TAG_BASED
    assert isinstance(InvalidationManager().cache, InMemoryCache)
