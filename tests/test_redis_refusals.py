"""Servers that answer and refuse, arguments that cannot be, and numbers that many count at once."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
from pathlib import Path
from secrets import token_hex
from time import monotonic
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.backends.redis.ground import BUDGET, noted, paused, redis_cache
from tests.servers.redis_servers import HOST, RedisServer, ask, free_port, wait_until

import cachery
from cachery import CacheConnectionError, CacheManager, CacheValueError, InMemoryCache, NullCache, RedisCache, aio
from cachery.events import TierDown, TierUp, Unreadable

PASSWORD = "a password of tests"
LARGE = "x" * 10_000


def test_a_server_that_only_reads_counts_as_away_until_it_is_primary_again(
    own_redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    with CacheManager() as manager:
        cache = manager.get_cache("shop", "redis", host=HOST, port=own_redis.port)
        seen: list[Any] = noted(cache, TierDown, TierUp)
        cache.set("price", 10, tags=["prices"])
        own_redis.ask("REPLICAOF", HOST, free_port())
        cache.invalidate_tags("prices")
        assert cache.get("price") is None
        wait_until(lambda: cache.degraded)  # type: ignore[attr-defined]
        own_redis.ask("REPLICAOF", "NO", "ONE")
        wait_until(lambda: not cache.degraded)  # type: ignore[attr-defined]
        with redis_cache(own_redis.port, "cachery", name="shop") as other:
            wait_until(lambda: other.get("price") is None)
    assert [type(event) for event in seen] == [TierDown, TierUp]
    assert "READONLY" in seen[0].error
    assert [record.levelno for record in caplog.records].count(logging.WARNING) == 1


def test_a_user_without_rights_is_told_of_at_once(own_redis: RedisServer) -> None:
    own_redis.ask("ACL", "SETUSER", "guest", "on", f">{PASSWORD}", "~*", "+ping")
    with CacheManager() as manager:
        cache = manager.get_cache("a", "redis", host=HOST, port=own_redis.port, username="guest", password=PASSWORD)
        assert cache.set("a", 1)
        wait_until(lambda: cache.degraded)  # type: ignore[attr-defined]
        assert cache.get("a") == 1


def test_a_full_server_takes_invalidations(own_redis: RedisServer) -> None:
    with redis_cache(own_redis.port) as cache:
        for number in range(300):
            cache.set(str(number), LARGE, tags=["t"])
        own_redis.ask("CONFIG", "SET", "maxmemory", "2mb")
        assert cache.delete("299")
        assert cache.delete_pattern("1*") == 111
        cache.invalidate_tags("t")
        assert cache.get("2") is None
        assert cache.clear()


def test_a_missing_password_is_named_whatever_is_asked_first(own_redis: RedisServer) -> None:
    own_redis.ask("CONFIG", "SET", "requirepass", PASSWORD)
    with redis_cache(own_redis.port) as cache, pytest.raises(CacheConnectionError, match="NOAUTH"):
        cache.set("a", LARGE)


def test_a_secret_that_is_missing_on_one_side_is_announced(redis_port: int, caplog: pytest.LogCaptureFixture) -> None:
    name = token_hex(4)
    with redis_cache(redis_port, name=name) as plain, redis_cache(redis_port, name=name, secret=PASSWORD) as signing:
        seen = noted(plain, Unreadable), noted(signing, Unreadable)
        plain.set("a", 1)
        signing.set("b", 1)
        assert (plain.get("b"), signing.get("a")) == (None, None)
        assert [[event.reason for event in events] for events in seen] == [["secret"], ["secret"]]
        assert len(caplog.records) == 2


def test_a_program_that_ends_after_clearing_has_cleared(redis_port: int) -> None:
    name = token_hex(4)
    program = (
        f"c = RedisCache(port={redis_port}, name={name!r}); c.set_many({{str(n): n for n in range(3000)}}); c.clear()"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(cachery.__file__).parents[1])}
    subprocess.run([sys.executable, "-c", f"from cachery import RedisCache; {program}"], check=True, env=environment)
    assert ask(redis_port, "KEYS", f"cachery:8:{name}:*") == []


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"url_or_host": "redis://localhost?nonsense=1"}, "nonsense"),
        ({"connection_options": {"nonsense": 1}}, "nonsense"),
        ({"url_or_host": "localhost:6380"}, "port=6380"),
        ({"fallback": NullCache()}, "fallback"),
        ({"fallback": True}, "fallback"),
    ],
)
def test_what_cannot_be_is_refused_when_the_cache_is_made(options: Any, match: str) -> None:
    with pytest.raises(CacheValueError, match=match):
        RedisCache(**options)


@pytest.mark.parametrize("fallback", [InMemoryCache(), aio.InMemoryCache()])
def test_either_door_to_memory_is_a_fallback_for_event_loops(fallback: Any) -> None:
    async def go_on_without() -> object:
        async with aio.RedisCache(HOST, free_port(), fallback=fallback) as cache:
            await cache.set("a", 1)
            return await cache.get("a")

    assert asyncio.run(go_on_without()) == 1


def test_a_load_waits_once_for_a_server_that_does_not_answer(own_redis: RedisServer) -> None:
    with redis_cache(own_redis.port) as cache:
        cache.get("a")
        with paused(own_redis):
            began = monotonic()
            assert cache.get_or_set("a", lambda: 1) == 1
            assert monotonic() - began < 1.9 * BUDGET


def test_many_who_count_at_once_count_each(redis_port: int) -> None:
    async def count() -> list[int]:
        async with aio.RedisCache(HOST, redis_port, name=token_hex(4)) as cache:
            return await asyncio.gather(*[cache.incr("n") for _ in range(1000)])

    assert sorted(asyncio.run(count())) == list(range(1, 1001))


@given(
    st.lists(
        st.one_of(
            st.integers(-300, 300),
            st.sampled_from([2**exponent + more for exponent in (7, 8, 15, 39, 46, 47, 63) for more in (-1, 0, 1)]),
            st.sampled_from([-(2**exponent) + more for exponent in (7, 8, 15, 39, 46, 47, 63) for more in (-1, 0, 1)]),
        ),
        max_size=12,
    )
)
@pytest.mark.parametrize("options", [{}, {"secret": PASSWORD}])
def test_sums_are_right_whatever_their_size(redis_port: int, options: Any, steps: list[int]) -> None:
    with redis_cache(redis_port, name=token_hex(4), **options) as cache:
        total = 0
        for step in steps:
            total += step
            assert cache.incr("n", step) == total
            assert cache.get("n") == total


def test_an_operator_sees_all_entries_and_what_is_wrong_with_them(redis_port: int) -> None:
    with redis_cache(redis_port, name=token_hex(4), secret=PASSWORD) as cache:
        cache.set("short", 1, ttl=60, tags=["t"])
        cache.set("x" * 300, LARGE)
        cache.set("undone", 1, tags=["gone"])
        cache.invalidate_tags("gone")
        with redis_cache(redis_port, name=cache.name, secret="another password") as stranger:
            stranger.set("foreign", 1)
        now = cache.store.read_clock()
        seen = {summary.key: summary for summary in cache.store.summaries()}
        assert seen.keys() == {"short", "x" * 300, "undone", "foreign"}
        assert seen["short"].fresh_until - now == pytest.approx(60, abs=2)
        assert seen["x" * 300].size > len(LARGE)
        assert seen["undone"].dead_at <= cache.store.read_clock()
        assert dict(cache.store.verify()) == {"short": "", "x" * 300: "", "undone": "", "foreign": "secret"}
