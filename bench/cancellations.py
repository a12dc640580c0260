"""Whether a task that waits for a key is harmed by the cancellation of others, the one that began the load included."""

from __future__ import annotations

import asyncio
from random import Random

import cachery.aio
from bench.caches import LIFE
from bench.effort import Effort
from bench.rows import Bar, Row, Topic

__all__ = ["cancellations"]

_CROWD = 20
"""The most tasks that ask at first; then as many are cancelled, drawn by lot, while others come and ask too."""

_HEAD_START = 4
"""The turns of the loop before the first is cancelled are fewer; with none, it has not even asked."""

_PAUSE = 0.3
"""The chance that a cancellation is followed by a turn of the loop and a newcomer."""

_PATIENCE = 5.0
"""Seconds after which a task that still waits has failed."""


def cancellations(effort: Effort) -> Topic:
    """Cancel so many tasks at random and count the others that did not get their value."""
    trial = _Trial(effort.cancellations)
    asyncio.run(trial.run())
    rows = [
        Row("waiters that failed though nobody cancelled them", trial.failed, bar=Bar(0, is_absolute=True), unit=""),
        Row("cancelled tasks that went on", trial.unharmed, bar=Bar(0, is_absolute=True), unit=""),
    ]
    return Topic("Cancellations", rows, [trial.note()])


class _Trial:
    """Crowds of tasks, each waiting for a key of its own, until ``wanted`` were cancelled."""

    def __init__(self, wanted: int) -> None:
        self._wanted = wanted
        self._cache = cachery.aio.InMemoryCache()
        self._chance = Random(wanted)  # noqa: S311 - repeatable on purpose
        self.keys = self.asked = self.loads = self.loads_ended = 0
        self.cancelled = self.leaders = self.failed = self.unharmed = 0

    async def run(self) -> None:
        """Hold one crowd after another."""
        while self.cancelled < self._wanted:
            self.keys += 1
            await self._hold(f"key:{self.keys}")

    def note(self) -> str:
        """Return one line that says how much was tried."""
        spared = self.asked - self.cancelled
        tasks = f"{self.cancelled:,} cancelled, {self.leaders:,} of them first to ask; {spared:,} not"
        return f"{tasks}; {self.keys:,} keys, {self.loads:,} loads begun, {self.loads_ended:,} ended"

    async def _hold(self, key: str) -> None:
        """Let tasks ask for ``key``, cancel some of them, now at once and now later, and look what became of them."""
        tasks = [self._ask(key) for _ in range(self._chance.randint(1, _CROWD))]
        await self._let_turns_pass(_HEAD_START)
        cancelled = set()
        for _ in range(len(tasks)):
            task = self._chance.choice(tasks)
            if task.cancel():
                cancelled.add(task)
            if self._chance.random() < _PAUSE:
                await asyncio.sleep(0)
                tasks.append(self._ask(key))
        await asyncio.wait(tasks, timeout=_PATIENCE)
        self._judge(tasks, cancelled)

    def _ask(self, key: str) -> asyncio.Task[object]:
        return asyncio.create_task(self._cache.get_or_set(key, self._load, LIFE))

    async def _load(self) -> str:
        self.loads += 1
        await self._let_turns_pass(_CROWD // 2)
        self.loads_ended += 1
        return "value"

    async def _let_turns_pass(self, limit: int) -> None:
        """Let fewer than ``limit`` turns of the loop pass, none perhaps."""
        for _ in range(self._chance.randrange(limit)):
            await asyncio.sleep(0)

    def _judge(self, tasks: list[asyncio.Task[object]], cancelled: set[asyncio.Task[object]]) -> None:
        self.asked += len(tasks)
        self.cancelled += len(cancelled)
        self.leaders += tasks[0] in cancelled
        self.failed += sum(not _has_value(task) for task in tasks if task not in cancelled)
        self.unharmed += sum(not task.cancelled() for task in cancelled)


def _has_value(task: asyncio.Task[object]) -> bool:
    return task.done() and not task.cancelled() and task.exception() is None and task.result() == "value"
