"""How long an event loop is kept from its work by a cache on disk that is asked a thousand things a second."""

from __future__ import annotations

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import cachery.aio
from bench.disk_caches import RECORD
from bench.effort import Effort
from bench.rows import Bar, Row, Topic

__all__ = ["lag"]

_EACH = 10
_TURN = 0.01
_SHARE = 0.99


def lag(effort: Effort) -> Topic:
    """Measure how late a timer of the loop is, idle and beside the cache."""
    seconds = 5 * effort.thread_seconds
    idle, _ = asyncio.run(_lateness(None, seconds))
    with TemporaryDirectory() as place:
        busy, done = asyncio.run(_lateness(Path(place), seconds))
    row = Row(
        "lag of the loop, 99 of 100 below",
        _late(busy),
        "idle loop",
        _late(idle),
        Bar(5, is_absolute=True, unit=" ms"),
        "ms",
    )
    return Topic("The loop beside a disk", [row], [f"{done / seconds:,.0f} operations a second, half of them writes"])


async def _lateness(place: Path | None, seconds: float) -> tuple[list[float], int]:
    """Return how late each turn was, in milliseconds, and how many operations were done meanwhile."""
    cache = None if place is None else cachery.aio.DiskCache(place)
    late: list[float] = []
    tasks: list[asyncio.Task[object]] = []
    end = perf_counter() + seconds
    turn = 0
    while (began := perf_counter()) < end:
        if cache is not None:
            tasks += [asyncio.create_task(_use(cache, turn * _EACH + number)) for number in range(_EACH)]
        await asyncio.sleep(_TURN)
        late.append(1e3 * (perf_counter() - began - _TURN))
        turn += 1
    await asyncio.gather(*tasks)
    if cache is not None:
        await cache.close()
    return late, len(tasks)


async def _use(cache: cachery.aio.DiskCache, number: int) -> object:
    key = f"key:{number % 500}"
    return await (cache.set(key, RECORD) if number % 2 else cache.get(key))


def _late(milliseconds: list[float]) -> float:
    return sorted(milliseconds)[int(len(milliseconds) * _SHARE)]
