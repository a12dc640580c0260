"""Memory before Redis: what a hit costs, how soon a change by another process is seen, and what an outage costs."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from time import monotonic, perf_counter, sleep

import cashews

from bench.child import ROOT
from bench.effort import Effort
from bench.redis_server import has_redis, redis_port
from bench.rows import Bar, Row, Topic
from bench.timing import Subject, nanoseconds_of
from cachery import InMemoryCache, RedisCache, TieredCache
from cachery.exceptions import CacheError
from cachery.testing import TcpProxy

__all__ = ["outage", "tiers"]

_KEYS = [f"key:{number}" for number in range(1000)]
_BUDGET = 0.1


def tiers(effort: Effort) -> Topic:
    """Measure hits in the tier in memory, and how long others are behind."""
    if not has_redis():
        return Topic("Memory before Redis", [], ["there is no redis-server on this machine"])
    with redis_port() as port:
        return Topic("Memory before Redis", [*_hits(port, effort), *_staleness(port, effort)])


def _hits(port: int, effort: Effort) -> list[Row]:
    memory = InMemoryCache(len(_KEYS))
    cache = TieredCache(InMemoryCache(len(_KEYS)), RedisCache(port=port))
    for one in (memory, cache):
        one.set_many(dict.fromkeys(_KEYS, "value"))
    cache.get_many(_KEYS)
    while not all(cache.glance(key) == "value" for key in _KEYS):  # until the channel is there
        cache.get_many(_KEYS)
    own, beneath = nanoseconds_of([Subject("c.get(k)", one, _KEYS) for one in (cache, memory)], effort)
    cache.close()
    theirs = asyncio.run(_cashews_hit(port, replace(effort, repeats=max(3, effort.repeats // 10))))
    return [
        Row("hit", own, "own get in memory", beneath, Bar(6)),
        Row("hit", own, "cashews, client side", theirs, Bar(0.1)),
    ]


async def _cashews_hit(port: int, effort: Effort) -> float:
    peer = cashews.Cache()
    peer.setup(f"redis://localhost:{port}/1", client_side=True)
    await peer.set("key", "value", expire=100)
    await peer.get("key")
    times = []
    for _ in range(effort.repeats):
        began = perf_counter()
        for _ in range(100):
            await peer.get("key")
        times.append((perf_counter() - began) * 1e7)
    await peer.close()
    return min(times)


def _staleness(port: int, effort: Effort) -> list[Row]:
    """Return how long after a write of another process has returned this one still reads what was before."""
    command = [sys.executable, "-m", "bench.tier_writer", str(port)]
    writer = subprocess.Popen(  # noqa: S603
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    )
    assert writer.stdin is not None  # noqa: S101 - they are pipes
    assert writer.stdout is not None  # noqa: S101
    late = []
    with TieredCache(InMemoryCache(), RedisCache(port=port, name="staleness")) as cache:
        for number in range(max(20, effort.stampedes * 5)):
            cache.get("key")
            writer.stdin.write(f"{number}\n")
            seen = _seen(cache, number)
            late.append(max(0.0, seen - float(writer.stdout.readline())) * 1e3)
    writer.communicate()
    late.sort()
    half, most = late[len(late) // 2], late[int(len(late) * 0.99)]
    return [
        Row("staleness, half below", half, bar=Bar(2, is_absolute=True, unit=" ms"), unit="ms"),
        Row("staleness, 99 of 100 below", most, bar=Bar(20, is_absolute=True, unit=" ms"), unit="ms"),
    ]


def _seen(cache: TieredCache, number: int) -> float:
    while cache.get("key") != number:
        sleep(0)  # else the thread that hears waits for the interpreter to change threads, every 5 ms
    return monotonic()


def outage(effort: Effort) -> Topic:
    """Measure what calls cost while the server swallows what it is sent and answers nothing."""
    if not has_redis():
        return Topic("Redis away", [], ["there is no redis-server on this machine"])
    with redis_port() as port, TcpProxy("127.0.0.1", port) as proxy:
        cache = RedisCache("127.0.0.1", proxy.port, timeout=_BUDGET, connect_timeout=_BUDGET)
        cache.get("key")
        proxy.black_hole()
        waits = [_refused(cache) for _ in range(5)]
        at_once = sorted(_refused(cache) for _ in range(max(100, effort.stampedes * 10)))
        cache.close()
    most = max(waits) * 1e3
    limit = _BUDGET * 1e3
    opened = at_once[int(len(at_once) * 0.99)] * 1e6
    return Topic(
        "Redis away",
        [
            Row("a call, the longest", most, "the budget", limit, Bar(1.1), "ms"),
            Row("a call, once the breaker is open", opened, bar=Bar(50, is_absolute=True, unit=" µs"), unit="µs"),
        ],
    )


def _refused(cache: RedisCache) -> float:
    began = perf_counter()
    with suppress(CacheError):
        cache.get("key")
    return perf_counter() - began
