"""A run that others may wait for, and share what became of it."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

from cachery.model.outcome import twin_of
from cachery.warmers.stats import WarmingStats

__all__ = ["Turn"]


class Turn:
    """One run. ``is_full``: over all keys of the provider.

    ``workers``: the threads or tasks at work for it, that of its ``leader`` first.
    """

    def __init__(self, leader: Any, *, is_full: bool) -> None:
        self.is_full = is_full
        self.workers: set[Any] = {leader}
        self.over: Future[None] = Future()
        self.over.set_running_or_notify_cancel()  # nobody who waits can cancel it
        self._stats: WarmingStats | None = None
        self._error: Exception | None = None

    def end(self, stats: WarmingStats) -> None:
        """Tell those who wait what became of it."""
        self._stats = stats
        self.over.set_result(None)

    def fail(self, error: BaseException) -> None:
        """Tell those who wait why nothing did; what ended a caller rather than the run is not theirs."""
        self._error = error if isinstance(error, Exception) else None
        self.over.set_result(None)

    def outcome(self) -> WarmingStats | None:
        """Return the numbers; ``None`` when it was given up. Raises, for each caller anew, what it ended with."""
        if self._error is not None:
            raise twin_of(self._error) from self._error.__cause__
        return self._stats
