"""Loading under asyncio: what a loader may be, timeouts, refreshes, several loops."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from functools import partial
from typing import Any

import pytest

from cachery import CacheTimeoutError, LoadContext, aio
from cachery.events import Event, ServedStale
from cachery.testing import FakeClock, LoopThread, check_invariants

PATIENCE = 30.0
USER: ContextVar[str] = ContextVar("user", default="nobody")


async def load(value: object = "loaded") -> object:
    await asyncio.sleep(0)
    return value


class Loader:
    """An object whose call is a coroutine function."""

    async def __call__(self) -> str:
        await asyncio.sleep(0)
        return "loaded"

    async def method(self) -> str:
        return await self()


async def ended(future: asyncio.Future[str]) -> str:
    return await future


@pytest.mark.parametrize(
    "loader", [load, lambda: "loaded", lambda: load("loaded"), partial(load, "loaded"), Loader(), Loader().method]
)
def test_a_loader_may_be_awaited_or_not(loader: Callable[[], Any]) -> None:
    async def main() -> None:
        cache = aio.InMemoryCache()
        for _ in range(2):
            assert await cache.get_or_set("a", loader) == "loaded"
        assert cache.stats.load_success == 1
        check_invariants(cache)

    asyncio.run(main())


def test_a_loader_may_return_a_future() -> None:
    async def main() -> None:
        cache = aio.InMemoryCache()
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(future.set_result, "loaded")
        assert await cache.get_or_set("a", lambda: ended(future)) == "loaded"
        assert await cache.get_or_set("b", lambda: future) == "loaded"

    asyncio.run(main())


def test_a_loader_of_many_may_be_awaited_or_not() -> None:
    async def upper(keys: list[str]) -> dict[str, str]:
        await asyncio.sleep(0)
        return {key: key.upper() for key in keys}

    async def main() -> None:
        cache = aio.InMemoryCache()
        await cache.set("a", 1)
        assert await cache.get_many_or_set(["a", "b"], upper) == {"a": 1, "b": "B"}
        assert await cache.get_many_or_set(["b", "c"], lambda keys: dict.fromkeys(keys, 0)) == {"b": "B", "c": 0}

    asyncio.run(main())


def test_a_loader_may_be_given_the_context_of_the_load() -> None:
    async def fetch(context: LoadContext) -> str:
        await asyncio.sleep(0)
        context.ttl, context.tags = 20, ["blue"]
        return f"value of {context.key}"

    async def main() -> None:
        cache = aio.InMemoryCache(clock=FakeClock())
        assert await cache.get_or_set("a", fetch) == "value of a"
        assert await cache.ttl("a") == 20
        await cache.invalidate_tags("blue")
        assert not await cache.exists("a")
        part = aio.NamespacedCache(cache, "part")
        assert await part.get_or_set("a", fetch) == "value of a"
        await part.invalidate_tags("blue")
        assert not await part.exists("a")

    asyncio.run(main())


def test_a_hard_timeout_ends_the_wait_and_the_load() -> None:
    async def main() -> None:
        cache = aio.InMemoryCache()
        ends: list[str] = []

        async def hang() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                ends.append("ended")

        async def hang_for(keys: list[str]) -> dict[str, None]:
            await hang()
            return dict.fromkeys(keys)

        with pytest.raises(CacheTimeoutError, match="'a'"):
            await cache.get_or_set("a", hang, hard_timeout=0.01)
        await asyncio.sleep(0)
        assert ends == ["ended"]
        with pytest.raises(CacheTimeoutError):
            await cache.get_many_or_set(["a", "b"], hang_for, hard_timeout=0.01)
        await asyncio.sleep(0)
        assert await cache.get_or_set("a", load, hard_timeout=PATIENCE) == "loaded"
        check_invariants(cache)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())


def test_the_timeout_of_one_is_not_that_of_another() -> None:
    async def main() -> None:
        cache = aio.InMemoryCache()
        may_end = asyncio.Event()

        async def wait() -> str:
            await may_end.wait()
            return "loaded"

        patient = asyncio.create_task(cache.get_or_set("a", wait))
        await asyncio.sleep(0)
        with pytest.raises(CacheTimeoutError):
            await cache.get_or_set("a", wait, hard_timeout=0.01)
        may_end.set()
        assert await patient == "loaded"
        assert cache.stats.load_success == 1

    asyncio.run(main())


def test_a_soft_timeout_serves_the_stale_value_and_lets_the_load_go_on() -> None:
    async def main() -> None:
        clock = FakeClock()
        cache = aio.InMemoryCache(clock=clock)
        seen: list[Event] = []
        cache.subscribe(seen.append)
        may_end = asyncio.Event()

        async def wait() -> str:
            await may_end.wait()
            return "new"

        options: Any = {"ttl": 10, "stale_ttl": 100, "soft_timeout": 0.01}
        await cache.get_or_set("a", partial(load, "old"), **options)
        clock.advance(10)
        assert await cache.get_or_set("a", wait, **options) == "old"
        assert [event.key for event in seen if isinstance(event, ServedStale)] == ["a"]
        may_end.set()
        assert await cache.drain()
        assert await cache.get("a") == "new"
        clock.advance(10)
        assert await cache.get_or_set("a", partial(load, "in time"), **options) == "in time"
        assert cache.stats.stale_hits == 1

    asyncio.run(main())


def test_a_soft_timeout_without_a_stale_value_waits() -> None:
    async def main() -> None:
        cache = aio.InMemoryCache()
        assert await cache.get_or_set("a", load, ttl=10, stale_ttl=100, soft_timeout=1e-9) == "loaded"

    asyncio.run(main())


def test_a_refresh_ahead_runs_in_the_background_once() -> None:
    async def main() -> None:
        clock = FakeClock()
        cache = aio.InMemoryCache(clock=clock)
        calls: list[str] = []

        async def count() -> int:
            calls.append(USER.get())
            await asyncio.sleep(0)
            return len(calls)

        async def ask() -> object:
            return await cache.get_or_set("a", count, ttl=10, refresh_ahead=0.5)

        assert await ask() == 1
        clock.advance(5)
        USER.set("ada")
        assert list(await asyncio.gather(ask(), ask(), ask())) == [1, 1, 1]
        assert await cache.drain()
        assert calls == ["nobody", "ada"]
        assert (await ask(), await cache.ttl("a")) == (2, 10)
        assert await cache.get_many_or_set(["a"], lambda keys: dict.fromkeys(keys, 0), refresh_ahead=0.5) == {"a": 2}

    asyncio.run(main())


def test_many_are_refreshed_in_the_background_by_one_call() -> None:
    async def main() -> None:
        clock = FakeClock()
        cache = aio.InMemoryCache(clock=clock)
        calls: list[list[str]] = []

        async def many(keys: list[str]) -> dict[str, int]:
            await asyncio.sleep(0)
            calls.append(keys)
            return dict.fromkeys(keys, len(calls))

        async def ask() -> dict[str, int]:
            return await cache.get_many_or_set(["a", "b"], many, ttl=10, stale_ttl=100)

        assert await ask() == {"a": 1, "b": 1}
        clock.advance(10)
        assert await ask() == {"a": 1, "b": 1}
        assert await cache.drain()
        assert await ask() == {"a": 2, "b": 2}
        assert calls == [["a", "b"], ["a", "b"]]

    asyncio.run(main())


def test_context_variables_are_those_of_who_asked() -> None:
    async def main() -> None:
        cache = aio.InMemoryCache()

        async def who() -> str:
            await asyncio.sleep(0)
            USER.set(f"{USER.get()}, changed by the loader")
            return USER.get()

        async def ask(user: str) -> object:
            USER.set(user)
            found = await cache.get_or_set(user, who)
            assert USER.get() == user, "what a loader sets stays with it"
            return found

        expected = ["ada, changed by the loader", "bob, changed by the loader"]
        assert list(await asyncio.gather(ask("ada"), ask("bob"))) == expected

    asyncio.run(main())


def test_a_plain_loader_that_sets_a_variable_sets_it_for_itself() -> None:
    async def main() -> None:
        cache = aio.InMemoryCache()

        def who() -> str:
            USER.set("changed")
            return USER.get()

        assert await cache.get_or_set("a", who) == "changed"
        assert USER.get() == "nobody"

    asyncio.run(main())


def test_one_cache_for_loops_that_come_and_go() -> None:
    cache = aio.InMemoryCache()

    async def ask(key: str) -> object:
        return await cache.get_or_set(key, partial(load, key))

    assert [asyncio.run(ask(key)) for key in "aab"] == ["a", "a", "b"]
    assert cache.stats.load_success == 2
    asyncio.run(cache.close())


def test_one_load_for_two_loops_at_once() -> None:
    cache = aio.InMemoryCache()

    async def main() -> None:
        may_end, began = asyncio.Event(), asyncio.Event()
        here = asyncio.get_running_loop()

        async def wait() -> str:
            began.set()
            await may_end.wait()
            return "of the first loop"

        async def never() -> str:
            raise AssertionError("there is a load under way")

        with LoopThread() as other:
            first = asyncio.create_task(cache.get_or_set("a", wait))
            await began.wait()
            second = asyncio.run_coroutine_threadsafe(cache.get_or_set("a", never), other.loop)
            while cache.stats.coalesced < 1:  # noqa: ASYNC110 - nothing says when another waits
                await asyncio.sleep(0)
            here.call_soon(may_end.set)
            assert await first == await asyncio.wrap_future(second) == "of the first loop"

    asyncio.run(main())
    check_invariants(cache)


def test_who_waits_in_another_loop_may_be_cancelled() -> None:
    cache = aio.InMemoryCache()

    async def main() -> None:
        may_end = asyncio.Event()

        async def wait() -> str:
            await may_end.wait()
            return "loaded"

        with LoopThread() as other:
            first = asyncio.create_task(cache.get_or_set("a", wait))
            await asyncio.sleep(0)
            second = asyncio.run_coroutine_threadsafe(cache.get_or_set("a", wait), other.loop)
            while cache.stats.coalesced < 1:  # noqa: ASYNC110 - nothing says when another waits
                await asyncio.sleep(0)
            second.cancel()
            may_end.set()
            assert await first == "loaded"

    asyncio.run(main())
    check_invariants(cache)
