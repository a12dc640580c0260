"""Named caches for event loops."""

from __future__ import annotations

import asyncio
import gc
import math
import weakref
from typing import Any

import pytest

from cachery import CacheClosedError, CacheValueError, aio
from cachery.testing import FakeClock


def test_a_name_is_one_cache_and_one_door() -> None:
    manager = aio.CacheManager(default_ttl="10m")
    cache = manager.get_cache("sessions", max_size=100)
    assert manager.get_cache("sessions") is manager.get_cache("sessions", max_size=100) is cache
    assert cache.blocking is manager.blocking.get_cache("sessions")
    assert isinstance(cache, aio.InMemoryCache)
    assert (cache.max_size, cache.default_ttl, cache.name) == (100, 600.0, "sessions")
    assert isinstance(manager.get_cache("nothing", backend="null"), aio.NullCache)
    assert manager.get_cache("other") is not cache


def test_it_tells_what_it_has() -> None:
    manager = aio.CacheManager("in_memory", math.inf)
    assert (manager.default_backend, manager.default_ttl, manager.cache_count) == ("in_memory", math.inf, 0)
    manager.get_cache("a")
    manager.get_cache("a", "null")
    assert (manager.has_cache("a"), manager.has_cache("b"), manager.cache_count) == (True, False, 2)
    assert [record["key"] for record in manager.list_caches()] == ["a:in_memory", "a:null"]
    assert manager.summary()["backends_used"] == ["in_memory", "null"]
    assert repr(manager) == "<aio <CacheManager of 2 caches>>"


def test_nonsense_is_refused() -> None:
    with pytest.raises(CacheValueError, match="not known"):
        aio.CacheManager("memroy")
    manager = aio.CacheManager()
    manager.get_cache("a", max_size=5)
    with pytest.raises(CacheValueError, match="was made with"):
        manager.get_cache("a", max_size=6)


def test_clearing_and_removing() -> None:
    async def main() -> None:
        manager = aio.CacheManager()
        first, second = manager.get_cache("a"), manager.get_cache("b")
        await first.set("key", 1)
        await second.set("key", 1)
        assert await manager.clear_all() == 2
        assert (await first.size(), await second.size()) == (0, 0)
        assert await manager.remove_cache("a")
        assert not await manager.remove_cache("a")
        with pytest.raises(CacheClosedError):
            await first.get("key")
        assert manager.get_cache("a") is not first
        assert await second.get("key") is None

    asyncio.run(main())


def test_its_end_closes_every_cache() -> None:
    async def main() -> None:
        async with aio.CacheManager() as manager:
            cache = manager.get_cache("a")
            await cache.set("key", 1)
        with pytest.raises(CacheClosedError):
            await cache.get("key")
        with pytest.raises(CacheClosedError):
            manager.get_cache("a")
        await manager.close()
        assert manager.cache_count == 0

    asyncio.run(main())


@pytest.mark.parametrize("verb", ["close", "remove_cache"])
def test_it_waits_for_what_its_caches_load_in_the_background(verb: str) -> None:
    async def main() -> None:
        clock = FakeClock()
        manager = aio.CacheManager()
        cache = manager.get_cache("a", clock=clock)
        done: list[int] = []

        async def count() -> int:
            for _ in range(5):
                await asyncio.sleep(0)
            done.append(1)
            return len(done)

        options: Any = {"ttl": 10, "stale_ttl": 100}
        assert await cache.get_or_set("key", count, **options) == 1
        clock.advance(10)
        assert await cache.get_or_set("key", count, **options) == 1
        await (manager.close() if verb == "close" else manager.remove_cache("a"))
        assert done == [1, 1]
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())


def test_a_cache_and_its_door_go_together() -> None:
    manager = aio.CacheManager()
    watches: list[Any] = [weakref.ref(manager.get_cache("a")), weakref.ref(manager.get_cache("a").blocking)]
    gc.collect()
    assert manager.get_cache("a") is watches[0](), "the manager holds both"
    del manager
    gc.collect()
    assert [watch() for watch in watches] == [None, None]
