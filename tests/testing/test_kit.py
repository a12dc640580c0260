"""The smaller parts of the test kit: assertions, and a loop on a thread."""

from __future__ import annotations

import asyncio
import threading
from contextvars import ContextVar
from typing import Any

import pytest

import cachery.testing
from cachery import CacheValueError, InMemoryCache, NamespacedCache, aio
from cachery.testing import FakeClock, LoopThread, assert_cached, check_invariants

USER: ContextVar[str] = ContextVar("user", default="nobody")


def square(number: int) -> int:
    return number * number


async def cube(number: int) -> int:
    await asyncio.sleep(0)
    return number**3


class Shop:
    """Something with a method to decorate."""

    def price(self, article: str) -> str:
        return article


def test_keys_are_cached_or_not() -> None:
    clock = FakeClock()
    cache = InMemoryCache(clock=clock, name="mine")
    cache.set("a", None)
    cache.set("b", 2, ttl=10)
    assert_cached(cache, "a", "b")
    clock.advance(10)
    with pytest.raises(AssertionError, match=r"^'b', 'c' not in <InMemoryCache 'mine', lru, max_size=1000>$"):
        assert_cached(cache, "a", "b", "c")


def test_asking_changes_neither_recency_nor_counters() -> None:
    cache = InMemoryCache(max_size=2)
    cache.set("a", 1)
    cache.set("b", 2)
    assert_cached(cache, "a")
    assert cache.stats.total_requests == 0
    cache.set("c", 3)
    assert_cached(cache, "b", "c")


def test_calls_are_cached_or_not() -> None:
    cache = InMemoryCache()
    kept = cache.cached(square)
    assert kept(12) == 144
    assert_cached(kept, 12)
    assert_cached(kept, number=12)
    with pytest.raises(AssertionError, match=r"square:.* not in"):
        assert_cached(kept, 13)


def test_calls_of_methods_are_cached_or_not() -> None:
    cache = InMemoryCache()

    class Local(Shop):
        price = cache.cached(key="price:{article}")(Shop.price)

    shop = Local()
    shop.price("tea")
    assert_cached(shop.price, "tea")
    assert_cached(Local.price, shop, "tea")
    with pytest.raises(AssertionError, match="'price:milk' not in"):
        assert_cached(shop.price, "milk")


def test_asynchronous_caches_and_functions_are_asked_alike() -> None:
    cache = aio.InMemoryCache()
    part = aio.NamespacedCache(cache, "part")
    here, there = cache.cached(cube), part.cached(key="cube:{number}")(cube)
    asyncio.run(here(2))
    asyncio.run(there(2))
    assert_cached(here, 2)
    assert_cached(there, number=2)
    assert_cached(cache, here.key(2), "part:cube:2")
    assert_cached(part, "cube:2")
    with pytest.raises(AssertionError, match=r"'cube:3' not in <aio <NamespacedCache 'part' of <InMemoryCache lru"):
        assert_cached(there, 3)


def test_a_question_without_an_answer_is_refused() -> None:
    cache = NamespacedCache(InMemoryCache(), "part")
    nonsense: list[Any] = [square, None, {}, "key"]
    for subject in nonsense:
        with pytest.raises(CacheValueError, match="asks a cache or a decorated function"):
            assert_cached(subject, "a")
    with pytest.raises(CacheValueError, match="one key or more"):
        assert_cached(cache)
    with pytest.raises(CacheValueError, match="one key or more"):
        assert_cached(cache, key="a")


def test_a_loop_on_a_thread_runs_what_it_is_given() -> None:
    before = threading.active_count()
    with LoopThread() as loop:
        assert [loop.run(cube(number)) for number in range(3)] == [0, 1, 8]
        cache = aio.InMemoryCache()
        assert loop.run(cache.get_or_set("a", lambda: cube(2))) == 8
        with pytest.raises(ZeroDivisionError):
            loop.run(fail())
        assert loop.loop.is_running()
    assert loop.loop.is_closed()
    assert threading.active_count() == before
    loop.close()
    with pytest.raises(RuntimeError, match="closed"):
        loop.run(cube(2))


async def fail() -> None:
    await asyncio.sleep(0)
    _ = 1 / 0


def test_it_runs_in_the_context_of_the_caller() -> None:
    async def who() -> str:
        await asyncio.sleep(0)
        return USER.get()

    with LoopThread() as loop:
        assert loop.run(who()) == "nobody"
        token = USER.set("ada")
        assert loop.run(who()) == "ada"
        USER.reset(token)


def test_on_its_own_thread_it_runs_what_never_waits() -> None:
    async def outer() -> int:
        await asyncio.sleep(0)
        return loop.run(cache.incr("n", 5))

    async def waiting() -> None:
        await asyncio.sleep(0)
        loop.run(cube(2))

    cache = aio.InMemoryCache()
    with LoopThread() as loop:
        assert loop.run(outer()) == 5
        with pytest.raises(RuntimeError, match="suspends"):
            loop.run(waiting())


def test_one_that_takes_too_long_is_a_timeout_and_is_cancelled_at_the_end() -> None:
    ends: list[str] = []

    async def hang() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ends.append("ended")

    with LoopThread() as loop, pytest.raises(TimeoutError):
        loop.run(hang(), timeout=0.01)
    assert ends == ["ended"]


def test_a_clock_moves_when_it_is_told_to() -> None:
    clock = FakeClock(5)
    assert (clock(), clock()) == (5.0, 5.0)
    clock.advance(0)
    clock.advance(2.5)
    assert clock() == 7.5
    clock.jump(-1)
    assert clock() == -1.0
    for seconds in (-1, float("nan")):
        with pytest.raises(CacheValueError, match="moves on"):
            clock.advance(seconds)


def test_a_load_under_way_is_complained_of() -> None:
    cache = InMemoryCache()

    def load() -> int:
        for each in (cache, aio.InMemoryCache.to(cache), NamespacedCache(cache, "part")):
            with pytest.raises(AssertionError, match="1 loads are under way"):
                check_invariants(each)
        return 1

    assert cache.get_or_set("a", load) == 1
    check_invariants(cache)


def test_numbers_that_cannot_be_are_complained_of() -> None:
    cache = InMemoryCache()
    cache.stats.total_requests = 7
    cache.stats.evictions = -1
    with pytest.raises(AssertionError, match="evictions is -1; 0 hits and 0 misses make 7 requests"):
        check_invariants(cache)


def test_the_public_names_are_there() -> None:
    assert sorted(cachery.testing.__all__) == cachery.testing.__all__
    for name in cachery.testing.__all__:
        assert getattr(cachery.testing, name).__doc__
    with pytest.raises(AttributeError, match="nonsense"):
        cachery.testing.nonsense  # noqa: B018
