"""Interrupts, finalizers, forks and cancellations at the worst moment: nobody waits for ever after."""

from __future__ import annotations

import asyncio
import gc
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import pytest

import cachery
from cachery import CacheTimeoutError, CircuitBreaker, InMemoryCache, aio
from cachery.policies import POLICIES
from cachery.testing import FakeClock, check_invariants

PATIENCE = 30.0


class InterruptError(BaseException):
    """What a signal handler raises, wherever the thread happens to be."""


def interrupt(*_: object) -> None:
    raise InterruptError


def interruptible(test: Any) -> Any:
    """Mark a test that is interrupted at any moment."""
    for mark in (
        pytest.mark.no_cover,
        pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no such signal"),
        pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning"),
        pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    ):
        test = mark(test)
    return test


def interrupt_often(cache: InMemoryCache, work: Callable[[], object], times: int) -> None:
    """Interrupt ``work`` at moments that nobody knows; ``cache`` is whole after each."""
    chance = random.Random(5)
    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        for _ in range(times):
            try:
                signal.setitimer(signal.ITIMER_REAL, chance.random() * 0.0005 + 1e-5)
                for _ in range(1000):  # an interrupt that hits a finalizer is lost
                    work()
                signal.setitimer(signal.ITIMER_REAL, 0)
            except InterruptError:
                pass
            check_invariants(cache)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@interruptible
@pytest.mark.parametrize("is_bulk", [False, True])
def test_an_interrupt_leaves_no_flight(is_bulk: bool, stress: float) -> None:  # noqa: FBT001 - a parameter of the test
    cache = InMemoryCache()
    interrupt_often(cache, lambda: load(cache, is_bulk=is_bulk), int(500 + 20_000 * stress))
    assert cache.get_or_set("another", int) == 0


@interruptible
@pytest.mark.parametrize("policy", POLICIES)
def test_an_interrupt_leaves_a_cache_whole(policy: str, stress: float) -> None:
    cache = InMemoryCache(max_size=8, policy=policy, max_bytes=4000)
    chance = random.Random(7)

    def work() -> None:
        key = f"key {chance.randrange(20)}"
        cache.set(key, "x" * chance.randrange(200), ttl=chance.choice([None, 1e-6, 1e-3, 1e6]))
        cache.get(f"key {chance.randrange(20)}")
        cache.delete(f"key {chance.randrange(20)}")

    interrupt_often(cache, work, int(100 + 5_000 * stress))
    cache.set("another", 1)
    assert cache.get("another") == 1


def load(cache: InMemoryCache, *, is_bulk: bool) -> None:
    if is_bulk:
        cache.get_many_or_set(["a", "b", "c"], lambda keys: dict.fromkeys(keys, 1), ttl=1e-9)
    else:
        cache.get_or_set("a", int, ttl=1e-9)


FORKING = """
import os, sys, threading
from cachery import InMemoryCache
cache = InMemoryCache()
go_on = True
def load():
    number = 0
    while go_on:
        number += 1
        cache.get_or_set(f"key {number % 9}", lambda: number, ttl=1e-9)
threads = [threading.Thread(target=load) for _ in range(4)]
for thread in threads:
    thread.start()
for _ in range(30):
    child = os.fork()
    if child == 0:
        os._exit(0)  # what another thread was importing, no child can import: that is Python's own
    _, status = os.waitpid(child, 0)
    assert status == 0
go_on = False
for thread in threads:
    thread.join()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_fork_during_the_very_first_load() -> None:
    root = Path(cachery.__file__).parent.parent
    environment = {**os.environ, "PYTHONPATH": str(root)}
    for name in ("COVERAGE_PROCESS_START", "COV_CORE_SOURCE"):
        environment.pop(name, None)
    subprocess.run([sys.executable, "-W", "ignore", "-c", FORKING], check=True, timeout=PATIENCE, env=environment)


class Bomb:
    """A value in a cycle: when it is collected, in the middle of whatever runs then, it uses the cache."""

    count = 0

    def __init__(self, cache: InMemoryCache) -> None:
        self.cache = cache
        self.cycle = self

    def __del__(self) -> None:
        Bomb.count += 1
        # Interpreted, it may run in a section of the cache, and must not wait for a thread that needs the same lock.
        options: Any = {"hard_timeout": PATIENCE} if cachery.compiled else {}
        self.cache.get_or_set(f"bomb {Bomb.count}", int, **options)


WHO: ContextVar[str] = ContextVar("who", default="nobody")


@pytest.mark.parametrize("options", [{}, {"hard_timeout": PATIENCE}])
def test_what_a_loader_sets_in_its_context_stays_there(options: Any) -> None:
    cache, token = InMemoryCache(), WHO.set("ada")

    def load() -> str:
        was = WHO.get()
        WHO.set("grace")
        return was

    assert cache.get_or_set("a", load, **options) == "ada"
    assert WHO.get() == "ada"
    WHO.reset(token)


@pytest.mark.no_cover
def test_a_finalizer_that_loads_in_the_middle_of_a_load() -> None:
    cache = InMemoryCache()
    thresholds = gc.get_threshold()
    try:
        for number in range(1, 100):
            gc.disable()
            gc.collect(0)
            Bomb(cache)
            gc.set_threshold(number)
            gc.enable()
            assert cache.get_or_set(f"key {number}", int, hard_timeout=PATIENCE) == 0
    finally:
        gc.enable()
        gc.set_threshold(*thresholds)
    gc.collect()
    assert cache.drain(PATIENCE)
    check_invariants(cache)
    assert Bomb.count > 50


def test_timed_loads_nested_deeper_than_there_are_workers() -> None:
    cache = InMemoryCache()

    def nest(depth: int) -> int:
        if depth == 0:
            return 0
        return 1 + int(cache.get_or_set(f"depth {depth}", lambda: nest(depth - 1), hard_timeout=PATIENCE))

    assert nest(50) == 50
    with ThreadPoolExecutor(64) as pool:
        loads = [pool.submit(outer, cache, number) for number in range(64)]
        assert [load.result(PATIENCE) for load in loads] == list(range(64))
    assert cache.drain(PATIENCE)


def outer(cache: InMemoryCache, number: int) -> Any:
    """Load something by way of something else, both within a limit."""

    def load() -> Any:
        time.sleep(0)
        return cache.get_or_set(f"inner {number}", lambda: number, hard_timeout=PATIENCE)

    return cache.get_or_set(f"outer {number}", load, hard_timeout=PATIENCE)


def test_a_load_that_is_cancelled_before_its_first_step() -> None:
    async def main() -> None:
        cache = aio.InMemoryCache()

        async def work() -> int:
            return 1

        asking = asyncio.create_task(cache.get_or_set("a", work))
        await asyncio.sleep(0)
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        check_invariants(cache)
        assert await cache.get_or_set("a", work) == 1
        await cache.close()

    asyncio.run(main())


def test_a_trial_that_is_cancelled_is_not_the_last() -> None:
    async def main() -> None:
        clock = FakeClock()
        cache = aio.InMemoryCache(clock=clock)
        breaker = CircuitBreaker(1, 10, clock=clock)

        async def fail() -> None:
            raise OSError("down")

        async def hang() -> None:
            await asyncio.Event().wait()

        async def work() -> int:
            return 1

        with pytest.raises(OSError, match="down"):
            await cache.get_or_set("a", fail, breaker=breaker)
        clock.advance(10)
        trial = asyncio.create_task(cache.get_or_set("a", hang, breaker=breaker))
        for _ in range(3):
            await asyncio.sleep(0)
        trial.cancel()
        await asyncio.gather(trial, return_exceptions=True)
        await asyncio.sleep(0)
        assert await cache.get_or_set("a", work, breaker=breaker) == 1
        assert breaker.state == "closed"

    asyncio.run(main())


def test_a_source_that_hangs_opens_its_breaker() -> None:
    async def main() -> None:
        cache = aio.InMemoryCache()
        breaker = CircuitBreaker(2, 1000)

        async def hang() -> None:
            await asyncio.Event().wait()

        for number in range(2):
            with pytest.raises(CacheTimeoutError):
                await cache.get_or_set(str(number), hang, hard_timeout=0.001, breaker=breaker)
        assert breaker.state == "open"
        assert cache.stats.load_failure == 2

    asyncio.run(main())
