"""Hit ratios on the traces that come with the package, and on those in ``CACHERY_TRACES``, beside those of others."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from statistics import mean
from typing import Any

import cachebox
import cachetools
import theine

from bench.caches import KEYS
from bench.effort import Effort
from bench.rows import Bar, Row, Topic, beside
from bench.timing import Subject, nanoseconds_of
from cachery import InMemoryCache
from cachery.simulation import optimal_hits, read_trace, replay_trace, shipped_traces

__all__ = ["hit_ratios"]

_SIZES = {"multi2": (500, 1500), "web07": (1000,)}
_OTHER_SIZES = {
    "multi1": (500, 1000),
    "multi3": (1000, 2000),
    "sprite": (400, 800),
    "2_pools": (200, 400),
    "gli": (1000,),
    "loop": (500,),
    "orm-busy": (500, 2000),
}
_UNIT = "%"
_NEW = [f"new:{number}" for number in range(20_000)]


def hit_ratios(effort: Effort) -> Topic:
    """Measure hit ratios under ``tinylfu``, and what it costs."""
    rows, ours, peers = [], [], {name: list[float]() for name in _PEERS}
    for name, path in sorted(_traces().items()):
        trace = read_trace(path)
        for size in {**_SIZES, **_OTHER_SIZES}[name]:
            best = 100.0 * optimal_hits(trace, size) / len(trace)
            ours.append(100.0 * replay_trace(trace, "tinylfu", size).hit_ratio)
            rows.append(Row(f"{name}, {size:,} entries, tinylfu", ours[-1], "the most there is", best, unit=_UNIT))
            for peer, make in _PEERS.items():
                peers[peer].append(_ratio(make(size), trace))
                rows.append(Row(f"{name}, {size:,} entries, tinylfu", ours[-1], peer, peers[peer][-1], unit=_UNIT))
    bar = Bar(1.0, is_floor=True)
    means = [Row("mean of these, tinylfu", mean(ours), peer, mean(found), bar, _UNIT) for peer, found in peers.items()]
    return Topic("Hit ratios", [*rows, *means, *_costs(effort)])


def _traces() -> dict[str, Any]:
    """Return where the traces are, by name."""
    folder = os.environ.get("CACHERY_TRACES")
    others = Path(folder).iterdir() if folder else ()
    found = {path.name.partition(".")[0]: path for path in others if ".trace." in path.name}
    return {**shipped_traces(), **{name: path for name, path in found.items() if name in _OTHER_SIZES}}


def _costs(effort: Effort) -> list[Row]:
    caches = [InMemoryCache(len(KEYS), policy=policy) for policy in ("tinylfu", "lru")]
    for cache in caches:
        cache.set_many(dict.fromkeys(KEYS, True))
    gets = nanoseconds_of([Subject("c.get(k)", cache, KEYS) for cache in caches], effort)
    evicting = nanoseconds_of([Subject("c.set(k, v)", cache, _NEW) for cache in caches], effort)
    return [
        *beside("get, tinylfu", gets, ["own get, lru"], [Bar(1.5)]),
        *beside("set that evicts, tinylfu", evicting, ["own set, lru"], [Bar(2)]),
    ]


class _Theine:
    """W-TinyLFU of theine, by the verbs of a mapping."""

    def __init__(self, size: int) -> None:
        self._cache: Any = theine.Cache(size)

    def get(self, key: str) -> Any:
        value, is_found = self._cache.get(key)
        return value if is_found else None

    def __setitem__(self, key: str, value: Any) -> None:
        self._cache.set(key, value)


_PEERS: dict[str, Callable[[int], Any]] = {
    "theine": _Theine,
    "cachebox LFUCache": cachebox.LFUCache,
    "cachebox LRUCache": cachebox.LRUCache,
    "cachetools LRUCache": cachetools.LRUCache,
}


def _ratio(cache: Any, trace: list[str]) -> float:
    hits = 0
    for key in trace:
        if cache.get(key) is not None:
            hits += 1
        else:
            cache[key] = True
    return 100.0 * hits / len(trace)
