"""The sections of a report that say how long things took, and how far they were compressed."""

from __future__ import annotations

from typing import Any

from cachery.monitoring.entries import HIT, MISS, summed
from cachery.monitoring.figures import average, durations, percentile, percentiles
from cachery.monitoring.journal import Entry, Window

__all__ = ["compression_section", "hit_rate", "key_section", "operation_section", "requests"]


def requests(window: Window) -> tuple[int, int]:
    """Return how many hits and misses there were."""
    return tuple(window.counts[kind][0] if kind in window.counts else 0 for kind in (HIT, MISS))  # type: ignore[return-value]


def hit_rate(hits: int, misses: int) -> float:
    """Return the share of ``hits`` in percent, 0.0 if nothing was asked."""
    return 100.0 * hits / (hits + misses) if hits + misses else 0.0


def key_section(window: Window, slow_from: float) -> dict[str, Any]:
    """Return what there is to say about the making of keys."""
    lengths = [entry[3] for entry in window.entries]
    return {
        "total_operations": window.count,
        "measurements": len(window.entries),
        **durations([entry[2] for entry in window.entries]),
        "avg_text_length": average(lengths),
        "max_text_length": max(lengths),
        "slow_operations": _slow(window.entries, slow_from),
    }


def operation_section(window: Window, slow_from: float) -> dict[str, Any]:
    """Return what there is to say about the operations of the cache, together and each."""
    names = sorted({kind[0] for kind in window.counts})
    return {
        "total_operations": window.count,
        "measurements": len(window.entries),
        **durations([entry[2] for entry in window.entries]),
        "slow_operations": _slow(window.entries, slow_from),
        "by_operation_type": {name: _of_one_type(window, name) for name in names},
    }


def compression_section(window: Window) -> dict[str, Any]:
    """Return what there is to say about compression; its totals, in bytes, are those of the whole window."""
    count, before, after = summed(window.counts)
    ratios = sorted(entry[3] / entry[2] if entry[2] else 1.0 for entry in window.entries)
    times = [entry[4] for entry in window.entries]
    return {
        "total_operations": count,
        "measurements": len(window.entries),
        "avg_compression_ratio": average(ratios),
        "median_compression_ratio": percentile(ratios, 0.5),
        "best_compression_ratio": ratios[0],
        "worst_compression_ratio": ratios[-1],
        "avg_compression_time": average(times),
        "max_compression_time": max(times),
        "total_bytes_processed": before,
        "total_bytes_saved": before - after,
        "overall_savings_percent": 100.0 * (before - after) / before if before else 0.0,
    }


def _of_one_type(window: Window, name: str) -> dict[str, Any]:
    """Return what there is to say about one operation: of one that is not among the newest, how often only."""
    times = sorted(entry[2] for entry in window.entries if entry[1][0] == name)
    return {
        "count": summed(window.counts, name)[0],
        "measurements": len(times),
        "avg_duration": average(times) if times else None,
        "max_duration": times[-1] if times else None,
        **(percentiles(times) if times else dict.fromkeys(("p50", "p95", "p99"))),
    }


def _slow(entries: list[Entry], slow_from: float) -> int:
    return sum(entry[2] > slow_from for entry in entries)
