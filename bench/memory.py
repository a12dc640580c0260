"""What an entry takes in memory, and what a million of them cost the garbage collector."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.child import answer_of
from bench.effort import Effort
from bench.rows import Bar, Row, Topic

__all__ = ["collections", "memory"]

_BAR = Bar(160, goal=130, is_absolute=True, unit=" B")
_RUST = "cachebox LRUCache"
_ROUNDS = 3


def memory(effort: Effort) -> Topic:
    """Measure the bytes of an entry above its key and value, in caches of several sizes."""
    rows = [row for size in effort.sizes for row in _traced(size)]
    if not Path("/proc/self/statm").exists():
        return Topic("Memory of an entry", rows, ["resident memory: not measured, this system has no /proc"])
    rows += [_resident(size, max(size, effort.held)) for size in effort.sizes]
    return Topic("Memory of an entry", rows)


def collections(effort: Effort) -> Topic:
    """Measure a full collection with many entries alive. The processes take turns; the best of each counts."""
    size = effort.sizes[-1]
    ours, theirs = _best("collecting", ("cachery", "dict of tuples"), size)
    return Topic("Collector", [Row(f"gc.collect() with {size:,} entries", ours, "dict of tuples", theirs, unit="ms")])


def _traced(size: int) -> list[Row]:
    ours, *theirs = [
        answer_of("footprint", "traced", kind, size) for kind in ("cachery", "dict", "cachetools LRUCache")
    ]
    what = f"traced, {size:,} entries"
    return [
        Row(what, ours, "dict", theirs[0], _BAR, unit="B"),
        Row(what, ours, "cachetools LRUCache", theirs[1], unit="B"),
    ]


def _resident(size: int, held: int) -> Row:
    ours, theirs = [answer_of("footprint", "resident", kind, size, held) for kind in ("cachery", _RUST)]
    return Row(f"resident, {size:,} entries", ours, _RUST, theirs, unit="B")


def _best(measure: str, kinds: Sequence[str], *numbers: int) -> list[float]:
    rounds = [[answer_of("footprint", measure, kind, *numbers) for kind in kinds] for _ in range(_ROUNDS)]
    return [min(answers) for answers in zip(*rounds, strict=True)]
