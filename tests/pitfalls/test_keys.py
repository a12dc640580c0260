"""Rules bought with other libraries' bugs, the part on keys and values. Each test bears the rule as its docstring.

That keys are typed, injective and the same everywhere, ``tests/keys`` shows: properties and golden vectors.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cachery import MISSING, CacheValueError, InMemoryCache, aio

PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.binary(max_size=5)
CACHE = InMemoryCache(max_size=10)


@CACHE.cached
def echo(*args: Any, **kwargs: Any) -> Any:
    return args, kwargs


def spelled(value: object) -> str:
    """Return ``value`` with its type and every bit, to compare by."""
    if isinstance(value, tuple | list):
        return f"{type(value).__name__}({', '.join(map(spelled, value))})"
    return f"{type(value).__name__}:{value!r}"


ARGUMENTS = st.recursive(PLAIN, lambda inner: st.tuples(inner, inner) | st.lists(inner, max_size=3), max_leaves=5)


@given(ARGUMENTS, ARGUMENTS)
def test_distinct_arguments_have_distinct_keys_and_equal_ones_the_same(first: object, second: object) -> None:
    """Keys are length-prefixed typed bytes: distinct arguments if and only if distinct keys, remembered or not."""
    assert (echo.key(first) == echo.key(second)) is (spelled(first) == spelled(second))
    assert echo.key(first, second) == echo.key(first, second)
    assert echo.key(first, x=second) != echo.key(first, second)


def test_five_spellings_of_one_call_are_one_key() -> None:
    """Five spellings of one call are one key."""
    cache = InMemoryCache()

    @cache.cached
    def load(user: int, limit: int = 10, *, deep: bool = False) -> tuple[int, int, bool]:
        return user, limit, deep

    spellings = [
        load.key(1),
        load.key(user=1),
        load.key(1, 10),
        load.key(limit=10, user=1),
        load.key(1, limit=10, deep=False),
    ]
    assert len(set(spellings)) == 1
    assert load.key(1, deep=True) not in spellings


def test_six_that_look_alike_are_six() -> None:
    """1, True, 1.0, "1", None, "" are six."""
    assert len({echo.key(value) for value in (1, True, 1.0, "1", None, "")}) == 6
    assert len({echo.key(value, 0) for value in (1, True, 1.0, "1", None, "")}) == 6
    assert len({echo.key(x=value) for value in (1, True, 1.0, "1", None, "")}) == 6
    assert echo.key(0.0) != echo.key(-0.0)
    assert [echo(value)[0][0] for value in (1, True, 1.0)] == [1, True, 1.0]
    assert [type(echo(value)[0][0]) for value in (1, True, 1.0)] == [int, bool, float]


def test_two_hundred_closures_never_share() -> None:
    """Same ``__name__``, closures: never shared, also when one is collected and its place taken by another."""
    cache = InMemoryCache(max_size=None)

    def make(number: int) -> Callable[[], int]:
        @cache.cached
        def load() -> int:
            return number

        return load

    kept = []
    for number in range(200):
        load = make(number)
        assert load() == number
        if number % 2:
            kept.append(load)
        del load
        gc.collect(0)
    assert [load() for load in kept] == list(range(1, 200, 2))


def test_two_hundred_objects_never_share() -> None:
    """Methods by ``id(self)`` are never shared: what stands for an object says so itself."""
    cache = InMemoryCache(max_size=None)

    class Repository:
        def __init__(self, number: int) -> None:
            self.number = number

        def __cache_key__(self) -> int:
            return self.number

        @cache.cached
        def load(self) -> int:
            return self.number

    assert [Repository(number).load() for number in range(200)] == list(range(200))
    assert Repository(7).load() == 7
    assert cache.stats.load_success == 200


def test_a_name_bound_again_does_not_serve_the_old_function() -> None:
    """Same ``__name__``: never shared."""
    cache = InMemoryCache()

    @cache.cached
    def load() -> str:
        return "first"

    first = load

    @cache.cached  # type: ignore[no-redef]
    def load() -> str:
        return "second"

    assert (first(), load(), first()) == ("first", "second", "first")
    assert [cache.cached(lambda number=number: number)() for number in range(3)] == [0, 1, 2]


def test_none_is_a_value() -> None:
    """``None`` is a value; exceptions are cached only on request."""
    cache = InMemoryCache()
    calls: list[object] = []

    @cache.cached
    def load(key: str) -> None:
        calls.append(key)
        if key == "bad":
            raise LookupError(key)

    assert load("a") is load("a") is None
    for _ in range(2):
        with pytest.raises(LookupError):
            load("bad")
    assert calls == ["a", "bad", "bad"]
    assert cache.get(load.key("a"), MISSING) is None


async def coroutine() -> int:
    return 1


def generator() -> Any:
    yield 1


async def async_generator() -> Any:
    yield 1


class CallableObject:
    async def __call__(self) -> int:
        return 1


TRAPS = [
    coroutine,
    generator,
    async_generator,
    partial(coroutine),
    partial(generator),
    CallableObject(),
    lambda _=None: coroutine(),
    lambda _=None: async_generator(),
]


@pytest.mark.parametrize("loader", TRAPS)
def test_what_can_be_used_once_is_never_kept(loader: Callable[[], Any]) -> None:
    """A coroutine, generator or async generator object is never cached as a value."""
    cache = InMemoryCache()
    with pytest.raises(CacheValueError, match=r"cachery\.aio|list of it|decorate"):
        cache.get_or_set("a", loader)
    with pytest.raises(CacheValueError, match=r"cachery\.aio|list of it|decorate|mapping"):
        cache.get_many_or_set(["a"], lambda keys: {key: loader() for key in keys})
    assert len(cache) == 0


@pytest.mark.parametrize("loader", [generator, async_generator, partial(generator), lambda _=None: async_generator()])
def test_what_can_be_used_once_is_never_kept_by_aio(loader: Callable[[], Any]) -> None:
    """A generator or async generator object is never cached as a value; a coroutine is awaited."""

    async def main() -> None:
        cache = aio.InMemoryCache()
        with pytest.raises(CacheValueError, match=r"list of it|decorate"):
            await cache.get_or_set("a", loader)
        assert await cache.get_or_set("a", partial(coroutine)) == 1
        assert await cache.get_or_set("b", CallableObject()) == 1
        assert await cache.get_or_set("c", lambda _=None: coroutine()) == 1
        assert await cache.size() == 3

    asyncio.run(main())


def test_nothing_grows_without_bound() -> None:
    """Nothing is unbounded by default: not the cache, not the memory of keys, not the loads in progress."""
    cache = InMemoryCache()

    @cache.cached
    def load(number: int) -> int:
        return number

    for number in range(10_000):
        load(number)
    assert len(cache) == 1000
    assert len(load.key.__closure__ or ()) > 0
    assert len(cache.engine.core.flights) == 0
    gc.collect()
    finders = [thing for thing in gc.get_objects() if type(thing).__name__ == "KeyMemo"]
    assert all(len(finder) <= 4096 for finder in finders)
