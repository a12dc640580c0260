"""What the verbs of ``DiskCache`` cost beside those of diskcache, both with the settings they come with."""

from __future__ import annotations

from random import Random

from bench.disk_caches import RECORD, both, few_turns, filled_disk
from bench.effort import Effort
from bench.rows import Bar, Row, Topic
from bench.timing import Subject, nanoseconds_of
from cachery import DiskCache, InMemoryCache, TieredCache

__all__ = ["disk", "disk_full"]

_MANY = 100
_GET, _SET, _SET_MANY = "c.get(k)", "c.set(k, v)", "c.set_many(k)"
_PEER = "diskcache"


def disk(effort: Effort) -> Topic:
    """Measure verbs on a few thousand entries."""
    keys = [f"key:{number}" for number in range(effort.disk_sizes[0])]
    batches = [dict.fromkeys(keys[start : start + _MANY], RECORD) for start in range(0, len(keys), _MANY)]
    with both() as (ours, theirs):
        subjects = [Subject(call, cache, keys, RECORD) for call in (_SET, _GET) for cache in (ours, theirs)]
        subjects.append(Subject(_SET_MANY, ours, batches, items=_MANY))
        own_set, their_set, own_get, their_get, together = nanoseconds_of(subjects, few_turns(effort))
        near = TieredCache(InMemoryCache(len(keys)), ours)
        tiered, beneath = nanoseconds_of([Subject(_GET, cache, keys) for cache in (near, ours)], few_turns(effort))
    return Topic(
        "On disk",
        [
            _row("get", own_get, their_get, Bar(0.65, 0.45)),
            _row("set", own_set, their_set, Bar(0.3)),
            Row(f"set_many of {_MANY}, an entry", together / 1e3, "diskcache set", their_set / 1e3, Bar(0.18), "µs"),
            Row("get from the tier in memory", tiered / 1e3, "own get on disk", beneath / 1e3, unit="µs"),
        ],
        [f"{len(keys):,} entries: a dict of 250 bytes, pickled; ours are signed and checked"],
    )


def disk_full(effort: Effort) -> Topic:
    """Measure ``set`` on very many entries, and ``get`` on few and on very many."""
    few, many, most = effort.disk_sizes
    chance = Random(1)  # noqa: S311 - any keys will do
    with both(max_bytes="8GiB") as (ours, theirs):
        for cache in (ours, theirs):
            _fill(cache, many)
        keys = [f"key:{chance.randrange(many)}" for _ in range(few)]
        own_set, their_set = nanoseconds_of(
            [Subject(_SET, one, keys, RECORD) for one in (ours, theirs)], few_turns(effort)
        )
    least = min(few, 1000)
    with filled_disk(least) as small, filled_disk(most) as large:
        subjects = [
            Subject(_GET, large, [f"key:{chance.randrange(most)}" for _ in range(few)]),
            Subject(_GET, small, [f"key:{chance.randrange(least)}" for _ in range(few)]),
        ]
        far, near = nanoseconds_of(subjects, few_turns(effort))
    return Topic(
        "On disk, many entries",
        [
            _row(f"set among {many:,} entries", own_set, their_set, Bar(0.5)),
            Row(f"get among {most:,} entries", far / 1e3, f"own among {least:,}", near / 1e3, Bar(2), "µs"),
        ],
    )


def _fill(cache: DiskCache, count: int) -> None:
    """Store ``count`` entries in ``cache``, whichever kind it is."""
    if isinstance(cache, DiskCache):
        for start in range(0, count, 1000):
            cache.set_many({f"key:{number}": RECORD for number in range(start, min(start + 1000, count))})
        return
    for number in range(count):
        cache.set(f"key:{number}", RECORD)


def _row(verb: str, ours: float, theirs: float, bar: Bar) -> Row:
    return Row(verb, ours / 1e3, f"{_PEER} {verb.split(maxsplit=1)[0]}", theirs / 1e3, bar, "µs")
