"""The disk cache passes the suite."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cachery import Cache, DiskCache, InMemoryCache, NamespacedCache, TieredCache
from cachery.testing import CacheConformance


class Disk(CacheConformance):
    places: list[Path]

    @pytest.fixture(autouse=True)
    def _places(self, tmp_path: Path) -> None:
        self.places = [tmp_path / str(number) for number in range(20, 0, -1)]

    def make_disk_cache(self, **options: Any) -> DiskCache:
        return DiskCache(self.places.pop(), clock=self.clock, secret="a secret of tests", **options)

    def make_cache(self, **options: Any) -> Cache:
        return self.make_disk_cache(**options)

    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)


class TestDisk(Disk):
    pass


class TestWatched(Disk):
    def make_cache(self, **options: Any) -> Cache:
        cache = super().make_cache(**options)
        cache.subscribe(lambda _: None)
        return cache


class TestNamespaced(Disk):
    def make_cache(self, **options: Any) -> Cache:
        return NamespacedCache(self.make_disk_cache(**options), "part")


class TestEncrypted(Disk):
    def make_cache(self, **options: Any) -> Cache:
        return self.make_disk_cache(
            compression="zlib", compression_threshold=1, encryption="another secret of tests", **options
        )


class TestTiered(Disk):
    def make_cache(self, **options: Any) -> Cache:
        return TieredCache(InMemoryCache(clock=self.clock), self.make_disk_cache(**options))


class TestTieredCopies(Disk):
    def make_cache(self, **options: Any) -> Cache:
        return TieredCache(InMemoryCache(2, copy="deep", clock=self.clock), self.make_disk_cache(**options))
