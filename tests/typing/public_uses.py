"""How the public names are used, for type checkers; never run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, assert_type

from cachery import (
    FOREVER,
    MISSING,
    Cache,
    CacheManager,
    CacheStats,
    InMemoryCache,
    NamespacedCache,
    NullCache,
    TTLManager,
    compiled,
    get_cache,
)
from cachery.events import Event, Evicted
from cachery.policies import EvictionPolicy, LRUPolicy, create_policy
from cachery.testing import CacheConformance, FakeClock


def verbs(cache: Cache) -> None:
    assert_type(cache.set("key", object(), ttl="5m", tags=["red"], cost=1.5), bool)
    cache.set("key", 1, timedelta(minutes=5), tags={"red"})
    cache.set("key", 1, FOREVER, tags=(tag for tag in "ab"))
    assert_type(cache.get("key"), Any)
    assert_type(cache.get_many(["a"]), dict[str, Any])
    assert_type(cache.incr("number", 2, initial=5, ttl=10), int)
    assert_type(cache.ttl("key"), float | None)
    assert_type(cache.keys("*"), Iterator[str])
    assert_type(cache.stats, CacheStats)
    assert_type(cache.stats(), CacheStats)
    assert_type(cache.stats.hottest_keys(5), list[tuple[str, int]])
    assert_type(cache.subscribe(print), Callable[[], None])
    assert_type("key" in cache, bool)
    assert_type(len(cache), int)
    cache.get(5)  # type: ignore[arg-type]
    cache.set("key", 1, ttl=None, tag="red")  # type: ignore[call-arg]
    cache.set("key", 1, ttl=[])  # type: ignore[arg-type]


def makers(clock: FakeClock) -> None:
    assert_type(get_cache("name", backend="in_memory"), Cache)
    assert_type(CacheManager(default_ttl=300).get_cache(), Cache)
    memory = InMemoryCache(10, "5m", policy="lfu", copy="deep", clock=clock, name="small")
    assert_type(memory.max_size, int | None)
    with memory as same:
        assert_type(same, InMemoryCache)
    verbs(NullCache())
    verbs(NamespacedCache(memory, "part"))
    TTLManager("1m").register_cache(memory)
    InMemoryCache(copy="shallow")  # type: ignore[arg-type]
    assert_type(compiled, bool)


def others(event: Event, value: Any) -> None:
    if isinstance(event, Evicted):
        assert_type(event.key, str)
    if value is not MISSING:
        repr(value)
    assert_type(create_policy("lru", 5), EvictionPolicy)
    LRUPolicy(5).put(("any", "hashable"), 1, timedelta(seconds=1))


class TestMine(CacheConformance):
    def make_cache(self, **options: Any) -> Cache:
        return InMemoryCache(clock=self.clock, **options)

    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)
