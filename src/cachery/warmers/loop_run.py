"""One run on an event loop: a few tasks take batches until none is left or the time is over."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from math import inf
from typing import Any

from cachery.warmers.batch import Job
from cachery.warmers.run import Progress
from cachery.warmers.stats import Result

__all__ = ["LoopRun"]

_LAST_WORDS = 1.0


class LoopRun:
    """Carries out the ``batches`` once."""

    def __init__(self, batches: Sequence[Sequence[Any]]) -> None:
        self.total = sum(len(batch) for batch in batches)
        self.workers: set[Any] = set()
        self._batches = list(reversed(batches))
        self._results: list[Result] = []
        self._done = 0
        self._is_over = False

    def is_over(self) -> bool:
        """Tell whether nothing more is to be done."""
        return self._is_over

    async def carry_out(self, job: Job, workers: int, timeout: float, progress: Progress | None) -> Result:
        """Let at most ``workers`` tasks do ``job``, for at most ``timeout`` seconds; return what they did.

        The tasks are cancelled when the time is over, and with the caller. What ``progress`` raises ends the run.
        """
        tasks = [asyncio.create_task(self._work(job, progress)) for _ in range(min(workers, len(self._batches)))]
        self.workers.update(tasks)
        try:
            if tasks:
                patience = None if timeout == inf else timeout
                await asyncio.wait(tasks, timeout=patience, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            self._is_over = True
            late = [task for task in tasks if task.cancel()]
            if late:
                await asyncio.wait(late, timeout=_LAST_WORDS)
        for task in tasks:
            if task.done() and not task.cancelled():
                task.result()
        return Result.of(self._results)

    async def _work(self, job: Job, progress: Progress | None) -> None:
        while self._batches and not self._is_over:
            result = await job.warm(self._batches.pop())
            if result is not None and not self._is_over:
                self._results.append(result)
                self._done += result.done
                if progress is not None:
                    progress(self._done, self.total)
