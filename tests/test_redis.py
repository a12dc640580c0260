"""``RedisCache`` as it is made and closed, and what it does while its server is away, full, a replica or forbidding."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterator
from time import monotonic
from typing import Any

import pytest
import redis
import redis.asyncio
from redis.backoff import NoBackoff
from redis.retry import Retry
from tests.backends.redis.ground import BUDGET, noted, paused, raw, redis_cache
from tests.servers.redis_servers import HOST, SERVICE, RedisSentinels, RedisServer, facts, free_port, wait_until

from cachery import (
    CacheClosedError,
    CacheConnectionError,
    CacheFullError,
    CacheTimeoutError,
    CacheValueError,
    CircuitBreaker,
    InMemoryCache,
    RedisCache,
    TieredCache,
    aio,
)
from cachery.events import TierDown, TierUp
from cachery.testing import check_invariants

VERBS: dict[str, Callable[[Any], object]] = {
    "get": lambda cache: cache.get("a"),
    "set": lambda cache: cache.set("a", 1),
    "add": lambda cache: cache.add("a", 1),
    "delete": lambda cache: cache.delete("a"),
    "exists": lambda cache: cache.exists("a"),
    "clear": lambda cache: cache.clear(),
    "get_many": lambda cache: cache.get_many(["a"]),
    "set_many": lambda cache: cache.set_many({"a": 1}),
    "delete_many": lambda cache: cache.delete_many(["a"]),
    "incr": lambda cache: cache.incr("a"),
    "touch": lambda cache: cache.touch("a", 5),
    "ttl": lambda cache: cache.ttl("a"),
    "keys": lambda cache: list(cache.keys()),
    "len": len,
    "delete_pattern": lambda cache: cache.delete_pattern("*"),
    "invalidate_tags": lambda cache: cache.invalidate_tags("red"),
    "cleanup_expired": lambda cache: cache.cleanup_expired(),
}


@pytest.fixture
def nowhere() -> int:
    """Return a port that nobody listens on."""
    return free_port()


# Where


def test_every_way_to_say_where_leads_there(redis_port: int, redis_prefix: str, monkeypatch: Any) -> None:
    url = f"redis://{HOST}:{redis_port}/0"
    monkeypatch.setenv("REDIS_HOST", HOST)
    monkeypatch.setenv("REDIS_PORT", str(redis_port))
    prefix = "t-" + redis_prefix.replace(":", "")
    loop = redis.asyncio.Redis(host=HOST, port=redis_port)
    with raw(redis_port) as blocking:
        ways = [
            RedisCache(url, prefix=prefix),
            RedisCache(HOST, redis_port, prefix=prefix),
            RedisCache(HOST, redis_port, 0, 60, prefix=prefix),
            RedisCache(redis_url=url, prefix=prefix),
            RedisCache(host=HOST, port=redis_port, prefix=prefix),
            RedisCache(prefix=prefix),
            RedisCache(client=blocking, prefix=prefix),
            RedisCache(client=loop, prefix=prefix),
        ]
        for number, cache in enumerate(ways):
            cache.set("a", number)
            assert [way.get("a") for way in ways] == [number] * len(ways)
        for cache in ways:
            cache.close()
        assert blocking.ping(), "a client that was given stays open"


def test_sentinels_and_clusters_are_named(
    shared_redis_sentinels: RedisSentinels, redis_cluster_ports: tuple[int, ...]
) -> None:
    places = [(HOST, port) for port in shared_redis_sentinels.ports]
    for cache in (
        RedisCache(sentinels=places, service_name=SERVICE),
        RedisCache(port=redis_cluster_ports[0], cluster=True),
    ):
        with cache:
            assert cache.ping()
            cache.set("a", 1)
            assert cache.get("a") == 1
            cache.clear()


def test_databases_are_apart(redis_port: int, redis_prefix: str) -> None:
    with (
        RedisCache(port=redis_port, name=redis_prefix) as zero,
        RedisCache(port=redis_port, db=3, name=redis_prefix) as three,
    ):
        zero.set("a", 1)
        assert three.get("a") is None


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"url_or_host": "a", "host": "b"}, "give one of them"),
        ({"url_or_host": "redis://a", "redis_url": "redis://b"}, "give one of them"),
        ({"url_or_host": "redis://a", "port": 1}, "port contradicts"),
        ({"url_or_host": "http://a"}, "redis://"),
        ({"url_or_host": 5}, "text, not int"),
        ({"port": 0}, "port must be 1"),
        ({"port": 65536}, "port must be 1 to 65535"),
        ({"port": True}, "port must be a whole number"),
        ({"port": 1, "db": -1}, "db must be 0"),
        ({"port": 1, "cluster": True, "db": 2}, "no databases but 0"),
        ({"sentinels": [("a", 1)]}, "go together"),
        ({"sentinels": [], "service_name": "s"}, "empty"),
        ({"sentinels": ["a"], "service_name": "s"}, "pairs"),
        ({"client": object()}, "redis-py"),
        ({"port": 1, "timeout": 0}, "timeout must be above 0"),
        ({"port": 1, "connect_timeout": math.inf}, "finite"),
        ({"port": 1, "connection_options": {"decode_responses": True}}, "decided elsewhere"),
        ({"port": 1, "default_ttl": -1}, "default_ttl"),
        ({"port": 1, "lease_life": 0}, "lease_life"),
        ({"port": 1, "name": 5}, "name is a str"),
        ({"port": 1, "prefix": ""}, "prefix"),
        ({"port": 1, "prefix": "a{b}"}, "braces"),
        ({"port": 1, "prefix": "a\n"}, "printable"),
        ({"port": 1, "prefix": "shop:12"}, "number"),
        ({"port": 1, "prefix": "~a"}, "prefix"),
        ({"port": 1, "prefix": None}, "prefix is a str"),
        ({"port": 1, "serializer": "yaml"}, "yaml"),
        ({"port": 1, "serializer": "pickle"}, "secret="),
        ({"port": 1, "clock": 5}, "clock"),
    ],
)
def test_what_makes_no_sense_is_refused_at_once(options: dict[str, Any], words: str, monkeypatch: Any) -> None:
    monkeypatch.delenv("CACHERY_SECRET", raising=False)
    with pytest.raises(CacheValueError, match=words):
        RedisCache(**options)


def test_a_variable_that_cannot_be_read_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_PORT", "many")
    with pytest.raises(CacheValueError, match="REDIS_PORT"):
        RedisCache()


def test_no_password_is_shown(nowhere: int) -> None:
    secret = "s3cr3t"
    for cache in (
        RedisCache(f"redis://ann:{secret}@{HOST}:{nowhere}/1", name="n"),
        RedisCache(HOST, nowhere, username="ann", password=secret, name="n"),
        RedisCache(client=redis.Redis(HOST, nowhere, password=secret, retry=Retry(NoBackoff(), 0)), name="n"),
    ):
        seen = noted(cache, TierDown)
        texts = [repr(cache), repr(cache.address), repr(cache.link), repr(aio.RedisCache.to(cache))]
        for _ in range(5):
            with pytest.raises(CacheConnectionError) as caught:
                cache.get("a")
            texts += [str(caught.value), repr(caught.value.to_dict()), repr(caught.value.__cause__)]
        assert repr(cache) == f"<RedisCache 'n' at {HOST}:{nowhere}>"
        assert len(seen) == 1
        assert secret not in "".join([*texts, repr(seen)])


def test_nothing_is_connected_before_the_first_operation(own_redis: RedisServer) -> None:
    before = int(facts(own_redis.port, "stats")["total_connections_received"])
    caches = [redis_cache(own_redis.port), redis_cache(own_redis.port, fallback=InMemoryCache())]
    tiers = TieredCache(InMemoryCache(), redis_cache(own_redis.port))
    assert int(facts(own_redis.port, "stats")["total_connections_received"]) == before + 1, "that of who asks now"
    for cache in (*caches, tiers):
        cache.close()


@pytest.mark.parametrize("verb", VERBS)
def test_a_closed_cache_says_so(redis_port: int, verb: str) -> None:
    cache = redis_cache(redis_port)
    cache.set("a", 1)
    cache.close()
    cache.close()
    with pytest.raises(CacheClosedError):
        VERBS[verb](cache)
    with pytest.raises(CacheClosedError):
        cache.ping()


# Away


@pytest.fixture
def away(nowhere: int) -> Iterator[RedisCache]:
    with redis_cache(nowhere, breaker=CircuitBreaker(10_000)) as cache:
        yield cache


@pytest.mark.parametrize("verb", VERBS)
def test_a_plain_verb_says_that_the_server_is_away(away: RedisCache, verb: str) -> None:
    with pytest.raises(CacheConnectionError) as caught:
        VERBS[verb](away)
    assert caught.value.__cause__ is not None, "what happened is the cause"
    assert not away.ping()


def test_loads_go_on_while_the_server_is_away(away: RedisCache) -> None:
    assert away.get_or_set("a", lambda: 1) == 1
    assert away.get_many_or_set(["a", "b"], lambda keys: dict.fromkeys(keys, 2)) == {"a": 2, "b": 2}
    assert away.cached(lambda number: number + 1)(4) == 5
    assert away.stats.load_success == 4
    check_invariants(away)


def test_loads_go_on_in_a_loop_while_the_server_is_away(nowhere: int) -> None:
    async def main() -> None:
        async with aio.RedisCache(HOST, nowhere, connect_timeout=BUDGET, timeout=BUDGET) as cache:
            with pytest.raises(CacheConnectionError):
                await cache.get("a")
            assert await cache.get_or_set("a", lambda: 1) == 1

    asyncio.run(main())


def test_who_asks_a_server_that_stands_still_waits_no_longer_than_agreed(own_redis: RedisServer) -> None:
    with redis_cache(own_redis.port, breaker=CircuitBreaker(10_000)) as cache:
        cache.set("a", 1)
        with paused(own_redis):
            for verb in ("get", "incr"):
                began = monotonic()
                with pytest.raises(CacheTimeoutError):
                    VERBS[verb](cache)
                assert monotonic() - began < 2 * BUDGET + 1
        wait_until(cache.ping)
        assert cache.get("a") == 1, "no reply of before is taken for one of now"


def test_the_breaker_spares_who_asks_and_an_episode_is_told_once(own_redis: RedisServer) -> None:
    with redis_cache(own_redis.port, breaker=CircuitBreaker(2, 0.2)) as cache:
        news: list[Any] = noted(cache, TierDown, TierUp)
        own_redis.kill()
        for _ in range(6):
            with pytest.raises(CacheConnectionError):
                cache.get("a")
        assert cache.degraded
        own_redis.start()
        wait_until(cache.ping)
        assert not cache.degraded
        assert [type(one) for one in news] == [TierDown, TierUp]
        assert news[0].tier == news[1].tier == f"{HOST}:{own_redis.port}"


def test_both_doors_tell_of_an_outage_once(own_redis: RedisServer) -> None:
    async def main() -> None:
        async with aio.RedisCache(HOST, own_redis.port, breaker=CircuitBreaker(1, 0.05)) as cache:
            news: list[Any] = noted(cache, TierDown, TierUp)
            await cache.set("a", 1)
            cache.blocking.set("b", 2)
            own_redis.kill()
            for _ in range(3):
                with pytest.raises(CacheConnectionError):
                    await cache.get("a")
                with pytest.raises(CacheConnectionError):
                    cache.blocking.get("a")
            own_redis.start()
            wait_until(cache.blocking.ping)
            assert not cache.degraded
            wait_until(lambda: cache.blocking.set("a", 3))
            assert await cache.get("a") == 3
            assert [type(one) for one in news] == [TierDown, TierUp]

    asyncio.run(main())


# Full, forbidding, not the one who may


def test_a_server_without_room_is_full(own_redis: RedisServer) -> None:
    own_redis.ask("CONFIG", "SET", "maxmemory-policy", "noeviction")
    with redis_cache(own_redis.port) as cache:
        cache.set("a", "old")
        own_redis.ask("CONFIG", "SET", "maxmemory", "1mb")
        for write in (VERBS["set"], VERBS["set_many"], lambda cache: cache.incr("n"), lambda cache: cache.add("n", 1)):
            with pytest.raises(CacheFullError, match="no memory left"):
                write(cache)
        assert cache.get("a") == "old"
        assert cache.get_or_set("b", lambda: 5) == 5, "loads go on"
        own_redis.ask("CONFIG", "SET", "maxmemory", "0")
        assert cache.set("a", "new")
        assert not cache.degraded


def test_a_replica_takes_nothing_and_says_why(own_redis: RedisServer) -> None:
    with redis_cache(own_redis.port) as cache:
        cache.set("a", 1)
        own_redis.ask("REPLICAOF", HOST, free_port())
        with pytest.raises(CacheConnectionError, match=r"READONLY|MASTERDOWN"):
            cache.set("a", 2)
        assert cache.get_or_set("b", lambda: 5) == 5
        own_redis.ask("REPLICAOF", "NO", "ONE")
        assert cache.set("a", 3)


def test_what_a_user_may_not_do_is_said(own_redis: RedisServer) -> None:
    own_redis.ask("ACL", "SETUSER", "reader", "on", ">word", "~*", "+get", "+ping")
    with redis_cache(own_redis.port, username="reader", password="word") as cache:
        with pytest.raises(CacheConnectionError, match=r"NOPERM|permissions"):
            cache.set("a", 1)
        assert cache.get_or_set("a", lambda: 5) == 5
    cache = redis_cache(own_redis.port, username="reader", password="wrong")
    with pytest.raises(CacheConnectionError, match=r"WRONGPASS|password"):
        cache.get("a")
