"""What the verbs of ``RedisCache`` cost beside those of redis-py, which neither checks nor decodes anything."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from statistics import median
from time import perf_counter
from typing import Any

import msgspec
import redis as client
import redis.asyncio as aio_client

from bench.effort import Effort
from bench.redis_server import has_redis, redis_port
from bench.rows import Bar, Row, Topic
from bench.timing import Subject, nanoseconds_of
from cachery import RedisCache, aio

__all__ = ["redis"]

_RECORD = {"name": "Ada Lovelace", "number": 1815, "text": "x" * 200}
_MANY = 100
_AT_ONCE = 2000
_POOL = 50
_KEY = "key:0"


def redis(effort: Effort) -> Topic:
    """Measure reads of one server."""
    if not has_redis():
        return Topic("On Redis", [], ["there is no redis-server on this machine"])
    with redis_port() as port:
        return Topic("On Redis", [*_blocking(port, effort), *asyncio.run(_awaited(port, effort))])


def _blocking(port: int, effort: Effort) -> list[Row]:
    cache, peer = RedisCache(port=port), client.Redis(port=port)
    keys = [f"key:{number}" for number in range(_MANY)]
    cache.set_many(dict.fromkeys(keys, _RECORD))
    stored = [cache.names.entry(key.encode()) for key in keys]
    slow = replace(effort, seconds_each=10 * effort.seconds_each)
    own, theirs, own_many, their_many = nanoseconds_of(
        [
            Subject("c.get(k)", cache, keys),
            Subject("c.get(k)", peer, stored),
            Subject("c.get_many(k)", cache, [keys]),
            Subject("c(k)", _reader(peer), [stored]),
        ],
        slow,
    )
    cache.close()
    peer.close()
    return [
        Row("get", own / 1e3, "redis-py get", theirs / 1e3, Bar(1.15), "µs"),
        Row(f"get_many of {_MANY}", own_many / 1e3, "MGET and decoding", their_many / 1e3, Bar(1.5), "µs"),
    ]


def _reader(peer: client.Redis) -> Callable[[list[bytes]], list[Any]]:
    """Return what reads and decodes as many values of the same size."""
    decode, body = msgspec.msgpack.Decoder().decode, msgspec.msgpack.encode(_RECORD)
    fetch: Any = peer.mget
    return lambda keys: [decode(body) for _ in fetch(keys)]


async def _awaited(port: int, effort: Effort) -> list[Row]:
    cache = aio.RedisCache(port=port)
    pool = aio_client.BlockingConnectionPool(port=port, max_connections=_POOL)
    peer = aio_client.Redis(connection_pool=pool)
    await cache.set(_KEY, _RECORD)
    stored = cache.blocking.names.entry(_KEY.encode())
    rounds = max(3, effort.repeats // 20)
    one = [(await _one(lambda: cache.get(_KEY)), await _one(lambda: peer.get(stored))) for _ in range(rounds)]
    many = [(await _many(lambda: cache.get(_KEY)), await _many(lambda: peer.get(stored))) for _ in range(rounds)]
    await cache.close()
    await peer.aclose()
    await pool.disconnect()
    alone, their_alone = (min(times) for times in zip(*one, strict=True))
    rate, their_rate = (median(1e3 / time for time in times) for times in zip(*many, strict=True))
    bar = Bar(3.5, 5, is_floor=True)
    return [
        Row("aio get, one at a time", alone, "redis.asyncio get", their_alone, Bar(1.15), "µs"),
        Row(f"aio get, {_AT_ONCE:,} at once", rate, f"redis.asyncio, pool of {_POOL}", their_rate, bar, "thousand/s"),
    ]


async def _one(call: Callable[[], Awaitable[object]]) -> float:
    began = perf_counter()
    for _ in range(_AT_ONCE // 10):
        await call()
    return (perf_counter() - began) / (_AT_ONCE // 10) * 1e6


async def _many(call: Callable[[], Awaitable[object]]) -> float:
    began = perf_counter()
    await asyncio.gather(*[call() for _ in range(_AT_ONCE)])
    return (perf_counter() - began) / _AT_ONCE * 1e6
