"""Decorated functions in the caches there are: namespaces, none at all, the default one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

import cachery
from cachery import CacheClosedError, InMemoryCache, NamespacedCache, NullCache, aio


@pytest.fixture(autouse=True)
def _default_cache_as_it_was() -> Iterator[None]:
    yield
    cachery.get_cache().clear()


def test_in_a_namespace_keys_and_tags_are_those_of_the_namespace() -> None:
    base = InMemoryCache()
    part, other = NamespacedCache(base, "part"), NamespacedCache(base, "other")
    calls: list[int] = []

    def square(number: int) -> int:
        calls.append(number)
        return number * number

    here, there = (each.cached(key="square:{number}", tags=["squares"])(square) for each in (part, other))
    assert (here(3), there(3), here(3)) == (9, 9, 9)
    assert calls == [3, 3]
    assert here.key(3) == "square:3"
    assert sorted(base.keys()) == ["other:square:3", "part:square:3"]
    other.invalidate_tags("squares")
    assert part.exists("square:3")
    part.invalidate_tags("squares")
    assert not part.exists("square:3")
    assert here.refresh(3) == 9
    assert here.invalidate(3)
    assert (part.stats.load_success, other.stats.load_success) == (2, 1)


def test_namespaces_know_which_names_are_taken_in_their_cache() -> None:
    base = InMemoryCache()
    parts = [base, NamespacedCache(base, "a"), NamespacedCache(base, "a"), aio.InMemoryCache.to(base).blocking]
    kept = [part.cached(lambda number=number: number) for number, part in enumerate(parts)]
    assert [load() for load in kept] == [0, 1, 2, 3]
    assert [load() for load in kept] == [0, 1, 2, 3]


def test_where_nothing_is_kept_every_call_runs_the_function() -> None:
    cache = NullCache()
    calls: list[int] = []

    @cache.cached(ttl=10, tags=["{number}"])
    def square(number: int) -> int:
        calls.append(number)
        return number * number

    assert [square(3), square(3), square.refresh(3)] == [9, 9, 9]
    assert calls == [3, 3, 3]
    assert not square.invalidate(3)
    assert square.key(3) == square.key(number=3)


def test_an_asynchronous_namespace() -> None:
    base = aio.InMemoryCache()
    part = aio.NamespacedCache(base, "part")

    @part.cached(key="square:{number}", tags=["squares"])
    async def square(number: int) -> int:
        await asyncio.sleep(0)
        return number * number

    async def main() -> None:
        assert [await square(3), await square(3)] == [9, 9]
        assert [key async for key in base.keys("*")] == ["part:square:3"]
        await part.invalidate_tags("squares")
        assert not await square.invalidate(3)
        assert await square.refresh(3) == 9
        assert await square.invalidate(3)

    asyncio.run(main())
    assert part.stats.load_success == 2


def test_an_asynchronous_cache_that_keeps_nothing_shares_loads_all_the_same() -> None:
    cache = aio.NullCache()
    calls: list[int] = []

    @cache.cached
    async def square(number: int) -> int:
        calls.append(number)
        await asyncio.sleep(0)
        return number * number

    async def main() -> None:
        assert list(await asyncio.gather(square(3), square(3))) == [9, 9]
        assert await square(3) == 9

    asyncio.run(main())
    assert calls == [3, 3]


def test_the_default_cache_is_that_of_get_cache() -> None:
    @cachery.cached
    def square(number: int) -> int:
        return number * number

    @cachery.cached(ttl="1h", key="cube:{number}")
    def cube(number: int) -> int:
        return number**3

    assert (square(3), cube(3)) == (9, 27)
    default: Any = cachery.get_cache()
    assert square.cache is cube.cache is default
    assert default.get(square.key(3)) == 9
    assert 299 < default.ttl(square.key(3)) < 300.01
    assert 3599 < default.ttl("cube:3") < 3600.01


def test_the_default_cache_has_two_doors() -> None:
    @cachery.aio.cached
    async def square(number: int) -> int:
        await asyncio.sleep(0)
        return number * number

    @cachery.aio.cached(key="cube:{number}")
    async def cube(number: int) -> int:
        await asyncio.sleep(0)
        return number**3

    async def main() -> None:
        assert (await square(3), await cube(3)) == (9, 27)

    asyncio.run(main())
    assert square.cache is cachery.aio.get_cache()
    assert cachery.get_cache().get("cube:3") == 27
    assert cachery.get_cache().exists(square.key(3))


def test_a_closed_cache_or_namespace_refuses_every_use() -> None:
    for cache in (InMemoryCache(), NullCache(), NamespacedCache(InMemoryCache(), "part")):
        kept = cache.cached(abs)
        assert kept(-1) == 1
        cache.close()
        for use in (kept, kept.refresh, kept.invalidate):
            with pytest.raises(CacheClosedError):
                use(-1)
