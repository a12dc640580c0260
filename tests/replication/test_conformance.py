"""A replicated cache is a cache: it passes the suite, while it sends and follows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cachery import Cache, DiskCache, InMemoryCache, NamespacedCache
from cachery.replication import MemoryLog, ReplicatedCache
from cachery.testing import CacheConformance

SECRET = "a secret of tests"


def replicated(cache: Cache, **options: Any) -> ReplicatedCache:
    return ReplicatedCache(cache, MemoryLog(), site="here", serializer="pickle", secret=SECRET, **options)


class Replicated(CacheConformance):
    def make_cache(self, **options: Any) -> Cache:
        return replicated(InMemoryCache(clock=self.clock, **options))

    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)


class TestMemory(Replicated):
    pass


class TestNamespaced(Replicated):
    def make_cache(self, **options: Any) -> Cache:
        return NamespacedCache(super().make_cache(**options), "part")


class TestDisk(CacheConformance):
    """Before it begins to follow: from then on it keeps its position, which counts as an entry."""

    @pytest.fixture(autouse=True)
    def _places(self, tmp_path: Path) -> None:
        self.places = [tmp_path / str(number) for number in range(20)]

    def make_cache(self, **options: Any) -> Cache:
        disk = DiskCache(self.places.pop(), clock=self.clock, secret=SECRET, **options)
        return replicated(disk, is_started=False)

    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)
