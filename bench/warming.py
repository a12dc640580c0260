"""How many keys a second a warmer brings into memory: from a loader that does nothing, and from a slow one."""

from __future__ import annotations

from time import sleep
from typing import Any

from bench.effort import Effort
from bench.rows import Bar, Row, Topic
from cachery import InMemoryCache
from cachery.warmers import CacheWarmer, CallableValueLoader, StaticKeyProvider, WarmingConfig

__all__ = ["warming"]

_MILLISECOND = 0.001
_ROUNDS = 3
_UNIT = "keys/s"


def warming(effort: Effort) -> Topic:
    """Measure both."""
    count = effort.sizes[-2]
    return Topic(
        "Warming",
        [
            _row(f"{count:,} keys, a loader that does nothing", count, str, 4, 200_000),
            _row(f"{count:,} keys, a loader of 1 ms, 32 workers", count, _slow, 32, 20_000),
        ],
    )


def _row(what: str, count: int, load: Any, workers: int, bar: int) -> Row:
    keys = StaticKeyProvider([f"key:{number}" for number in range(count)])
    config = WarmingConfig(max_workers=workers, retry_on_failure=False)
    runs = [CacheWarmer(InMemoryCache(None), keys, CallableValueLoader(load), config).warm() for _ in range(_ROUNDS)]
    best = max(1e3 * stats.keys_warmed / stats.total_time_ms for stats in runs)
    return Row(what, best, bar=Bar(bar, is_floor=True, is_absolute=True, unit=f" {_UNIT}"), unit=_UNIT)


def _slow(key: str) -> str:
    sleep(_MILLISECOND)
    return key
