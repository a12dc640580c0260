"""What a hit costs while a million entries expire at once, and how many leave at a call."""

from __future__ import annotations

import gc
import random
from collections.abc import Sequence
from statistics import median
from time import perf_counter

from bench.effort import Effort
from bench.rows import Bar, Row, Topic
from cachery import InMemoryCache
from cachery.testing import FakeClock

__all__ = ["expiry"]

_FULL, _QUICK = 10**6, 10**4
_LIFE = 100.0
_GETS_A_TICK = 200
_TICKS = 1000
_ROUNDS = 3


def expiry(effort: Effort) -> Topic:
    """Measure the slowest get, and the slowest set, in the second in which all but a few entries expire."""
    entries = _QUICK if effort.name == "quick" else _FULL
    storms = [_storm(*_filled(entries)) for _ in range(_ROUNDS)]
    gets, sets, _ = min(storms, key=lambda storm: max(storm[0]))  # the one that was interrupted least
    most = max(storm[2] for storm in storms)
    usual, slowest = median(gets), max(gets)
    what = f"while {entries:,} entries expire in one second: "
    return Topic(
        "Expiry",
        [
            Row(f"{what}slowest get", slowest, "half of the gets", usual, Bar(1000)),
            Row(f"{what}999 of 1,000 gets", _share(gets, 0.999), "half of the gets", usual),
            Row(f"{what}slowest set", max(sets), "half of the sets", median(sets)),
            Row("most that left at a call", most, bar=Bar(16, is_absolute=True), unit=""),
        ],
        [f"{len(gets):,} gets, a tenth of them of what has expired, and {len(sets):,} sets; each timed by itself"],
    )


def _filled(entries: int) -> tuple[InMemoryCache, FakeClock, Sequence[str]]:
    clock = FakeClock()
    cache = InMemoryCache(None, clock=clock)
    keys = [f"key:{number}" for number in range(entries)]
    chance = random.Random(1)  # noqa: S311 - not a secret
    for key in keys:
        cache.set(key, True, _LIFE + chance.random())
    for number in range(1000):
        cache.set(f"live:{number}", True)
    return cache, clock, keys


def _storm(cache: InMemoryCache, clock: FakeClock, keys: Sequence[str]) -> tuple[list[float], list[float], int]:
    """Return the nanoseconds of each get and of each set, and the most entries that left at one call."""
    chance = random.Random(2)  # noqa: S311
    gets, sets, most = [], [], 0
    clock.advance(_LIFE)
    gc.disable()
    try:
        for tick in range(_TICKS + 200):
            clock.advance(1 / _TICKS)
            for number in range(_GETS_A_TICK):
                key = f"live:{number}" if number % 10 else chance.choice(keys)
                before = cache.stats.expirations
                began = perf_counter()
                cache.get(key)
                gets.append((perf_counter() - began) * 1e9)
                most = max(most, cache.stats.expirations - before)
            before = cache.stats.expirations
            began = perf_counter()
            cache.set(f"new:{tick}", True, _LIFE)
            sets.append((perf_counter() - began) * 1e9)
            most = max(most, cache.stats.expirations - before)
    finally:
        gc.enable()
    return gets, sets, most


def _share(numbers: Sequence[float], share: float) -> float:
    return sorted(numbers)[int(share * (len(numbers) - 1))]
