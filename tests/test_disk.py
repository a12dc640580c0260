"""What is particular to ``DiskCache``, and to caches on disk from the manager."""

from __future__ import annotations

import asyncio
import math
import shutil
from pathlib import Path
from typing import Any

import pytest

import cachery
from cachery import (
    CacheClosedError,
    CacheManager,
    CacheSerializationError,
    CacheValueError,
    DiskCache,
    FileBasedCache,
    InMemoryCache,
    TieredCache,
    aio,
)
from cachery.backends.disk.keeper import Keeper
from cachery.serializers import CacheSerializer

SECRET = "a secret of the tests"


class Upper(CacheSerializer):
    def serialize(self, value: Any) -> bytes:
        return str(value).upper().encode()

    def deserialize(self, data: bytes) -> Any:
        return data.decode()


@pytest.mark.parametrize("serializer", ["pickle", "json", "msgpack", "string", "typed", Upper()])
def test_any_serializer_will_do(tmp_path: Path, serializer: Any) -> None:
    with DiskCache(tmp_path, serializer=serializer, secret=SECRET) as cache:
        cache.set("text", "TEXT")
        cache.set("number", 7)
        assert cache.get_many(["text", "number"]) == {"text": "TEXT", "number": 7}


def test_a_value_that_the_format_cannot_carry_leaves_the_old_one(tmp_path: Path) -> None:
    with DiskCache(tmp_path, serializer="json", secret=SECRET) as cache:
        cache.set("a", 1)
        for value in ((1, 2), {1: 2}, b"bytes", object()):
            with pytest.raises(CacheSerializationError):
                cache.set("a", value)
        with pytest.raises(CacheSerializationError):
            cache.set_many({"a": 2, "b": {1, 2}})
        assert (cache.get("a"), len(cache)) == (1, 1)
        assert cache.get_or_set("b", lambda: (1, 2)) == (1, 2), "a loaded value is returned all the same"
        assert "b" not in cache


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"durability": "none"}, "durability"),
        ({"max_bytes": "much"}, "max_bytes"),
        ({"max_bytes": 0}, "max_bytes"),
        ({"max_size": 0}, "max_size"),
        ({"default_ttl": 0}, "default_ttl"),
        ({"serializer": "xml"}, "Unknown serializer"),
        ({"serializer": 5}, "serializer"),
        ({"compression": "rar"}, "compression"),
        ({"secret": "short"}, "secret"),
        ({"secret": []}, "secret"),
        ({"secret": 5}, "secret"),
        ({"encryption": "short"}, "16"),
        ({"write_timeout": 0}, "write_timeout"),
        ({"lease_timeout": "soon"}, "lease_timeout"),
        ({"max_value_bytes": True}, "max_value_bytes"),
    ],
)
@pytest.mark.parametrize("kind", [DiskCache, FileBasedCache])
def test_what_cannot_be_is_refused(tmp_path: Path, kind: Any, options: dict[str, Any], match: str) -> None:
    if kind is FileBasedCache and "durability" in options:
        options = {"max_bytes": -1}
        match = "max_bytes"
    with pytest.raises(CacheValueError, match=match):
        kind(tmp_path / "cache", **{"secret": SECRET, **options})


@pytest.mark.parametrize("place", ["", 5, b"bytes", object()])
@pytest.mark.parametrize("kind", [DiskCache, FileBasedCache])
def test_a_place_is_a_path(kind: Any, place: Any) -> None:
    with pytest.raises(CacheValueError, match="path of a directory"):
        kind(place, secret=SECRET)


@pytest.mark.parametrize(("backend", "kind"), [("disk", DiskCache), ("file_based", FileBasedCache)])
def test_the_manager_gives_each_name_a_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, backend: str, kind: Any
) -> None:
    monkeypatch.setenv("CACHE_DIR", str(tmp_path))
    names = ["a", "b", "A", "a/b", "a:b", "..", "é", "x" * 300, "default"]
    with CacheManager(backend, "10m") as manager:
        for number, name in enumerate(names):
            cache = manager.get_cache(name)
            assert isinstance(cache, kind)
            assert cache.set("key", number)
            assert cache.ttl("key") == pytest.approx(600, abs=5)
        assert [manager.get_cache(name).get("key") for name in names] == list(range(len(names)))
        manager.get_cache("a").clear()
        assert manager.get_cache("b").get("key") == 1
    with CacheManager(backend) as manager:
        assert manager.get_cache("b").get("key") == 1
    assert all(tmp_path in path.parents for path in tmp_path.rglob("*"))


def test_both_doors_lead_to_one_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CACHE_DIR", str(tmp_path))
    monkeypatch.setattr("cachery.manager._managers", [])

    async def ask(backend: str) -> Any:
        cache = aio.get_cache("doors", backend)
        await cache.set("key", backend)
        return await cache.get("key")

    for backend in ("disk", "file_based"):
        assert asyncio.run(ask(backend)) == backend
        assert cachery.get_cache("doors", backend).get("key") == backend
    cachery.manager.default_manager().close()


def test_a_transaction_under_a_loop(tmp_path: Path) -> None:
    def move(cache: DiskCache) -> int:
        cache.incr("from", -1)
        return cache.incr("to")

    async def main() -> None:
        async with aio.DiskCache(tmp_path, secret=SECRET) as cache:
            assert await cache.transact(move) == 1
            with pytest.raises(ZeroDivisionError):
                await cache.transact(lambda blocking: (blocking.set("to", 7), 1 / 0))
            assert await cache.get_many(["from", "to"]) == {"from": -1, "to": 1}
            assert cache.total_bytes > 0
            assert cache.path == cache.blocking.path

    asyncio.run(main())


def test_the_doors_show_what_the_caches_were_made_with(tmp_path: Path) -> None:
    async def main() -> None:
        async with aio.FileBasedCache(tmp_path / "files", "5m", secret=SECRET, max_size=9, name="mine") as files:
            assert (files.name, files.max_size, files.default_ttl) == ("mine", 9, "5m")
            assert files.cache_dir == files.blocking.cache_dir
        disk = DiskCache(tmp_path / "disk", secret=SECRET, name="mine")
        async with aio.TieredCache(aio.InMemoryCache(), aio.DiskCache.to(disk)) as tiers:
            assert tiers.name == "mine"
            assert await tiers.transact(lambda blocking: blocking.incr("number")) == 1
            assert await tiers.delete_many(["number", "other"]) == 1
            assert await tiers.set_many({"a": 1}) is True
            assert await tiers.get_many(["a", "b"]) == {"a": 1}
            assert [key async for key in tiers.keys("*")] == ["a"]

    asyncio.run(main())


def test_a_closed_cache_refuses_a_transaction(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path, secret=SECRET)
    cache.close()
    with pytest.raises(CacheClosedError), cache.transaction():
        pass
    with pytest.raises(CacheClosedError):
        cache.check()


def test_a_directory_that_was_removed_may_be_made_anew(tmp_path: Path) -> None:
    with DiskCache(tmp_path / "cache", secret=SECRET) as first:
        first.set("key", 1)
        shutil.rmtree(tmp_path / "cache")
        with DiskCache(tmp_path / "cache", secret=SECRET) as second:
            assert second.get("key") is None
            second.set("key", 2)
    with DiskCache(tmp_path / "cache", secret=SECRET) as third:
        assert third.get("key") == 2


def test_a_value_too_large_overtakes_a_load(tmp_path: Path) -> None:
    with DiskCache(tmp_path, secret=SECRET, max_value_bytes=1000) as cache:

        def load() -> str:
            assert cache.set("key", "x" * 2000) is False
            return "old"

        assert cache.get_or_set("key", load) == "old"
        assert "key" not in cache


def test_touching_for_ever_keeps_a_stale_time_that_makes_sense(tmp_path: Path) -> None:
    with DiskCache(tmp_path, secret=SECRET) as cache:
        cache.set("a", 1, ttl=10)
        assert cache.touch("a", math.inf)
        assert cache.ttl("a") == math.inf
        assert cache.touch("a", 5)
        assert cache.ttl("a") == pytest.approx(5, abs=1)
        assert cache.store.audit() == []


def test_a_store_is_written_through_once_nobody_writes(tmp_path: Path) -> None:
    with DiskCache(tmp_path, secret=SECRET) as cache:
        state = cache.store.volume.state
        cache.set("a", 1)
        assert state.is_unsafe
        assert cache.store.keep(), "somebody has written since the last look"
        assert not cache.store.keep()
        assert not state.is_unsafe
        cache.set("a", 2)
        assert state.is_unsafe


def test_what_waits_is_done_by_a_thread_that_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    del tmp_path
    monkeypatch.setattr("cachery.backends.disk.keeper._INTERVAL", 0.001)

    class Work:
        def __init__(self) -> None:
            self.left = 3

        def do(self) -> bool:
            self.left -= 1
            return self.left > 0

    work = Work()
    keeper = Keeper(work.do)
    keeper.wake()
    thread = keeper._thread
    assert thread is not None
    thread.join(10)
    assert (work.left, keeper._thread) == (0, None)
    keeper.stop()
    keeper.wake()
    assert keeper._thread is None


def test_tiers_are_memory_and_disk(tmp_path: Path) -> None:
    memory = InMemoryCache()
    with DiskCache(tmp_path, secret=SECRET) as disk:
        for tiers in ((), (memory,), (disk, memory), (memory, memory), (memory, disk, disk), (memory, "disk")):
            with pytest.raises(CacheValueError, match="InMemoryCache and a DiskCache"):
                TieredCache(*tiers)
