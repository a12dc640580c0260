"""How often a key is loaded that threads and event loops ask for at once, while nothing is stored."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from time import sleep

import cachery.aio
from bench.caches import LIFE
from bench.effort import Effort
from bench.rows import Bar, Row, Topic

__all__ = ["stampede"]

_THREADS, _LOOPS, _TASKS = 50, 4, 50
_LOAD_SECONDS = 0.01
"""Enough for everyone to ask before the first load has ended."""
_CROWD = f"{_THREADS} threads, {_LOOPS} event loops of {_TASKS} tasks"


def stampede(effort: Effort) -> Topic:
    """Count the loads of cold keys, one after another, and report the worst."""
    run = _Stampede()
    with ThreadPoolExecutor(_THREADS + _LOOPS) as pool:
        loads = [run.hold(f"key:{number}", pool) for number in range(effort.stampedes)]
    by_tasks = sum(loads) - run.led_by_threads
    done = f"{sum(loads):,} loads, {run.led_by_threads:,} of them by a thread, {by_tasks:,} by a task"
    rows = [
        Row(f"loads of a key: {_CROWD}", max(loads), bar=Bar(1, is_absolute=True), unit=""),
        Row("answers that were not what was loaded", run.wrong, bar=Bar(0, is_absolute=True), unit=""),
    ]
    return Topic("One cold key", rows, [f"{len(loads):,} keys, {done}; {run.joined:,} callers waited for one"])


class _Stampede:
    """Two doors to one store, and what was done through them."""

    def __init__(self) -> None:
        self._cache = cachery.aio.InMemoryCache()
        self._loads: list[str] = []
        self.led_by_threads = 0
        self.wrong = 0

    @property
    def joined(self) -> int:
        """How many waited for the load of another."""
        joined: int = self._cache.stats.coalesced
        return joined

    def hold(self, key: str, pool: ThreadPoolExecutor) -> int:
        """Let everyone ask for ``key`` at once; return how often it was loaded."""
        self._loads.clear()
        start = Barrier(_THREADS + _LOOPS)
        threads = [pool.submit(self._ask, start, key) for _ in range(_THREADS)]
        loops = [pool.submit(asyncio.run, self._ask_by_tasks(start, key)) for _ in range(_LOOPS)]
        answers = [thread.result() for thread in threads] + [answer for loop in loops for answer in loop.result()]
        self.wrong += sum(answer != "value" for answer in answers)
        self.led_by_threads += self._loads.count("thread")
        return len(self._loads)

    def _ask(self, start: Barrier, key: str) -> object:
        start.wait()
        return self._cache.blocking.get_or_set(key, self._load, LIFE)

    async def _ask_by_tasks(self, start: Barrier, key: str) -> list[object]:
        start.wait()
        answers: list[object] = await asyncio.gather(
            *[self._cache.get_or_set(key, self._load_later, LIFE) for _ in range(_TASKS)]
        )
        return answers

    def _load(self) -> str:
        self._loads.append("thread")
        sleep(_LOAD_SECONDS)
        return "value"

    async def _load_later(self) -> str:
        self._loads.append("task")
        await asyncio.sleep(_LOAD_SECONDS)
        return "value"
