"""Values that depend on something, warmed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from cachery import CacheValueError, DiskCache, InMemoryCache, NamespacedCache, aio
from cachery.invalidation import File, Key, Version
from cachery.warmers import AsyncCacheWarmer, CacheWarmer, CallableValueLoader, StaticKeyProvider, WarmingConfig


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    found = {name: tmp_path / name for name in ("a", "b")}
    for path in found.values():
        path.write_text("one")
    return found


def config(depends_on: Any) -> WarmingConfig:
    return WarmingConfig(retry_on_failure=False, depends_on=depends_on)


def test_what_is_warmed_goes_with_its_source(files: dict[str, Path], tmp_path: Path) -> None:
    base = InMemoryCache()
    for cache in (base, NamespacedCache(base, "part"), DiskCache(tmp_path / "disk")):
        for path in files.values():
            path.write_text("one")
        loader = CallableValueLoader(lambda key: files[key].read_text())
        keys = StaticKeyProvider(list(files))
        assert (
            CacheWarmer(cache, keys, loader, config(lambda key: [File(files[key]), Key("u")])).warm().keys_warmed == 2
        )
        files["a"].write_text("two, and longer")
        assert cache.get_many(["a", "b"]) == {"b": "one"}
        cache.set("u", 1)
        assert cache.get("b") is None
        CacheWarmer(cache, keys, loader, config(["schema", Version("warmed", 1)])).warm()
        assert sorted(cache.get_many(["a", "b"])) == ["a", "b"]
        cache.invalidate_tags("schema")
        assert cache.get_many(["a", "b"]) == {}


def test_sources_are_looked_at_before_the_load(files: dict[str, Path]) -> None:
    cache = InMemoryCache()

    def load(key: str) -> str:
        files[key].write_text("changed meanwhile")
        return "old"

    stats = CacheWarmer(cache, StaticKeyProvider(["a"]), CallableValueLoader(load), config([files["a"]])).warm()
    assert (stats.keys_warmed, cache.get("a")) == (1, None)


def test_a_key_whose_sources_cannot_be_told_fails_alone(files: dict[str, Path]) -> None:
    cache = InMemoryCache()
    keys = StaticKeyProvider(["a", "b", "c"])
    stats = CacheWarmer(cache, keys, CallableValueLoader(str.upper), config(lambda key: [files[key]])).warm()
    assert (stats.keys_warmed, stats.failed) == (2, {"c": "KeyError: 'c'"})
    assert "c" not in cache


def test_what_is_loaded_when_it_is_asked_for_goes_with_its_source_too(files: dict[str, Path]) -> None:
    cache = InMemoryCache()
    loads: list[str] = []
    for depends_on in (lambda key: [files[key]], [files["a"]]):
        cache.clear()
        warmer = CacheWarmer(cache, StaticKeyProvider(["a"]), CallableValueLoader(loads.append), config(depends_on))
        for text in ("once", "another time"):
            files["a"].write_text(text)
            warmer.get("a")
            warmer.get("a")
    assert loads == ["a"] * 4


def test_on_an_event_loop(files: dict[str, Path]) -> None:
    async def main() -> tuple[Any, Any]:
        cache = aio.InMemoryCache()
        keys = StaticKeyProvider(list(files))
        await AsyncCacheWarmer(cache, keys, CallableValueLoader(str.upper), config(lambda key: [files[key]])).warm()
        await asyncio.to_thread(files["a"].write_text, "two, and longer")
        return await cache.get("a"), await cache.get("b")

    assert asyncio.run(main()) == (None, "B")


def test_what_is_no_source_is_refused() -> None:
    for bad in ("schema", [1], None):
        with pytest.raises(CacheValueError):
            config(bad)
    with pytest.raises(CacheValueError, match="a dictionary has no"):
        CacheWarmer({}, StaticKeyProvider(["a"]), CallableValueLoader(str.upper), config(["schema"]))
