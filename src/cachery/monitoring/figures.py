"""Figures of many numbers: averages, medians, percentiles, and how fast something grows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from math import floor, fsum

__all__ = ["PERCENTILES", "average", "durations", "moment", "percentile", "percentiles"]

PERCENTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


def average(numbers: Sequence[float]) -> float:
    """Return the arithmetic mean of ``numbers``, 0.0 if there are none."""
    return fsum(numbers) / len(numbers) if numbers else 0.0


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the number that a ``share`` of ``ordered``, which are sorted and one at least, do not exceed.

    Between two numbers it is interpolated, as ``statistics.quantiles`` does with ``method="inclusive"``.

    >>> percentile([1.0, 2.0, 4.0], 0.5), percentile([1.0, 2.0, 4.0], 0.75)
    (2.0, 3.0)
    """
    place = (len(ordered) - 1) * share
    below = floor(place)
    low, high = ordered[below], ordered[min(below + 1, len(ordered) - 1)]
    return low + (high - low) * (place - below)


def percentiles(ordered: Sequence[float]) -> dict[str, float]:
    """Return the ``PERCENTILES`` of ``ordered``, by name."""
    return {name: percentile(ordered, share) for name, share in PERCENTILES.items()}


def durations(numbers: Sequence[float]) -> dict[str, float]:
    """Return average, median, extremes and percentiles of ``numbers``, one at least, as reports name them."""
    ordered = sorted(numbers)
    return {
        "avg_duration": average(ordered),
        "median_duration": percentile(ordered, 0.5),
        "max_duration": ordered[-1],
        "min_duration": ordered[0],
        **percentiles(ordered),
    }


def moment(seconds: float) -> str:
    """Return the time ``seconds`` after 1970 began, as text: ISO 8601, in UTC.

    >>> moment(0)
    '1970-01-01T00:00:00+00:00'
    """
    return datetime.fromtimestamp(seconds, UTC).isoformat()
