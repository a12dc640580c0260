"""A process is cut off from Redis, changes something, and returns: what the others, and itself, see then."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from secrets import token_hex
from time import monotonic
from typing import Any

import pytest
from tests.servers.redis_servers import HOST, wait_until

from cachery import InMemoryCache, RedisCache, TieredCache, aio
from cachery.breaker import CircuitBreaker
from cachery.testing import FakeClock, TcpProxy

pytest.importorskip("redis")

Make = Callable[..., TieredCache]


@pytest.fixture
def proxy(redis_port: int) -> Iterator[TcpProxy]:
    with TcpProxy(HOST, redis_port) as proxy:
        yield proxy


@pytest.fixture
def make(proxy: TcpProxy) -> Iterator[Make]:
    """Return a function that makes a cache behind ``proxy``, all of them over the same entries."""
    prefix = f"r-{token_hex(4)}"
    with ExitStack() as open_caches:

        def build(**options: Any) -> TieredCache:
            options = {"port": proxy.port, "prefix": prefix, "timeout": 0.15, "connect_timeout": 0.15, **options}
            return open_caches.enter_context(TieredCache(InMemoryCache(), RedisCache(**options)))

        yield build


@pytest.fixture
def away(make: Make) -> TieredCache:
    """Return a cache that is cut off at times; it goes on asking whatever fails."""
    return make(breaker=CircuitBreaker(1000))


@pytest.fixture
def present(make: Make, redis_port: int) -> TieredCache:
    """Return a cache that is never cut off."""
    return make(port=redis_port)


@contextmanager
def cut_off(proxy: TcpProxy) -> Iterator[None]:
    proxy.black_hole()
    proxy.cut()
    yield
    proxy.heal()
    proxy.cut()


def has_to_tell(cache: Any) -> bool:
    return bool(cache.tier.shelter.refuge.is_dirty)


def wait_until_told(cache: TieredCache) -> None:
    wait_until(lambda: not has_to_tell(cache), what="the server to be told")


@contextmanager
def loading(cache: TieredCache, value: str) -> Iterator[tuple[threading.Event, Future[Any]]]:
    """Have a load under way that brings ``value`` when the event is set; give what comes of it too."""
    has_begun, may_end = threading.Event(), threading.Event()

    def load() -> str:
        has_begun.set()
        may_end.wait(10)
        return value

    with ThreadPoolExecutor() as threads:
        future = threads.submit(cache.get_or_set, "key", load)
        assert has_begun.wait(10)
        try:
            yield may_end, future
        finally:
            may_end.set()


@pytest.mark.parametrize("is_stored_first", [True, False])
def test_a_removal_undoes_a_load_that_began_before_it_whenever_that_ends(
    proxy: TcpProxy, away: TieredCache, present: TieredCache, *, is_stored_first: bool
) -> None:
    with loading(present, "old") as (may_end, future):
        with cut_off(proxy):
            away.delete("key")
            if is_stored_first:
                may_end.set()
                assert future.result(10) == "old"
        wait_until_told(away)
        may_end.set()
        assert future.result(10) == "old"
    assert away.get("key") is None
    assert present.get("key") is None


def test_of_two_writes_the_newest_stands_whoever_tells_first(
    proxy: TcpProxy, away: TieredCache, make: Make, redis_port: int
) -> None:
    with TcpProxy(HOST, redis_port) as other_proxy:
        other = make(port=other_proxy.port, breaker=CircuitBreaker(1000))
        with cut_off(other_proxy):
            with cut_off(proxy):
                away.set("key", "older")
                other.set("key", "newer")
            wait_until_told(away)
        wait_until_told(other)
        wait_until(lambda: away.get("key") == other.get("key") == "newer")


def test_ones_own_write_that_reaches_the_server_late_does_not_undo_a_removal(
    proxy: TcpProxy, make: Make, present: TieredCache
) -> None:
    late = make(breaker=CircuitBreaker(1, recovery_time=0.5))
    late.get("key")
    proxy.delay(0.4)
    late.set("key", "old")  # gives up, but it is on its way
    late.delete("key")  # is not even sent
    proxy.heal()
    wait_until(lambda: present.get("key") == "old" or not has_to_tell(late))
    wait_until_told(late)
    assert late.get("key") is None
    wait_until(lambda: present.get("key") is None)


def test_an_invalidation_that_could_not_be_told_holds_for_who_made_it(
    proxy: TcpProxy, away: TieredCache, present: TieredCache
) -> None:
    present.set("key", "old", tags=["tag"])
    assert away.get("key") == "old"
    with cut_off(proxy):
        away.invalidate_tags("tag")
    while has_to_tell(away):
        assert away.get("key") is None
    assert away.get("key") is None


def test_what_was_loaded_while_the_server_was_away_does_not_outlive_a_write(proxy: TcpProxy, away: TieredCache) -> None:
    with cut_off(proxy):
        assert away.get_or_set("key", lambda: "old") == "old"
    away.set("key", "new")
    with cut_off(proxy):
        assert away.get("key") != "old"


def test_what_is_loaded_while_the_server_is_away_is_served_no_longer_than_the_bound(
    proxy: TcpProxy, make: Make
) -> None:
    clock = FakeClock()
    cache = make(clock=clock)
    numbers = iter(range(9))
    with cut_off(proxy):
        assert [cache.get_or_set("key", lambda: next(numbers)) for _ in range(3)] == [0, 0, 0]
        clock.advance(2.1)
        assert cache.get("key") is None
        assert cache.get_or_set("key", lambda: next(numbers)) == 1


def test_a_load_is_stored_though_an_unrelated_tag_was_invalidated_meanwhile(
    away: TieredCache, present: TieredCache
) -> None:
    calls = []
    has_begun, may_end = threading.Event(), threading.Event()

    def load() -> str:
        calls.append(1)
        has_begun.set()
        may_end.wait(10)
        return "value"

    with ThreadPoolExecutor() as threads:
        first = threads.submit(away.get_or_set, "key", load, tags=["own"])
        assert has_begun.wait(10)
        present.invalidate_tags("unrelated")
        second = threads.submit(away.get_or_set, "key", load, tags=["own"])
        wait_until(lambda: away.stats.misses >= 2)
        may_end.set()
        assert (first.result(10), second.result(10)) == ("value", "value")
    assert len(calls) == 1
    assert present.get("key") == "value"


def test_a_load_whose_caller_goes_while_its_lease_is_on_its_way_keeps_nobody_waiting(
    proxy: TcpProxy, redis_prefix: str
) -> None:
    async def main() -> float:
        async with aio.RedisCache(port=proxy.port, prefix="c-" + token_hex(4), name=redis_prefix) as cache:

            async def load() -> str:
                return "value"

            await cache.get_or_set("other", load)
            proxy.delay(0.05)
            for after in (0.02, 0.12, 0.22, 0.32):
                caller = asyncio.create_task(cache.get_or_set("key", load))
                await asyncio.wait([caller], timeout=after)
                caller.cancel()
                await asyncio.wait([caller])
                await cache.delete("key")
            began = monotonic()
            assert await cache.get_or_set("key", load) == "value"
            return monotonic() - began

    assert asyncio.run(main()) < 3
