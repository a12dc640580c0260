"""``InMemoryCache`` of ``cachery.ai``: memory behind ``CacheInterface``."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

import pytest

from cachery import CacheClosedError, CacheKeyError, CacheValueError
from cachery.ai import CacheInterface, InMemoryCache
from cachery.testing import FakeClock


def test_the_verbs() -> None:
    async def main() -> None:
        cache = InMemoryCache(default_ttl=3600, max_size=10)
        assert isinstance(cache, CacheInterface)
        assert await cache.get("a") is None
        await cache.set("a", {"answer": [42]})
        assert (await cache.get("a"), await cache.exists("a")) == ({"answer": [42]}, True)
        await cache.delete("a")
        await cache.delete("a")
        assert (await cache.get("a"), await cache.exists("a")) == (None, False)
        for key in ("b", "c"):
            await cache.set(key, key)
        assert sorted(cache.get_keys()) == sorted(cache.get_active_keys()) == ["b", "c"]
        assert await cache.invalidate_pattern("b*", "a test") == 1
        assert cache.size() == 1
        cache.clear()
        assert cache.size() == 0
        await cache.close()
        with pytest.raises(CacheClosedError):
            await cache.get("a")

    asyncio.run(main())


def test_times_to_live() -> None:
    clock = FakeClock()

    async def main() -> None:
        cache = InMemoryCache(default_ttl=60, clock=clock)
        await cache.set("default", 1)
        await cache.set("short", 1, ttl=10)
        await cache.set("none", 1, ttl=0)
        await cache.set("negative", 1, ttl=-5)
        assert [await cache.get_ttl(key) for key in ("default", "short", "none", "negative")] == [60, 10, None, None]
        clock.advance(10)
        assert [await cache.exists(key) for key in ("default", "short")] == [True, False]
        numbers = cache.get_stats()
        assert (numbers["active_entries"], numbers["utilization"]) == (1, "1/1000")
        endless = InMemoryCache(default_ttl=None)
        await endless.set("a", 1)
        assert await endless.get_ttl("a") is None

    asyncio.run(main())


def test_an_expired_entry_that_is_still_kept_is_counted_as_such() -> None:
    clock = FakeClock()
    cache = InMemoryCache(default_ttl=60, clock=clock)
    asyncio.run(cache.set("a", 1))
    asyncio.run(cache.set("b", 1, ttl=600))
    clock.advance(60)
    numbers = cache.get_stats()
    assert (numbers["total_entries"], numbers["expired_entries"], numbers["active_entries"]) == (2, 1, 1)


def test_overwriting_evicts_nobody_and_the_least_recently_used_leaves() -> None:
    async def main() -> None:
        cache = InMemoryCache(max_size=2)
        for key in ("a", "b", "b"):
            await cache.set(key, key)
        assert await cache.get("a") == "a"
        await cache.set("c", "c")
        assert sorted(cache.get_keys()) == ["a", "c"]
        numbers = cache.get_stats()
        assert (numbers["hits"], numbers["misses"], numbers["hit_rate"], numbers["evictions"]) == (1, 0, 100.0, 1)
        assert (numbers["max_size"], numbers["utilization_percent"], numbers["default_ttl"]) == (2, 100.0, 3600)

    asyncio.run(main())


def test_values_are_copies() -> None:
    async def main() -> None:
        cache, value = InMemoryCache(), {"a": [1]}
        await cache.set("a", value)
        value["a"].append(2)
        got: Any = await cache.get("a")
        got["a"].append(3)
        assert await cache.get("a") == {"a": [1]}

    asyncio.run(main())


@pytest.mark.parametrize("settings", [{"default_ttl": 0}, {"default_ttl": -1}, {"max_size": 0}, {"max_size": "5"}])
def test_settings_that_cannot_be(settings: dict[str, Any]) -> None:
    with pytest.raises(CacheValueError):
        InMemoryCache(**settings)


def test_a_key_is_text() -> None:
    with pytest.raises(CacheKeyError):
        asyncio.run(InMemoryCache().set(["a"], 1))  # type: ignore[arg-type]


def test_an_interface_is_four_coroutine_functions() -> None:
    names = ["get", "set", "delete", "exists"]
    assert all(inspect.iscoroutinefunction(getattr(CacheInterface, name)) for name in names)
    assert CacheInterface.__abstractmethods__ == set(names)
    with pytest.raises(TypeError, match="abstract"):
        CacheInterface()  # type: ignore[abstract]
    assert "InMemoryCache" in repr(InMemoryCache())
