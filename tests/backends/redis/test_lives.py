"""How long things stand on the server: as long as they are of use, and not without an end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import redis
from tests.backends.redis.ground import HeldLoad, raw, redis_cache
from tests.servers.redis_servers import RedisServer, wait_until

from cachery import FOREVER, InMemoryCache, RedisCache, TieredCache

STATE = b"{t:0:}:state"
RED = b"{t:0:}:tag:red"
CENTURY = 100 * 365.25 * 86400
HOUR = 3600


@pytest.fixture
def client(own_redis: RedisServer) -> Iterator[redis.Redis]:
    with raw(own_redis.port) as client:
        yield client


@pytest.fixture
def cache(own_redis: RedisServer) -> Iterator[RedisCache]:
    with redis_cache(own_redis.port) as cache:
        yield cache


def left(client: Any, name: bytes | str) -> float:
    """Return the seconds that the server keeps ``name``; fail where it is absent or has no end."""
    milliseconds: int = client.pttl(name)
    assert milliseconds > 0, (name, milliseconds)
    return milliseconds / 1000


def about(seconds: float) -> Any:
    return pytest.approx(seconds, abs=2)


def test_an_entry_stays_as_long_as_it_lives(cache: RedisCache, client: redis.Redis) -> None:
    cache.set("a", 1, ttl=50)
    cache.set("forever", 1)
    cache.set("century", 1, ttl=10**12)
    cache.set("inf", 1, ttl=FOREVER)
    cache.set_many({"b": 1, "c": 2}, ttl="2m")
    cache.add("d", 1, ttl=timedelta(seconds=70))
    cache.incr("n", ttl=80)
    assert left(client, "t:0::a") == about(50)
    assert left(client, "t:0::b") == about(120)
    assert left(client, "t:0::c") == about(120)
    assert left(client, "t:0::d") == about(70)
    assert left(client, "t:0::n") == about(80)
    for key in ("forever", "century", "inf"):
        assert left(client, f"t:0::{key}") == about(CENTURY)
    assert cache.ttl("forever") == cache.ttl("inf") == FOREVER
    assert cache.ttl("century") == about(CENTURY)


def test_a_fraction_of_a_second_is_kept(cache: RedisCache, client: redis.Redis) -> None:
    cache.set("a", 1, ttl=0.25)
    assert 0.1 < left(client, "t:0::a") <= 0.25
    wait_until(lambda: cache.get("a") is None)


def test_counting_keeps_the_life_and_touching_changes_it(cache: RedisCache, client: redis.Redis) -> None:
    cache.incr("n", ttl=80)
    cache.incr("n", 5, ttl=5000)
    assert left(client, "t:0::n") == about(80)
    cache.touch("n", 200)
    assert left(client, "t:0::n") == about(200)
    assert cache.ttl("n") == about(200)
    cache.touch("n")
    assert left(client, "t:0::n") == about(CENTURY)
    assert cache.ttl("n") == FOREVER
    cache.touch("n", "3s")
    assert left(client, "t:0::n") == about(3)
    assert cache.get("n") == 6


def test_the_default_holds_where_nothing_is_said(own_redis: RedisServer, client: redis.Redis) -> None:
    with redis_cache(own_redis.port, default_ttl="5m") as cache:
        cache.set("a", 1)
        cache.get_or_set("b", lambda: 1)
        cache.set("c", 1, ttl=FOREVER)
        assert left(client, "t:0::a") == about(300)
        assert left(client, "t:0::b") == about(300)
        assert left(client, "t:0::c") == about(CENTURY)


def test_a_stale_time_is_kept_too(cache: RedisCache, client: redis.Redis) -> None:
    cache.get_or_set("a", lambda: 1, ttl=50, stale_ttl="1h")
    assert left(client, "t:0::a") == about(HOUR + 50)
    assert cache.ttl("a") == about(50)
    cache.touch("a", 100)
    assert left(client, "t:0::a") == about(HOUR + 100)
    assert cache.ttl("a") == about(100)


def test_a_tag_is_known_as_long_as_somebody_carries_it(cache: RedisCache, client: redis.Redis) -> None:
    cache.set("a", 1, ttl=50, tags=["red"])
    assert left(client, RED) >= left(client, "t:0::a") - 0.1
    cache.set("b", 1, ttl=500, tags=["red"])
    cache.set("c", 1, ttl=5, tags=["red"])
    assert left(client, RED) == about(500)
    cache.touch("c", 5000)
    assert left(client, RED) == about(5000)
    cache.get_or_set("d", lambda: 1, ttl=HOUR, stale_ttl=HOUR, tags=["red"])
    assert left(client, RED) == about(2 * HOUR)
    cache.invalidate_tags("red")
    assert left(client, RED) == about(2 * HOUR)
    cache.set("e", 1, tags=["red"])
    assert left(client, RED) == about(CENTURY)


def test_siblings_of_a_tag_live_as_long_as_they_should(cache: RedisCache, client: redis.Redis) -> None:
    """That of one that is short does not shorten the number of those that are long."""
    cache.set("long", 1, ttl=500, tags=["red"])
    cache.set("short", 1, ttl=0.05, tags=["red"])
    wait_until(lambda: client.get("t:0::short") is None)
    assert cache.get("long") == 1
    cache.invalidate_tags("red")
    assert cache.get("long") is None


@pytest.mark.parametrize("is_tiered", [False, True])
def test_nothing_but_the_numbers_of_the_cache_is_without_an_end(own_redis: RedisServer, *, is_tiered: bool) -> None:
    far = redis_cache(own_redis.port)
    cache: Any = TieredCache(InMemoryCache(), far) if is_tiered else far
    cache.set("a", 1, tags=["red"])
    cache.set("x" * 300, 1)
    cache.get("a")
    held = HeldLoad(cache, 1, "held", tags=["blue"])
    cache.invalidate_tags("red", "green")
    cache.delete_pattern("b*")
    cache.clear()
    cache.set("c", 1)
    with raw(own_redis.port) as client:
        if is_tiered:
            wait_until(lambda: any(name.startswith(b"~t:0:") for name in client.scan_iter()))
        endless = [name for name in client.scan_iter() if client.pttl(name) == -1]
        assert endless == [STATE]
        assert left(client, b"{t:0::held}:lease") <= 10
        assert left(client, b"{t:0::held}:fence") <= HOUR
    held.land()
    cache.close()


def test_a_lease_is_renewed_while_its_load_goes_on(own_redis: RedisServer, client: redis.Redis) -> None:
    with redis_cache(own_redis.port, lease_life=0.2) as cache:
        held = HeldLoad(cache, 1)
        lease = b"{t:0::a}:lease"
        holder = client.get(lease)
        for _ in range(3):
            wait_until(lambda: client.pttl(lease) < 170, what="time to pass")
            wait_until(lambda: client.pttl(lease) > 180, what="a renewal")
        assert client.get(lease) == holder
        held.land()
        wait_until(lambda: client.get(lease) is None)


def test_a_copy_in_memory_lives_no_longer_than_the_server_says(own_redis: RedisServer, client: redis.Redis) -> None:
    with TieredCache(InMemoryCache(), redis_cache(own_redis.port)) as cache:
        cache.set("a", 1, ttl=500)
        client.pexpire("t:0::a", 100)
        assert cache.get("a") in {1, None}
        wait_until(lambda: cache.get("a") is None, timeout=2)
