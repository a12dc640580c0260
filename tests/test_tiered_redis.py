"""``TieredCache`` over Redis: memory that stays coherent with a server, whatever becomes of the way to it."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from time import monotonic
from typing import Any

import pytest
from tests.backends.redis.ground import BUDGET, noted, raw, redis_cache
from tests.servers.redis_servers import HOST, RedisServer, facts, flush, wait_until

from cachery import CacheClosedError, CacheValueError, InMemoryCache, RedisCache, TieredCache, aio
from cachery.events import TierDown, TierUp
from cachery.testing import FakeClock, TcpProxy


@pytest.fixture(scope="module")
def server_of_these_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with RedisServer(tmp_path_factory.mktemp("redis-of-tiers")) as server:
        yield server


@pytest.fixture
def own_redis(server_of_these_tests: RedisServer) -> RedisServer:
    """Return a server that nobody else uses meanwhile, emptied."""
    flush(server_of_these_tests.port)
    return server_of_these_tests


BUSES = ["tracking", "pubsub"]
BIG = "x" * 20_000


@contextmanager
def tiers(port: int, **options: Any) -> Iterator[Any]:
    """Make a cache of two tiers; what is not for the upper ones is for the server's."""
    near = InMemoryCache(copy=options.pop("copy", "never"), clock=options.get("clock"))
    upper = {name: options.pop(name) for name in ("bus", "max_stale_when_blind") if name in options}
    with TieredCache(near, redis_cache(port, **options), **upper) as cache:
        yield cache


def heard(cache: Any) -> None:
    """Wait until ``cache`` hears what others do."""
    cache.get("nothing")
    wait_until(lambda: cache.tier.channel.is_up)


def _has(cache: Any, value: object) -> bool:
    return bool(cache.get("a") == value)


def asked(server: RedisServer, name: str = "evalsha") -> int:
    """Return how many commands of that name the server has carried out."""
    told = facts(server.port, "commandstats").get(f"cmdstat_{name}", "calls=0,")
    return int(told.partition("calls=")[2].partition(",")[0])


def sent(server: RedisServer) -> int:
    """Return how many bytes the server has sent to all."""
    return int(facts(server.port, "stats")["total_net_output_bytes"])


@pytest.mark.parametrize("bus", BUSES)
@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda other: other.set("a", 2), 2),
        (lambda other: other.delete("a"), None),
        (lambda other: other.incr("a"), 2),
        (lambda other: other.set_many({"a": 3}), 3),
        (lambda other: other.delete_pattern("a"), None),
        (lambda other: other.invalidate_tags("red"), None),
        (lambda other: other.clear(), None),
        (lambda other: other.get_or_set("b", lambda: 1), 1),
    ],
)
def test_what_another_node_does_is_seen(
    own_redis: RedisServer, bus: str, change: Callable[[Any], object], expected: Any
) -> None:
    with tiers(own_redis.port, bus=bus) as cache, tiers(own_redis.port, bus=bus) as other:
        heard(cache)
        cache.set("a", 1, tags=["red"])
        assert cache.get("a") == cache.get("a") == 1
        change(other)
        assert other.get("a") == expected, "who does it sees it at once"
        wait_until(lambda: cache.get("a") == expected, timeout=2)


def test_one_that_writes_past_all_caches_is_heard_by_tracking(own_redis: RedisServer) -> None:
    with tiers(own_redis.port) as cache, raw(own_redis.port) as client:
        heard(cache)
        cache.set("a", 1)
        assert cache.get("a") == 1
        client.delete("t:0::a")
        wait_until(lambda: cache.get("a") is None, timeout=2)


def test_a_hit_in_memory_asks_nobody(own_redis: RedisServer) -> None:
    with tiers(own_redis.port, bus="pubsub") as cache:
        heard(cache)
        cache.set("a", BIG)
        assert cache.get("a") == BIG
        before = asked(own_redis)
        assert all(cache.get("a") == BIG for _ in range(100))
        assert cache.get_or_set("a", lambda: 1) == BIG
        assert cache.get_many(["a"]) == {"a": BIG}
        assert asked(own_redis) == before


@pytest.mark.parametrize("bus", BUSES)
def test_an_interrupted_channel_heals_and_what_was_missed_is_seen(own_redis: RedisServer, bus: str) -> None:
    """Only the socket on which changes are heard is cut: no message comes, yet copies become good again or go."""
    word = b"TRACKING" if bus == "tracking" else b"SUBSCRIBE"
    with (
        TcpProxy(HOST, own_redis.port) as proxy,
        redis_cache(own_redis.port) as other,
        tiers(proxy.port, bus=bus, max_stale_when_blind=1) as cache,
    ):
        heard(cache)
        for number in range(3):
            cache.set("a", number)
            assert cache.get("a") == number
            proxy.find(word).cut()
            other.set("a", f"{number}, changed")
            wait_until(partial(_has, cache, f"{number}, changed"), timeout=3)
        heard(cache)


def test_a_connection_that_the_server_ends_is_opened_again(own_redis: RedisServer) -> None:
    with tiers(own_redis.port) as cache, raw(own_redis.port) as client, redis_cache(own_redis.port) as other:
        heard(cache)
        cache.set("a", 1)
        cache.get("a")
        news: list[Any] = noted(cache, TierDown, TierUp)
        (tracking,) = [one for one in client.client_list() if "t" in one["flags"]]
        client.client_kill(tracking["addr"])
        other.set("a", 2)
        wait_until(lambda: cache.get("a") == 2, timeout=3)
        wait_until(lambda: len(news) == 2)
        assert [type(one) for one in news] == [TierDown, TierUp]
        assert news[0].tier == news[1].tier == f"changes on {HOST}:{own_redis.port}"
        assert not cache.degraded


def test_behind_a_channel_that_says_nothing_copies_are_compared(own_redis: RedisServer) -> None:
    """Black-holed: no end of the connection is seen. After the bound the server is asked, and sends no value again."""
    with (
        TcpProxy(HOST, own_redis.port) as proxy,
        redis_cache(own_redis.port) as other,
        tiers(proxy.port, max_stale_when_blind=1) as cache,
    ):
        heard(cache)
        cache.set("a", BIG)
        cache.set("b", BIG)
        cache.get_many(["a", "b"])
        news: list[Any] = noted(cache, TierDown, TierUp)
        began = monotonic()
        proxy.find(b"TRACKING").black_hole()
        other.set("a", "changed")
        wait_until(lambda: cache.get("a") == "changed", timeout=5)
        assert monotonic() - began < 3
        wait_until(lambda: len(news) == 2)
        before = sent(own_redis)
        assert cache.get("b") == BIG
        assert sent(own_redis) - before < len(BIG) / 2
        assert [type(one) for one in news] == [TierDown, TierUp]


def test_a_copy_is_compared_after_a_gap_by_its_version(own_redis: RedisServer) -> None:
    clock = FakeClock()
    with tiers(own_redis.port, clock=clock, max_stale_when_blind=0) as cache:
        cache.set("a", BIG)
        assert cache.get("a") == BIG
        for _ in range(3):
            cache.tier.copies.marks.move_all()
            before, questions = sent(own_redis), asked(own_redis)
            assert cache.get("a") == BIG
            assert asked(own_redis) == questions + 1
            assert sent(own_redis) - before < len(BIG) / 2


@pytest.mark.parametrize("how", ["FLUSHALL", "FLUSHDB"])
def test_the_end_of_everything_is_heard(own_redis: RedisServer, how: str) -> None:
    with tiers(own_redis.port) as cache:
        heard(cache)
        cache.set("a", 1)
        assert cache.get("a") == 1
        own_redis.ask(how)
        wait_until(lambda: cache.get("a") is None, timeout=2)


def test_what_ends_on_the_server_ends_in_memory_though_nobody_says_so(own_redis: RedisServer) -> None:
    with TcpProxy(HOST, own_redis.port) as proxy, tiers(proxy.port, max_stale_when_blind=1) as cache:
        heard(cache)
        cache.set("a", 1, ttl=0.3)
        assert cache.get("a") == 1
        proxy.black_hole()
        wait_until(lambda: cache.tier.copies.look("a") != 1, timeout=2)


def test_an_echo_of_ones_own_makes_no_copy_suspect(own_redis: RedisServer) -> None:
    """Over the published bus the sender is known: own and foreign writes come between one another."""
    with tiers(own_redis.port, bus="pubsub") as cache, tiers(own_redis.port, bus="pubsub") as other:
        heard(cache)
        heard(other)
        cache.set("a", BIG)
        assert cache.get("a") == BIG
        other.set("b", 1)
        number = cache.tier.copies.marks.last_number()
        cache.set("c", 1)
        other.set("d", 1)
        wait_until(lambda: cache.tier.copies.marks.last_number() >= number + 2)
        before = asked(own_redis)
        assert cache.get("a") == BIG
        assert asked(own_redis) == before


@pytest.mark.parametrize(
    "junk", [b"", b"x", b"x" * 12, b"x" * 12 + b"\xff" * 9, b"x" * 12 + b"\0\0\0\1a", b"x" * 12 + b"*"]
)
def test_junk_on_the_channel_harms_nobody(own_redis: RedisServer, junk: bytes) -> None:
    with tiers(own_redis.port, bus="pubsub") as cache, raw(own_redis.port) as client:
        heard(cache)
        cache.set("a", 1)
        assert client.publish("t:0::changes", junk) == 1
        assert cache.get("a") == 1
        with tiers(own_redis.port, bus="pubsub") as other:
            other.set("a", 2)
            wait_until(lambda: cache.get("a") == 2, timeout=2)
        assert cache.tier.channel.is_up


@pytest.mark.parametrize("junk", [b"", b"x"])
def test_junk_in_the_place_of_a_probe_harms_nobody(own_redis: RedisServer, junk: bytes) -> None:
    with tiers(own_redis.port, bus="pubsub") as cache, raw(own_redis.port) as client:
        heard(cache)
        (own,) = [name for name in client.pubsub_channels() if b"probe:" in name]
        client.publish(own, junk)
        client.set(b"~t:0::", b"")
        cache.set("a", 1)
        with tiers(own_redis.port, bus="pubsub") as other:
            other.set("a", 2)
        wait_until(lambda: cache.get("a") == 2, timeout=3)
        heard(cache)


def test_copies_are_copies_where_that_is_asked_for(own_redis: RedisServer) -> None:
    with tiers(own_redis.port, copy="deep") as cache:
        heard(cache)
        cache.set("a", {"list": [1]})
        for _ in range(3):
            value = cache.get("a")
            value["list"].append(2)
            cache.tier.copies.marks.move_all()
            value = cache.get("a")
            value["list"].append(3)
            cache.get_or_set("a", dict[str, Any])["list"].append(4)
            cache.get_many(["a"])["a"]["list"].append(5)
        assert cache.get("a") == {"list": [1]}


def test_both_doors_share_the_copies(own_redis: RedisServer) -> None:
    async def main() -> None:
        far = aio.RedisCache(HOST, own_redis.port, connect_timeout=BUDGET, timeout=BUDGET)
        async with aio.TieredCache(aio.InMemoryCache(), far, bus="pubsub") as cache:
            await cache.get("a")
            wait_until(lambda: cache.blocking.tier.channel.is_up)
            cache.blocking.set("a", BIG)
            assert await cache.get("a") == BIG
            before = asked(own_redis)
            assert cache.blocking.get("a") == await cache.get("a") == BIG
            assert asked(own_redis) == before
            await cache.set("a", 2)
            assert cache.blocking.get("a") == 2
            assert cache.stats.hits == cache.blocking.stats.hits == 4

    asyncio.run(main())


def test_a_cache_that_is_dropped_ends_its_thread(own_redis: RedisServer) -> None:
    before = set(threading.enumerate())
    cache = TieredCache(InMemoryCache(), redis_cache(own_redis.port))
    heard(cache)
    (hearing,) = [one for one in set(threading.enumerate()) - before if one.name == "cachery-changes"]
    gone = weakref.ref(cache)
    del cache
    gc.collect()
    assert gone() is None
    hearing.join(5)
    assert not hearing.is_alive()


def test_a_forked_child_hears_for_itself(own_redis: RedisServer) -> None:
    with tiers(own_redis.port) as cache, redis_cache(own_redis.port) as other:
        heard(cache)
        cache.set("a", 1)
        assert cache.get("a") == 1
        child = os.fork()
        if child == 0:
            status = 1
            try:
                heard(cache)
                other.set("a", "child")
                wait_until(lambda: cache.get("a") == "child", timeout=3)
                cache.close()
                status = 0
            finally:
                os._exit(status)
        assert os.waitpid(child, 0)[1] == 0
        wait_until(lambda: cache.get("a") == "child", timeout=3)
        assert cache.tier.channel.is_up, "the child has not closed what the parent hears on"
        other.set("a", "parent")
        wait_until(lambda: cache.get("a") == "parent", timeout=2)


def test_it_is_closed_with_its_tiers_and_again(own_redis: RedisServer) -> None:
    near, far = InMemoryCache(), redis_cache(own_redis.port)
    cache = TieredCache(near, far)
    heard(cache)
    cache.close()
    cache.close()
    for one in (cache, near, far):
        with pytest.raises(CacheClosedError):
            one.get("a")
    wait_until(lambda: _clients(own_redis) == 1)


def _clients(server: RedisServer) -> int:
    return int(facts(server.port, "clients")["connected_clients"])


def test_each_tier_has_numbers_of_its_own(own_redis: RedisServer) -> None:
    with tiers(own_redis.port) as cache:
        heard(cache)
        cache.stats.reset()
        cache.set("a", 1)
        assert [cache.get("a") for _ in range(3)] == [1, 1, 1]
        cache.get("b")
        near, far = (tier.stats for tier in cache.tiers)
        assert (cache.stats.hits, cache.stats.misses, cache.stats.writes) == (3, 1, 1)
        assert near.hits >= 2
        assert far.writes == 1
        assert len(cache) == 1


def test_more_open_files_than_a_thousand_are_no_hindrance(own_redis: RedisServer) -> None:
    """A service with many connections has descriptors with high numbers."""
    held = [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]
    try:
        with tiers(own_redis.port, max_stale_when_blind=0) as cache, redis_cache(own_redis.port) as other:
            heard(cache)
            cache.set("a", 1)
            assert cache.get("a") == 1
            other.set("a", 2)
            wait_until(lambda: cache.get("a") == 2, timeout=2)
            assert not cache.degraded
    finally:
        for descriptor in held:
            os.close(descriptor)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"bus": "radio"}, "bus is"),
        ({"max_stale_when_blind": -1}, "0 to an hour"),
        ({"max_stale_when_blind": "2h"}, "hour"),
    ],
)
def test_what_makes_no_sense_is_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(CacheValueError, match=words):
        TieredCache(InMemoryCache(), RedisCache(), **options)
