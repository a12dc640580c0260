"""Whatever a loader does, the next caller is served and nothing is left behind."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from tests.servers.redis_servers import wait_until

from cachery import CacheRecursionError, CacheTimeoutError, InMemoryCache, aio
from cachery.testing import check_invariants

PATIENCE = 30.0
ALL_WAYS: tuple[Any, ...] = ({}, {"stale_ttl": 9}, {"hard_timeout": PATIENCE})


@dataclass(frozen=True)
class Census:
    """What a process has that could leak."""

    threads: int
    descriptors: int

    @classmethod
    def now(cls) -> Census:
        gc.collect()
        descriptors = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0  # noqa: PTH112, PTH208
        return cls(threading.active_count(), descriptors)

    def is_within(self, other: Census) -> bool:
        return self.threads <= other.threads and self.descriptors <= other.descriptors


@pytest.fixture(autouse=True)
def _nothing_leaks() -> Iterator[None]:
    before = Census.now()
    yield
    wait_until(lambda: Census.now().is_within(before))  # threads of other tests come and go when they will


@pytest.fixture
def cache() -> Iterator[InMemoryCache]:
    cache = InMemoryCache()
    yield cache
    assert cache.get_or_set("a", lambda: "next") == "next"
    assert cache.drain(PATIENCE)
    check_invariants(cache)
    cache.close()


@pytest.mark.parametrize(
    "error", [ValueError("no"), StopIteration(7), KeyboardInterrupt(), SystemExit(3), GeneratorExit(), MemoryError()]
)
def test_raises(cache: InMemoryCache, error: BaseException) -> None:
    def load() -> None:
        raise error

    for options in ALL_WAYS:
        with pytest.raises(type(error)) as caught:
            cache.get_or_set("a", load, **options)
        assert caught.value is error
    with pytest.raises(type(error)):
        cache.get_many_or_set(["a", "b"], lambda _: load() or {})


def test_hangs(cache: InMemoryCache) -> None:
    may_end = threading.Event()
    with pytest.raises(CacheTimeoutError, match="'a'"):
        cache.get_or_set("a", lambda: may_end.wait(PATIENCE), hard_timeout=0.01)
    assert cache.get_or_set("b", lambda: 1) == 1
    assert cache.get_or_set("a", lambda: "in time", hard_timeout=PATIENCE) == "in time"
    may_end.set()
    assert cache.drain(PATIENCE)
    assert cache.get("a") == "in time", "of two loads the one that began later stays"
    cache.delete("a")


def test_hangs_in_the_background(cache: InMemoryCache) -> None:
    clock = [0.0]
    cache = InMemoryCache(clock=lambda: clock[0])
    may_end = threading.Event()
    options: Any = {"ttl": 10, "stale_ttl": 1000, "hard_timeout": 0.001}
    cache.get_or_set("a", lambda: "old", **options)
    clock[0] = 20
    assert cache.get_or_set("a", lambda: may_end.wait(PATIENCE) and "late", **options) == "old"
    began = threading.Event()

    def load() -> str:
        began.set()
        return "new"

    while not began.is_set():
        assert cache.get_or_set("a", load, **options) in ("old", "new")
    may_end.set()
    assert cache.drain(PATIENCE)
    assert cache.get("a") == "new"
    check_invariants(cache)
    cache.close()


def test_is_too_slow_for_its_caller_and_goes_on(cache: InMemoryCache) -> None:
    clock = [0.0]
    cache = InMemoryCache(clock=lambda: clock[0])
    may_end = threading.Event()
    options: Any = {"ttl": 10, "stale_ttl": 1000, "soft_timeout": 0.01}
    cache.get_or_set("a", lambda: "old", **options)
    clock[0] = 20
    assert cache.get_or_set("a", lambda: may_end.wait(PATIENCE) and "new", **options) == "old"
    may_end.set()
    assert cache.drain(PATIENCE)
    assert cache.get("a") == "new"
    cache.close()


def test_recurs(cache: InMemoryCache) -> None:
    choices: tuple[Any, ...] = ({}, {"hard_timeout": PATIENCE})
    for options in choices:

        def load(options: Any = options) -> object:
            return cache.get_or_set("a", load, **options)

        with pytest.raises(CacheRecursionError):
            cache.get_or_set("a", load, **options)


class Killed(BaseException):
    """What ends a thread from outside."""


def kill(thread: threading.Thread) -> None:
    """Raise ``Killed`` in ``thread``, at its next instruction."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(Killed))


# CPython 3.11 under a tracer: while an exception awaits one thread, the others do not get beyond their next call.
@pytest.mark.no_cover
def test_has_its_thread_killed(cache: InMemoryCache) -> None:
    began = threading.Event()
    ended: list[BaseException] = []

    def spin() -> None:
        began.set()
        while True:
            pass

    def ask() -> None:
        try:
            cache.get_or_set("a", spin)
        except Killed as error:
            ended.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    assert began.wait(PATIENCE)
    second = threading.Thread(target=lambda: cache.get_or_set("a", lambda: "next"))
    second.start()
    while cache.stats.coalesced < 1:
        pass
    kill(thread)
    thread.join(PATIENCE)
    second.join(PATIENCE)
    assert len(ended) == 1


@pytest.mark.no_cover
def test_waits_on_a_thread_that_is_killed(cache: InMemoryCache) -> None:
    """One who waits is killed; the load goes on."""
    began, may_end = threading.Event(), threading.Event()
    loading = threading.Thread(
        target=lambda: cache.get_or_set("a", lambda: began.set() or (may_end.wait(PATIENCE) and "next"))
    )
    loading.start()
    assert began.wait(PATIENCE)

    def wait() -> None:
        with pytest.raises(Killed):
            cache.get_or_set("a", lambda: "never", hard_timeout=PATIENCE)

    waiting = threading.Thread(target=wait)
    waiting.start()
    while cache.stats.coalesced < 1:
        pass
    kill(waiting)
    may_end.set()
    waiting.join(PATIENCE)
    loading.join(PATIENCE)
    assert cache.get("a") == "next"


async def hang() -> None:
    await asyncio.Event().wait()


def in_a_loop(test: Callable[[aio.InMemoryCache], Any]) -> None:
    """Run ``test`` in a loop; then the next caller is served, and no task is left."""

    async def main() -> None:
        cache = aio.InMemoryCache()
        await test(cache)

        async def load() -> str:
            return "next"

        assert await cache.get_or_set("a", load) == "next"
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        check_invariants(cache)
        await cache.close()

    asyncio.run(main())


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt(), SystemExit(3), GeneratorExit()])
def test_raises_in_a_loop(error: BaseException) -> None:
    async def test(cache: aio.InMemoryCache) -> None:
        async def load() -> None:
            raise error

        for options in ALL_WAYS:
            with pytest.raises(type(error)) as caught:
                await cache.get_or_set("a", load, **options)
            assert caught.value is error

    in_a_loop(test)


def test_raises_stop_iteration_in_a_loop() -> None:
    async def test(cache: aio.InMemoryCache) -> None:
        def load() -> None:
            raise StopIteration(7)

        with pytest.raises(RuntimeError) as caught:  # a coroutine cannot let it through: Python wraps it
            await cache.get_or_set("a", load)
        assert isinstance(caught.value.__cause__, StopIteration)
        assert caught.value.__cause__.value == 7

    in_a_loop(test)


def test_hangs_in_a_loop() -> None:
    async def test(cache: aio.InMemoryCache) -> None:
        with pytest.raises(CacheTimeoutError):
            await cache.get_or_set("a", hang, hard_timeout=0.001)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(cache.get_or_set("a", hang), 0.001)
        async with asyncio.timeout(None):
            first, second = (asyncio.create_task(cache.get_or_set("a", hang)) for _ in range(2))
            await asyncio.sleep(0)
            first.cancel()
            second.cancel()
            await asyncio.gather(first, second, return_exceptions=True)
        await asyncio.sleep(0)

    in_a_loop(test)


def test_is_cancelled_by_itself_in_a_loop() -> None:
    async def test(cache: aio.InMemoryCache) -> None:
        async def cancel_oneself() -> None:
            inner = asyncio.ensure_future(hang())
            inner.cancel()
            await inner

        with pytest.raises(asyncio.CancelledError):
            await cache.get_or_set("a", cancel_oneself)

    in_a_loop(test)


def test_a_timeout_inside_of_a_loader_is_its_own_affair() -> None:
    async def test(cache: aio.InMemoryCache) -> None:
        async def load() -> str:
            try:
                async with asyncio.timeout(0.001):
                    await hang()
            except TimeoutError:
                return "instead"
            return "never"

        assert await cache.get_or_set("b", load) == "instead"

    in_a_loop(test)


def test_recurs_in_a_loop() -> None:
    async def test(cache: aio.InMemoryCache) -> None:
        async def load() -> object:
            return await asyncio.gather(cache.get_or_set("a", load))

        with pytest.raises(CacheRecursionError):
            await cache.get_or_set("a", load)

    in_a_loop(test)
