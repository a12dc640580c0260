"""The asynchronous disk cache passes the suite, through a bridge."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cachery.aio import Cache, DiskCache, FileBasedCache, InMemoryCache, NamespacedCache, TieredCache
from cachery.testing import AsyncCacheConformance


class TestAsyncDisk(AsyncCacheConformance):
    places: list[Path]

    @pytest.fixture(autouse=True)
    def _places(self, tmp_path: Path) -> None:
        self.places = [tmp_path / str(number) for number in range(20, 0, -1)]

    def make_async_cache(self, **options: Any) -> Cache:
        return DiskCache(self.places.pop(), clock=self.clock, secret="a secret of tests", **options)

    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)


class TestAsyncTiered(TestAsyncDisk):
    def make_async_cache(self, **options: Any) -> Cache:
        disk = DiskCache(self.places.pop(), clock=self.clock, secret="a secret of tests", **options)
        return TieredCache(InMemoryCache(clock=self.clock), disk)


class TestAsyncPartOfADisk(TestAsyncDisk):
    def make_async_cache(self, **options: Any) -> Cache:
        return NamespacedCache(super().make_async_cache(**options), "part")  # type: ignore[arg-type]


class TestAsyncFiles(TestAsyncDisk):
    def make_async_cache(self, **options: Any) -> Cache:
        return FileBasedCache(self.places.pop(), clock=self.clock, secret="a secret of tests", **options)
