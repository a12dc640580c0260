"""What keeping answers of models costs: keys of texts, hits in memory and on Redis, calls that are shared."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from hashlib import blake2b
from time import perf_counter
from typing import Any

import redis.asyncio as aio_client

from bench.effort import Effort
from bench.redis_server import has_redis, redis_port
from bench.rows import Bar, Row, Topic
from bench.timing import Subject, nanoseconds_of
from cachery.ai import AIResponseCache, CacheKeyGenerator

__all__ = ["answers"]

_OPTIONS = {"max_length": 100, "style": "brief"}
_ANSWER = {"summary": "A brief summary of a document. " * 10, "score": 0.5, "topics": ["caching", "models"]}
_CALLS = 50
_REQUEST = {"model": "small-1", "messages": [{"role": "user", "content": "2 + 2?"}]}
_REPLY = {"choices": [{"finish_reason": "stop", "message": {"content": "4"}}]}


def answers(effort: Effort) -> Topic:
    """Measure keys and hits."""
    rows = [*_keys(effort), asyncio.run(_shared())]
    if not has_redis():
        return Topic("Answers of models", rows, ["there is no redis-server on this machine"])
    with redis_port() as port:
        return Topic("Answers of models", [*rows, *asyncio.run(_hits(port, effort))])


def _keys(effort: Effort) -> list[Row]:
    generator = CacheKeyGenerator()
    small, large = "tea and " * 128, "tea and " * 131_072
    call = f"c.generate_cache_key(k, 'summarize', {_OPTIONS})"
    slow = replace(effort, seconds_each=10 * effort.seconds_each)
    own, plain = nanoseconds_of([Subject(call, generator, [small]), Subject("c(k)", _hashed, [small.encode()])], effort)
    of_large = [Subject(call, generator, [large]), Subject("c(k)", _hashed, [large.encode()])]
    own_large, plain_large = nanoseconds_of(of_large, slow)
    return [
        Row("key of a text of 1 KB, with options", own / 1e3, "BLAKE2b of it", plain / 1e3, Bar(6), "µs"),
        Row("key of a text of 1 MB, with options", own_large / 1e3, "BLAKE2b of it", plain_large / 1e3, Bar(1.3), "µs"),
    ]


def _hashed(text: bytes) -> str:
    return blake2b(text).hexdigest()


async def _shared() -> Row:
    calls: list[int] = []

    async def call(_: Any) -> Any:
        calls.append(1)
        await asyncio.sleep(0.01)
        return _REPLY

    async with AIResponseCache(None) as cache:
        await asyncio.gather(*(cache.cached_completion(_REQUEST, call) for _ in range(_CALLS)))
    return Row(f"calls for {_CALLS} equal requests", len(calls), bar=Bar(1, is_absolute=True), unit="calls")


async def _hits(port: int, effort: Effort) -> list[Row]:
    small, medium = "a small text", "a text that memory does not hold. " * 30
    rounds = max(5, effort.repeats // 4)
    peer = aio_client.Redis(port=port)
    await peer.set("bare", json.dumps(_ANSWER))
    async with AIResponseCache(f"redis://localhost:{port}", scope="public") as cache:
        for text in (small, medium):
            await cache.cache_response(text, "summarize", _OPTIONS, _ANSWER)
            await cache.get_cached_response(text, "summarize", _OPTIONS)
        ways = [
            lambda: cache.get_cached_response(small, "summarize", _OPTIONS),
            lambda: cache.get_cached_response(medium, "summarize", _OPTIONS),
            lambda: _bare(peer),
        ]
        times = [[await _microseconds(way) for way in ways] for _ in range(rounds)]
    await peer.aclose()
    memory, server, bare = (min(column) for column in zip(*times, strict=True))
    return [
        Row("get_cached_response, from memory", memory, "the same, from Redis", server, Bar(0.2), "µs"),
        Row("get_cached_response, from Redis", server, "redis.asyncio get and json.loads", bare, Bar(1.3), "µs"),
    ]


async def _bare(peer: aio_client.Redis) -> Any:
    body = await peer.get("bare")
    assert body is not None  # noqa: S101 - it was stored above
    return json.loads(body)


async def _microseconds(work: Callable[[], Awaitable[Any]], times: int = 300) -> float:
    begun = perf_counter()
    for _ in range(times):
        await work()
    return 1e6 * (perf_counter() - begun) / times
