"""The measurements that took much longer than most."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cachery.monitoring.figures import average, moment
from cachery.monitoring.journal import Entry

__all__ = ["slow_compressions", "slow_operations"]

_MOST = 0.8
_SHORTEST = 1e-6
"""Seconds: what takes less is not told from nothing, and nothing can be no measure of what is slow."""


def slow_operations(entries: list[Entry], multiplier: float) -> list[dict[str, Any]]:
    """Return those of ``entries`` that took ``multiplier`` times as long as most, or longer."""

    def described(entry: Entry) -> dict[str, Any]:
        return {
            "duration": entry[2],
            "text_length": entry[3],
            "operation_type": entry[1][0],
            "timestamp": moment(entry[0]),
        }

    return _slow(entries, lambda entry: entry[2], described, multiplier)


def slow_compressions(entries: list[Entry], multiplier: float) -> list[dict[str, Any]]:
    """Return those of ``entries`` that took ``multiplier`` times as long as most, or longer."""

    def described(entry: Entry) -> dict[str, Any]:
        return {
            "compression_time": entry[4],
            "original_size": entry[2],
            "compressed_size": entry[3],
            "compression_ratio": entry[3] / entry[2] if entry[2] else 1.0,
            "operation_type": entry[1][0],
            "timestamp": moment(entry[0]),
        }

    return _slow(entries, lambda entry: entry[4], described, multiplier)


def _slow(
    entries: list[Entry],
    duration_of: Callable[[Entry], float],
    described: Callable[[Entry], dict[str, Any]],
    multiplier: float,
) -> list[dict[str, Any]]:
    usual = _usual([duration_of(entry) for entry in entries])
    return [
        {**described(entry), "times_slower": duration_of(entry) / usual}
        for entry in entries
        if duration_of(entry) >= multiplier * usual
    ]


def _usual(times: list[float]) -> float:
    """Return the average of the quickest four fifths."""
    quickest = sorted(times)[: max(1, int(_MOST * len(times)))]
    return max(average(quickest), _SHORTEST)
