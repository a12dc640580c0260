"""What loads leave on a server: stale times, refreshes, negative answers and failures, for all who share it."""

from __future__ import annotations

from collections.abc import Iterator
from secrets import token_hex
from typing import Any

import pytest
from tests.backends.redis.ground import noted, redis_cache
from tests.conformance.test_redis import SHIFT
from tests.servers.redis_servers import HOST, ask, wait_until

from cachery import InMemoryCache, RedisCache, TieredCache
from cachery.events import ServedStale, Unreadable
from cachery.testing import FakeClock


class Nodes:
    """Caches that share a server and a clock, which goes on where it is told to."""

    def __init__(self, port: int, *, are_tiered: bool) -> None:
        self.clock = FakeClock()
        self._port = port
        self._are_tiered = are_tiered
        self._prefix = f"t-{token_hex(4)}"
        self.all: list[Any] = []

    def one(self, **options: Any) -> Any:
        far = RedisCache(HOST, self._port, prefix=self._prefix, clock=self.clock, **options)
        self.all.append(TieredCache(InMemoryCache(clock=self.clock), far) if self._are_tiered else far)
        return self.all[-1]

    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)
        ask(self._port, "EVAL", SHIFT, 0, self._prefix, int(seconds * 1000))


@pytest.fixture(params=["one", "tiers"])
def nodes(redis_port: int, request: pytest.FixtureRequest) -> Iterator[Nodes]:
    nodes = Nodes(redis_port, are_tiered=request.param == "tiers")
    yield nodes
    for cache in nodes.all:
        assert cache.store.audit() == []
        cache.close()


def fail() -> None:
    raise LookupError("nobody is there")


def test_the_old_value_is_served_while_a_new_one_is_loaded(nodes: Nodes) -> None:
    one, other = nodes.one(), nodes.one()
    assert one.get_or_set("a", lambda: 1, ttl=10, stale_ttl=100) == 1
    nodes.advance(11)
    assert other.get("a") is one.get("a") is None, "the plain verbs see what is fresh"
    assert other.get_many(["a"]) == {}
    stale = noted(other, ServedStale)
    assert other.get_or_set("a", lambda: 2, ttl=10, stale_ttl=100) == 1
    other.drain()
    assert len(stale) == 1
    wait_until(lambda: one.get("a") == 2)
    nodes.advance(111)
    assert one.get_or_set("a", lambda: 3, ttl=10, stale_ttl=100) == 3, "past both, it is gone"


def test_a_failing_loader_leaves_the_old_value(nodes: Nodes) -> None:
    one, other = nodes.one(), nodes.one()
    one.get_or_set("a", lambda: 1, ttl=10, stale_ttl=100)
    nodes.advance(11)
    for cache in (one, other, one):
        assert cache.get_or_set("a", fail, ttl=10, stale_ttl=100) == 1
        cache.drain()
    assert one.stats.load_failure + other.stats.load_failure == 1, "the loader is left alone for a while, by all"


def test_a_refresh_comes_before_the_end(nodes: Nodes) -> None:
    one, other = nodes.one(), nodes.one()
    one.get_or_set("a", lambda: 1, ttl=100, refresh_ahead=0.5)
    assert other.get_or_set("a", fail, ttl=100, refresh_ahead=0.5) == 1
    nodes.advance(60)
    assert other.get_or_set("a", lambda: 2, ttl=100, refresh_ahead=0.5) == 1
    other.drain()
    wait_until(lambda: one.get("a") == 2)
    assert one.ttl("a") == pytest.approx(100, abs=1)


def test_nothing_found_is_kept_for_a_time_of_its_own(nodes: Nodes) -> None:
    one, other = nodes.one(), nodes.one()
    assert one.get_or_set("a", lambda: None, ttl=100, negative_ttl=5) is None
    assert other.get_or_set("a", lambda: 1, ttl=100, negative_ttl=5) is None
    assert other.get("a", "absent") is None
    nodes.advance(6)
    assert other.get_or_set("a", lambda: 1, ttl=100, negative_ttl=5) == 1


def test_failures_are_kept_where_that_is_asked_for(nodes: Nodes) -> None:
    one, other = nodes.one(), nodes.one()
    seen = noted(other, Unreadable)
    with pytest.raises(LookupError, match="nobody"):
        one.get_or_set("a", fail, ttl=5, cache_exceptions=(LookupError,))
    with pytest.raises(LookupError, match="nobody"):
        other.get_or_set("a", lambda: 1, ttl=5, cache_exceptions=(LookupError,))
    assert other.get("a", "absent") == "absent"
    assert other.get_many(["a"]) == {}
    assert not other.exists("a")
    assert list(other.keys()) == []
    assert seen == []
    nodes.advance(6)
    assert other.get_or_set("a", lambda: 1, ttl=5, cache_exceptions=(LookupError,)) == 1


class OwnError(Exception):
    """One that a program defines itself."""


def test_a_failure_that_the_format_cannot_carry_is_not_kept(nodes: Nodes) -> None:
    def fail_in_own_words() -> None:
        raise OwnError

    cache = nodes.one()
    with pytest.raises(OwnError):
        cache.get_or_set("a", fail_in_own_words, ttl=5, cache_exceptions=(OwnError,))
    assert cache.get_or_set("a", lambda: 1, ttl=5, cache_exceptions=(OwnError,)) == 1


def test_under_a_secret_pickle_carries_any_failure(redis_port: int, redis_prefix: str) -> None:
    options: dict[str, Any] = {"serializer": "pickle", "secret": "a secret of the tests", "name": redis_prefix}
    with redis_cache(redis_port, **options) as one, redis_cache(redis_port, **options) as other:
        for cache in (one, other):
            with pytest.raises(ZeroDivisionError):
                cache.get_or_set("a", lambda: 1 // 0, ttl=5, cache_exceptions=(ZeroDivisionError,))
        assert one.stats.load_failure + other.stats.load_failure == 1


def test_one_loads_for_all_who_share_the_server(redis_port: int, redis_prefix: str) -> None:
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - only here

    nodes = [redis_cache(redis_port, name=redis_prefix) for _ in range(4)]
    calls: list[int] = []

    def load() -> int:
        calls.append(1)
        return 7

    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda number: nodes[number % 4].get_or_set("a", load), range(40)))
    assert got == [7] * 40
    assert calls == [1]
    for node in nodes:
        node.close()
