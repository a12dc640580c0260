"""A cache of one's own for event loops: the verbs that follow from the others."""

from __future__ import annotations

import asyncio

import pytest

from cachery import CacheKeyError, CacheValueError, aio


class Own(aio.InMemoryCache):
    """Has the verbs for many from the class that all derive from."""

    get_many = aio.Cache.get_many
    set_many = aio.Cache.set_many
    delete_many = aio.Cache.delete_many
    decr = aio.Cache.decr


def test_many_are_one_after_the_other() -> None:
    async def use() -> None:
        async with Own() as cache:
            assert await cache.set_many({"a": 1, "b": None}, ttl="5m")
            assert await cache.get_many(["a", "b", "c"]) == {"a": 1, "b": None}
            assert await cache.ttl("a") == pytest.approx(300, abs=1)
            assert await cache.delete_many(["a", "c"]) == 1
            assert await cache.decr("n", 2, initial=5) == 3
            with pytest.raises(CacheValueError, match="mapping"):
                await cache.set_many([("a", 1)])  # type: ignore[arg-type]
            with pytest.raises(CacheKeyError):
                await cache.set_many({"c": 1, 2: 2})  # type: ignore[dict-item]
            assert not await cache.has("c")

    asyncio.run(use())
