"""What it costs to invalidate what many entries have in common, and to look at sources at each read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from bench.caches import KEYS
from bench.effort import Effort
from bench.rows import Bar, Row, Topic
from bench.timing import Subject, nanoseconds_of
from cachery import InMemoryCache
from cachery.invalidation import DependencyGraph, Key, Version

__all__ = ["invalidation"]

_SOURCE = Bar(50, is_absolute=True, unit=" ms")
_TAGS = Bar(1, is_absolute=True, unit=" ms")
_ROUNDS = 5


def invalidation(effort: Effort) -> Topic:
    """Measure invalidations of what up to a million entries carry, and reads of entries that depend on something."""
    many, most = effort.sizes[-1] // 10, effort.sizes[-1]
    rows = [
        _row(f"a source with {many:,} entries that carry it", lambda: _by_name(many), _SOURCE),
        _row(f"a source with {many:,} keys downstream of it", lambda: _by_graph(many), _SOURCE),
        _row(f"invalidate_tags on {most:,} entries", lambda: _by_tag(most), _TAGS),
    ]
    return Topic("Invalidation", [*rows, *_reads(effort)])


def _row(what: str, prepare: Callable[[], Callable[[], object]], bar: Bar) -> Row:
    return Row(what, min(_milliseconds(prepare()) for _ in range(_ROUNDS)), bar=bar, unit="ms")


def _milliseconds(act: Callable[[], object]) -> float:
    began = perf_counter()
    act()
    return (perf_counter() - began) * 1e3


def _by_name(count: int) -> Callable[[], object]:
    cache = InMemoryCache(None)
    graph = DependencyGraph(cache)
    graph.add("report", depends_on=["orders"])
    for number in range(count):
        cache.set(str(number), number, depends_on=["report"])
    return lambda: graph.invalidate("orders")


def _by_graph(count: int) -> Callable[[], object]:
    cache = InMemoryCache(None)
    graph = DependencyGraph(cache)
    for number in range(count):
        cache.set(str(number), number)
        graph.add(Key(str(number)), depends_on=["orders"])
    return lambda: graph.invalidate("orders")


def _by_tag(count: int) -> Callable[[], object]:
    cache = InMemoryCache(None)
    tags = ["red"]
    for number in range(count):
        cache.set(str(number), number, tags=tags)
    return lambda: cache.invalidate_tags("red")


def _reads(effort: Effort) -> list[Row]:
    with TemporaryDirectory() as place:
        path = Path(place) / "source"
        path.touch()
        plain, by_key, by_version, by_file = [InMemoryCache(2 * len(KEYS)) for _ in range(4)]
        by_key.set("source", 1)
        for key in KEYS:
            plain.set(key, "value")
            by_key.set(key, "value", depends_on=[Key("source")])
            by_version.set(key, "value", depends_on=[Version("bench", 1)])
            by_file.set(key, "value", depends_on=[path])
        caches = {"a key": by_key, "a version": by_version, "a file, by stat": by_file}
        subjects = [Subject("c.get(k)", cache, KEYS) for cache in (plain, *caches.values())]
        inner, *times = nanoseconds_of(subjects, effort)
    return [
        Row(f"get of what depends on {what}", time, "a plain get", inner)
        for what, time in zip(caches, times, strict=True)
    ]
