"""``get_cache(backend="redis")``: in memory while the server is away, and back by itself, the newest winning."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from time import monotonic
from typing import Any

import pytest
from tests.backends.redis.ground import BUDGET, noted, paused, redis_cache
from tests.servers.redis_servers import HOST, RedisServer, free_port, wait_until

from cachery import CacheManager, CacheTimeoutError, CacheValueError, CircuitBreaker, RedisCache, TieredCache, aio
from cachery.events import TierDown, TierUp
from cachery.testing import TcpProxy

OPTIONS: dict[str, Any] = {"connect_timeout": BUDGET, "timeout": BUDGET}


@pytest.fixture
def manager() -> Iterator[CacheManager]:
    with CacheManager() as manager:
        yield manager


@pytest.fixture
def way(redis_port: int) -> Iterator[TcpProxy]:
    """Return the way to the server: ``block`` it, and ``heal`` it."""
    with TcpProxy(HOST, redis_port) as way:
        yield way


def block(way: TcpProxy) -> None:
    way.refuse()
    way.cut()


@pytest.fixture
def name(redis_prefix: str) -> str:
    return redis_prefix


@pytest.fixture(params=["redis", "tiered"])
def cache(manager: CacheManager, way: TcpProxy, name: str, request: pytest.FixtureRequest) -> Any:
    """Return a cache whose server is there."""
    return manager.get_cache(name, request.param, **to(way))


def to(way: TcpProxy) -> dict[str, Any]:
    """Return the options of a cache over ``way``, which looks soon whether its server is back."""
    return {"host": HOST, "port": way.port, "breaker": CircuitBreaker(1, 0.05), **OPTIONS}


@pytest.fixture
def other(redis_port: int, name: str) -> Iterator[RedisCache]:
    """Return another node's way to the same entries, without memory."""
    with redis_cache(redis_port, "cachery", name=name) as other:
        yield other


def leave(cache: Any, way: TcpProxy) -> None:
    """Block the way, and let the cache find out."""
    block(way)
    cache.get("nothing")
    assert cache.degraded


def come_back(cache: Any, way: TcpProxy) -> None:
    """Open the way, and wait until the server is told all, without a call."""
    way.heal()
    wait_until(lambda: not cache.degraded and not shelter_of(cache).refuge.is_dirty)


def shelter_of(cache: Any) -> Any:
    return cache.shelter if isinstance(cache, RedisCache) else cache.tier.shelter


def test_it_returns_by_itself_and_says_so_once(
    manager: CacheManager, own_redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    breaker = CircuitBreaker(1, 0.1)
    cache: Any = manager.get_cache("shop", "redis", host=HOST, port=own_redis.port, breaker=breaker, **OPTIONS)
    news: list[Any] = noted(cache, TierDown, TierUp)
    with caplog.at_level(logging.WARNING, logger="cachery"):
        for episode in range(2):
            cache.set("a", episode)
            assert not cache.degraded
            with paused(own_redis):
                began = monotonic()
                assert cache.get("a") is None
                for number in range(50):
                    cache.set(f"key:{number}", episode)
                    assert cache.get(f"key:{number}") == episode
                assert cache.degraded
                assert monotonic() - began < 2 * BUDGET + 1
            wait_until(lambda: not cache.degraded)
    assert [type(one) for one in news] == [TierDown, TierUp] * 2
    assert len([one for one in caplog.records if "goes on in memory" in one.message]) == 2


@pytest.mark.parametrize("backend", ["redis", "tiered"])
def test_a_server_that_comes_later_is_found(
    manager: CacheManager, tmp_path: Any, backend: str, caplog: pytest.LogCaptureFixture
) -> None:
    port = free_port()
    with caplog.at_level(logging.WARNING, logger="cachery"):
        cache: Any = manager.get_cache("shop", backend, host=HOST, port=port, **OPTIONS)
    assert cache.degraded
    assert len([one for one in caplog.records if "goes on in memory" in one.message]) == 1
    assert cache.set("a", 1)
    assert cache.get("a") == cache.get_or_set("a", lambda: 2) == 1
    assert cache.incr("n", 3) == 3
    assert sorted(cache.keys()) == ["a", "n"]
    with RedisServer(tmp_path / "later", port=port), redis_cache(port, "cachery", name="shop") as other:
        wait_until(lambda: not cache.degraded)
        wait_until(lambda: other.get_many(["a", "n"]) == {"a": 1, "n": 3})
        assert cache.get("a") == 1
        cache.close()


CHANGES: dict[str, tuple[Callable[[Any], object], dict[str, Any]]] = {
    "set": (lambda cache: cache.set("a", "away"), {"a": "away", "b": "before"}),
    "set_many": (lambda cache: cache.set_many({"a": 1, "b": 2}), {"a": 1, "b": 2}),
    "delete": (lambda cache: cache.delete("a"), {"b": "before"}),
    "delete_many": (lambda cache: cache.delete_many(["a", "b"]), {}),
    "tags": (lambda cache: cache.invalidate_tags("red"), {"b": "before"}),
    "pattern": (lambda cache: cache.delete_pattern("b*"), {"a": "before"}),
    "clear": (lambda cache: cache.clear(), {}),
    "add": (lambda cache: cache.add("a", "added"), {"a": "added", "b": "before"}),
    "set and clear": (lambda cache: (cache.set("a", 1), cache.clear()), {}),
    "clear and set": (lambda cache: (cache.clear(), cache.set("b", 1)), {"b": 1}),
    "set and tags": (lambda cache: (cache.set("b", 1, tags=["red"]), cache.invalidate_tags("red")), {}),
    "tags and set": (
        lambda cache: (cache.invalidate_tags("red"), cache.set("a", 1, tags=["red"])),
        {"a": 1, "b": "before"},
    ),
    "set and pattern": (lambda cache: (cache.set("a", 1), cache.delete_pattern("a*")), {"b": "before"}),
    "pattern and set": (lambda cache: (cache.delete_pattern("*"), cache.set("a", 1)), {"a": 1}),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_is_done_meanwhile_reaches_the_server(cache: Any, way: TcpProxy, other: RedisCache, what: str) -> None:
    change, expected = CHANGES[what]
    cache.set("a", "before", tags=["red"])
    cache.set("b", "before")
    leave(cache, way)
    change(cache)
    during = cache.get_many(["a", "b"])
    assert during == {key: value for key, value in expected.items() if value != "before"}
    come_back(cache, way)
    assert other.get_many(["a", "b"]) == expected
    assert cache.get_many(["a", "b"]) == expected


@pytest.mark.parametrize("what", ["tags", "pattern", "clear", "delete"])
def test_what_was_invalidated_meanwhile_is_never_served_again_here(cache: Any, way: TcpProxy, what: str) -> None:
    """The server is back, and not told yet: what it says may be dead."""
    cache.set("ab", "dead", tags=["red"])
    leave(cache, way)
    {
        "tags": lambda: cache.invalidate_tags("red"),
        "pattern": lambda: cache.delete_pattern("a*"),
        "clear": cache.clear,
        "delete": lambda: cache.delete("ab"),
    }[what]()
    way.heal()
    while cache.degraded:
        assert cache.get("ab") is None
        assert cache.get_many(["ab"]) == {}
        assert not cache.exists("ab")
        assert "ab" not in list(cache.keys()) or what == "delete"
    assert cache.get("ab") is None
    assert cache.add("ab", "new")
    wait_until(lambda: cache.get("ab") == "new")


def test_counting_goes_on_from_what_is_known(cache: Any, way: TcpProxy, other: RedisCache) -> None:
    cache.incr("n", 10)
    leave(cache, way)
    assert [cache.incr("n") for _ in range(3)] == [1, 2, 3]
    come_back(cache, way)
    assert other.get("n") == cache.get("n") == 3


def test_the_newest_wins(cache: Any, way: TcpProxy, other: RedisCache) -> None:
    """A change of before is overwritten; one that others made after ours stays."""
    other.set_many({"older": "theirs", "newer": "theirs"})
    leave(cache, way)
    cache.set("older", "ours")
    cache.set("newer", "ours")
    cache.delete("gone")
    began = monotonic()
    wait_until(lambda: monotonic() > began + 0.05, what="what two nodes can tell apart")
    shelter = shelter_of(cache)
    with shelter.refuge._lock:  # nothing is told as long as we hold it
        way.heal()
        wait_until(other.ping)
        other.set("newer", "theirs, later")
        other.set("gone", "theirs, later")
    come_back(cache, way)
    assert other.get_many(["older", "newer", "gone"]) == {
        "older": "ours",
        "newer": "theirs, later",
        "gone": "theirs, later",
    }
    other.set("older", "theirs, at last")
    wait_until(lambda: cache.get("older") == "theirs, at last")


def test_more_than_is_remembered_invalidates_everything(cache: Any, way: TcpProxy, other: RedisCache) -> None:
    cache.set_many({f"key:{number}": "old" for number in range(10)})
    shelter = shelter_of(cache)
    shelter.refuge._limit = 5
    leave(cache, way)
    for number in range(9):
        cache.delete(f"key:{number}")
    come_back(cache, way)
    assert list(other.keys()) == []


def test_loads_are_kept_in_memory_and_forgotten_on_return(cache: Any, way: TcpProxy, other: RedisCache) -> None:
    leave(cache, way)
    assert cache.get_or_set("a", lambda: "loaded") == "loaded"
    assert cache.get_or_set("a", lambda: "again") == "loaded"
    come_back(cache, way)
    wait_until(lambda: cache.get("a") is None)
    assert other.get("a") is None, "who loads while the server is away tells nobody: it may have been overtaken"


def test_what_a_load_brought_too_late_is_not_served_in_the_next_outage(cache: Any, way: TcpProxy) -> None:
    """It began while the server was away, ended when it was back, was deleted, and the server went away again."""
    leave(cache, way)

    def load() -> str:
        come_back(cache, way)
        return "old"

    assert cache.get_or_set("a", load) == "old"
    cache.delete("a")
    leave(cache, way)
    assert cache.get("a") is None
    way.heal()


def test_one_that_falls_back_is_kept_by_name(manager: CacheManager) -> None:
    options = {"host": HOST, "port": free_port(), **OPTIONS}
    cache = manager.get_cache("shop", "redis", **options)
    assert manager.get_cache("shop", "redis") is cache
    assert manager.get_cache("shop", "redis", **options) is cache
    with pytest.raises(CacheValueError, match="was made with"):
        manager.get_cache("shop", "redis", host=HOST, port=1)
    assert manager.summary()["backends_used"] == ["redis"]
    (record,) = manager.list_caches()
    assert (record["key"], record["name"], record["backend"]) == ("shop:redis", "shop", "redis")
    assert isinstance(cache, RedisCache)
    assert cache.default_ttl == 300.0


def test_the_environment_says_where(own_redis: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", own_redis.url)
    monkeypatch.setenv("CACHE_BACKEND", "redis")
    with CacheManager() as manager:
        assert manager.get_cache("a").set("k", 1)
        assert isinstance(manager.get_cache("b", "tiered"), TieredCache)
        assert own_redis.ask("EXISTS", "cachery:1:a:k") == 1


def test_a_cache_of_its_own_does_not_fall_back(own_redis: RedisServer) -> None:
    with redis_cache(own_redis.port) as cache, paused(own_redis), pytest.raises(CacheTimeoutError):
        cache.get("a")


@pytest.mark.parametrize("backend", ["redis", "tiered"])
def test_the_other_door_falls_back_too(way: TcpProxy, other: RedisCache, name: str, backend: str) -> None:
    async def main() -> None:
        async with aio.CacheManager() as manager:
            cache: Any = manager.get_cache(name, backend, **to(way))
            news: list[Any] = noted(cache, TierDown, TierUp)
            await cache.set("a", "before", tags=["red"])
            block(way)
            assert await cache.get("a", "away") == "away"
            await cache.set("b", 1)
            await cache.invalidate_tags("red")
            assert cache.degraded
            assert await cache.get("b") == await cache.get_or_set("b", lambda: "loaded") == 1
            way.heal()
            await asyncio.to_thread(wait_until, lambda: not cache.degraded)
            await asyncio.to_thread(wait_until, lambda: other.get("b") == 1)
            assert await cache.get("a") is None
            assert other.get("a") is None
            assert [type(one) for one in news if "changes" not in one.tier] == [TierDown, TierUp]

    asyncio.run(main())
