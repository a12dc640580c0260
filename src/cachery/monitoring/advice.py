"""What could be done better, as the measurements say."""

from __future__ import annotations

from collections import Counter
from typing import Any

from cachery.monitoring.entries import summed
from cachery.monitoring.journal import Window
from cachery.monitoring.metrics import MemoryUsageMetric
from cachery.monitoring.performance import hit_rate, requests

__all__ = ["compression_advice", "hit_advice", "memory_advice"]

_ENOUGH_REQUESTS = 100
_ENOUGH_OF_ONE = 20
_ENOUGH_COMPRESSIONS = 10
_LOW_HIT_RATE = 30.0
_LITTLE_SAVED = 0.9
_NEARLY_FULL = 0.9


def hit_advice(window: Window) -> list[dict[str, Any]]:
    """Return what to do about few hits, in all and in one operation of those that callers name."""
    hits, misses = requests(window)
    rate, found = hit_rate(hits, misses), []
    if hits + misses >= _ENOUGH_REQUESTS and rate < _LOW_HIT_RATE:
        found.append(
            {
                "severity": "warning",
                "issue": "Low hit rate",
                "message": f"{rate:.1f} % of {hits + misses:,} requests were answered from the cache",
                "suggestions": [
                    "see whether keys hold what differs from call to call, a time or a number",
                    "let entries live longer",
                    "allow more entries",
                ],
            }
        )
    return found + [_never_hit(name, count) for name, count in _without_hits(window).items()]


def _without_hits(window: Window) -> dict[str, int]:
    """Return how often each operation was asked for that was never answered, by the name in its data."""
    asked: Counter[str] = Counter()
    answered: set[str] = set()
    for entry in window.entries:
        name = (entry[4] or {}).get("operation_type") if entry[1][0] == "get" else None
        if isinstance(name, str):
            asked[name] += 1
            if entry[1][1]:
                answered.add(name)
    return {name: count for name, count in asked.items() if count >= _ENOUGH_OF_ONE and name not in answered}


def _never_hit(name: str, count: int) -> dict[str, Any]:
    return {
        "severity": "warning",
        "issue": "Operation without hits",
        "message": f"none of the newest {count:,} requests for {name!r} was answered from the cache",
        "suggestions": ["see what differs between its requests", "if none is ever repeated, do not keep its answers"],
    }


def compression_advice(window: Window) -> list[dict[str, Any]]:
    """Return what to do about compression that saves nothing."""
    count, before, after = summed(window.counts)
    if count < _ENOUGH_COMPRESSIONS or not before or after < _LITTLE_SAVED * before:
        return []
    return [
        {
            "severity": "info",
            "issue": "Compression saves little",
            "message": f"{count:,} compressions left {100 * after / before:.0f} % of the bytes",
            "suggestions": ["compress from a larger size on", "do not compress what is compressed already"],
        }
    ]


def memory_advice(newest: MemoryUsageMetric | None, warning_bytes: float) -> list[dict[str, Any]]:
    """Return what to do about memory that is nearly full."""
    if newest is None or newest.total_cache_size_bytes < _NEARLY_FULL * warning_bytes:
        return []
    share = newest.total_cache_size_bytes / warning_bytes
    return [
        {
            "severity": "warning" if share >= 1 else "info",
            "issue": "Memory nearly full",
            "message": f"the cache takes {100 * share:.0f} % of the memory at which a warning is given",
            "suggestions": ["shorten lives", "allow fewer entries", "compress from a smaller size on"],
        }
    ]
