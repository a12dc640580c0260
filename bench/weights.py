"""How well and how fast entries are weighed, and what a bound in bytes costs a write."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from random import Random
from typing import Any

from bench.caches import KEYS, OTHERS
from bench.effort import Effort
from bench.rows import Bar, Row, Topic, beside
from bench.timing import Subject, nanoseconds_of
from cachery import InMemoryCache
from cachery.weighing import weigh, weigh_entry

__all__ = ["weights"]

_EACH = 1000


@dataclass
class _Order:
    number: int
    customer: str
    lines: list[tuple[str, int]]


def _made(chance: Random) -> dict[str, Callable[[int], Any]]:
    """Return what makes values of each kind, by name."""

    def text(longest: int) -> str:
        return "".join(chance.choices("abcdefgh ", k=chance.randrange(1, longest)))

    document = json.dumps({f"field {n}": [n, text(30), {"a": n / 7, "b": None}] for n in range(10)})
    return {
        "text": lambda _number: text(2000),
        "text beyond Latin": lambda _number: text(500) + "日本",
        "bytes": lambda number: text(4000).encode() + bytes(number % 50),
        "numbers": lambda number: [number * 1000 + each for each in range(50)],
        "documents of JSON": lambda _number: json.loads(document),
        "data classes": lambda number: _Order(number + 1000, text(30), [(text(10), each) for each in range(5)]),
        "sets": lambda number: {f"{number} {each}" for each in range(20)},
        "tuples of many kinds": lambda number: (number / 3, Decimal(number), datetime.now(UTC), text(20)),
    }


def weights(effort: Effort) -> Topic:
    """Measure the accounted size beside ``tracemalloc``, and the time it takes."""
    kinds = _made(Random(3))  # noqa: S311 - not a secret
    rows = [_accuracy(f"{_EACH} entries of {name}", [make]) for name, make in kinds.items()]
    mixed = _accuracy(f"{_EACH * len(kinds):,} entries of all these kinds", list(kinds.values()))
    rows.append(Row(mixed.what, mixed.ours, mixed.peer, mixed.theirs, Bar(1.1), mixed.unit))
    floor = Row("the same", mixed.ours, mixed.peer, mixed.theirs, Bar(0.9, is_floor=True), mixed.unit)
    return Topic("Weights", [*rows, floor, *_speeds(effort)])


def _accuracy(what: str, makers: list[Callable[[int], Any]]) -> Row:
    """Return what a cache says that entries of new values weigh, beside what was traced while they were stored."""
    total = 0

    def weigher(key: str, value: Any) -> int:
        nonlocal total
        weight = weigh_entry(key, value)
        total += weight
        return weight

    tracemalloc.start()
    try:
        cache = InMemoryCache(max_bytes="1GiB", weigher=weigher)
        before, _ = tracemalloc.get_traced_memory()
        for place, make in enumerate(makers):
            for number in range(_EACH):
                cache.set(f"entry {place}:{number}", make(number))
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return Row(what, total / 1000, "tracemalloc", (after - before) / 1000, unit="kB")


def _speeds(effort: Effort) -> list[Row]:
    small, text = {f"field {number}": number / 3 for number in range(20)}, "x" * 100
    texts, documents = nanoseconds_of([Subject("c(v)", weigh, KEYS, text), Subject("c(v)", weigh, KEYS, small)], effort)
    bounded = InMemoryCache(max_bytes=300 * len(KEYS))
    plain = InMemoryCache(len(KEYS))
    evicting = nanoseconds_of([Subject("c.set(k, v)", cache, OTHERS, text) for cache in (bounded, plain)], effort)
    return [
        Row("to weigh a text", texts),
        Row("to weigh a dict of 20 numbers", documents),
        *beside("set that evicts, bounded in bytes", evicting, ["own set, bounded in entries"]),
    ]
