"""Caches on disk, ours and the peer's, in directories that go when the measurement is over."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import diskcache

from bench.effort import Effort
from cachery import DiskCache

__all__ = ["RECORD", "both", "few_turns", "filled_disk", "peer"]

RECORD = {
    "id": 42,
    "name": "Ada Lovelace",
    "email": "ada@example.org",
    "tags": ["a", "b", "c"],
    "balance": 1234.5,
    "active": True,
    "address": {"street": "12 Some Street", "city": "London", "zip": "N1"},
    "notes": "x" * 60,
}
"""A dictionary of about 250 bytes when it is pickled."""

_BATCH = 1000


def peer(place: Path) -> Any:
    """Return a ``diskcache.Cache`` with room enough."""
    return diskcache.Cache(str(place), size_limit=2**33)


@contextmanager
def both(**settings: Any) -> Iterator[tuple[DiskCache, Any]]:
    """Give a ``DiskCache`` and a ``diskcache.Cache``, empty, with the settings they come with."""
    with TemporaryDirectory() as place, DiskCache(Path(place) / "ours", **settings) as ours:
        theirs = peer(Path(place) / "theirs")
        try:
            yield ours, theirs
        finally:
            theirs.close()


@contextmanager
def filled_disk(count: int) -> Iterator[DiskCache]:
    """Give a ``DiskCache`` of ``count`` entries."""
    with TemporaryDirectory() as place, DiskCache(place, max_bytes="8GiB") as cache:
        for start in range(0, count, _BATCH):
            cache.set_many({f"key:{number}": RECORD for number in range(start, min(start + _BATCH, count))})
        yield cache


def few_turns(effort: Effort) -> Effort:
    """Return ``effort`` with fewer samples: a pass over thousands of keys on disk takes long enough."""
    return replace(effort, repeats=max(effort.repeats // 20, 2))
