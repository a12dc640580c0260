"""A server that goes away and comes back: answers go on from memory, and nothing that was invalidated returns."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tests.ai.conftest import BUDGET, over_redis
from tests.servers.redis_servers import HOST, RedisServer, free_port

from cachery.ai import AIResponseCache
from cachery.testing import TcpProxy

BRIEF = {"summary": "Brief"}
SIZES = [100, 0]
LENGTHS = [10, 60_000]


def take_away(proxy: TcpProxy) -> None:
    """End the connections to the server, and let nobody connect."""
    proxy.refuse()
    proxy.cut()


async def soon(condition: Callable[[], Awaitable[object]]) -> None:
    """Wait until ``condition`` holds."""
    async with asyncio.timeout(30):
        while not await condition():
            await asyncio.to_thread(lambda: None)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("length", LENGTHS)
def test_without_a_server_memory_answers(size: int, length: int) -> None:
    async def main() -> None:
        async with over_redis(free_port(), "t", BUDGET, memory_cache_size=size) as cache:
            assert not await cache.connect()
            assert await cache.cache_response("x" * length, "qa", {"n": 1}, BRIEF)
            answer = await cache.get_cached_response("x" * length, "qa", {"n": 1})
            assert answer is not None
            assert answer["summary"] == "Brief"
            assert cache.degraded
            numbers = await cache.get_cache_stats()
            assert numbers["redis"] == {"status": "unavailable", "keys": 0}
            assert await cache.invalidate_by_operation("qa") == 1
            assert await cache.get_cached_response("x" * length, "qa", {"n": 1}) is None

    asyncio.run(main())


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("length", LENGTHS)
def test_killed_and_restarted_in_the_middle(own_redis: RedisServer, size: int, length: int) -> None:
    before, during = "b" * length, "d" * length
    calls: list[int] = []

    async def compute() -> dict[str, str]:
        calls.append(1)
        return BRIEF

    async def main() -> None:
        async with over_redis(own_redis.port, "t", BUDGET, memory_cache_size=size) as cache:
            assert await cache.connect()
            await cache.cache_response(before, "qa", None, BRIEF)
            own_redis.kill()
            await cache.get_cached_response(before, "qa")  # from memory, or not at all: both are right
            await cache.cache_response(during, "qa", None, BRIEF)
            assert await cache.get_cached_response(during, "qa")
            asked = [cache.get_or_compute("c" * length, "qa", None, compute, scope="public") for _ in range(20)]
            assert {answer["summary"] for answer in await asyncio.gather(*asked)} == {"Brief"}
            assert len(calls) == 1
            own_redis.restart()
            await soon(cache.connect)
            async with over_redis(own_redis.port, "t", BUDGET) as other:
                await soon(lambda: other.get_cached_response(during, "qa"))
                await soon(lambda: other.get_cached_response("c" * length, "qa", scope="public"))
            assert not cache.degraded
            assert (await cache.get_cache_stats())["redis"]["status"] == "connected"
            await cache.cache_response("a" * length, "qa", None, BRIEF)
            assert await cache.get_cached_response("a" * length, "qa")

    asyncio.run(main())


def test_what_is_invalidated_meanwhile_does_not_return(own_redis: RedisServer) -> None:
    async def main() -> None:
        with TcpProxy(HOST, own_redis.port) as proxy:
            async with (
                over_redis(proxy.address[1], "t", BUDGET) as cache,
                over_redis(own_redis.port, "t", BUDGET) as other,
            ):
                await cache.cache_response("text", "qa", None, BRIEF)
                await cache.cache_response("text", "summarize", None, BRIEF)
                take_away(proxy)
                await cache.invalidate_by_operation("qa")
                assert await cache.get_cached_response("text", "qa") is None
                proxy.heal()

                async def is_gone() -> bool:
                    return await other.get_cached_response("text", "qa") is None

                await soon(is_gone)
                assert await cache.get_cached_response("text", "qa") is None
                assert await other.get_cached_response("text", "summarize")

    asyncio.run(main())


@pytest.mark.parametrize("length", LENGTHS)
def test_a_server_that_goes_between_any_two_calls(own_redis: RedisServer, length: int) -> None:
    """Each verb in turn is the first to find the server gone; none raises, none answers wrongly."""
    text = "x" * length

    async def main() -> None:
        with TcpProxy(HOST, own_redis.port) as proxy:
            verbs: list[Callable[[AIResponseCache], Awaitable[Any]]] = [
                lambda cache: cache.cache_response(text, "qa", None, BRIEF),
                lambda cache: cache.get_cached_response(text, "qa"),
                lambda cache: cache.get_or_compute(text, "qa", None, lambda: BRIEF, scope="public"),
                lambda cache: cache.invalidate_by_operation("qa"),
                lambda cache: cache.invalidate_pattern("qa"),
                lambda cache: cache.invalidate_all(),
                lambda cache: cache.get_cache_stats(),
                lambda cache: cache.connect(),
                lambda cache: cache.set("key", 1),
                lambda cache: cache.get("key"),
                lambda cache: cache.exists("key"),
                lambda cache: cache.delete("key"),
            ]
            for verb in verbs:
                proxy.heal()
                async with over_redis(proxy.address[1], "t", BUDGET) as cache:
                    await soon(cache.connect)
                    await cache.cache_response(text, "qa", None, BRIEF)
                    take_away(proxy)
                    await verb(cache)
                    answer = await cache.get_cached_response(text, "qa")
                    assert answer is None or answer["summary"] == "Brief"
                    proxy.heal()

    asyncio.run(main())


def test_without_the_modules_for_redis_memory_answers() -> None:
    code = """
import asyncio, importlib.util, logging, sys
found = importlib.util.find_spec
def without_redis(name, *rest):
    return None if name in ("redis", "hiredis") else found(name, *rest)
importlib.util.find_spec = without_redis
from cachery.ai import AIResponseCache
async def main():
    async with AIResponseCache() as cache:
        assert not await cache.connect() and cache.degraded
        await cache.cache_response("text", "qa", None, {"a": 1})
        assert (await cache.get_cached_response("text", "qa"))["a"] == 1
        print((await cache.get_cache_stats())["redis"]["status"])
asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "unavailable\n"
    assert "cachery[redis]" in done.stderr


def test_an_outage_is_logged_once(own_redis: RedisServer, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with over_redis(own_redis.port, "t", BUDGET, scope="public") as cache:
            await cache.connect()
            own_redis.kill()
            with caplog.at_level(logging.WARNING):
                for number in range(20):
                    await cache.cache_response(f"a secret text {number}", "qa", None, BRIEF)
            assert len([record for record in caplog.records if record.name.startswith("cachery")]) <= 3
            assert "secret" not in caplog.text

    asyncio.run(main())


def test_a_full_server_stores_nothing_and_harms_nobody(
    own_redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        async with over_redis(own_redis.port, "t", BUDGET) as cache:
            await cache.cache_response("before", "qa", None, BRIEF)
            own_redis.ask("CONFIG", "SET", "maxmemory-policy", "noeviction")
            own_redis.ask("CONFIG", "SET", "maxmemory", "1")
            for text in ("small", "l" * 60_000):
                assert not await cache.cache_response(text, "qa", None, BRIEF)
                assert await cache.get_cached_response(text, "qa") is None
                assert await cache.get_or_compute(text, "qa", None, lambda: BRIEF, scope="public")
            assert await cache.get_cached_response("before", "qa")
            assert "not stored" in caplog.text
            own_redis.ask("CONFIG", "SET", "maxmemory", "0")

    asyncio.run(main())
