"""How the public names are used, for type checkers; never run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from datetime import timedelta
from typing import Any, assert_type

from cachery import (
    FOREVER,
    MISSING,
    Cache,
    CacheManager,
    CacheStats,
    CircuitBreaker,
    DiskCache,
    FileBasedCache,
    InMemoryCache,
    LoadContext,
    NamespacedCache,
    NullCache,
    TieredCache,
    TTLManager,
    aio,
    compiled,
    get_cache,
)
from cachery.events import Event, Evicted
from cachery.policies import EvictionPolicy, LRUPolicy, create_policy
from cachery.simulation import TraceRecording
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
    assert_type(memory.snapshot("some.snapshot", serializer="json", clock=clock), int)
    assert_type(memory.restore("some.snapshot", secret=["a", b"b"]), int)
    assert_type(memory.record_trace("some.trace"), TraceRecording)
    memory.snapshot("some.snapshot", colour="red")  # type: ignore[call-arg]
    memory.restore("some.snapshot", compression=7)  # type: ignore[arg-type]
    verbs(NullCache())
    verbs(NamespacedCache(memory, "part"))
    TTLManager("1m").register_cache(memory)
    InMemoryCache(copy="shallow")  # type: ignore[arg-type]
    assert_type(compiled, bool)


def loading(cache: Cache) -> None:
    assert_type(cache.get_or_set("key", lambda: 1, "5m", stale_ttl=timedelta(hours=1), soft_timeout=0.1), int)
    cache.get_or_set("key", with_context, tags=["red"], jitter=0.1, cache_exceptions=(LookupError,))
    cache.get_or_set("key", int, breaker=CircuitBreaker(3, "10s"), hard_timeout="1s", negative_ttl=None)
    assert_type(cache.get_many_or_set(["a"], lambda keys: dict.fromkeys(keys, 1), refresh_ahead=0.8), dict[str, Any])
    assert_type(cache.drain(), bool)
    cache.get_or_set("key", int, stale=5)  # type: ignore[call-arg]
    cache.get_or_set("key", int, stale_ttl=[])  # type: ignore[arg-type]
    cache.get_or_set("key", int, key_self="id")  # type: ignore[call-arg]
    cache.get_or_set("key", 5)  # type: ignore[arg-type]
    cache.get_or_set(5, int)  # type: ignore[arg-type]
    cache.get_many_or_set(["a"], lambda: {"a": 1})  # type: ignore[arg-type, misc]
    cache.get_many_or_set(["a"], lambda keys: keys)  # type: ignore[arg-type, return-value]


def with_context(context: LoadContext) -> str:
    assert_type(context.key, str)
    context.ttl, context.tags = "5m", ["red"]
    return context.key


memory = InMemoryCache()
loop_memory = aio.InMemoryCache()


@memory.cached
def bare(number: int, *, deep: bool = False) -> str:
    return f"{number} {deep}"


@memory.cached(ttl="5m", key="user:{user_id}", tags=["users", "user:{user_id}"], stale_ttl=60)
def load_user(user_id: int) -> dict[str, int]:
    return {"id": user_id}


@memory.cached
def pages(count: int) -> Iterator[str]:
    yield str(count)


class Shop:
    city = "Rome"

    @memory.cached(key_self="city")
    def price(self, article: str, count: int = 1) -> float:
        return float(len(article) * count)

    @memory.cached
    @staticmethod
    def quote(name: str) -> str:
        return name

    @property
    @memory.cached(key_self=lambda self: self.city)
    def offer(self) -> int:
        return 1

    @loop_memory.cached(key_self="city")
    async def stock(self, article: str) -> int:
        return len(article)


def decorated(shop: Shop) -> None:
    assert_type(bare(1, deep=True), str)
    assert_type(bare.key(1), str)
    assert_type(bare.invalidate(number=1), bool)
    assert_type(bare.refresh(1), str)
    assert_type(load_user(1), dict[str, int])
    assert_type(load_user.refresh(user_id=1), dict[str, int])
    assert_type(pages(2), Iterator[str])
    assert_type(bare.__name__, str)
    bare("1")  # type: ignore[arg-type]
    bare()  # type: ignore[call-arg]
    bare(1, deeper=True)  # type: ignore[call-arg]
    bare.key("1")  # type: ignore[arg-type]
    bare.invalidate("1")  # type: ignore[arg-type]
    bare.refresh("1")  # type: ignore[arg-type]
    load_user("1")  # type: ignore[arg-type]
    assert_type(shop.price("tea"), float)
    assert_type(shop.price("tea", count=2), float)
    assert_type(shop.price.key("tea"), str)
    assert_type(shop.price.invalidate("tea", 2), bool)
    assert_type(shop.price.refresh("tea"), float)
    assert_type(Shop.price(shop, "tea"), float)
    assert_type(Shop.price.key(shop, article="tea"), str)
    assert_type(shop.offer, int)
    assert_type(Shop.quote("name"), str)
    shop.price(5)  # type: ignore[arg-type]
    shop.price(shop, "tea")  # type: ignore[arg-type]
    shop.price.invalidate(5)  # type: ignore[arg-type]
    Shop.price("tea")  # type: ignore[arg-type, call-arg]


def decorating(cache: Cache, door: aio.Cache) -> None:
    cache.cached(stale=5)  # type: ignore[call-overload]
    cache.cached(ttl=[])  # type: ignore[call-overload]
    cache.cached("5m")  # type: ignore[call-overload]
    cache.cached(key=5)  # type: ignore[call-overload]
    door.cached(bare)  # type: ignore[arg-type]
    door.cached(stale=5)  # type: ignore[call-overload]


@loop_memory.cached
async def double(number: int) -> float:
    return number * 2.0


@loop_memory.cached(ttl="5m", key="half:{number}", hard_timeout=1)
async def half(number: int) -> float:
    return number / 2


async def awaited_functions(shop: Shop) -> None:
    assert_type(asyncio.create_task(double(1)), asyncio.Task[float])
    coroutine: Coroutine[Any, Any, float] = double(1)
    await coroutine
    assert_type(await double(1), float)
    assert_type(await half(number=1), float)
    assert_type(await half.refresh(1), float)
    assert_type(await double.invalidate(1), bool)
    assert_type(double.key(1), str)
    assert_type(await shop.stock("tea"), int)
    assert_type(asyncio.create_task(shop.stock("tea")), asyncio.Task[int])
    assert_type(await shop.stock.refresh("tea"), int)
    assert_type(await Shop.stock.invalidate(shop, "tea"), bool)
    await double("1")  # type: ignore[arg-type]
    await half()  # type: ignore[call-arg]
    await shop.stock(5)  # type: ignore[arg-type]
    await double.refresh("1")  # type: ignore[arg-type]


async def awaited_verbs(cache: aio.Cache) -> None:
    assert_type(await cache.get("key"), Any)
    assert_type(await cache.set("key", 1, "5m", tags=["red"]), bool)
    assert_type(await cache.get_many(["a"]), dict[str, Any])
    assert_type(await cache.incr("number", 2, initial=5), int)
    assert_type(await cache.ttl("key"), float | None)
    assert_type(await cache.size(), int)
    assert_type(cache.keys("*"), AsyncIterator[str])
    assert_type([key async for key in cache.keys("*")], list[str])
    assert_type(cache.stats, CacheStats)
    assert_type(await cache.get_or_set("key", fetch, "5m", stale_ttl=60), int)
    assert_type(await cache.get_or_set("key", lambda: 1), int)
    assert_type(await cache.get_many_or_set(["a"], fetch_many), dict[str, Any])
    assert_type(await cache.drain(), bool)
    await cache.get(5)  # type: ignore[arg-type]
    await cache.get_or_set("key", fetch, stale=5)  # type: ignore[call-overload]
    await cache.get_many_or_set(["a"], fetch)  # type: ignore[arg-type]
    assert "key" in cache  # type: ignore[operator]
    len(cache)  # type: ignore[arg-type]


async def awaited_makers() -> None:
    async with aio.InMemoryCache(10, "5m", policy="lfu") as same:
        assert_type(same, aio.InMemoryCache)
        assert_type(same.blocking, InMemoryCache)
        assert_type(await same.snapshot("some.snapshot"), int)
    assert_type(aio.InMemoryCache.to(memory), aio.InMemoryCache)
    assert_type(aio.NamespacedCache(same, "part").namespace, str)
    async with aio.TTLManager("1m") as manager:
        manager.register_cache(same)
        assert_type(await manager.cleanup(), int)
    async with aio.CacheManager(default_ttl=300) as named:
        assert_type(await named.remove_cache("name"), bool)
        await awaited_verbs(named.get_cache("name"))


async def fetch() -> int:
    return 1


async def fetch_many(keys: list[str]) -> dict[str, int]:
    return dict.fromkeys(keys, 1)


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


def on_disk(path: str) -> None:
    with DiskCache(path, "1h", max_bytes="1GiB", secret=["new", b"old"], compression="zstd") as disk:
        assert_type(disk.total_bytes, int)
        assert_type(disk.check().is_sound, bool)
        with disk.transaction():
            disk.incr("number")
        assert_type(TieredCache(InMemoryCache(), disk).get("key"), Any)
    assert_type(FileBasedCache(path, serializer="json").set("key", {}), bool)


async def on_disk_awaited(path: str) -> None:
    async with aio.DiskCache(path) as disk:
        assert_type(await disk.get("key"), Any)
        assert_type(await disk.transact(lambda blocking: blocking.incr("number")), int)
