"""How many hits two threads get out of one cache beside one thread, and whether every hit is counted."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from threading import Barrier
from time import perf_counter
from typing import Any

from bench.caches import KEYS, filled, ours
from bench.effort import Effort
from bench.rows import Bar, Row, Topic
from bench.timing import loop_of

__all__ = ["threads"]

_TRIAL = 500
"""Passes; long enough to tell how many fill the time."""


def threads(effort: Effort) -> Topic:
    """Measure as many gets by two threads as by one, in turns.

    A ``dict`` takes part to show what the interpreter and the machine make of two threads.
    """
    cache = ours()
    own, plain = _Race(cache, effort.thread_seconds), _Race(filled({}), effort.thread_seconds)
    for _ in range(effort.rounds):
        own.hold_round()
        plain.hold_round()
    lost = own.gets - cache.stats.hits
    rows = [
        own.row("gets by 2 threads on one cache", Bar(0.9, is_floor=True)),
        plain.row("gets by 2 threads on one dict"),
        Row("gets by threads not counted as hits", lost, bar=Bar(0, is_absolute=True), unit=""),
    ]
    notes = [f"ratios of the rounds: {own.ratios()}; dict: {plain.ratios()}"]
    return Topic("Threads", rows, [*notes, f"{own.gets:,} gets, {cache.stats.hits:,} hits counted, {lost:,} lost"])


class _Race:
    """Threads that get from one cache as fast as they can, by two and by one; each time about ``seconds`` long."""

    def __init__(self, cache: Any, seconds: float) -> None:
        self._cache = cache
        self.gets = 0
        self._rounds: list[tuple[float, float]] = []
        self._passes = max(2, round(seconds * self._speed(1, _TRIAL) * 1e6 / len(KEYS)))

    def hold_round(self) -> None:
        """Let two threads run, and then one, for as many gets."""
        self._rounds.append((self._speed(2, self._passes // 2), self._speed(1, self._passes)))

    def row(self, what: str, bar: Bar | None = None) -> Row:
        """Return the round with the median ratio."""
        two, one = sorted(self._rounds, key=_ratio)[len(self._rounds) // 2]
        return Row(what, two, "1 thread", one, bar, "M/s")

    def ratios(self) -> str:
        """Return the ratios of all rounds, as text."""
        return ", ".join(f"{_ratio(speeds):.2f}" for speeds in self._rounds)

    def _speed(self, count: int, passes: int) -> float:
        """Let ``count`` threads go through all keys ``passes`` times each; return their gets in millions a second."""
        start = Barrier(count)
        with ThreadPoolExecutor(count) as pool:
            spans = [future.result() for future in [pool.submit(self._run, start, passes) for _ in range(count)]]
        gets = count * passes * len(KEYS)
        self.gets += gets
        return gets / 1e6 / (max(end for _, end in spans) - min(began for began, _ in spans))

    def _run(self, start: Barrier, passes: int) -> tuple[float, float]:
        """Go through all keys; return when that began and ended."""
        loop = loop_of("c.get(k)")
        start.wait()
        began = perf_counter()
        loop(self._cache, KEYS, None, repeat(None, passes), perf_counter)
        return began, perf_counter()


def _ratio(speeds: Sequence[float]) -> float:
    two, one = speeds
    return two / one
