"""Callers are cancelled at random, over a slow network; those who stay get what they asked for, and nothing is left."""

from __future__ import annotations

import asyncio
import gc
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import pytest
from tests.servers.redis_servers import HOST, RedisServer

from cachery import aio
from cachery.testing import TcpProxy

pytest.importorskip("redis")

KEYS = [f"key-{number}" for number in range(24)]
AT_ONCE = 100


@pytest.fixture
def slow(redis_server: RedisServer) -> Iterator[TcpProxy]:
    with TcpProxy(HOST, redis_server.port, seed=3) as proxy:
        proxy.delay(0.0005, jitter=0.004)
        yield proxy


Make = Callable[[dict[str, Any]], aio.Cache]


def make_redis(options: dict[str, Any]) -> aio.Cache:
    return aio.RedisCache(**options)


def make_tiered(options: dict[str, Any]) -> aio.Cache:
    return aio.TieredCache(aio.InMemoryCache(), aio.RedisCache(**options))


class Crowd:
    """Callers of ``cache``, some of whom go away before they are answered."""

    def __init__(self, cache: aio.Cache, random: Random) -> None:
        self._cache = cache
        self._random = random
        self.wrong: list[str] = []
        self.ends: Counter[str] = Counter()

    async def come(self, count: int) -> None:
        """Have ``count`` callers go away, some at a time, and as many stay."""
        left = count
        while left > 0:
            left -= await self._meet()

    async def _meet(self) -> int:
        loop = asyncio.get_running_loop()
        callers = [asyncio.create_task(self._call()) for _ in range(AT_ONCE)]
        leaving = callers[::2]
        handles = [loop.call_later(self._random.random() * 0.02, caller.cancel) for caller in leaving]
        ends = await asyncio.gather(*callers, return_exceptions=True)
        for handle in handles:
            handle.cancel()
        self.wrong += [repr(end) for end in ends[1::2] if isinstance(end, BaseException)]
        self.ends.update("left" if isinstance(end, asyncio.CancelledError) else "answered" for end in ends)
        return sum(isinstance(end, asyncio.CancelledError) for end in ends)

    async def _call(self) -> None:
        key = self._random.choice(KEYS)
        act = self._random.choices([self._get, self._get_many, self._load, self._set, self._delete], [6, 2, 6, 3, 3])[0]
        await act(key)

    async def _get(self, key: str) -> None:
        self._check(key, await self._cache.get(key))

    async def _get_many(self, key: str) -> None:
        keys = {key, *self._random.sample(KEYS, 3)}
        for found, value in (await self._cache.get_many(keys)).items():
            self._check(found, value)

    async def _load(self, key: str) -> None:
        async def load() -> str:
            await asyncio.wait([asyncio.ensure_future(asyncio.to_thread(str))])
            return f"{key} loaded"

        self._check(key, await self._cache.get_or_set(key, load), is_there=True)

    async def _set(self, key: str) -> None:
        await self._cache.set(key, f"{key} written")

    async def _delete(self, key: str) -> None:
        await self._cache.delete(key)

    def _check(self, key: str, value: Any, *, is_there: bool = False) -> None:
        known = [f"{key} loaded", f"{key} written", *([] if is_there else [None])]
        if value not in known:
            self.wrong.append(f"{key!r} was answered with {value!r}")


@asynccontextmanager
async def ending(cache: aio.Cache) -> AsyncIterator[aio.Cache]:
    """Give ``cache``, and see in the end that nobody and nothing is left that belongs to a call."""
    try:
        yield cache
        await cache.drain()
        await until(lambda: not leftovers(cache))
    finally:
        await cache.close()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    assert not others


def leftovers(cache: Any) -> list[str]:
    """Return what is pending in ``cache``."""
    store = cache.store
    renewal = store.renewal
    counts = {
        "open tokens": len(store.tokens),
        "flights": len(cache.engine.core.flights),
        "leases": len(renewal._held),
        "questions": sum(len(channel._questions) for channel in channels_of(cache)),
    }
    return [f"{count} {what}" for what, count in counts.items() if count]


def channels_of(cache: Any) -> list[Any]:
    far = getattr(cache, "_far", cache)
    return list(far.link._link._channels.values())


async def until(condition: Callable[[], bool], timeout: float = 10.0) -> None:
    """Let the loop go on until ``condition`` is true."""
    async with asyncio.timeout(timeout):
        while not condition():
            await asyncio.wait([asyncio.ensure_future(asyncio.to_thread(str))])


@pytest.mark.stress
@pytest.mark.parametrize("make", [make_redis, make_tiered])
def test_who_stays_is_answered_whoever_goes(make: Make, slow: TcpProxy, redis_prefix: str, stress: float) -> None:
    count = int(100_000 * stress)
    crowd: Crowd

    async def main() -> Crowd:
        async with ending(make({"port": slow.port, "prefix": f"c{hash(redis_prefix) % 10**8}", "timeout": 5})) as cache:
            crowd = Crowd(cache, Random(8))
            await crowd.come(count)
            return crowd

    crowd = asyncio.run(main())
    assert crowd.wrong == []
    assert crowd.ends["left"] >= count
    assert crowd.ends["answered"] >= count // 2
    gc.collect()
