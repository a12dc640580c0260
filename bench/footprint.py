"""The memory that entries take above their keys and values, and what they cost the collector; prints it as JSON."""

from __future__ import annotations

import gc
import json
import os
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import cachebox
import cachetools

from bench.caches import filled
from cachery import InMemoryCache

_COLLECTIONS = 3
_VALUE: list[object] = []
"""The one value of all entries: of a kind that the collector follows, as most cached values are."""


def _ours(keys: list[str]) -> InMemoryCache:
    cache = InMemoryCache(len(keys))
    for key in keys:
        cache.set(key, _VALUE)
    return cache


_BUILDERS: dict[str, Callable[[list[str]], Any]] = {
    "cachery": _ours,
    "dict": lambda keys: filled({}, keys, _VALUE),
    "dict of tuples": lambda keys: {key: (_VALUE, key) for key in keys},
    "cachebox LRUCache": lambda keys: filled(cachebox.LRUCache(len(keys)), keys, _VALUE),
    "cachetools LRUCache": lambda keys: filled(cachetools.LRUCache(len(keys)), keys, _VALUE),
}


def traced(kind: str, size: int) -> float:
    """Return the bytes for each of ``size`` entries that the allocator of Python gave to one cache."""
    keys = _keys(size)
    gc.collect()
    tracemalloc.start()
    cache = _BUILDERS[kind](keys)
    gc.collect()
    grown, _peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del cache
    return grown / size


def resident(kind: str, size: int, held: int) -> float:
    """Return the bytes for each entry by which the process grows with caches of ``size`` entries, ``held`` in all.

    One small cache would be lost in what the process takes from the system at a time.
    """
    keys = _keys(size)
    build = _BUILDERS[kind]
    build(keys[:1])
    count = max(1, held // size)
    caches: list[Any] = [None] * count
    gc.collect()
    before = _resident_bytes()
    for place in range(count):
        caches[place] = build(keys)
    return (_resident_bytes() - before) / (count * size)


def collecting(kind: str, size: int) -> float:
    """Return the milliseconds of a full collection in a process that holds little else than ``size`` entries."""
    cache = _BUILDERS[kind](_keys(size))
    milliseconds = 1e3 * min(_collection() for _ in range(_COLLECTIONS))
    del cache
    return milliseconds


def _keys(size: int) -> list[str]:
    return [f"key:{number}" for number in range(size)]


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGESIZE")


def _collection() -> float:
    began = perf_counter()
    gc.collect()
    return perf_counter() - began


_MEASURES: dict[str, Callable[..., float]] = {"traced": traced, "resident": resident, "collecting": collecting}

if __name__ == "__main__":
    gc.disable()  # filling a cache sets off collections, which take their time and change nothing
    measure, kind, *numbers = sys.argv[1:]
    print(json.dumps(_MEASURES[measure](kind, *[int(number) for number in numbers])))
