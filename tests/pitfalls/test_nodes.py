"""Rules bought with other libraries' bugs, the part on nodes. Each test bears the rule as its docstring.

Elsewhere: what histories of many nodes show, and what killed holders of leases leave (``tests/distributed``).
"""

from __future__ import annotations

from functools import partial
from time import monotonic
from typing import Any

import pytest
from tests.backends.redis.ground import BUDGET, names_at, noted, raw, redis_cache
from tests.servers.redis_servers import HOST, RedisServer, wait_until

from cachery import CacheConnectionError, CacheTimeoutError, CircuitBreaker, InMemoryCache, RedisCache, TieredCache
from cachery.backends.redis.names import Names
from cachery.backends.redis.near.bus import Publishing, Tracking
from cachery.backends.redis.records import ENVELOPE_AT
from cachery.events import TierDown, TierUp, Unreadable
from cachery.testing import TcpProxy


def _has(cache: Any, value: object) -> bool:
    return bool(cache.get("a") == value)


def heard(cache: Any) -> None:
    cache.get("nothing")
    wait_until(lambda: cache.tier.channel.is_up)


@pytest.mark.parametrize("bus", ["tracking", "pubsub"])
def test_a_dead_invalidation_channel_is_noticed(own_redis: RedisServer, bus: Any) -> None:
    """A dead channel is noticed: one's own probe must come back; while blind, L1 serves for the bound at most.

    The connection stays open and carries nothing, so nothing but the heartbeat can tell.
    """
    with (
        TcpProxy(HOST, own_redis.port) as proxy,
        TieredCache(InMemoryCache(), redis_cache(proxy.port), bus=bus, max_stale_when_blind=1) as cache,
        redis_cache(own_redis.port) as other,
    ):
        heard(cache)
        news = noted(cache, TierDown, TierUp)
        cache.set("a", "old")
        assert cache.get("a") == "old"
        proxy.find(b"TRACKING" if bus == "tracking" else b"SUBSCRIBE").black_hole()
        other.set("a", "new")
        changed_at = monotonic()
        wait_until(lambda: cache.get("a") == "new", timeout=5)
        assert monotonic() - changed_at < 1 + 0.25 + 1, "the bound, a beat, and a slow machine"
        wait_until(lambda: len(news) == 2)
        assert [type(one) for one in news] == [TierDown, TierUp]


def test_tags_are_versions(own_redis: RedisServer) -> None:
    """Versions for tags, not sets of members: a sibling with a short life does not shorten the others' membership."""
    with redis_cache(own_redis.port) as cache, raw(own_redis.port) as client:
        cache.set("long", 1, ttl=500, tags=["red"])
        for number in range(50):
            cache.set(f"short:{number}", 1, ttl=0.02, tags=["red"])
        wait_until(lambda: client.get("t:0::short:49") is None)
        assert client.strlen("{t:0:}:tag:red") == 8, "as large as ever: nothing piles up"
        assert cache.get("long") == 1
        cache.invalidate_tags("red")
        assert cache.get("long") is None


def test_an_echo_of_ones_own_is_known_by_its_sender() -> None:
    """On a bus, own echo is recognised by sender id; the same words by another are heard, however soon they come."""
    names = Names("t", "")
    one, other = Publishing(names), Publishing(names)
    (command,) = one.announcement([names.entry(b"a")])
    push = [b"message", command[1], command[2]]
    for _ in range(3):
        assert one.heard(push).names == ()
        assert other.heard(push).names == [names.entry(b"a")]


def test_under_tracking_every_message_makes_suspect() -> None:
    """Under tracking, which names no sender, every message counts, until the version has been compared."""
    names = Names("t", "")
    tracking = Tracking(names)
    assert tracking.heard([b"invalidate", [names.entry(b"a")]]).names == [names.entry(b"a")]
    assert tracking.heard([b"invalidate", None]).names is None
    assert tracking.announcement([names.entry(b"a")]) == []


def test_own_and_foreign_writes_interleaved(own_redis: RedisServer) -> None:
    """A foreign write that follows one's own at once is seen, and is not taken for the echo."""
    for bus in ("tracking", "pubsub"):
        with (
            TieredCache(InMemoryCache(), redis_cache(own_redis.port), bus=bus) as one,
            TieredCache(InMemoryCache(), redis_cache(own_redis.port), bus=bus) as other,
        ):
            heard(one)
            heard(other)
            for number in range(30):
                one.set("a", f"one {number}")
                assert one.get("a") == f"one {number}"
                other.set("a", f"other {number}")
                wait_until(partial(_has, one, f"other {number}"), timeout=2)


@pytest.mark.parametrize("trouble", ["latency", "reset", "black hole", "refused"])
def test_a_slow_or_absent_server_costs_a_bounded_time(own_redis: RedisServer, trouble: str) -> None:
    """L2 slow or gone: a time budget, a breaker with half-open, loads go on, writes queue (newest wins)."""
    fallback = InMemoryCache()
    with (
        TcpProxy(HOST, own_redis.port) as proxy,
        redis_cache(proxy.port, breaker=CircuitBreaker(1, 0.1), fallback=fallback) as cache,
        redis_cache(own_redis.port) as other,
    ):
        cache.set("a", "before")
        began = monotonic()
        if trouble == "latency":
            proxy.delay(10 * BUDGET)
        elif trouble == "reset":
            proxy.refuse()
            proxy.reset()
        elif trouble == "refused":
            proxy.refuse()
            proxy.cut()
        else:
            proxy.black_hole()
        for number in range(20):
            cache.set("a", number)
            assert cache.get("a") == number
            assert cache.get_or_set(f"b:{number}", lambda number=number: number) == number
        assert cache.degraded
        assert monotonic() - began < 4 * BUDGET + 1
        proxy.heal()
        proxy.cut()
        wait_until(lambda: other.get("a") == 19)
        wait_until(lambda: not cache.degraded)


def test_a_server_in_trouble_is_left_alone(own_redis: RedisServer) -> None:
    """L2 gone: a breaker with half-open. Who asks meanwhile waits for nothing."""
    with TcpProxy(HOST, own_redis.port) as proxy:
        proxy.black_hole()
        with redis_cache(proxy.port, breaker=CircuitBreaker(1, 30)) as cache:
            with pytest.raises(CacheTimeoutError):
                cache.get("a")
            began, connections = monotonic(), proxy.accepted
            for _ in range(100):
                with pytest.raises(CacheConnectionError, match="left alone"):
                    cache.get("a")
            assert monotonic() - began < BUDGET
            assert proxy.accepted == connections


def test_the_server_first_then_the_bus(own_redis: RedisServer) -> None:
    """Order: L2 first, then the bus: who hears of a change finds it there."""
    with (
        TieredCache(InMemoryCache(), redis_cache(own_redis.port), bus="pubsub") as one,
        raw(own_redis.port) as client,
        client.pubsub() as hearing,
    ):
        hearing.subscribe("t:0::changes")
        assert hearing.get_message(timeout=5)["type"] == "subscribe"
        for number in range(20):
            one.set("a", number)
            assert hearing.get_message(timeout=5)["type"] == "message"
            with redis_cache(own_redis.port) as other:
                assert other.get("a") == number


def test_what_the_server_and_the_bus_missed_is_in_the_queue(own_redis: RedisServer) -> None:
    """Order: both in the recovery queue: what is written while the server is away is told to it and to the others."""
    with (
        TcpProxy(HOST, own_redis.port) as proxy,
        TieredCache(InMemoryCache(), redis_cache(proxy.port, breaker=CircuitBreaker(1, 0.1)), bus="pubsub") as one,
        TieredCache(InMemoryCache(), redis_cache(own_redis.port), bus="pubsub") as other,
    ):
        heard(one)
        heard(other)
        one.set_many({"a": "old", "b": "old"})
        wait_until(lambda: other.get_many(["a", "b"]) == {"a": "old", "b": "old"})
        proxy.refuse()
        proxy.cut()
        one.set("a", "new")
        one.delete("b")
        assert one.get_many(["a", "b"]) == {"a": "new"}
        proxy.heal()
        wait_until(lambda: other.get_many(["a", "b"]) == {"a": "new"}, timeout=5)


def test_clearing_touches_its_own_prefix_only(redis_cluster_ports: tuple[int, ...], redis_prefix: str) -> None:
    """No KEYS, no FLUSHDB, no cross-slot command; clear touches only its own prefix: a cluster, foreign keys beside.

    Which commands are asked for: ``tests/backends/redis/test_commands.py``.
    """
    port = redis_cluster_ports[0]
    with (
        RedisCache(HOST, port, cluster=True, name=redis_prefix) as cache,
        RedisCache(HOST, port, cluster=True, name=redis_prefix + "x") as neighbour,
        RedisCache(HOST, port, cluster=True, name=redis_prefix, prefix="cachery:x") as elsewhere,
    ):
        for one in (cache, neighbour, elsewhere):
            one.set_many({f"key:{number}": number for number in range(100)})
        cache.clear()
        cache.drain()
        assert len(cache) == 0
        assert len(neighbour) == len(elsewhere) == 100
        assert elsewhere.delete_pattern("*") == 100
        assert len(neighbour) == 100
        neighbour.clear()
        neighbour.drain()
        left = {name for node in redis_cluster_ports for name in names_at(node) if redis_prefix.encode() in name}
        assert all(name.startswith(b"{") for name in left), "what was cleared is reclaimed"


def test_an_unknown_version_is_a_miss(own_redis: RedisServer) -> None:
    """The wire format is versioned; unknown means miss, never an error: an old and a new process on one server."""
    with redis_cache(own_redis.port) as cache, raw(own_redis.port) as client:
        cache.set("a", "of a later version", tags=["red"])
        record = client.get("t:0::a")
        at = ENVELOPE_AT + 2
        client.set("t:0::a", record[:at] + bytes([record[at] + 1]) + record[at + 1 :], px=50_000)
        seen = noted(cache, Unreadable)
        assert cache.get("a") is None
        assert [event.reason for event in seen] == ["format"]
        assert cache.get_many(["a"]) == {}
        assert cache.get_or_set("a", lambda: "of this one") == "of this one"
        assert cache.get("a") == "of this one"
