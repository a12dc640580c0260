"""Whatever a server evicts or forgets, nothing that was invalidated is ever served again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
from tests.backends.redis.ground import HeldLoad, raw, redis_cache
from tests.servers.redis_servers import RedisServer, wait_until

from cachery import CacheConnectionError, InMemoryCache, RedisCache, TieredCache

STATE, CLEARED, RED = b"{t:0:}:state", b"{t:0:}:cleared", b"{t:0:}:tag:red"


@pytest.fixture
def client(own_redis: RedisServer) -> Iterator[redis.Redis]:
    with raw(own_redis.port) as client:
        yield client


@pytest.fixture(params=["one", "tiers"])
def cache(own_redis: RedisServer, request: pytest.FixtureRequest) -> Iterator[Any]:
    far = redis_cache(own_redis.port)
    with TieredCache(InMemoryCache(), far) if request.param == "tiers" else far as cache:
        yield cache


def reader(server: RedisServer) -> RedisCache:
    """Return a cache that has no copies."""
    return redis_cache(server.port)


@pytest.mark.parametrize("lost", [[STATE], [RED], [CLEARED], [STATE, RED], [STATE, RED, CLEARED]], ids=str)
def test_evicted_numbers_revive_nothing(
    cache: Any, client: redis.Redis, own_redis: RedisServer, lost: list[bytes]
) -> None:
    cache.set("tagged", "old", tags=["red"])
    cache.set("plain", "old")
    cache.invalidate_tags("red")
    dead_record = client.get("t:0::tagged")
    assert dead_record, "it stands there still"
    for _ in range(3):
        cache.invalidate_tags("blue")
    client.delete(*lost)
    with reader(own_redis) as other:
        assert other.get("tagged") is None
        other.set("new", "fresh", tags=["red"])
        assert other.get("new") == "fresh"
        assert other.get("tagged") is None
        assert other.get("plain") == (None if STATE in lost else "old")
        assert "tagged" not in list(other.keys())
        wait_until(lambda: cache.get("plain") == other.get("plain"))
        assert cache.get("tagged") is None
        other.invalidate_tags("red")
        wait_until(lambda: cache.get("new") is None)
        assert other.get("new") is None


def test_what_was_cleared_stays_so(cache: Any, client: redis.Redis, own_redis: RedisServer) -> None:
    cache.set("a", "old", tags=["red"])
    record: Any = client.get("t:0::a")
    cache.clear()
    cache.drain()
    client.delete(STATE)
    cache.set("b", 1)
    client.set("t:0::a", record, px=50_000)
    with reader(own_redis) as other:
        assert other.get("a") is None
        assert other.get_many(["a", "b"]) == {"b": 1}


@pytest.mark.parametrize("lost", [STATE, RED])
def test_a_load_that_began_before_an_eviction_brings_nothing_dead(
    cache: Any, client: redis.Redis, own_redis: RedisServer, lost: bytes
) -> None:
    """The number of the invalidation is lost: the load is not stored rather than stored for good."""
    held = HeldLoad(cache, "old", tags=["red"])
    with reader(own_redis) as other:
        other.invalidate_tags("red")
        client.delete(lost)
        other.set("b", 1, tags=["red"])
        assert held.land() == "old"
        assert other.get("a") is None
        assert cache.get("a") is None


@pytest.mark.parametrize("how", ["FLUSHALL", "FLUSHDB", "restart"])
def test_after_everything_is_gone_all_is_well(cache: Any, own_redis: RedisServer, how: str) -> None:
    cache.set("a", "old", tags=["red"])
    assert cache.get("a") == "old"
    held = HeldLoad(cache, "loaded", "held", tags=["red"])
    own_redis.restart() if how == "restart" else own_redis.ask(how)
    wait_until(lambda: _value(cache, "a") is None)
    held.land()
    assert _value(cache, "held") in {None, "loaded"}
    assert cache.set("a", "new", tags=["red"])
    assert cache.get("a") == "new"
    cache.invalidate_tags("red")
    assert cache.get("a") is None
    assert cache.get_or_set("a", lambda: "newer", tags=["red"]) == "newer"
    assert cache.get("a") == "newer"
    assert cache.incr("n") == 1


def _value(cache: Any, key: str) -> Any:
    try:
        return cache.get(key)
    except CacheConnectionError:  # the server has been started anew
        return "unknown"


@pytest.mark.parametrize("place", [STATE, RED])
@pytest.mark.parametrize("kind", ["text", "list"])
def test_what_others_wrote_over_our_numbers_is_begun_anew(
    cache: Any, client: redis.Redis, own_redis: RedisServer, place: bytes, kind: str
) -> None:
    verbs: dict[str, Callable[[], object]] = {
        "get": lambda: cache.get("a"),
        "get_many": lambda: cache.get_many(["a", "b"]),
        "set": lambda: cache.set("b", 1, tags=["red"]),
        "add": lambda: cache.add("c", 1),
        "incr": lambda: cache.incr("n"),
        "load": lambda: cache.get_or_set("d", lambda: 1, tags=["red"]),
        "delete": lambda: cache.delete("a"),
        "tags": lambda: cache.invalidate_tags("red"),
        "pattern": lambda: cache.delete_pattern("x*"),
        "clear": cache.clear,
    }
    for verb in verbs.values():
        cache.set("a", 1, tags=["red"])
        client.delete(place)
        client.set(place, b"foreign") if kind == "text" else client.rpush(place, b"foreign")
        verb()
    cache.set("a", 2, tags=["red"])
    with reader(own_redis) as other:
        assert other.get("a") == 2
        other.invalidate_tags("red")
        assert other.get("a") is None


def test_a_foreign_fence_keeps_no_load_from_being_stored(cache: Any, client: redis.Redis) -> None:
    client.set("{t:0::a}:fence", b"foreign")
    assert cache.get_or_set("a", lambda: 1) == 1
    assert cache.get("a") == 1
