"""Decorated coroutine functions and methods."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any

import pytest

from cachery import CacheCircuitOpenError, CacheKeyError, CircuitBreaker, aio
from cachery.testing import FakeClock, assert_cached, check_invariants

CACHE = aio.InMemoryCache()


class Shop:
    """Something with an identity, asked in a loop."""

    asked = 0

    def __init__(self, city: str) -> None:
        self.city = city

    @CACHE.cached(key_self="city", tags=["{self.city}"])
    async def price(self, article: str = "tea") -> str:
        """Return the price of ``article``."""
        await asyncio.sleep(0)
        Shop.asked += 1
        return f"{article} in {self.city} {Shop.asked}"

    @CACHE.cached
    @classmethod
    async def name(cls) -> str:
        await asyncio.sleep(0)
        return cls.__name__

    @CACHE.cached
    @staticmethod
    async def quote(name: str) -> str:
        await asyncio.sleep(0)
        return f"'{name}'"


class Branch(Shop):
    """A class of the same methods."""


@pytest.fixture(autouse=True)
def _empty() -> None:
    CACHE.blocking.clear()
    Shop.asked = 0


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(main())
    check_invariants(CACHE)


def test_the_second_call_does_not_run_the_function() -> None:
    calls: list[int] = []

    @CACHE.cached
    async def square(number: int) -> int:
        await asyncio.sleep(0)
        calls.append(number)
        return number * number

    async def main() -> None:
        assert [await square(3), await square(number=3), await square(4)] == [9, 9, 16]
        assert calls == [3, 4]
        assert_cached(square, 3)
        assert await square.invalidate(3)
        assert not await square.invalidate(3)
        assert await square.refresh(3) == await square(3) == 9
        assert calls == [3, 4, 3]

    run(main)
    assert square.cache is CACHE
    assert inspect.iscoroutinefunction(square)
    assert square.__name__ == "square"


def test_options_reach_the_load() -> None:
    clock = FakeClock()
    cache = aio.InMemoryCache(clock=clock)
    answers: list[Any] = [1, None, LookupError("nobody"), OSError("down"), OSError("down")]

    @cache.cached(
        key="answer:{name}",
        ttl=100,
        negative_ttl=10,
        tags=["answers", "of:{name}"],
        cache_exceptions=(LookupError,),
        breaker=CircuitBreaker(2, 10, clock=clock),
    )
    async def answer(name: str) -> Any:
        await asyncio.sleep(0)
        found = answers.pop(0)
        if isinstance(found, Exception):
            raise found
        return found and name

    async def main() -> None:
        assert await answer("ada") == "ada"
        assert await cache.ttl("answer:ada") == 100
        assert await answer("bob") is None
        assert await cache.ttl("answer:bob") == 10
        for _ in range(2):
            with pytest.raises(LookupError):
                await answer("cy")
        await cache.invalidate_tags("of:ada")
        assert not await cache.exists("answer:ada")
        with pytest.raises(OSError, match="down"):
            await answer("ada")
        with pytest.raises(CacheCircuitOpenError):
            await answer("ada")
        assert len(answers) == 1

    asyncio.run(main())


def test_a_stale_result_is_served_while_a_task_refreshes_it() -> None:
    clock = FakeClock()
    cache = aio.InMemoryCache(clock=clock)
    versions = iter(range(10))

    @cache.cached(ttl=10, stale_ttl=100)
    async def load() -> int:
        await asyncio.sleep(0)
        return next(versions)

    async def main() -> None:
        assert await load() == 0
        clock.advance(10)
        assert await load() == 0
        assert await cache.drain()
        assert await load() == 1

    asyncio.run(main())


def test_methods_are_methods() -> None:
    async def main() -> None:
        rome = Shop("Rome")
        assert (
            await rome.price() == await Shop("Rome").price(article="tea") == await Shop.price(rome) == "tea in Rome 1"
        )
        assert await Shop("Oslo").price() == "tea in Oslo 2"
        assert await Branch("Rome").price() == "tea in Rome 3"
        assert rome.price.key() == Shop.price.key(rome)
        assert await rome.price.refresh() == "tea in Rome 4"
        assert await rome.price.invalidate()
        assert not await Shop.price.invalidate(rome)
        await CACHE.invalidate_tags("Oslo")
        assert not await CACHE.exists(Shop("Oslo").price.key())

    run(main)


def test_class_methods_and_static_methods() -> None:
    shop, branch = Shop, Branch

    async def main(shop: Any, branch: Any) -> None:
        assert [await shop.name(), await branch.name(), await branch("Rome").name()] == ["Shop", "Branch", "Branch"]
        assert await branch.name.invalidate()
        assert await shop.quote("id") == await branch("Rome").quote(name="id") == "'id'"
        assert inspect.iscoroutinefunction(branch.name.__call__)
        assert inspect.iscoroutinefunction(branch.quote)

    run(lambda: main(shop, branch))


def test_frameworks_can_tell_that_a_bound_method_is_a_coroutine_function() -> None:
    bound = Shop("Rome").price
    assert inspect.iscoroutinefunction(bound.__call__)
    assert str(inspect.signature(bound)) == "(article: 'str' = 'tea') -> 'str'"
    assert bound.__doc__ == "Return the price of ``article``."
    assert bound == bound.__self__.price  # type: ignore[attr-defined]


def test_partial_objects_and_objects_whose_call_is_a_coroutine_function() -> None:
    class Adder:
        def __init__(self, summand: int) -> None:
            self.summand = summand

        async def __call__(self, number: int) -> int:
            await asyncio.sleep(0)
            return number + self.summand

    async def add(first: int, second: int) -> int:
        await asyncio.sleep(0)
        return first + second

    four: Any = CACHE.cached(Adder(4))
    five: Any = CACHE.cached(partial(add, 5))
    rome: Any = CACHE.cached(key="again:{article}")(Shop("Rome").price)

    async def main() -> None:
        assert [await four(1), await four(1), await five(1), await five(second=1)] == [5, 5, 6, 6]
        assert await rome("milk") == await rome("milk") == "milk in Rome 1"
        assert CACHE.stats.load_success

    run(main)


def test_exceptions_are_those_of_the_function() -> None:
    @CACHE.cached
    async def fail(number: int) -> int:
        await asyncio.sleep(0)
        raise ValueError(f"failure {number}")

    async def main() -> None:
        for _ in range(2):
            with pytest.raises(ValueError, match="failure 1"):
                await fail(1)
        with pytest.raises(TypeError, match="fail"):
            await fail()  # type: ignore[call-arg]
        with pytest.raises(CacheKeyError):
            await fail(object())  # type: ignore[arg-type]

    run(main)


def test_one_function_in_several_loops() -> None:
    @CACHE.cached
    async def load(number: int) -> int:
        await asyncio.sleep(0)
        return number

    for _ in range(3):
        assert asyncio.run(gathered([load(number % 2) for number in range(4)])) == [0, 1, 0, 1]
    assert CACHE.stats.load_success >= 2
    check_invariants(CACHE)


async def gathered(work: list[Awaitable[int]]) -> list[int]:
    return list(await asyncio.gather(*work))


def test_coroutine_methods_may_be_kept_in_two_caches() -> None:
    near, far = aio.InMemoryCache(), aio.InMemoryCache()
    calls: list[str] = []

    class Remote:
        def __cache_key__(self) -> int:
            return 1

        @near.cached(ttl=10)
        @far.cached(ttl=100)
        async def load(self, name: str) -> str:
            await asyncio.sleep(0)
            calls.append(name)
            return name

    async def main() -> None:
        remote = Remote()
        assert await remote.load("a") == "a"
        await near.clear()
        assert await remote.load("a") == "a"
        assert calls == ["a"]
        assert inspect.iscoroutinefunction(remote.load.__call__)

    asyncio.run(main())
