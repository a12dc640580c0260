"""Bulk loads beside single ones, timed ones, and those that go wrong."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from cachery import CacheRecursionError, CacheTimeoutError, InMemoryCache, LoadContext, aio
from cachery.testing import ChaosCache, Fail, FakeClock, check_invariants

PATIENCE = 30.0


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def cache(clock: FakeClock) -> Iterator[InMemoryCache]:
    cache = InMemoryCache(clock=clock)
    yield cache
    assert cache.drain(PATIENCE)
    check_invariants(cache)
    cache.close()


def shout(keys: list[str]) -> dict[str, str]:
    return {key: key.upper() for key in keys}


def test_a_bulk_load_joins_a_single_one_and_the_other_way_round(cache: InMemoryCache) -> None:
    began, may_end = threading.Event(), threading.Event()
    asked: list[list[str]] = []

    def slowly() -> str:
        began.set()
        assert may_end.wait(PATIENCE)
        return "single"

    def in_bulk(keys: list[str]) -> dict[str, str]:
        asked.append(keys)
        return dict.fromkeys(keys, "bulk")

    with ThreadPoolExecutor(3) as pool:
        single = pool.submit(cache.get_or_set, "a", slowly)
        assert began.wait(PATIENCE)
        bulk = pool.submit(cache.get_many_or_set, ["a", "b"], in_bulk)
        while cache.stats.coalesced < 1:
            pass
        assert cache.get("b") == "bulk", "what is its own is loaded before it waits for another's"
        may_end.set()
        assert single.result(PATIENCE) == "single"
        assert bulk.result(PATIENCE) == {"a": "single", "b": "bulk"}
    assert asked == [["b"]]


def test_a_single_load_joins_a_bulk_one(cache: InMemoryCache) -> None:
    began, may_end = threading.Event(), threading.Event()

    def in_bulk(keys: list[str]) -> dict[str, str]:
        began.set()
        assert may_end.wait(PATIENCE)
        return {key: "bulk" for key in keys if key != "left out"}

    with ThreadPoolExecutor(3) as pool:
        bulk = pool.submit(cache.get_many_or_set, ["a", "left out"], in_bulk)
        assert began.wait(PATIENCE)
        joins = pool.submit(cache.get_or_set, "a", lambda: "never")
        loads = pool.submit(cache.get_or_set, "left out", lambda: "its own")
        while cache.stats.coalesced < 2:
            pass
        may_end.set()
        assert bulk.result(PATIENCE) == {"a": "bulk"}
        assert joins.result(PATIENCE) == "bulk"
        assert loads.result(PATIENCE) == "its own", "what the bulk load did not bring, its own loader does"


def test_two_bulk_loads_that_need_each_other(cache: InMemoryCache) -> None:
    both = threading.Barrier(2)

    def load(keys: list[str]) -> dict[str, str]:
        both.wait(PATIENCE)
        return shout(keys)

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(cache.get_many_or_set, ["a", "b"], load)
        while len(cache.engine.core.flights) < 2:
            pass
        second = pool.submit(cache.get_many_or_set, ["c", "a", "b"], load)
        assert first.result(PATIENCE) == {"a": "A", "b": "B"}
        assert second.result(PATIENCE) == {"c": "C", "a": "A", "b": "B"}


def test_what_is_stale_is_served_and_refreshed_by_one_call(cache: InMemoryCache, clock: FakeClock) -> None:
    asked: list[list[str]] = []

    def load(keys: list[str]) -> dict[str, int]:
        asked.append(keys)
        return dict.fromkeys(keys, len(asked))

    options: Any = {"ttl": 10, "stale_ttl": 100}
    assert cache.get_many_or_set(["a", "b"], load, **options) == {"a": 1, "b": 1}
    clock.advance(20)
    assert cache.get_many_or_set(["a", "b"], load, **options) == {"a": 1, "b": 1}
    assert cache.drain(PATIENCE)
    assert asked == [["a", "b"], ["a", "b"]]
    assert cache.get_many(["a", "b"]) == {"a": 2, "b": 2}
    assert cache.stats.stale_hits == 2


def test_a_refresh_in_the_background_is_joined_not_repeated(cache: InMemoryCache, clock: FakeClock) -> None:
    began, may_end = threading.Event(), threading.Event()
    options: Any = {"ttl": 10, "stale_ttl": 100}

    def refresh() -> str:
        began.set()
        assert may_end.wait(PATIENCE)
        return "new"

    cache.get_or_set("a", lambda: "old", **options)
    clock.advance(20)
    assert cache.get_or_set("a", refresh, **options) == "old"
    assert began.wait(PATIENCE)
    with ThreadPoolExecutor(1) as pool:
        fresh = pool.submit(cache.get_many_or_set, ["a", "b"], shout)
        while cache.stats.coalesced < 1:
            pass
        may_end.set()
        assert fresh.result(PATIENCE) == {"a": "new", "b": "B"}


def test_one_who_fails_may_be_helped_out_with_stale_values(cache: InMemoryCache, clock: FakeClock) -> None:
    options: Any = {"ttl": 10, "stale_ttl": 100, "soft_timeout": PATIENCE}
    cache.get_many_or_set(["a", "b"], shout, **options)
    clock.advance(20)

    def fail(_: list[str]) -> dict[str, str]:
        raise OSError("down")

    assert cache.get_many_or_set(["a", "b"], fail, **options) == {"a": "A", "b": "B"}
    with pytest.raises(OSError, match="down"):
        cache.get_many_or_set(["a", "b", "c"], fail, **options)


def test_a_bulk_load_that_takes_too_long(cache: InMemoryCache) -> None:
    may_end = threading.Event()

    def hang(keys: list[str]) -> dict[str, str]:
        assert may_end.wait(PATIENCE)
        return shout(keys)

    with pytest.raises(CacheTimeoutError):
        cache.get_many_or_set([str(number) for number in range(100)], hang, hard_timeout=0.01)
    assert cache.get_many_or_set(["1", "2"], shout) == {"1": "1", "2": "2"}
    may_end.set()


def test_a_round_that_fails_before_it_loads_leaves_no_flight(cache: InMemoryCache) -> None:
    with pytest.raises(CacheRecursionError):
        cache.get_or_set("z", lambda: cache.get_many_or_set(["a", "b", "z"], shout))
    chaos = ChaosCache(cache, read_entry=[None, None, Fail(OSError("gone"))])
    with pytest.raises(OSError, match="gone"):
        chaos.get_many_or_set(["a", "b", "c"], shout)
    assert cache.get_many_or_set(["a", "b", "c"], shout) == {"a": "A", "b": "B", "c": "C"}


def test_who_cancels_a_bulk_load_cancels_it_only_when_nobody_else_wants_it() -> None:
    async def main() -> None:
        cache = aio.InMemoryCache()
        may_end = asyncio.Event()
        ended: list[str] = []

        async def load(keys: list[str]) -> dict[str, str]:
            try:
                await may_end.wait()
            except asyncio.CancelledError:
                ended.append("cancelled")
                raise
            ended.append("loaded")
            return shout(keys)

        async def never() -> str:
            raise AssertionError

        bulk = asyncio.create_task(cache.get_many_or_set(["a", "b"], load))
        await asyncio.sleep(0)
        single = asyncio.create_task(cache.get_or_set("a", never))
        await asyncio.sleep(0)
        bulk.cancel()
        await asyncio.sleep(0)
        may_end.set()
        assert await single == "A"
        assert ended == ["loaded"]
        check_invariants(cache)

    asyncio.run(main())


def test_who_cancels_a_bulk_load_alone_cancels_it() -> None:
    async def main() -> None:
        cache = aio.InMemoryCache()
        was_cancelled = asyncio.Event()

        async def hang(_: list[str]) -> dict[str, str]:
            try:
                await asyncio.Event().wait()
            finally:
                was_cancelled.set()
            return {}

        bulk = asyncio.create_task(cache.get_many_or_set(["c", "d"], hang))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        bulk.cancel()
        await asyncio.gather(bulk, return_exceptions=True)
        await asyncio.wait_for(was_cancelled.wait(), PATIENCE)
        await asyncio.sleep(0)
        check_invariants(cache)

    asyncio.run(main())


def test_not_modified_does_not_bring_back_what_was_deleted_meanwhile(cache: InMemoryCache, clock: FakeClock) -> None:
    def load(context: LoadContext) -> object:
        return context.not_modified() if context.stale else "first"

    options: Any = {"ttl": 10, "stale_ttl": 100, "soft_timeout": PATIENCE}
    cache.get_or_set("a", load, **options)
    clock.advance(20)
    chaos = ChaosCache(cache, open_token=[Deleting(cache)])
    assert chaos.get_or_set("a", load, **options) == "first"
    assert cache.stats.load_success == 2, "there was nothing left to keep: it was loaded"


class Deleting:
    """What happens at the worst moment: after the first look, before the load has begun."""

    def __init__(self, cache: InMemoryCache) -> None:
        self.cache = cache

    def befall(self, sleep: object) -> None:
        del sleep
        self.cache.delete("a")


def test_timed_loads_within_timed_loads_do_not_starve(cache: InMemoryCache) -> None:
    def nested(key: str) -> str:
        return str(cache.get_or_set(f"inner {key}", lambda: "inner", hard_timeout=PATIENCE, stale_ttl=1))

    with ThreadPoolExecutor(20) as pool:
        loads = [
            pool.submit(cache.get_or_set, str(key), lambda key=key: nested(str(key)), hard_timeout=PATIENCE)
            for key in range(20)
        ]
        assert [load.result(PATIENCE) for load in loads] == ["inner"] * 20
