"""The way back: what others do while a server is told what it missed wins, wherever it falls."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from tests.backends.redis.ground import PATIENCE, redis_cache
from tests.servers.redis_servers import HOST, wait_until

from cachery import CacheConnectionError, CircuitBreaker, InMemoryCache, RedisCache
from cachery.ports.clock import monotonic
from cachery.testing import TcpProxy

MOMENTS = range(1, 6)
ASKED = 2


class StoppingClock:
    """A clock at which the thread that tells the server can be stopped, the ``at``-th time that it looks."""

    def __init__(self) -> None:
        self._left = 0
        self.has_stopped, self.may_go_on = threading.Event(), threading.Event()

    def stop(self, at: int) -> None:
        self._left = at

    def __call__(self) -> float:
        if self._left and threading.current_thread().name == "cachery-recovery":
            self._left -= 1
            if not self._left:
                self.has_stopped.set()
                assert self.may_go_on.wait(PATIENCE)
        return monotonic()


@contextmanager
def sheltered(port: int, name: str, **options: Any) -> Iterator[RedisCache]:
    breaker = CircuitBreaker(1, 0.02)
    with redis_cache(port, name=name, fallback=InMemoryCache(), breaker=breaker, **options) as cache:
        yield cache


def block(cache: Any, way: TcpProxy) -> None:
    way.refuse()
    way.cut()
    cache.get("nothing")
    assert cache.degraded


def told(cache: RedisCache) -> bool:
    shelter = cache.shelter
    assert shelter is not None
    return not cache.degraded and not shelter.refuge.is_dirty


WINNERS: dict[str, tuple[Callable[[Any], object], object]] = {
    "delete": (lambda cache: cache.delete("a"), None),
    "set": (lambda cache: cache.set("a", "newest"), "newest"),
    "set_many": (lambda cache: cache.set_many({"a": "newest"}), "newest"),
    "tags": (lambda cache: cache.invalidate_tags("red"), None),
    "pattern": (lambda cache: cache.delete_pattern("a*"), None),
    "clear": (lambda cache: cache.clear(), None),
}
CASES = [
    pytest.param(what, is_other, moment, id=f"{what} {'elsewhere' if is_other else 'here'}, {moment}")
    for what in WINNERS
    for moment in MOMENTS
    for is_other in (False, True)
    # nobody can know, before the server is asked about the key, that another has removed it there meanwhile
    if moment > ASKED or not is_other or what.startswith("set")
]


@pytest.mark.parametrize(("what", "is_other", "moment"), CASES)
def test_what_is_done_while_the_server_is_told_wins(
    redis_port: int, redis_prefix: str, what: str, moment: int, *, is_other: bool
) -> None:
    change, expected = WINNERS[what]
    clock = StoppingClock()
    with (
        TcpProxy(HOST, redis_port) as way,
        sheltered(way.port, redis_prefix, clock=clock) as cache,
        redis_cache(redis_port, name=redis_prefix) as other,
    ):
        other.set("a", "before", tags=["red"])
        block(cache, way)
        cache.set("a", "while away", tags=["red"])
        clock.stop(moment)
        way.heal()
        wait_until(lambda: clock.has_stopped.is_set() or told(cache))
        change(other if is_other else cache)
        clock.may_go_on.set()
        wait_until(lambda: told(cache))
        assert other.get("a") == cache.get("a") == expected


def test_an_outage_in_the_midst_of_the_way_back_loses_nothing(redis_port: int, redis_prefix: str) -> None:
    clock = StoppingClock()
    with (
        TcpProxy(HOST, redis_port) as way,
        sheltered(way.port, redis_prefix, clock=clock) as cache,
        redis_cache(redis_port, name=redis_prefix) as other,
    ):
        other.set_many({str(number): "old" for number in range(5)})
        block(cache, way)
        cache.set_many({str(number): "new" for number in range(5)})
        cache.invalidate_tags("red")
        clock.stop(4)
        way.heal()
        assert clock.has_stopped.wait(PATIENCE)
        way.refuse()
        way.cut()
        clock.may_go_on.set()
        cache.set("5", "new")
        way.heal()
        wait_until(lambda: told(cache))
        assert other.get_many(map(str, range(6))) == {str(number): "new" for number in range(6)}


def test_closing_tells_what_there_is_to_tell(redis_port: int, redis_prefix: str) -> None:
    with TcpProxy(HOST, redis_port) as way, redis_cache(redis_port, name=redis_prefix) as other:
        with sheltered(way.port, redis_prefix) as cache:
            block(cache, way)
            cache.set("a", 1)
            way.heal()
            wait_until(lambda: cache.breaker.state != "open")
        assert other.get("a") == 1


def test_a_forked_child_is_not_left_with_what_its_parent_was_to_tell(redis_port: int, redis_prefix: str) -> None:
    with (
        TcpProxy(HOST, redis_port) as way,
        sheltered(way.port, redis_prefix) as cache,
        redis_cache(redis_port, name=redis_prefix) as other,
    ):
        block(cache, way)
        cache.set("a", "of the parent")
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            status = 1
            try:
                os.read(reading, 1)
                wait_until(lambda: cache.get("a") == "of another", timeout=10)
                status = 0
            finally:
                os._exit(status)
        way.heal()
        wait_until(lambda: told(cache))
        other.set("a", "of another")
        os.write(writing, b".")
        assert os.waitpid(child, 0)[1] == 0
        os.close(reading)
        os.close(writing)


@pytest.mark.parametrize("verb", [len, lambda cache: list(cache.keys()), lambda cache: cache.cleanup_expired()])
def test_whichever_verb_comes_first_closes_the_breaker(
    redis_port: int, redis_prefix: str, verb: Callable[[Any], object]
) -> None:
    """Those that go through all keys ask about them while they go."""
    with (
        TcpProxy(HOST, redis_port) as way,
        redis_cache(way.port, name=redis_prefix, breaker=CircuitBreaker(1, 0.02)) as cache,
    ):
        cache.set("a", 1)
        way.refuse()
        way.cut()
        with pytest.raises(CacheConnectionError):
            cache.get("a")
        way.heal()
        wait_until(lambda: cache.breaker.state == "half-open")
        verb(cache)
        assert cache.breaker.state == "closed"
        assert not cache.degraded
