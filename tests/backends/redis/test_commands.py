"""What a server is asked for: nothing that holds it up, and nothing that touches what is not ours."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
from tests.backends.redis.ground import raw, redis_cache
from tests.servers.redis_servers import HOST, RedisServer, facts

from cachery import InMemoryCache, RedisCache, TieredCache

FORBIDDEN = {"keys", "flushdb", "flushall", "del", "rename", "swapdb", "randomkey", "smembers", "sort"}
FOREIGN = {b"session:1": b"x", b"t:0:": b"x", b"t:01::a": b"x", b"t:1:a:a": b"x", b"T:0::a": b"x", b"{t:0::}": b"x"}


def use(cache: Any) -> None:
    """Call every verb, each several times, with tags, loads, long keys and many keys."""
    for _ in range(2):
        cache.set("a", 1, ttl=50, tags=["red"])
        cache.set("x" * 300, 1)
        cache.set_many({f"many:{number}": number for number in range(1200)})
        assert len(cache.get_many([f"many:{number}" for number in range(1200)])) == 1200
        cache.get("a")
        cache.add("b", 2)
        cache.incr("n")
        cache.touch("a", 100)
        cache.ttl("a")
        cache.exists("a")
        cache.get_or_set("c", lambda: 3, ttl=5, stale_ttl=5, tags=["red", "blue"])
        cache.get_many_or_set(["d", "e"], lambda keys: dict.fromkeys(keys, 4))
        assert len(cache) == len(list(cache.keys())) >= 1205
        cache.delete_many(["d", "e"])
        cache.invalidate_tags("red", "blue")
        cache.delete_pattern("many:1*")
        cache.cleanup_expired()
        cache.delete("b")
        cache.clear()
        cache.drain()
    assert list(cache.keys()) == []


def asked(port: int) -> set[str]:
    """Return the names of all commands that a server has carried out, within scripts too."""
    return {name.removeprefix("cmdstat_").partition("|")[0] for name in facts(port, "commandstats")}


@pytest.fixture(params=["one", "tiers", "published"])
def cache(request: pytest.FixtureRequest, own_redis: RedisServer) -> Iterator[Any]:
    far = redis_cache(own_redis.port)
    if request.param == "one":
        cache: Any = far
    else:
        cache = TieredCache(InMemoryCache(), far, bus="pubsub" if request.param == "published" else "auto")
    with cache:
        yield cache


def test_nothing_of_others_is_touched_and_nothing_is_held_up(cache: Any, own_redis: RedisServer) -> None:
    with raw(own_redis.port) as client:
        client.mset(FOREIGN)
        own_redis.ask("CONFIG", "RESETSTAT")
        use(cache)
        assert asked(own_redis.port) & FORBIDDEN == set()
        assert "unlink" in asked(own_redis.port)
        assert client.mget(list(FOREIGN)) == list(FOREIGN.values())
        assert all(client.pttl(name) == -1 for name in FOREIGN)
        cache.close()
        assert client.mget(list(FOREIGN)) == list(FOREIGN.values())


def test_no_call_has_many_keys(own_redis: RedisServer) -> None:
    """A server does one thing at a time: what is asked of it at once is a few hundred keys at most."""
    longest = [0]
    began, is_over = threading.Event(), threading.Event()

    def watch() -> None:
        client: Any = raw(own_redis.port)
        with client.monitor() as monitor:
            began.set()
            for seen in monitor.listen():
                command = seen["command"]
                if not command.startswith("EVAL "):  # which has the text of a script in it
                    longest[0] = max(longest[0], len(command.split(" ")))
                if "the end" in command:
                    is_over.set()
                    return

    watching = threading.Thread(target=watch, daemon=True)
    watching.start()
    assert began.wait(10)
    with redis_cache(own_redis.port) as cache:
        use(cache)
        own_redis.ask("ECHO", "the end")
        assert is_over.wait(10)
    assert 500 <= longest[0] < 600


def test_no_command_crosses_slots(redis_cluster_ports: tuple[int, ...], redis_prefix: str) -> None:
    foreign = [f"foreign-{redis_prefix}{number}" for number in range(20)]
    with redis.RedisCluster(HOST, redis_cluster_ports[0]) as client:
        for key in foreign:
            client.set(key, "x")
        for port in redis_cluster_ports:
            with raw(port) as node:
                node.config_resetstat()
        with RedisCache(HOST, redis_cluster_ports[0], cluster=True, name=redis_prefix) as cache:
            use(cache)
        for port in redis_cluster_ports:
            assert asked(port) & FORBIDDEN == set()
            assert "errorstat_CROSSSLOT" not in facts(port, "errorstats")
        assert all(client.get(key) == b"x" for key in foreign)
        client.delete(*foreign)


@pytest.mark.parametrize("is_cluster", [False, True])
def test_a_value_of_another_type_is_a_miss_for_every_verb(
    redis_port: int, redis_cluster_ports: tuple[int, ...], redis_prefix: str, *, is_cluster: bool
) -> None:
    place: dict[str, Any] = {"port": redis_cluster_ports[0], "cluster": True} if is_cluster else {"port": redis_port}
    client: Any = redis.RedisCluster(HOST, redis_cluster_ports[0]) if is_cluster else raw(redis_port)
    with RedisCache(HOST, name=redis_prefix, **place) as cache, client:
        name = cache.names.entry(b"a")
        verbs: dict[str, tuple[Callable[[], object], object]] = {
            "get": (lambda: cache.get("a"), None),
            "get_many": (lambda: cache.get_many(["a"]), {}),
            "exists": (lambda: cache.exists("a"), False),
            "ttl": (lambda: cache.ttl("a"), None),
            "touch": (lambda: cache.touch("a", 5), False),
            "keys": (lambda: list(cache.keys()), []),
            "len": (lambda: len(cache), 0),
            "sweep": (cache.cleanup_expired, 0),
            "delete": (lambda: cache.delete("a"), False),
            "add": (lambda: cache.add("a", 1), True),
            "set": (lambda: cache.set("a", 1), True),
            "incr": (lambda: cache.incr("a"), 1),
            "load": (lambda: cache.get_or_set("a", lambda: 1), 1),
        }
        for verb, expected in verbs.values():
            client.delete(name)
            client.rpush(name, "foreign")
            assert verb() == expected
        assert cache.get("a") == 1
