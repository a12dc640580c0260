"""Rules bought with other libraries' bugs, the part on concurrency. Each test bears the rule as its docstring."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import random
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from cachery import CacheRecursionError, InMemoryCache, NamespacedCache, aio
from cachery.events import Event
from cachery.testing import check_invariants

INVALIDATIONS: dict[str, Callable[[Any], object]] = {
    "delete": lambda cache: cache.delete("a"),
    "set": lambda cache: cache.set("a", "newer"),
    "tag": lambda cache: cache.invalidate_tags("red"),
    "pattern": lambda cache: cache.delete_pattern("a*"),
    "clear": lambda cache: cache.clear(),
}
PATIENCE = 30.0


@pytest.fixture
def cache() -> Iterator[InMemoryCache]:
    cache = InMemoryCache()
    yield cache
    check_invariants(cache)
    cache.close()


def begin_load(cache: Any, value: object, **options: Any) -> tuple[threading.Event, list[Any], threading.Thread]:
    """Begin to load ``"a"`` on a thread; return what lets the load end, what it will have returned, and the thread."""
    began, may_end, got = threading.Event(), threading.Event(), []

    def load() -> object:
        began.set()
        assert may_end.wait(PATIENCE)
        return value

    thread = threading.Thread(target=lambda: got.append(cache.get_or_set("a", load, **options)))
    thread.start()
    assert began.wait(PATIENCE)
    return may_end, got, thread


def wait_until_joined(cache: InMemoryCache, callers: int = 1) -> None:
    """Wait until so many callers wait for the load of another."""
    while cache.stats.coalesced < callers:
        pass


@pytest.mark.parametrize("name", INVALIDATIONS)
def test_a_load_is_fenced_over_threads(cache: InMemoryCache, name: str) -> None:
    """A load takes its token before it starts, and the store is conditional on it."""
    may_end, got, thread = begin_load(cache, "old", tags=["red"])
    INVALIDATIONS[name](cache)
    expected = "newer" if name == "set" else "new"
    assert cache.get_or_set("a", lambda: "new", tags=["red"]) == expected, "who asks now begins a load of its own"
    may_end.set()
    thread.join(PATIENCE)
    assert got == ["old"], "who waited has what was loaded"
    assert cache.get("a") == expected


@pytest.mark.parametrize("name", INVALIDATIONS)
def test_a_load_is_fenced_over_loops(cache: InMemoryCache, name: str) -> None:
    """A load takes its token before it starts: an invalidation in one loop beats the load in another."""
    may_end, got, thread = begin_load(cache, "old", tags=["red"])
    door = aio.InMemoryCache.to(cache)

    async def invalidate() -> None:
        await {
            "delete": lambda: door.delete("a"),
            "set": lambda: door.set("a", "newer"),
            "tag": lambda: door.invalidate_tags("red"),
            "pattern": lambda: door.delete_pattern("a*"),
            "clear": door.clear,
        }[name]()

    asyncio.run(invalidate())
    may_end.set()
    thread.join(PATIENCE)
    assert got == ["old"]
    assert cache.get("a") == ("newer" if name == "set" else None)


@pytest.mark.parametrize("name", INVALIDATIONS)
def test_a_load_is_fenced_under_asyncio(name: str) -> None:
    """A load takes its token before it starts, in one loop too."""

    async def main() -> None:
        cache = aio.InMemoryCache()
        began, may_end = asyncio.Event(), asyncio.Event()

        async def load() -> str:
            began.set()
            await may_end.wait()
            return "old"

        waiting = asyncio.create_task(cache.get_or_set("a", load, tags=["red"]))
        await began.wait()
        INVALIDATIONS[name](cache.blocking)
        may_end.set()
        assert await waiting == "old"
        assert await cache.get("a") == ("newer" if name == "set" else None)
        check_invariants(cache)

    asyncio.run(main())


def test_the_load_of_a_namespace_is_fenced_by_its_clearing(cache: InMemoryCache) -> None:
    """A load takes its token before it starts: clearing a part counts, also where nothing was there yet."""
    part = NamespacedCache(cache, "part")
    may_end, _, thread = begin_load(part, "old")
    part.clear()
    may_end.set()
    thread.join(PATIENCE)
    assert part.get("a") is None


def test_one_load_for_fifty_threads_and_four_loops(cache: InMemoryCache) -> None:
    """One load per key among threads, tasks and event loops of a process."""
    loads: list[int] = []
    start = threading.Barrier(54)
    everybody_asks = threading.Event()

    def load() -> str:
        loads.append(1)
        assert everybody_asks.wait(PATIENCE)
        return "value"

    async def load_in_loop() -> str:
        return await asyncio.to_thread(load)

    async def many() -> list[str]:
        door = aio.InMemoryCache.to(cache)
        return list(await asyncio.gather(*[door.get_or_set("a", load_in_loop) for _ in range(25)]))

    def thread(number: int) -> list[str]:
        start.wait()
        return asyncio.run(many()) if number < 4 else [cache.get_or_set("a", load)]

    with ThreadPoolExecutor(54) as pool:
        futures = [pool.submit(thread, number) for number in range(54)]
        while cache.stats.coalesced < 50 + 4 * 25 - 1:
            assert not any(future.done() for future in futures)
        everybody_asks.set()
        values = [value for future in futures for value in future.result(PATIENCE)]
    assert values == ["value"] * 150
    assert len(loads) == 1


def test_cancelling_whoever_it_is_harms_no_other(stress: float) -> None:
    """The cache owns the load; callers wait behind a shield, counted; the last one out cancels it."""
    chance = random.Random(7)
    rounds = int(200 + 10_000 * stress)

    async def main() -> None:
        cache = aio.InMemoryCache()
        for number in range(rounds):
            await one_round(cache, f"key {number}", chance)
        check_invariants(cache)
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(main())


async def one_round(cache: aio.InMemoryCache, key: str, chance: random.Random) -> None:
    """Let ten wait for one load, cancel some of them, the first or all at times, and look at every one."""
    outcomes: list[str] = []
    may_end = asyncio.Event()

    async def load() -> str:
        try:
            await may_end.wait()
        except asyncio.CancelledError:
            outcomes.append("cancelled")
            raise
        outcomes.append("loaded")
        return "value"

    waiters = [asyncio.create_task(cache.get_or_set(key, load)) for _ in range(10)]
    for _ in range(chance.randrange(3)):
        await asyncio.sleep(0)
    victims = set(chance.sample(range(10), chance.choice([1, 1, 5, 9, 10])))
    for victim in victims:
        waiters[victim].cancel()
        if chance.random() < 0.3:
            await asyncio.sleep(0)
    await asyncio.sleep(0)
    may_end.set()
    results = await asyncio.gather(*waiters, return_exceptions=True)
    innocent = [result for number, result in enumerate(results) if number not in victims]
    assert innocent == ["value"] * len(innocent)
    await asyncio.sleep(0)
    assert outcomes in (["loaded"], ["cancelled"], []) if not innocent else outcomes.count("loaded") == 1


def test_the_last_one_out_cancels_the_load() -> None:
    """The cache owns the load; the last one out cancels it, and the next caller begins anew."""

    async def main() -> None:
        cache = aio.InMemoryCache()
        was_cancelled = asyncio.Event()

        async def hang() -> None:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                was_cancelled.set()
                raise

        waiters = [asyncio.create_task(cache.get_or_set("a", hang)) for _ in range(3)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        for waiter in waiters:
            waiter.cancel()
        await asyncio.gather(*waiters, return_exceptions=True)
        await asyncio.wait_for(was_cancelled.wait(), PATIENCE)

        async def load() -> int:
            return 1

        assert await cache.get_or_set("a", load) == 1
        check_invariants(cache)

    asyncio.run(main())


def test_a_loop_that_ends_in_the_middle_of_its_load_harms_no_other(cache: InMemoryCache) -> None:
    """Nothing is bound to a loop or dies with it: those who wait elsewhere load themselves."""
    began, loop_ended = threading.Event(), threading.Event()

    async def hang() -> None:
        began.set()
        await asyncio.Event().wait()

    async def leave() -> None:
        task = asyncio.create_task(aio.InMemoryCache.to(cache).get_or_set("a", hang))
        await asyncio.to_thread(began.wait, PATIENCE)
        await asyncio.to_thread(wait_until_joined, cache)
        task.cancel()

    with ThreadPoolExecutor(1) as pool:
        loop = pool.submit(lambda: (asyncio.run(leave()), loop_ended.set()))
        assert began.wait(PATIENCE)
        assert cache.get_or_set("a", lambda: "mine") == "mine"
        loop.result(PATIENCE)


def test_a_loop_closed_in_the_middle_of_its_load_harms_no_other(cache: InMemoryCache) -> None:
    """Nothing is bound to a loop or dies with it, though nobody cancelled what ran there."""
    door = aio.InMemoryCache.to(cache)
    loop = asyncio.new_event_loop()

    async def hang() -> None:
        await asyncio.Event().wait()

    waiting = loop.create_task(door.get_or_set("a", hang))
    loop.run_until_complete(asyncio.sleep(0))
    loop.run_until_complete(asyncio.sleep(0))
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(cache.get_or_set, "a", lambda: "mine")
        wait_until_joined(cache)
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.gather(waiting, return_exceptions=True))
        loop.close()
        assert other.result(PATIENCE) == "mine"


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt, SystemExit, GeneratorExit, asyncio.CancelledError])
def test_a_flight_is_removed_whatever_is_raised(cache: InMemoryCache, kind: type[BaseException]) -> None:
    """A flight is removed in ``finally``, for ``BaseException``."""

    def fail() -> None:
        raise kind("no")

    with pytest.raises(kind):
        cache.get_or_set("a", fail)
    assert cache.get_or_set("a", lambda: 1) == 1

    async def main() -> None:
        door = aio.InMemoryCache()

        async def fail() -> None:
            raise kind("no")

        async def load() -> int:
            return 1

        with pytest.raises(kind):
            await door.get_or_set("a", fail)
        assert await door.get_or_set("a", load) == 1
        check_invariants(door)

    asyncio.run(main())


def test_what_ends_a_caller_is_not_passed_on(cache: InMemoryCache) -> None:
    """A flight is removed for ``BaseException``: those who wait are not interrupted, they load themselves."""
    began, may_end = threading.Event(), threading.Event()

    def interrupt() -> None:
        began.set()
        assert may_end.wait(PATIENCE)
        raise KeyboardInterrupt

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(cache.get_or_set, "a", interrupt)
        assert began.wait(PATIENCE)
        second = pool.submit(cache.get_or_set, "a", lambda: "mine")
        wait_until_joined(cache)
        may_end.set()
        assert isinstance(first.exception(PATIENCE), KeyboardInterrupt)
        assert second.result(PATIENCE) == "mine"


def test_a_thousand_waiters_have_an_exception_each() -> None:
    """Each waiter gets its own exception, tracebacks do not grow."""

    async def main() -> list[BaseException]:
        cache = aio.InMemoryCache()

        async def fail() -> None:
            await asyncio.sleep(0)
            raise ValueError("the same for all")

        waiters = [cache.get_or_set("a", fail) for _ in range(1000)]
        return [error for error in await asyncio.gather(*waiters, return_exceptions=True) if error is not None]

    errors = asyncio.run(main())
    assert len({id(error) for error in errors}) == 1000
    lengths = {len(traceback.extract_tb(error.__traceback__)) for error in errors}
    assert max(lengths) <= 5
    assert {str(error) for error in errors} == {"the same for all"}
    assert all(traceback.extract_tb(error.__traceback__)[-1].name == "fail" for error in errors)


class AwkwardError(Exception):
    """An exception that copy cannot copy: its ``__init__`` takes what it does not hand on."""

    def __init__(self, code: int, *, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code, self.reason = code, reason


def test_an_exception_that_is_hard_to_copy_is_whole_all_the_same(cache: InMemoryCache) -> None:
    """Each waiter gets its own exception, with all that it carries."""
    began, may_end = threading.Event(), threading.Event()

    def fail() -> None:
        began.set()
        assert may_end.wait(PATIENCE)
        raise AwkwardError(7, reason="odd") from KeyError("cause")

    with ThreadPoolExecutor(3) as pool:
        asking = [pool.submit(cache.get_or_set, "a", fail) for _ in range(3)]
        assert began.wait(PATIENCE)
        wait_until_joined(cache, 2)
        may_end.set()
        errors = [future.exception(PATIENCE) for future in asking]
    assert len({id(error) for error in errors}) == 3
    for error in errors:
        assert isinstance(error, AwkwardError)
        assert (error.code, error.reason, str(error)) == (7, "odd", "7: odd")
        assert isinstance(error.__cause__, KeyError)


def test_re_entering_ones_own_flight_raises_at_once(cache: InMemoryCache) -> None:
    """Re-entering one's own flight raises at once; A to B to A too."""
    with pytest.raises(CacheRecursionError, match="'a'"):
        cache.get_or_set("a", lambda: cache.get_or_set("b", lambda: cache.get_or_set("a", lambda: 1)))
    with pytest.raises(CacheRecursionError):
        cache.get_or_set("a", lambda: cache.delete("a") or cache.get_or_set("a", lambda: 1))
    with pytest.raises(CacheRecursionError):
        cache.get_or_set("a", lambda: cache.get_many_or_set(["b", "a"], lambda _: {"a": 1, "b": 1}))
    with pytest.raises(CacheRecursionError):
        cache.get_many_or_set(["a", "b"], lambda _: {"a": cache.get_or_set("b", lambda: 1)})


def test_two_threads_that_wait_for_each_other_are_told(cache: InMemoryCache) -> None:
    """Re-entering raises at once, also when two threads close the ring."""
    both_began = threading.Barrier(2)

    def crossing(own: str, other: str) -> object:
        def load() -> object:
            both_began.wait(PATIENCE)
            return cache.get_or_set(other, lambda: "never")

        return cache.get_or_set(own, load)

    with ThreadPoolExecutor(2) as pool:
        asking = [pool.submit(crossing, "a", "b"), pool.submit(crossing, "b", "a")]
        errors = [future.exception(PATIENCE) for future in asking]
    assert all(isinstance(error, CacheRecursionError) for error in errors)


def test_two_tasks_that_wait_for_each_other_are_told() -> None:
    """Re-entering raises at once, also when two tasks close the ring."""

    async def main() -> None:
        cache = aio.InMemoryCache()

        def crossing(other: str) -> Callable[[], Any]:
            async def load() -> object:
                await asyncio.sleep(0)
                return await cache.get_or_set(other, crossing("nothing"))

            return load

        asking = asyncio.gather(
            cache.get_or_set("a", crossing("b")), cache.get_or_set("b", crossing("a")), return_exceptions=True
        )
        errors = await asyncio.wait_for(asking, PATIENCE)
        assert all(isinstance(error, CacheRecursionError) for error in errors)
        check_invariants(cache)

    asyncio.run(main())


def test_a_blocking_call_that_its_own_loop_would_have_to_serve_is_told() -> None:
    """Re-entering raises at once, also where a blocking call would wait for the loop that it blocks."""

    async def main() -> None:
        cache = aio.InMemoryCache()
        may_end = asyncio.Event()

        async def load() -> str:
            await may_end.wait()
            return "value"

        waiting = asyncio.create_task(cache.get_or_set("a", load))
        for _ in range(3):
            await asyncio.sleep(0)
        with pytest.raises(CacheRecursionError, match="await"):
            cache.blocking.get_or_set("a", lambda: "never")
        may_end.set()
        assert await waiting == "value"
        check_invariants(cache)

    asyncio.run(main())


def test_a_logging_handler_may_load_through_the_cache(cache: InMemoryCache) -> None:
    """Re-entering by way of a logging handler that calls back."""
    refused: list[object] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            assert cache.get_or_set("other", lambda: record.msg) == "loading"
            try:
                cache.get_or_set("a", lambda: "again")
            except CacheRecursionError as error:
                refused.append(error)

    log = logging.getLogger("test_pitfalls")
    log.addHandler(handler := Handler())
    try:
        assert cache.get_or_set("a", lambda: log.warning("loading") or "value") == "value"
    finally:
        log.removeHandler(handler)
    assert len(refused) == 1


def test_no_lock_is_held_while_user_code_runs(cache: InMemoryCache) -> None:
    """No internal lock is held during loader, listener, ``__eq__``, ``__hash__``: another thread gets on meanwhile."""
    with ThreadPoolExecutor(1) as pool:

        def elsewhere() -> str:
            pool.submit(use_everything, cache).result(PATIENCE)
            return "value"

        heard: list[Event] = []
        assert cache.get_or_set("a", elsewhere) == "value"
        unsubscribe = cache.subscribe(lambda event: heard.append(event) or (len(heard) == 1 and elsewhere()))
        cache.get_or_set("b", lambda: 1)
        unsubscribe()
    assert heard


def use_everything(cache: InMemoryCache) -> None:
    """Call verbs of every kind."""
    cache.set("other", 1, tags=["blue"])
    cache.get("other")
    cache.get_or_set("another", lambda: 1)
    cache.invalidate_tags("blue")
    cache.delete_pattern("oth*")
    len(cache)


def test_many_loops_share_one_cache() -> None:
    """Nothing is bound to the first event loop or dies with it."""
    cache = aio.InMemoryCache()

    async def use(number: int) -> list[int]:
        async def load() -> int:
            await asyncio.sleep(0)
            return number

        await cache.set(f"set {number}", number)
        return list(await asyncio.gather(*[cache.get_or_set(f"key {key}", load) for key in range(20)]))

    with ThreadPoolExecutor(4) as pool:
        rows = list(pool.map(lambda number: asyncio.run(use(number)), range(4)))
    assert len({tuple(row) for row in rows}) <= 4
    assert asyncio.run(cache.get("set 3")) == 3
    check_invariants(cache)


@pytest.mark.no_cover
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_fork_forgets_the_loads_of_its_parent(cache: InMemoryCache) -> None:
    """Fork: what other threads were loading is loaded anew in the child."""
    may_end, _, thread = begin_load(cache, "of the parent")
    cache.set("stale", "old", ttl=1)
    child = os.fork()
    if child == 0:
        is_well = cache.get_or_set("a", lambda: "of the child") == "of the child"
        is_well &= cache.get_or_set("b", lambda: "timed", hard_timeout=PATIENCE) == "timed"
        os._exit(0 if is_well else 1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    may_end.set()
    thread.join(PATIENCE)
    assert cache.get("a") == "of the parent"


def test_background_tasks_are_held_and_drained() -> None:
    """Background tasks are held strongly, observed, drained on close."""

    async def main() -> None:
        clock = [0.0]
        cache = aio.InMemoryCache(clock=lambda: clock[0])
        done: list[int] = []

        async def load() -> int:
            waiting = asyncio.get_running_loop().create_future()
            asyncio.get_running_loop().call_later(0.01, waiting.set_result, None)
            gc.collect()
            await waiting
            done.append(1)
            if len(done) == 3:
                raise OSError("nobody sees this one")
            return len(done)

        await cache.get_or_set("a", load, ttl=10, stale_ttl=100)
        for step in (11, 22):
            clock[0] = step
            assert await cache.get_or_set("a", load, ttl=10, stale_ttl=100) == 1 + (step == 22)
            gc.collect()
            await asyncio.sleep(0)
            gc.collect()
            assert await cache.drain()
        await cache.close()
        assert len(done) == 3
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(main())


def test_background_threads_are_drained() -> None:
    """Background work is drained on close, and its threads are gone."""
    clock = [0.0]
    before = threading.active_count()
    cache = InMemoryCache(clock=lambda: clock[0])
    done = threading.Event()
    cache.get_or_set("a", lambda: "old", ttl=10, stale_ttl=100)
    clock[0] = 11
    assert cache.get_or_set("a", lambda: done.set() or "new", ttl=10, stale_ttl=100) == "old"
    cache.close()
    assert done.is_set()
    assert threading.active_count() == before
