"""A cache on Redis with a fallback passes the suite while there is no server at all."""

from __future__ import annotations

from typing import Any

import pytest
from tests.servers.redis_servers import HOST, free_port

from cachery import Cache, CircuitBreaker, InMemoryCache, RedisCache, aio
from cachery.testing import AsyncServerConformance, ServerConformance


class Away:
    port: int

    @pytest.fixture(autouse=True)
    def _no_server(self) -> None:
        self.port = free_port()

    def away_options(self, **options: Any) -> dict[str, Any]:
        clock: Any = self.clock  # type: ignore[attr-defined]
        more = {"fallback": InMemoryCache(clock=clock), "breaker": CircuitBreaker(1, 3600), "clock": clock}
        return {"host": HOST, "port": self.port, **more, **options}

    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)  # type: ignore[attr-defined]


class TestAway(Away, ServerConformance):
    def make_cache(self, **options: Any) -> Cache:
        cache = RedisCache(**self.away_options(**options))
        assert not cache.ping(), "what is told of the outage is told before the test listens"
        return cache


class TestAsyncAway(Away, AsyncServerConformance):
    def make_async_cache(self, **options: Any) -> aio.Cache:
        cache = aio.RedisCache(**self.away_options(**options))
        assert not cache.blocking.ping(), "what is told of the outage is told before the test listens"
        return cache
