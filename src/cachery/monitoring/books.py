"""The journals of a monitor, and what stands in them at one moment."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from cachery.monitoring.entries import HIT, MISS, Totals, summed
from cachery.monitoring.invalidations import Invalidations
from cachery.monitoring.journal import Journal, Window
from cachery.monitoring.metrics import MemoryUsageMetric

__all__ = ["Books", "Limits", "Recorded"]

_HOUR = 3600.0
_DAY = 24 * _HOUR
_NOTES = 120
_MINUTES_OF_A_DAY = 1440
_SPARE = 8


@dataclass(frozen=True, slots=True)
class Limits:
    """From what on something is slow, in seconds, large, in bytes, and frequent, in events an hour."""

    key: float
    operation: float
    memory_warning: float
    memory_critical: float
    invalidation_warning: float
    invalidation_critical: float


@dataclass(frozen=True, slots=True)
class Recorded:
    """What stood in the books at ``now``: the windows, and the counts since the time ``since``."""

    now: float
    since: float
    retention_hours: float
    keys: Window
    operations: Window
    compressions: Window
    memory: list[MemoryUsageMetric]
    invalidations: Invalidations
    totals: Totals
    limits: Limits


class Books:
    """A journal for each kind of measurement; that of invalidations reaches back a day at least, with its counts."""

    def __init__(self, retention_hours: float, capacity: int, since: float) -> None:
        self.retention_hours = retention_hours
        self.capacity = capacity
        self.since = since
        span = retention_hours * _HOUR
        self.keys, self.operations, self.compressions = (
            Journal(capacity=capacity, fineness=span / _NOTES, notes=_NOTES + _SPARE) for _ in range(3)
        )
        fineness = max(span, _DAY) / _MINUTES_OF_A_DAY
        self.invalidations = Journal(capacity=capacity, fineness=fineness, notes=_MINUTES_OF_A_DAY + _SPARE)
        self.memory: deque[MemoryUsageMetric] = deque(maxlen=capacity)

    def clear(self, now: float) -> None:
        """Forget everything."""
        for journal in (self.keys, self.operations, self.compressions, self.invalidations):
            journal.clear()
        self.memory.clear()
        self.since = now

    def cutoff(self, now: float) -> float:
        """Return when the window began."""
        return now - self.retention_hours * _HOUR

    def memory_since(self, cutoff: float) -> list[MemoryUsageMetric]:
        """Return the measurements of memory that were made after ``cutoff``."""
        return [metric for metric in self.memory.copy() if metric.timestamp > cutoff]

    def totals(self) -> Totals:
        """Return all counts since the beginning."""
        counts = self.operations.totals()
        return Totals(
            hits=counts[HIT][0] if HIT in counts else 0,
            misses=counts[MISS][0] if MISS in counts else 0,
            operations={name: summed(counts, name) for name in sorted({kind[0] for kind in counts})},
            key_generations=summed(self.keys.totals()),
            compressions=summed(self.compressions.totals()),
            invalidations=summed(self.invalidations.totals()),
        )

    def read(self, now: float, limits: Limits) -> Recorded:
        """Return what stands in the books."""
        cutoff = self.cutoff(now)
        return Recorded(
            now=now,
            since=self.since,
            retention_hours=self.retention_hours,
            keys=self.keys.since(cutoff),
            operations=self.operations.since(cutoff),
            compressions=self.compressions.since(cutoff),
            memory=self.memory_since(cutoff),
            invalidations=self._invalidations(now, limits),
            totals=self.totals(),
            limits=limits,
        )

    def _invalidations(self, now: float, limits: Limits) -> Invalidations:
        return Invalidations(
            window=self.invalidations.since(self.cutoff(now)),
            last_hour=self.invalidations.since(now - _HOUR).count,
            last_day=self.invalidations.since(now - _DAY).count,
            retention_hours=self.retention_hours,
            warning=limits.invalidation_warning,
            critical=limits.invalidation_critical,
        )
