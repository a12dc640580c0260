"""Decorated functions: what is kept, for how long, and what they have besides."""

from __future__ import annotations

import inspect
import pickle
from collections.abc import AsyncIterator, Iterator
from functools import partial
from typing import Any

import pytest

from cachery import CacheCircuitOpenError, CircuitBreaker, InMemoryCache, aio
from cachery.testing import FakeClock, assert_cached

MODULE_CACHE = InMemoryCache()


@MODULE_CACHE.cached
def double(number: int, *, deep: bool = False) -> int:
    """Return twice ``number``."""
    return 2 * number + deep


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def cache(clock: FakeClock) -> Iterator[InMemoryCache]:
    made = InMemoryCache(clock=clock)
    yield made
    made.close()


class Source:
    """Something to ask that counts how often it was, and fails on demand."""

    def __init__(self) -> None:
        self.asked = 0
        self.error: Exception | None = None

    def ask(self) -> int:
        self.asked += 1
        if self.error is not None:
            raise self.error
        return self.asked


def test_the_second_call_does_not_run_the_function(cache: InMemoryCache) -> None:
    calls: list[int] = []

    @cache.cached
    def square(number: int) -> int:
        calls.append(number)
        return number * number

    assert [square(3), square(3), square(4), square(number=3)] == [9, 9, 16, 9]
    assert calls == [3, 4]
    assert (cache.stats.hits, cache.stats.misses, cache.stats.load_success) == (2, 2, 2)


def test_parentheses_may_stand_or_go(cache: InMemoryCache) -> None:
    @cache.cached()
    def one() -> int:
        return 1

    @cache.cached(ttl=None)
    def two() -> int:
        return 2

    assert (one(), two(), len(cache)) == (1, 2, 2)


def test_a_result_lives_for_its_ttl(cache: InMemoryCache, clock: FakeClock) -> None:
    source = Source()

    @cache.cached(ttl="10s")
    def load() -> int:
        return source.ask()

    assert load() == 1
    clock.advance(9)
    assert load() == 1
    clock.advance(1)
    assert load() == 2


def test_without_a_ttl_it_is_the_default_of_the_cache(clock: FakeClock) -> None:
    cache = InMemoryCache(default_ttl=60, clock=clock)

    @cache.cached
    def load() -> int:
        return 1

    load()
    assert cache.ttl(load.key()) == 60


def test_a_stale_result_is_served_while_it_is_refreshed(cache: InMemoryCache, clock: FakeClock) -> None:
    source = Source()

    @cache.cached(ttl=10, stale_ttl=100)
    def load() -> int:
        return source.ask()

    assert load() == 1
    clock.advance(20)
    assert load() == 1
    assert cache.drain()
    assert load() == 2


def test_a_stale_result_helps_out_when_the_function_fails(cache: InMemoryCache, clock: FakeClock) -> None:
    source = Source()

    @cache.cached(ttl=10, stale_ttl=100, soft_timeout=60)
    def load() -> int:
        return source.ask()

    assert load() == 1
    clock.advance(20)
    source.error = OSError("down")
    assert load() == 1
    assert source.asked == 2


def test_a_result_is_refreshed_ahead_of_its_end(cache: InMemoryCache, clock: FakeClock) -> None:
    source = Source()

    @cache.cached(ttl=10, refresh_ahead=0.5)
    def load() -> int:
        return source.ask()

    assert load() == 1
    clock.advance(4)
    assert load() == 1
    assert cache.drain()
    assert source.asked == 1
    clock.advance(1)
    assert load() == 1
    assert cache.drain()
    assert load() == 2
    assert cache.ttl(load.key()) == 10


def test_a_none_may_live_shorter(cache: InMemoryCache, clock: FakeClock) -> None:
    @cache.cached(ttl=100, negative_ttl=10)
    def find(name: str) -> str | None:
        return None if name == "nobody" else name

    find("nobody")
    find("ada")
    clock.advance(10)
    assert not cache.exists(find.key("nobody"))
    assert cache.exists(find.key("ada"))


def test_exceptions_are_kept_where_that_is_asked_for(cache: InMemoryCache, clock: FakeClock) -> None:
    source = Source()
    source.error = LookupError("nobody there")

    @cache.cached(ttl=10, cache_exceptions=(LookupError,))
    def load() -> int:
        return source.ask()

    for _ in range(3):
        with pytest.raises(LookupError, match="nobody there"):
            load()
    assert source.asked == 1
    clock.advance(10)
    source.error = None
    assert load() == 2


def test_other_exceptions_are_not_kept(cache: InMemoryCache) -> None:
    source = Source()

    @cache.cached
    def load() -> int:
        return source.ask()

    source.error = LookupError("nobody there")
    for _ in range(2):
        with pytest.raises(LookupError):
            load()
    source.error = None
    assert load() == 3


def test_plain_tags_invalidate_every_call(cache: InMemoryCache) -> None:
    source = Source()

    @cache.cached(tags=["red", "{{literal}}"])
    def load(number: int) -> int:
        return number + source.ask()

    assert (load(0), load(10)) == (1, 12)
    cache.invalidate_tags("red")
    assert (load(0), load(10)) == (3, 14)
    cache.invalidate_tags("{literal}")
    assert load(0) == 5


def test_tags_with_fields_invalidate_their_calls(cache: InMemoryCache) -> None:
    source = Source()

    @cache.cached(tags=["users", "user:{user_id}", "{fields[0]}"])
    def load(user_id: int, fields: tuple[str, ...] = ("name",)) -> int:
        return user_id * len(fields) + source.ask()

    assert (load(10), load(20), load(30, ("age",))) == (11, 22, 33)
    cache.invalidate_tags("user:10")
    assert (load(10), load(20), load(30, ("age",))) == (14, 22, 33)
    cache.invalidate_tags("age")
    assert (load(10), load(20), load(30, ("age",))) == (14, 22, 35)
    cache.invalidate_tags("users")
    assert not any(cache.exists(key) for key in (load.key(10), load.key(20), load.key(30, ("age",))))


def test_a_breaker_leaves_a_failing_function_alone(cache: InMemoryCache, clock: FakeClock) -> None:
    source = Source()
    source.error = OSError("down")

    @cache.cached(breaker=CircuitBreaker(2, 10, clock=clock))
    def load(number: int) -> int:
        return number + source.ask()

    for number in range(2):
        with pytest.raises(OSError, match="down"):
            load(number)
    with pytest.raises(CacheCircuitOpenError):
        load(2)
    assert source.asked == 2
    clock.advance(10)
    source.error = None
    assert load(2) == 5


def test_what_a_decorated_function_has(cache: InMemoryCache) -> None:
    source = Source()

    @cache.cached(key="number:{number}")
    def load(number: int) -> int:
        return number + source.ask()

    assert load.cache is cache
    assert load.key(10) == load.key(number=10) == "number:10"
    assert source.asked == 0
    assert load(10) == 11
    assert load.refresh(10) == 12
    assert cache.get("number:10") == load(10) == 12
    assert (load.invalidate(10), load.invalidate(number=10)) == (True, False)
    assert load(10) == 13
    assert load.__wrapped__(10) == 14


def test_a_refresh_also_loads_what_is_not_there(cache: InMemoryCache) -> None:
    @cache.cached(ttl=10, tags=["red"])
    def load() -> int:
        return 1

    assert load.refresh() == 1
    assert cache.ttl(load.key()) == 10
    cache.invalidate_tags("red")
    assert not cache.exists(load.key())


def test_a_refresh_that_fails_leaves_the_old_result(cache: InMemoryCache) -> None:
    source = Source()

    @cache.cached
    def load() -> int:
        return source.ask()

    assert load() == 1
    source.error = OSError("down")
    with pytest.raises(OSError, match="down"):
        load.refresh()
    assert load() == 1


def test_it_is_what_it_wraps_to_those_who_look() -> None:
    assert double.__name__ == double.__qualname__ == "double"
    assert double.__doc__ == "Return twice ``number``."
    assert double.__module__ == __name__
    assert str(inspect.signature(double)) == "(number: 'int', *, deep: 'bool' = False) -> 'int'"
    assert inspect.isfunction(double)
    assert double.__wrapped__(4) == 8


def test_attributes_of_the_function_are_kept(cache: InMemoryCache) -> None:
    def load() -> int:
        return 1

    load.route = "/load"  # type: ignore[attr-defined]
    decorated: Any = cache.cached(load)
    assert decorated.route == "/load"


def test_the_kind_of_function_stays(cache: InMemoryCache) -> None:
    door = aio.InMemoryCache.to(cache)

    @cache.cached
    def generator() -> Iterator[int]:
        yield 1

    @door.cached
    async def coroutine() -> int:
        return 1

    async def asynchronous() -> AsyncIterator[int]:
        yield 1

    decorated: Any = door.cached(asynchronous)  # type: ignore[arg-type]
    asking = (inspect.iscoroutinefunction, inspect.isgeneratorfunction, inspect.isasyncgenfunction)
    table = [[ask(function) for ask in asking] for function in (double, coroutine, generator, decorated)]
    assert table == [[False] * 3, [True, False, False], [False, True, False], [False, False, True]]


def test_it_is_pickled_by_its_name() -> None:
    assert pickle.loads(pickle.dumps(double)) is double  # noqa: S301 - written here


def test_partial_objects_and_objects_that_can_be_called_are_decorated(cache: InMemoryCache) -> None:
    class Adder:
        def __init__(self, summand: int) -> None:
            self.summand = summand

        def __call__(self, number: int) -> int:
            return number + self.summand

    four, five = cache.cached(Adder(4)), cache.cached(Adder(5))
    assert [four(1), five(1), four(1)] == [5, 6, 5]
    power: Any = cache.cached(partial(pow, 2))
    assert (power(5), power.key(5) == power.key(6)) == (32, False)
    length = cache.cached(len)
    assert length([1, 2]) == 2
    assert_cached(length, [1, 2])
    bound = cache.cached([3, 1, 3].count)
    assert (bound(3), bound(1)) == (2, 1)


def test_one_function_decorated_for_two_caches_is_called_the_same_in_both(cache: InMemoryCache) -> None:
    def load(number: int) -> int:
        return number

    here, there = cache.cached(load), InMemoryCache().cached(load)
    assert here.key(1) == there.key(1)
    assert cache.cached(load).key(1) == here.key(1)
    assert here(1) == 1
    assert not there.invalidate(1)


def test_wrong_arguments_are_the_type_error_they_would_be(cache: InMemoryCache) -> None:
    @cache.cached
    def load(number: int) -> int:
        return number

    for use in (load, load.key, load.invalidate, load.refresh):
        call: Any = use
        for args, kwargs in (((), {}), ((1, 2), {}), ((1,), {"more": 1})):
            with pytest.raises(TypeError, match="load"):
                call(*args, **kwargs)
    assert load(1) == 1
