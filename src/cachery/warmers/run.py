"""One run on threads: a few workers take batches until none is left or the time is over.

The workers are daemons, and nobody waits for one that hangs: what it brings after the end of the run is not stored.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextvars import copy_context
from typing import Any, TypeAlias

from cachery.step import step
from cachery.warmers.batch import Job
from cachery.warmers.stats import Result

__all__ = ["Progress", "Run", "batched"]

Progress: TypeAlias = Callable[[int, int], object]
"""Told how many keys are done, and of how many, from time to time."""


def batched(keys: Sequence[Any], size: int) -> list[Sequence[Any]]:
    """Return ``keys`` in lists of ``size``, the last one shorter.

    >>> batched([1, 2, 3], 2)
    [[1, 2], [3]]
    """
    return [keys[start : start + size] for start in range(0, len(keys), size)]


class Run:
    """Carries out the ``batches`` once. ``stopwatch`` counts seconds."""

    def __init__(self, batches: Sequence[Sequence[Any]], stopwatch: Callable[[], float]) -> None:
        self.total = sum(len(batch) for batch in batches)
        self.workers: set[int] = set()
        self._batches = list(reversed(batches))
        self._left = len(batches)
        self._stopwatch = stopwatch
        self._over = threading.Event()
        self._changed = threading.Condition()
        self._results: list[Result] = []
        self._done = 0
        self._error: BaseException | None = None

    def is_over(self) -> bool:
        """Tell whether nothing more is to be done."""
        return self._over.is_set()

    def pause(self, seconds: float) -> None:
        """Wait for ``seconds``, or until the run is over."""
        self._over.wait(seconds)

    def carry_out(self, job: Job, workers: int, timeout: float, progress: Progress | None) -> Result:
        """Let at most ``workers`` threads do ``job``, for at most ``timeout`` seconds; return what they did.

        ``progress`` is called on this thread. What it raises ends the run and is raised, as is what ends a worker.
        """
        deadline = self._stopwatch() + timeout
        try:
            for _ in range(min(workers, len(self._batches))):
                arguments = (self._work, job)
                threading.Thread(target=copy_context().run, args=arguments, name="cachery-warm", daemon=True).start()
            self._watch(deadline, progress)
        finally:
            self._over.set()
        if self._error is not None:
            raise self._error
        with self._changed:
            return Result.of(self._results)

    def _watch(self, deadline: float, progress: Progress | None) -> None:
        """Wait for the end, saying how far it is."""
        shown = 0
        while self._error is None and (self._left or shown < self._done):
            with self._changed:
                patience = min(deadline - self._stopwatch(), threading.TIMEOUT_MAX)
                if patience <= 0 or not self._changed.wait_for(lambda: self._has_news(shown), patience):  # noqa: B023
                    return
                shown = self._done
            if progress is not None:
                progress(shown, self.total)

    def _has_news(self, shown: int) -> bool:
        return self._done > shown or not self._left or self._error is not None

    def _work(self, job: Job) -> None:
        self.workers.add(threading.get_ident())
        try:
            while not self.is_over() and (batch := self._next()) is not None:
                self._note(step(job.warm(batch)))
        except BaseException as error:  # noqa: BLE001 - raised by the caller's thread
            with self._changed:
                self._error = error
                self._changed.notify_all()
        finally:
            self.workers.discard(threading.get_ident())

    def _next(self) -> Sequence[Any] | None:
        with self._changed:
            return self._batches.pop() if self._batches else None

    def _note(self, result: Result | None) -> None:
        with self._changed:
            if result is not None and not self.is_over():
                self._results.append(result)
                self._done += result.done
                self._left -= 1
                self._changed.notify_all()
