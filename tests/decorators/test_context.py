"""A decorated function may be given a ``LoadContext``."""

from __future__ import annotations

import asyncio

from cachery import MISSING, InMemoryCache, LoadContext, aio
from cachery.testing import FakeClock


def test_a_function_sets_its_own_ttl_and_sees_what_is_stale() -> None:
    clock = FakeClock()
    cache = InMemoryCache(clock=clock)
    seen: list[object] = []

    @cache.cached(ttl=100, stale_ttl=100, soft_timeout=60, tags=["token"])
    def token(user: str, *, context: LoadContext | None = None) -> str:
        assert context is not None
        seen.append(context.stale)
        context.ttl = 10
        return f"token of {user}"

    assert token("ada") == token("ada") == "token of ada"
    clock.advance(10)
    assert token("ada") == "token of ada"
    assert seen == [MISSING, "token of ada"]
    assert token.key("ada") == token.key(user="ada")
    cache.invalidate_tags("token")
    assert token("ada") == "token of ada"
    assert seen[-1] is MISSING


def test_a_method_and_a_coroutine_are_given_one_too() -> None:
    cache = aio.InMemoryCache()

    class Source:
        def __cache_key__(self) -> str:
            return "source"

        @cache.cached(key_self="name")
        async def load(self, number: int, context: LoadContext | None = None) -> int:
            assert context is not None
            context.tags = ["red"]
            return number

        name = "source"

    async def main() -> None:
        source = Source()
        assert await source.load(1) == 1
        await cache.invalidate_tags("red")
        assert not await cache.exists(source.load.key(1))

    asyncio.run(main())
