"""What a hit costs while a million entries expire at once, and how many leave at a call."""

from __future__ import annotations

import gc
import random
from collections.abc import Sequence
from statistics import median
from time import monotonic, perf_counter, sleep

from bench.effort import Effort
from bench.rows import Bar, Row, Topic
from cachery import InMemoryCache

__all__ = ["expiry"]

_FULL, _QUICK = (10**6, 10.0, 3), (10**3, 0.3, 1)
"""How many entries, the seconds in which they are stored before the first expires, and how often."""

_GETS_A_SET = 200


def expiry(effort: Effort) -> Topic:
    """Measure the slowest get, and the slowest set, in the second in which all but a few entries expire."""
    entries, life, rounds = _QUICK if effort.name == "quick" else _FULL
    storms = [_storm(*_filled(entries, life)) for _ in range(rounds)]
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


def _filled(entries: int, life: float) -> tuple[InMemoryCache, Sequence[str], float]:
    """Return a cache, what expires in it, and when that begins."""
    cache = InMemoryCache(None)
    keys = [f"key:{number}" for number in range(entries)]
    chance = random.Random(1)  # noqa: S311 - not a secret
    begins = monotonic() + life
    for key in keys:
        cache.set(key, True, begins + chance.random() - monotonic())
    for number in range(1000):
        cache.set(f"live:{number}", True)
    return cache, keys, begins


def _storm(cache: InMemoryCache, keys: Sequence[str], begins: float) -> tuple[list[float], list[float], int]:
    """Return the nanoseconds of each get and of each set, and the most entries that left at one call."""
    chance = random.Random(2)  # noqa: S311
    gets: list[float] = []
    sets: list[float] = []
    most = 0
    gc.disable()
    try:
        sleep(max(0.0, begins - monotonic()))
        while not sets or monotonic() < begins + 1.2:
            for number in range(_GETS_A_SET):
                key = f"live:{number}" if number % 10 else chance.choice(keys)
                before = cache.stats.expirations
                began = perf_counter()
                cache.get(key)
                gets.append((perf_counter() - began) * 1e9)
                most = max(most, cache.stats.expirations - before)
            before = cache.stats.expirations
            began = perf_counter()
            cache.set(f"new:{len(sets)}", True, 100)
            sets.append((perf_counter() - began) * 1e9)
            most = max(most, cache.stats.expirations - before)
    finally:
        gc.enable()
    return gets, sets, most


def _share(numbers: Sequence[float], share: float) -> float:
    return sorted(numbers)[int(share * (len(numbers) - 1))]
