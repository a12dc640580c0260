"""The cache in plain files passes the suite."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.backends.file_based.children import SECRET

from cachery import Cache, NamespacedCache
from cachery.file_based import FileBasedCache
from cachery.testing import CacheConformance


class Files(CacheConformance):
    places: list[Path]

    @pytest.fixture(autouse=True)
    def _places(self, tmp_path: Path) -> None:
        self.places = [tmp_path / str(number) for number in range(20, 0, -1)]

    def make_file_cache(self, **options: Any) -> FileBasedCache:
        return FileBasedCache(self.places.pop(), clock=self.clock, secret=SECRET, **options)

    def make_cache(self, **options: Any) -> Cache:
        return self.make_file_cache(**options)

    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)


class TestFileBased(Files):
    pass


class TestBounded(Files):
    def make_cache(self, **options: Any) -> Cache:
        return self.make_file_cache(**{"max_size": 100_000, "max_bytes": "1GiB", **options})


class TestWatched(Files):
    def make_cache(self, **options: Any) -> Cache:
        cache = super().make_cache(**options)
        cache.subscribe(lambda _: None)
        return cache


class TestNamespaced(Files):
    def make_cache(self, **options: Any) -> Cache:
        return NamespacedCache(self.make_file_cache(**options), "part")


class TestEncrypted(Files):
    def make_cache(self, **options: Any) -> Cache:
        return self.make_file_cache(
            compression="zlib", compression_threshold=1, encryption="another secret of tests", **options
        )
