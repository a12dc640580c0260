"""Decorated generators: run to their end once, their items kept."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from typing import Any

import pytest

from cachery import InMemoryCache, aio
from cachery.testing import FakeClock, check_invariants


def test_items_and_what_is_returned_are_kept() -> None:
    cache = InMemoryCache()
    calls: list[int] = []

    @cache.cached
    def pages(count: int) -> Generator[str, None, str]:
        calls.append(count)
        for number in range(count):
            yield f"page {number}"
        return "the end"

    def reader() -> Generator[str, None, str]:
        return (yield from pages(2))

    for _ in range(2):
        reading = reader()
        assert [next(reading), next(reading)] == ["page 0", "page 1"]
        with pytest.raises(StopIteration) as end:
            next(reading)
        assert end.value.value == "the end"
    assert list(pages(3)) == ["page 0", "page 1", "page 2"]
    assert calls == [2, 3]


def test_nothing_runs_before_it_is_read() -> None:
    cache = InMemoryCache()
    calls: list[int] = []

    @cache.cached
    def pages() -> Iterator[int]:
        calls.append(1)
        yield 1

    unread = pages()
    assert calls == []
    assert inspect.isgenerator(unread)
    assert inspect.isgeneratorfunction(pages)
    unread.close()
    assert next(pages()) == 1
    assert calls == [1]


def test_who_reads_in_part_takes_nothing_from_others() -> None:
    cache = InMemoryCache()

    @cache.cached
    def numbers() -> Iterator[int]:
        yield from range(5)

    first, second = numbers(), numbers()
    assert [next(first), next(first), next(second)] == [0, 1, 0]
    first.close()  # type: ignore[attr-defined]
    assert list(second) == [1, 2, 3, 4]
    assert list(numbers()) == [0, 1, 2, 3, 4]
    assert cache.stats.load_success == 1


def test_one_that_fails_in_the_middle_keeps_nothing() -> None:
    cache = InMemoryCache()
    error: list[Exception] = [ValueError("in the middle")]

    @cache.cached
    def numbers() -> Iterator[int]:
        yield 1
        if error:
            raise error.pop()
        yield 2

    with pytest.raises(ValueError, match="in the middle"):
        next(numbers())
    assert len(cache) == 0
    assert list(numbers()) == [1, 2]
    check_invariants(cache)


def test_what_a_decorated_generator_has() -> None:
    clock = FakeClock()
    cache = InMemoryCache(clock=clock)
    versions = iter(range(10))

    @cache.cached(key="items:{count}", ttl=10, tags=["items"])
    def items(count: int) -> Iterator[tuple[int, int]]:
        version = next(versions)
        yield from ((version, number) for number in range(count))

    assert list(items(2)) == [(0, 0), (0, 1)]
    assert list(items.refresh(2)) == list(items(2)) == [(1, 0), (1, 1)]
    assert items.key(2) == "items:2"
    assert items.invalidate(2)
    assert list(items(1)) == [(2, 0)]
    cache.invalidate_tags("items")
    assert list(items(1)) == [(3, 0)]
    clock.advance(10)
    assert list(items(1)) == [(4, 0)]


def test_generator_methods_are_methods() -> None:
    cache = InMemoryCache()

    class Shop:
        def __init__(self, city: str) -> None:
            self.city = city

        @cache.cached(key_self="city")
        def articles(self, count: int) -> Iterator[str]:
            yield from (f"{self.city} {number}" for number in range(count))

        @cache.cached
        @staticmethod
        def cities() -> Iterator[str]:
            yield "Rome"

    shop: Any = Shop("Rome")
    assert list(shop.articles(2)) == list(Shop("Rome").articles(count=2)) == ["Rome 0", "Rome 1"]
    assert list(Shop("Oslo").articles(1)) == ["Oslo 0"]
    assert list(shop.cities()) == ["Rome"]
    assert shop.articles.invalidate(2)
    assert cache.stats.load_success == 3


def test_asynchronous_generators_are_kept_once_they_have_ended() -> None:
    cache = aio.InMemoryCache()
    calls: list[int] = []

    async def numbers(count: int) -> AsyncIterator[int]:
        calls.append(count)
        for number in range(count):
            await asyncio.sleep(0)
            yield number

    kept: Any = cache.cached(key="numbers:{count}")(numbers)

    async def main() -> None:
        partial: AsyncGenerator[int, None] = kept(3)
        assert await anext(partial) == 0
        await partial.aclose()
        assert [number async for number in kept(3)] == [0, 1, 2]
        assert calls == [3]
        assert [number async for number in await kept.refresh(3)] == [0, 1, 2]
        assert calls == [3, 3]
        assert kept.key(3) == "numbers:3"
        assert await kept.invalidate(3)
        assert [[number async for number in kept(2)] for _ in range(2)] == [[0, 1], [0, 1]]
        assert calls == [3, 3, 2]

    asyncio.run(main())
    assert inspect.isasyncgenfunction(kept)
    assert kept.__name__ == "numbers"


def test_an_asynchronous_generator_that_fails_keeps_nothing() -> None:
    cache = aio.InMemoryCache()

    async def numbers() -> AsyncIterator[int]:
        yield 1
        raise ValueError("in the middle")

    kept: Any = cache.cached(numbers)  # type: ignore[arg-type]

    async def main() -> None:
        for _ in range(2):
            with pytest.raises(ValueError, match="in the middle"):
                await anext(kept())
        assert await cache.size() == 0
        assert cache.stats.load_failure == 2
        check_invariants(cache)

    asyncio.run(main())


def test_asynchronous_generator_methods_are_methods() -> None:
    cache = aio.InMemoryCache()

    class Shop:
        def __init__(self, city: str) -> None:
            self.city = city

        async def articles(self) -> AsyncIterator[str]:
            yield self.city

    articles: Any = cache.cached(key_self="city")(Shop.articles)
    setattr(Shop, "articles", articles)  # noqa: B010 - as a class body does

    async def main() -> None:
        for city in ("Rome", "Oslo", "Rome"):
            assert [article async for article in Shop(city).articles()] == [city]
        assert cache.stats.load_success == 2

    asyncio.run(main())


def test_readers_at_the_same_time_share_one_run() -> None:
    cache = aio.InMemoryCache()
    calls: list[int] = []

    async def numbers() -> AsyncIterator[int]:
        calls.append(1)
        for number in range(3):
            await asyncio.sleep(0)
            yield number

    kept: Any = cache.cached(numbers)  # type: ignore[arg-type]

    async def read() -> list[int]:
        return [number async for number in kept()]

    async def main() -> None:
        assert await asyncio.gather(*[read() for _ in range(5)]) == [[0, 1, 2]] * 5

    asyncio.run(main())
    assert calls == [1]
