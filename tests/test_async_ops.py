"""Blocking caches through their other door, and many keys at a time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterable
from functools import wraps
from pathlib import Path
from typing import Any

import pytest
from tests.servers.redis_servers import flush

import cachery
from cachery import (
    CacheClosedError,
    CacheKeyError,
    CacheValueError,
    DiskCache,
    FileBasedCache,
    InMemoryCache,
    NamespacedCache,
    NullCache,
    RedisCache,
    TieredCache,
    aio,
)
from cachery.aio.threaded import ThreadedDoor
from cachery.async_ops import AsyncCache, async_cache
from cachery.replication import MemoryLog, ReplicatedCache
from cachery.testing import AsyncCacheConformance

WAIT = 10.0
SECRET = "a secret of tests"


class Own(InMemoryCache):
    """A class of another's making."""


def on_a_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    @wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        asyncio.run(test(*args, **kwargs))

    return run


class TestThreadedDoor(AsyncCacheConformance):
    def make_async_cache(self, **options: Any) -> aio.Cache:
        return async_cache(Own(clock=self.clock, **options))

    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)


@on_a_loop
async def test_many_are_loaded_at_once_and_numbers_counted() -> None:
    async with AsyncCache(InMemoryCache()) as cache:
        await cache.set("a", 1)

        async def load(keys: list[str]) -> dict[str, int]:
            return {key: len(key) for key in keys}

        assert await cache.get_many_or_set(["a", "bb"], load, ttl="5m", tags=["t"]) == {"a": 1, "bb": 2}
        assert await cache.incr("n", 3, initial=1) == 4
        assert await cache.invalidate("a", "n", "none", tags=["t"], pattern="*") == 2


@on_a_loop
async def test_sources_are_not_awaited() -> None:
    async def sources() -> list[str]:
        return ["schema"]

    async with AsyncCache(InMemoryCache()) as cache:
        with pytest.raises(CacheValueError, match="a function that is not asynchronous"):
            await cache.get_or_set("a", lambda: 1, depends_on=sources)  # type: ignore[arg-type]
        decorated = cache.cache.cached(depends_on=sources)(sources)  # type: ignore[arg-type]
        with pytest.raises(CacheValueError, match="a function that is not asynchronous"):
            await decorated()


@pytest.fixture(params=["memory", "files", "disk", "redis", "own"])
def blocking(request: pytest.FixtureRequest, tmp_path: Path) -> cachery.Cache:
    match request.param:
        case "memory":
            return InMemoryCache(max_size=None)
        case "files":
            return FileBasedCache(tmp_path / "files", secret=SECRET)
        case "disk":
            pytest.importorskip("lmdb")
            return DiskCache(tmp_path / "disk", secret=SECRET)
        case "redis":
            port = request.getfixturevalue("redis_port")
            flush(port)
            return RedisCache(f"redis://localhost:{port}")
        case _:
            return Own(max_size=None)


@on_a_loop
async def test_the_verbs(blocking: cachery.Cache) -> None:
    async with AsyncCache(blocking) as cache:
        assert await cache.set("a", {"value": 1}, ttl="5m", tags=["tag"])
        assert await cache.get("a") == {"value": 1}
        assert await cache.get("b", 7) == 7
        assert await cache.exists("a")
        assert await cache.get_or_set("c", lambda: asyncio.sleep(0, "loaded")) == "loaded"
        assert await cache.delete("a")
        assert not await cache.delete("a")
        assert cache.stats is blocking.stats
        assert await cache.cache.size() == 1
        assert await cache.clear()
        assert not await cache.exists("c")
    with pytest.raises(CacheClosedError):
        await cache.get("a")


@on_a_loop
async def test_both_doors_lead_to_one_store(blocking: cachery.Cache) -> None:
    async with AsyncCache(blocking) as cache:
        await cache.set("a", 1)
        assert await asyncio.to_thread(blocking.get, "a") == 1
        await asyncio.to_thread(blocking.set, "a", 2)
        assert await cache.get("a") == 2


@on_a_loop
async def test_invalidation_by_key_tag_and_pattern(blocking: cachery.Cache) -> None:
    async with AsyncCache(blocking) as cache:
        await cache.set_many({f"key:{number}": number for number in range(5)})
        await cache.set("tagged", 1, tags=["one", "two"])
        await cache.set("other", 1)
        assert await cache.invalidate("key:0", "absent") == 1
        assert await cache.invalidate("key:1", tags=["one"], pattern="key:[23]") == 3
        assert await cache.get_many(["tagged", "other", *[f"key:{n}" for n in range(5)]]) == {"other": 1, "key:4": 4}


@on_a_loop
async def test_many_keys_in_batches(blocking: cachery.Cache) -> None:
    values = {f"key:{number}": number for number in range(250)}
    async with AsyncCache(blocking, batch_size=40) as cache:
        assert await cache.set_many(values, ttl="5m", concurrency=3)
        assert await cache.get_many([*values, "absent"]) == values
        assert await cache.delete_many([*list(values)[:100], "absent"], concurrency=1) == 100
        assert len(await cache.get_many(values)) == 150
        assert await cache.get_many([]) == {}
        assert await cache.set_many({})
        assert not await cache.set_many({"over": 1}, ttl=0)


@on_a_loop
async def test_what_is_bad_changes_nothing(blocking: cachery.Cache) -> None:
    async with AsyncCache(blocking, batch_size=1) as cache:
        await cache.set("a", 1)
        with pytest.raises(CacheKeyError):
            await cache.set_many({"b": 1, 2: 2})  # type: ignore[dict-item]
        with pytest.raises(CacheValueError, match="generator"):
            await cache.set_many({"b": 1, "c": (number for number in range(3))})
        with pytest.raises(CacheValueError, match="ttl"):
            await cache.set_many({"b": 1}, ttl="soon")
        with pytest.raises(CacheValueError, match="mapping"):
            await cache.set_many([("b", 1)])  # type: ignore[arg-type]
        with pytest.raises(CacheKeyError):
            await cache.delete_many(["a", 2])  # type: ignore[list-item]
        with pytest.raises(CacheKeyError):
            await cache.invalidate("a", 2)  # type: ignore[arg-type]
        with pytest.raises(CacheValueError, match="say what"):
            await cache.invalidate()
        with pytest.raises(CacheValueError, match=r"tags=\['a'\]"):
            await cache.invalidate("a", tags="a")
        with pytest.raises(CacheValueError, match="concurrency"):
            await cache.get_many(["a"], concurrency=0)
        assert await cache.cache.size() == 1


class Slow(InMemoryCache):
    """Waits in ``get_many`` until so many ask at once, and counts them."""

    gate: threading.Barrier
    inside = 0
    most = 0
    lock = threading.Lock()

    def get_many(self, keys: Iterable[str]) -> dict[str, Any]:
        with self.lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        try:
            self.gate.wait(WAIT)
            return super().get_many(keys)
        finally:
            with self.lock:
                self.inside -= 1


@on_a_loop
async def test_no_more_batches_at_once_than_allowed() -> None:
    blocking = Slow()
    blocking.gate = threading.Barrier(3)
    async with AsyncCache(blocking, batch_size=1) as cache:
        await cache.set_many(dict.fromkeys("abcdef", 1))
        assert await cache.get_many(["a", "b", "c", "d", "e", "f"], concurrency=3) == dict.fromkeys("abcdef", 1)
        assert blocking.most == 3


@on_a_loop
async def test_the_loop_goes_on_while_a_cache_waits() -> None:
    released = threading.Event()

    class Waiting(InMemoryCache):
        def get(self, key: str, default: Any = None) -> Any:
            released.wait(WAIT)
            return super().get(key, default)

    async with AsyncCache(Waiting()) as cache:
        await cache.set("a", 1)
        asked = asyncio.create_task(cache.get("a"))
        await asyncio.sleep(0)
        released.set()
        assert await asked == 1


@on_a_loop
async def test_the_first_batch_that_fails_ends_those_that_did_not_begin() -> None:
    asked: list[list[str]] = []

    class Failing(InMemoryCache):
        def get_many(self, keys: Iterable[str]) -> dict[str, Any]:
            asked.append(list(keys))
            raise ConnectionError("away")

    async with AsyncCache(Failing(), batch_size=1) as cache:
        with pytest.raises(ConnectionError):
            await cache.get_many(["a", "b", "c"], concurrency=1)
    assert asked == [["a"]]


@on_a_loop
async def test_loads_are_shared_by_both_doors_and_fenced() -> None:
    blocking = Own()

    async def load() -> str:
        await asyncio.to_thread(blocking.delete, "a")
        return "outdated"

    async with AsyncCache(blocking) as cache:
        assert await cache.get_or_set("a", load) == "outdated"
        assert blocking.get("a") is None
        assert await cache.get_or_set("b", lambda: asyncio.sleep(0, 1), stale_ttl="1h", ttl="1h") == 1
        assert blocking.get("b") == 1


@on_a_loop
async def test_a_cache_of_another_s_making_that_leases_its_loads(tmp_path: Path) -> None:
    pytest.importorskip("lmdb")

    class OwnDisk(DiskCache):
        """Over a store that processes share."""

    async with AsyncCache(OwnDisk(tmp_path / "disk", secret=SECRET)) as cache:
        assert isinstance(cache.cache, ThreadedDoor)
        assert await cache.get_or_set("a", lambda: asyncio.sleep(0, "loaded")) == "loaded"
        assert await cache.get("a") == "loaded"
        assert await cache.cache.get_many_or_set(["a", "b"], lambda keys: dict.fromkeys(keys, 1)) == {
            "a": "loaded",
            "b": 1,
        }


def test_which_door_is_opened(tmp_path: Path) -> None:
    pytest.importorskip("lmdb")
    memory, disk = InMemoryCache(), DiskCache(tmp_path / "disk", secret=SECRET)
    for blocking, kind in (
        (memory, aio.InMemoryCache),
        (disk, aio.DiskCache),
        (FileBasedCache(tmp_path / "files", secret=SECRET), aio.FileBasedCache),
        (NullCache(), aio.NullCache),
        (NamespacedCache(memory, "part"), aio.NamespacedCache),
        (TieredCache(InMemoryCache(), disk), aio.TieredCache),
        (Own(), ThreadedDoor),
        (NamespacedCache(Own(), "part"), ThreadedDoor),
        (ReplicatedCache(InMemoryCache(), MemoryLog(), site="paris", is_started=False), ThreadedDoor),
    ):
        door = async_cache(blocking)
        assert isinstance(door, kind)
        assert door.blocking is blocking
        assert async_cache(blocking) is door


def test_the_door_of_a_named_cache_is_that_of_the_manager() -> None:
    with cachery.CacheManager() as manager:
        blocking = manager.get_cache("answers")
        assert AsyncCache(blocking).cache is async_cache(blocking)


def test_what_is_no_blocking_cache_is_refused() -> None:
    others: list[Any] = [aio.InMemoryCache(), {}, None]
    for other in others:
        with pytest.raises(CacheValueError, match="blocking cache"):
            AsyncCache(other)
    settings: list[dict[str, Any]] = [{"concurrency": 0}, {"batch_size": 0}, {"concurrency": 1.5}]
    for options in settings:
        with pytest.raises(CacheValueError, match=next(iter(options))):
            AsyncCache(InMemoryCache(), **options)


def test_what_is_known_of_a_cache_of_another_s_making() -> None:
    door = async_cache(Own(max_size=5, default_ttl=7, name="own"))
    assert isinstance(door, ThreadedDoor)
    assert (door.name, door.max_size, door.default_ttl) == ("own", 5, 7)
    assert repr(AsyncCache(door.blocking)).startswith("<AsyncCache over <Own")
