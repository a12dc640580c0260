"""The measurements as a journal keeps them, plain tuples, and the records that they become when somebody looks.

A tuple is the time, the kind, two numbers that are added up, and the rest:

* a key: ``(operation_type,)``, duration, length of the text; data
* an operation: ``(operation, is_hit)``, duration, length of the text; data
* a compression: ``(operation_type,)``, size before, size after; seconds
* an invalidation: ``("invalidation",)``, number of keys, duration; pattern, type, context, data
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cachery.monitoring.journal import Entry, Kind, Tally
from cachery.monitoring.metrics import CompressionMetric, InvalidationMetric, PerformanceMetric

__all__ = ["HIT", "INVALIDATION", "MISS", "Totals", "as_compression", "as_invalidation", "as_performance", "summed"]

HIT: Kind = ("get", True)
MISS: Kind = ("get", False)
INVALIDATION: Kind = ("invalidation",)


@dataclass(frozen=True, slots=True)
class Totals:
    """The counts of a monitor since it was made, or reset: how many, and the sums of two numbers.

    ``key_generations`` and each of ``operations``: seconds and characters; ``compressions``: bytes before and after;
    ``invalidations``: keys and seconds. Of the operations ``get``, ``hits`` found something and ``misses`` did not.
    """

    hits: int
    misses: int
    operations: dict[str, Tally]
    key_generations: Tally
    compressions: Tally
    invalidations: Tally

    @property
    def operation_count(self) -> int:
        """How many operations there were."""
        return sum(tally[0] for tally in self.operations.values())


def as_performance(entry: Entry) -> PerformanceMetric:
    """Return the record of a key or an operation."""
    now, kind, duration, length, data = entry
    return PerformanceMetric(duration, length, now, kind[0], dict(data or {}))


def as_compression(entry: Entry) -> CompressionMetric:
    """Return the record of a compression."""
    now, kind, before, after, seconds = entry
    return CompressionMetric(before, after, after / before if before else 1.0, seconds, now, kind[0])


def as_invalidation(entry: Entry) -> InvalidationMetric:
    """Return the record of an invalidation."""
    now, _, keys, duration, pattern, kind, context, data = entry
    return InvalidationMetric(pattern, keys, duration, now, kind, context, dict(data or {}))


def summed(counts: dict[Kind, Tally], name: str | None = None) -> Tally:
    """Return the sum of ``counts``, of all or of those whose kind begins with ``name``."""
    chosen: list[Any] = [tally for kind, tally in counts.items() if name is None or kind[0] == name]
    return sum(each[0] for each in chosen), sum(each[1] for each in chosen), sum(each[2] for each in chosen)
