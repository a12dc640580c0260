"""The asynchronous caches pass the suite, through a bridge."""

from __future__ import annotations

from typing import Any

from cachery.aio import Cache, InMemoryCache, NamespacedCache
from cachery.testing import AsyncCacheConformance


class TestAsyncInMemory(AsyncCacheConformance):
    def make_async_cache(self, **options: Any) -> Cache:
        return InMemoryCache(clock=self.clock, **options)

    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)


class TestAsyncNamespaced(TestAsyncInMemory):
    def make_async_cache(self, **options: Any) -> Cache:
        return NamespacedCache(InMemoryCache(clock=self.clock, **options), "part")
