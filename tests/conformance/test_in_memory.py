"""The memory cache under every policy, and a namespace in one, pass the suite."""

from __future__ import annotations

from typing import Any

from cachery import Cache, InMemoryCache, NamespacedCache
from cachery.testing import CacheConformance, ChaosCache


class Lru(CacheConformance):
    policy = "lru"

    def make_cache(self, **options: Any) -> Cache:
        return InMemoryCache(policy=self.policy, clock=self.clock, **options)

    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)


class TestLru(Lru):
    pass


class TestLfu(Lru):
    policy = "lfu"


class TestFifo(Lru):
    policy = "fifo"


class TestTtl(Lru):
    policy = "ttl"


class TestDeepCopies(Lru):
    def make_cache(self, **options: Any) -> Cache:
        return InMemoryCache(copy="deep", clock=self.clock, **options)


class TestWatched(Lru):
    """Listeners change nothing but that they hear."""

    def make_cache(self, **options: Any) -> Cache:
        cache = super().make_cache(**options)
        cache.subscribe(lambda _: None)
        return cache


class TestNamespaced(Lru):
    def make_cache(self, **options: Any) -> Cache:
        return NamespacedCache(InMemoryCache(clock=self.clock, **options), "part")


class TestUnderChaos(Lru):
    """Where nothing is planned, nothing is disturbed."""

    def make_cache(self, **options: Any) -> Cache:
        return ChaosCache(super().make_cache(**options))
