"""Two doors to one store, and the verbs behind them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

import cachery
from cachery import CacheClosedError, CacheKeyError, CacheValueError, InMemoryCache, NamespacedCache, NullCache, aio
from cachery.events import Event, Hit, Stored
from cachery.testing import FakeClock, check_invariants

PATIENCE = 30.0


@pytest.fixture(autouse=True)
def _named_caches_as_they_were() -> Iterator[None]:
    yield
    cachery.get_cache("x").clear()


async def one() -> int:
    await asyncio.sleep(0)
    return 1


async def collected(cache: aio.Cache, pattern: str = "*") -> list[str]:
    return [key async for key in cache.keys(pattern)]


AWAITED: dict[str, Callable[[aio.Cache], Awaitable[object]]] = {
    "get": lambda cache: cache.get("a"),
    "set": lambda cache: cache.set("a", 1),
    "add": lambda cache: cache.add("a", 1),
    "delete": lambda cache: cache.delete("a"),
    "exists": lambda cache: cache.exists("a"),
    "has": lambda cache: cache.has("a"),
    "clear": lambda cache: cache.clear(),
    "incr": lambda cache: cache.incr("a"),
    "decr": lambda cache: cache.decr("a"),
    "touch": lambda cache: cache.touch("a"),
    "ttl": lambda cache: cache.ttl("a"),
    "keys": collected,
    "size": lambda cache: cache.size(),
    "get_many": lambda cache: cache.get_many(["a"]),
    "set_many": lambda cache: cache.set_many({"a": 1}),
    "delete_many": lambda cache: cache.delete_many(["a"]),
    "delete_pattern": lambda cache: cache.delete_pattern("*"),
    "invalidate_tags": lambda cache: cache.invalidate_tags("red"),
    "cleanup_expired": lambda cache: cache.cleanup_expired(),
    "get_or_set": lambda cache: cache.get_or_set("a", one),
    "get_many_or_set": lambda cache: cache.get_many_or_set(["a"], lambda keys: dict.fromkeys(keys, 1)),
    "cached": lambda cache: cache.cached(one)(),
    "refresh": lambda cache: cache.cached(one).refresh(),
    "invalidate": lambda cache: cache.cached(one).invalidate(),
}
MAKERS: list[Callable[[], aio.Cache]] = [
    aio.InMemoryCache,
    aio.NullCache,
    lambda: aio.NamespacedCache(aio.InMemoryCache(), "part"),
]


def test_one_name_is_one_store_with_two_doors() -> None:
    blocking, door = cachery.get_cache("x"), cachery.aio.get_cache("x")
    assert door.blocking is blocking
    assert cachery.aio.get_cache("x") is door
    asyncio.run(door.set("a", 1))
    assert blocking.get("a") == 1
    blocking.set("b", 2)
    assert asyncio.run(door.get("b")) == 2
    assert door.stats is blocking.stats
    assert isinstance(door, aio.InMemoryCache)
    assert isinstance(cachery.aio.get_cache("x", "null"), aio.NullCache)


def test_a_load_is_shared_through_both_doors() -> None:
    blocking, door = cachery.get_cache("x"), cachery.aio.get_cache("x")

    async def main() -> object:
        return await door.get_or_set("a", one)

    assert blocking.get_or_set("a", lambda: 1) == asyncio.run(main()) == 1
    assert blocking.stats.load_success == 1


@pytest.mark.parametrize("nonsense", [None, 7, {}, "cache", InMemoryCache, aio.InMemoryCache()])
def test_a_door_leads_to_a_cache_and_nothing_else(nonsense: Any) -> None:
    with pytest.raises(CacheValueError, match="a door leads to a cache of cachery"):
        aio.InMemoryCache.to(nonsense)


def test_doors_show_what_is_behind_them() -> None:
    clock = FakeClock()
    cache = aio.InMemoryCache(5, "1m", policy="lfu", clock=clock, name="small")
    assert (cache.max_size, cache.default_ttl, cache.policy, cache.name) == (5, "1m", "lfu", "small")
    assert repr(cache) == "<aio <InMemoryCache 'small', lfu, max_size=5>>"
    assert bool(cache) is True
    assert cache.get_stats() is cache.stats() is cache.stats is cache.blocking.stats


def test_verbs_do_what_those_of_the_blocking_cache_do() -> None:
    clock = FakeClock()
    cache = aio.InMemoryCache(clock=clock)

    async def main() -> None:
        assert await cache.set("a", 1, ttl=10, tags=["red"])
        assert not await cache.add("a", 2)
        assert (await cache.get("a"), await cache.get("b", "none"), await cache.has("a")) == (1, "none", True)
        assert (await cache.ttl("a"), await cache.touch("a", 20), await cache.ttl("a")) == (10, True, 20)
        assert (await cache.incr("n", 5), await cache.decr("n", 2)) == (5, 3)
        assert await cache.set_many({"b": 2, "c": 3})
        assert await cache.get_many(["a", "b", "x"]) == {"a": 1, "b": 2}
        assert (await cache.delete("b"), await cache.delete_many(["b", "c"]), await cache.size()) == (True, 1, 2)
        clock.advance(20)
        assert await cache.cleanup_expired() == 1
        assert await cache.delete_pattern("n*") == 1
        assert await cache.clear()

    asyncio.run(main())
    check_invariants(cache)


def test_keys_are_gone_through_asynchronously() -> None:
    cache = aio.InMemoryCache()

    async def main() -> None:
        await cache.set_many({"a1": 1, "a2": 2, "b1": 3})
        assert sorted(await collected(cache)) == ["a1", "a2", "b1"]
        seen = []
        async for key in cache.keys("a*"):
            seen.append(key)
            await cache.clear()
        assert len(seen) == 1
        with pytest.raises(CacheValueError):
            cache.keys(7)  # type: ignore[arg-type]

    asyncio.run(main())


def test_listeners_hear_both_doors() -> None:
    cache = aio.InMemoryCache()
    seen: list[Event] = []
    unsubscribe = cache.subscribe(seen.append)
    asyncio.run(cache.set("a", 1))
    cache.blocking.get("a")
    unsubscribe()
    asyncio.run(cache.get("a"))
    assert [type(event) for event in seen] == [Stored, Hit]


def test_keys_that_are_no_text_are_refused() -> None:
    async def main() -> None:
        for make in MAKERS:
            cache = make()
            verbs: list[Any] = [cache.get, cache.delete, cache.exists, cache.incr, cache.ttl, cache.touch]
            for verb in verbs:
                with pytest.raises(CacheKeyError):
                    await verb(7)
            with pytest.raises(CacheKeyError):
                await cache.get_or_set(7, one)  # type: ignore[call-overload]
            with pytest.raises(CacheValueError, match="mapping"):
                await cache.set_many([1])  # type: ignore[arg-type]

    asyncio.run(main())


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("verb", AWAITED)
def test_a_closed_cache_refuses_every_verb(make: Callable[[], aio.Cache], verb: str) -> None:
    async def main() -> None:
        cache = make()
        await cache.close()
        with pytest.raises(CacheClosedError):
            await AWAITED[verb](cache)
        for plain in (cache.check_open, lambda: cache.subscribe(print)):
            with pytest.raises(CacheClosedError):
                plain()
        await cache.close()

    asyncio.run(main())


def test_closing_one_door_closes_both() -> None:
    async def main() -> None:
        async with aio.InMemoryCache() as cache:
            await cache.set("a", 1)
        with pytest.raises(CacheClosedError):
            cache.blocking.get("a")

    asyncio.run(main())


def test_closing_waits_for_what_is_loaded_in_the_background() -> None:
    clock = FakeClock()

    async def main() -> None:
        cache = aio.InMemoryCache(clock=clock)
        done = await refresh_in_background(cache, clock)
        await cache.close()
        assert done == ["new"]
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())


def test_closing_waits_for_worker_threads_without_holding_up_the_loop() -> None:
    clock = FakeClock()
    may_end = threading.Event()

    async def main() -> None:
        cache = aio.InMemoryCache(clock=clock)
        options: Any = {"ttl": 10, "stale_ttl": 100}
        cache.blocking.get_or_set("a", lambda: "old", **options)
        clock.advance(10)
        assert cache.blocking.get_or_set("a", lambda: may_end.wait(PATIENCE) and "late", **options) == "old"
        closing = asyncio.create_task(cache.close())
        await asyncio.sleep(0)
        assert not closing.done(), "the loop goes on meanwhile, or nothing would let the thread end"
        may_end.set()
        await closing
        with pytest.raises(CacheClosedError):
            await cache.get("a")

    asyncio.run(main())


def test_a_drain_that_takes_too_long_cancels_what_is_late() -> None:
    clock = FakeClock()

    async def main() -> None:
        cache = aio.InMemoryCache(clock=clock)
        was_cancelled: list[bool] = []

        async def hang() -> None:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                was_cancelled.append(True)
                raise

        await cache.get_or_set("a", one, ttl=10, stale_ttl=100)
        clock.advance(10)
        assert await cache.get_or_set("a", hang, ttl=10, stale_ttl=100) == 1
        await asyncio.sleep(0)
        assert not await cache.drain(0.01)
        assert was_cancelled == [True]
        assert await cache.drain()
        check_invariants(cache)

    asyncio.run(main())


async def refresh_in_background(cache: aio.Cache, clock: FakeClock) -> list[str]:
    """Leave a refresh of ``"a"`` in the background; return the list into which it will put its value."""
    done: list[str] = []

    async def load() -> str:
        for _ in range(5):
            await asyncio.sleep(0)
        done.append("new")
        return "new"

    async def old() -> str:
        await asyncio.sleep(0)
        return "old"

    await cache.get_or_set("a", old, ttl=10, stale_ttl=100)
    clock.advance(10)
    assert await cache.get_or_set("a", load, ttl=10, stale_ttl=100) == "old"
    assert done == []
    return done


def test_a_namespace_is_a_part_that_looks_like_a_whole() -> None:
    async def main() -> None:
        base = aio.InMemoryCache()
        part, other = aio.NamespacedCache(base, "part"), aio.NamespacedCache(base, "other")
        assert (part.namespace, part.cache is base) == ("part", True)
        await part.set("a", 1, tags=["red"])
        await other.set("a", 2, tags=["red"])
        assert sorted(await collected(base)) == ["other:a", "part:a"]
        assert await part.get_or_set("b", one) == 1
        await part.invalidate_tags("red")
        assert (await part.get("a"), await other.get("a"), await part.size()) == (None, 2, 1)
        assert await part.clear()
        assert await collected(base) == ["other:a"]
        await part.close()
        assert await base.get("other:a") == 2
        check_invariants(part)

    asyncio.run(main())


@pytest.mark.parametrize("nonsense", [None, InMemoryCache(), {}])
def test_a_namespace_stands_before_an_asynchronous_cache(nonsense: Any) -> None:
    with pytest.raises(CacheValueError, match=r"cache is a cache of cachery\.aio"):
        aio.NamespacedCache(nonsense, "part")
    with pytest.raises(CacheValueError, match="namespace"):
        aio.NamespacedCache(aio.InMemoryCache(), "")


def test_a_door_leads_to_a_namespace_too() -> None:
    base = InMemoryCache()
    part = aio.NamespacedCache.to(NamespacedCache(base, "part"))

    async def main() -> None:
        await part.set("a", 1)
        assert await part.get_or_set("b", one) == 1
        assert await collected(part.cache) == ["part:a", "part:b"]

    asyncio.run(main())
    assert part.namespace == "part"
    assert part.cache.blocking is base
    for other in (base, NullCache()):
        with pytest.raises(CacheValueError, match="NamespacedCache"):
            aio.NamespacedCache.to(other)


def test_the_cache_beneath_waits_for_what_its_namespaces_load_in_the_background() -> None:
    clock = FakeClock()

    async def main() -> None:
        base = aio.InMemoryCache(clock=clock)
        part = aio.NamespacedCache(base, "part")
        done = await refresh_in_background(part, clock)
        await base.close()
        assert done == ["new"]
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())


def test_closing_a_namespace_leaves_what_others_load_alone() -> None:
    clock = FakeClock()

    async def main() -> None:
        base = aio.InMemoryCache(clock=clock)
        done = await refresh_in_background(aio.NamespacedCache(base, "part"), clock)
        await aio.NamespacedCache(base, "other").close()
        assert done == []
        assert await base.drain()
        assert done == ["new"]
        assert await base.get("part:a") == "new"

    asyncio.run(main())
