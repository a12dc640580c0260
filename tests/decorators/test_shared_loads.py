"""Decorated functions called by many at once, refreshed and invalidated meanwhile."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar

import pytest

from cachery import CacheRecursionError, CacheTimeoutError, InMemoryCache, aio
from cachery.testing import FakeClock, check_invariants

PATIENCE = 30.0
USER: ContextVar[str] = ContextVar("user", default="nobody")


@pytest.fixture
def cache() -> Iterator[InMemoryCache]:
    made = InMemoryCache()
    yield made
    check_invariants(made)
    made.close()


def test_one_run_for_many_threads(cache: InMemoryCache) -> None:
    calls: list[int] = []
    may_end = threading.Event()

    @cache.cached
    def load(number: int) -> int:
        calls.append(number)
        assert may_end.wait(PATIENCE)
        return number

    with ThreadPoolExecutor(8) as pool:
        asking = [pool.submit(load, 7) for _ in range(8)]
        while cache.stats.coalesced < 7:
            assert not any(future.done() for future in asking)
        may_end.set()
        assert [future.result(PATIENCE) for future in asking] == [7] * 8
    assert calls == [7]


def test_one_run_for_many_tasks(cache: InMemoryCache) -> None:
    calls: list[int] = []

    @aio.InMemoryCache.to(cache).cached
    async def load(number: int) -> int:
        calls.append(number)
        await asyncio.sleep(0)
        return number

    async def main() -> None:
        assert await asyncio.gather(*[load(7) for _ in range(8)]) == [7] * 8

    asyncio.run(main())
    assert calls == [7]


def test_one_run_for_threads_and_tasks_that_share_a_key(cache: InMemoryCache) -> None:
    began, may_end = threading.Event(), threading.Event()

    @cache.cached(key="number:{number}")
    def load(number: int) -> str:
        began.set()
        assert may_end.wait(PATIENCE)
        return f"thread {number}"

    @aio.InMemoryCache.to(cache).cached(key="number:{number}")
    async def load_in_loop(number: int) -> str:
        await asyncio.sleep(0)
        return f"task {number}"

    async def main() -> str:
        task = asyncio.create_task(load_in_loop(7))
        while cache.stats.coalesced < 1:  # noqa: ASYNC110 - nothing says when another waits
            await asyncio.sleep(0)
        may_end.set()
        return await task

    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(load, 7)
        assert began.wait(PATIENCE)
        assert asyncio.run(main()) == future.result(PATIENCE) == "thread 7"


def test_a_refresh_replaces_a_load_in_progress(cache: InMemoryCache) -> None:
    began, may_end = threading.Event(), threading.Event()
    versions = iter(["slow", "refreshed"])

    @cache.cached
    def load() -> str:
        version = next(versions)
        if version == "slow":
            began.set()
            assert may_end.wait(PATIENCE)
        return version

    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(load)
        assert began.wait(PATIENCE)
        assert load.refresh() == "refreshed"
        may_end.set()
        assert slow.result(PATIENCE) == "slow"
    assert load() == "refreshed", "the load that began before does not take its place"


def test_a_refresh_replaces_a_load_in_progress_under_asyncio() -> None:
    cache = aio.InMemoryCache()
    versions = iter(["slow", "refreshed"])

    async def main() -> None:
        began, may_end = asyncio.Event(), asyncio.Event()

        @cache.cached
        async def load() -> str:
            version = next(versions)
            if version == "slow":
                began.set()
                await may_end.wait()
            return version

        slow = asyncio.create_task(load())
        await began.wait()
        assert await load.refresh() == "refreshed"
        may_end.set()
        assert await slow == "slow"
        assert await load() == "refreshed"
        check_invariants(cache)

    asyncio.run(main())


def test_a_refresh_that_is_invalidated_is_not_kept(cache: InMemoryCache) -> None:
    @cache.cached
    def load() -> str:
        load.invalidate()
        return "old"

    assert load.refresh() == "old"
    assert not cache.exists(load.key())


def test_what_was_invalidated_is_not_kept(cache: InMemoryCache) -> None:
    @cache.cached(tags=["number:{number}"])
    def load(number: int) -> int:
        cache.invalidate_tags(f"number:{number}")
        return number

    assert load(7) == 7
    assert len(cache) == 0


def test_recursion_over_other_arguments_is_fine_and_over_the_same_is_refused(cache: InMemoryCache) -> None:
    @cache.cached
    def fibonacci(number: int) -> int:
        return number if number < 2 else fibonacci(number - 1) + fibonacci(number - 2)

    @cache.cached
    def endless(number: int) -> int:
        return endless(number)

    assert fibonacci(25) == 75025
    assert cache.stats.load_success == 26
    for call in (endless, endless.refresh):
        with pytest.raises(CacheRecursionError, match="endless"):
            call(1)


def test_a_function_that_takes_too_long_is_a_timeout(cache: InMemoryCache) -> None:
    may_end = threading.Event()

    @cache.cached(hard_timeout=0.01)
    def load() -> bool:
        return may_end.wait(PATIENCE)

    with pytest.raises(CacheTimeoutError):
        load()
    may_end.set()
    assert cache.drain(PATIENCE)


@pytest.mark.parametrize("hard_timeout", [None, PATIENCE])
def test_context_variables_of_the_caller_are_seen(cache: InMemoryCache, hard_timeout: float | None) -> None:
    threads: list[threading.Thread] = []

    @cache.cached(hard_timeout=hard_timeout)
    def load(number: int) -> str:
        threads.append(threading.current_thread())
        return f"{USER.get()} {number}"

    token = USER.set("ada")
    try:
        assert load(1) == "ada 1"
        assert load.refresh(1) == "ada 1"
    finally:
        USER.reset(token)
    here = threading.current_thread()
    assert [thread is here for thread in threads] == [hard_timeout is None] * 2


def test_context_variables_of_the_caller_are_seen_by_tasks() -> None:
    cache = aio.InMemoryCache()

    @cache.cached
    async def load(number: int) -> str:
        await asyncio.sleep(0)
        return f"{USER.get()} {number}"

    async def ask(user: str, number: int) -> str:
        USER.set(user)
        return await load(number)

    async def main() -> None:
        assert list(await asyncio.gather(ask("ada", 1), ask("bob", 2))) == ["ada 1", "bob 2"]
        assert USER.get() == "nobody"

    asyncio.run(main())


def test_a_refresh_in_the_background_sees_the_context_of_who_asked() -> None:
    clock = FakeClock()
    cache = InMemoryCache(clock=clock)

    @cache.cached(ttl=10, stale_ttl=100)
    def load() -> str:
        return USER.get()

    assert load() == "nobody"
    clock.advance(10)
    token = USER.set("ada")
    assert load() == "nobody"
    USER.reset(token)
    assert cache.drain()
    assert load() == "ada"
    cache.close()
