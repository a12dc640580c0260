"""The suite for asynchronous caches: the same tests, through a bridge.

A backend's own test is a class with two methods::

    class TestMyCache(AsyncCacheConformance):
        def make_async_cache(self, **options):
            return MyCache(clock=self.clock, **options)

        def advance(self, seconds):
            self.clock.advance(seconds)
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from typing import Any, Unpack

import pytest

from cachery.aio.cache import Cache as AsyncCache
from cachery.cache import Cache
from cachery.engine.context import LoadContext, wants_context
from cachery.events import Event, Listener, Miss
from cachery.loading import BlockingEngine
from cachery.model.durations import Duration
from cachery.model.options import LoadingOptions
from cachery.statistics.stats import CacheStats
from cachery.testing.conformance import CacheConformance, ServerConformance
from cachery.testing.delegation import DelegatingCache
from cachery.testing.loop_thread import LoopThread

__all__ = ["AsyncCacheConformance", "AsyncServerConformance", "Bridge"]


class Bridge(DelegatingCache):
    """``cache``, an asynchronous one, for blocking code: verbs are carried out on the thread of ``loop``.

    Loaders are called on other threads, so that they may use the bridge themselves.
    """

    def __init__(self, cache: AsyncCache, loop: LoopThread) -> None:
        self.cache = cache
        self.loop = loop

    def call(self, verb: str, *args: Any, **kwargs: Any) -> Any:
        """Carry out ``verb`` and wait for it."""
        result = getattr(self.cache, verb)(*args, **kwargs)
        if verb == "peek":
            return result
        return self.loop.run(_collected(result) if verb == "keys" else result)

    def get_or_set(
        self, key: str, loader: Callable[..., Any], ttl: Duration | None = None, **options: Unpack[LoadingOptions]
    ) -> Any:
        """Return the value of ``key``, loaded where it is absent."""
        return self.loop.run(self.cache.get_or_set(key, _threaded(loader), ttl, **options))

    def get_many_or_set(
        self,
        keys: Iterable[str],
        loader: Callable[[list[str]], Mapping[str, Any]],
        ttl: Duration | None = None,
        **options: Unpack[LoadingOptions],
    ) -> dict[str, Any]:
        """Return the values of ``keys``, the absent ones loaded by one call."""

        async def load(missing: list[str]) -> Mapping[str, Any]:
            return await asyncio.to_thread(loader, missing)

        if not callable(loader):
            load = loader
        return self.loop.run(self.cache.get_many_or_set(keys, load, ttl, **options))

    def drain(self, timeout: float = 5.0) -> bool:
        """Let what is loaded in the background end."""
        return self.loop.run(self.cache.drain(timeout))

    def build_engine(self) -> BlockingEngine:
        """Refuse: the loads of a bridge are those of its cache."""
        raise NotImplementedError("a bridge loads through the engine of its cache")

    @property
    def stats(self) -> CacheStats:
        """The numbers of the cache."""
        return self.cache.stats

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` with each event of the cache."""
        return self.cache.subscribe(listener)

    def check_open(self) -> None:
        """Raise ``CacheClosedError`` on a closed cache."""
        self.cache.check_open()


class AsyncServerConformance(ServerConformance):
    """Everything a cache must do on a server, awaited. Subclass it as the module says."""

    loop: LoopThread

    @abstractmethod
    def make_async_cache(self, **options: Any) -> AsyncCache:
        """Return a new, empty cache; ``options`` are ``max_size`` and ``default_ttl``."""

    def make_cache(self, **options: Any) -> Cache:
        """Return a bridge to a new cache."""
        return Bridge(self.make_async_cache(**options), self.loop)

    @pytest.fixture(autouse=True)
    def _loop_thread(self) -> Iterator[None]:
        with LoopThread() as self.loop:
            yield

    def test_a_listener_may_use_the_cache(self, cache: Cache) -> None:
        """A listener is called on the loop, where it cannot wait: it begins a task."""
        tasks: list[asyncio.Task[bool]] = []

        def store_beside(event: Event) -> None:
            if isinstance(event, Miss) and not event.key.startswith("missed "):
                tasks.append(asyncio.get_running_loop().create_task(cache.cache.set(f"missed {event.key}", 1)))  # type: ignore[attr-defined]

        cache.subscribe(store_beside)
        assert cache.get("a") is None
        self.loop.run(asyncio.wait_for(tasks[0], 30))
        assert cache.exists("missed a")


class AsyncCacheConformance(AsyncServerConformance, CacheConformance):
    """Everything a cache must do, awaited. Subclass it as the module says."""

    test_a_listener_may_use_the_cache = CacheConformance.test_a_listener_may_use_the_cache


async def _collected(keys: AsyncIterator[str]) -> list[str]:
    return [key async for key in keys]


def _threaded(loader: Callable[..., Any]) -> Callable[..., Any]:
    """Return a coroutine function that calls ``loader`` on a thread; what cannot be a loader is left as it is."""
    if not callable(loader):
        return loader

    async def load() -> Any:
        return await asyncio.to_thread(loader)

    async def load_in(context: LoadContext) -> Any:
        return await asyncio.to_thread(loader, context)

    return load_in if wants_context(loader) else load
