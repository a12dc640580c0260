"""What a warmer has done, and whose turn it is: the same on threads and on an event loop."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from cachery.exceptions import CacheRecursionError
from cachery.locks import make_lock
from cachery.ports.clock import Clock
from cachery.warmers.stats import Result, WarmingStats
from cachery.warmers.turn import Turn

__all__ = ["Record"]


class Record:
    """``stats``: of the last run that came to its end, and of single keys since. ``turn``: the run under way.

    ``clock`` tells the time of day, ``stopwatch`` seconds from anywhere. Thread-safe.
    """

    def __init__(self, clock: Clock, stopwatch: Clock) -> None:
        self._clock = clock
        self.stopwatch = stopwatch
        self.stats = WarmingStats()
        self.reset_after_fork()

    def reset_after_fork(self) -> None:
        """Forget the run of the parent."""
        self._lock = make_lock()
        self.turn: Turn | None = None

    def take_turn(self, worker: Any, *, is_full: bool) -> tuple[Turn, bool]:
        """Return the run under way, or a new one led by ``worker``, and whether it is that.

        Raises ``CacheRecursionError`` when ``worker`` is at work for the one under way.
        """
        with self._lock:
            if self.turn is None:
                self.turn = Turn(worker, is_full=is_full)
                return self.turn, True
            turn = self.turn
        if worker in turn.workers:
            raise CacheRecursionError("what is called by a run cannot begin one: a loader, a provider, progress")
        return turn, False

    def end(self, turn: Turn, stats: WarmingStats) -> WarmingStats:
        """Note that ``turn`` came to its end with ``stats``; return them."""
        self.stats = stats
        self.turn = None
        turn.end(stats)
        return stats

    def fail(self, turn: Turn, error: BaseException) -> None:
        """Note that ``turn`` ended with ``error``."""
        self.turn = None
        turn.fail(error)

    def numbers(self, result: Result, total: int, began: float) -> WarmingStats:
        """Return what a run over ``total`` keys, which ``began`` then, came to."""
        return WarmingStats.of(result, total, 1e3 * (self.stopwatch() - began), self._now())

    def add(self, result: Result, began: float) -> None:
        """Add what was done apart from a run, and ``began`` then."""
        spent, now = 1e3 * (self.stopwatch() - began), self._now()
        with self._lock:
            self.stats = self.stats.plus(result, spent, now)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)
