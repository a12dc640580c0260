"""The Redis cache passes the suite, on one server and in a cluster, awaited and not."""

from __future__ import annotations

from itertools import count
from secrets import token_hex
from typing import Any

import pytest
from tests.servers.redis_servers import SERVICE, RedisSentinels, ask

from cachery import Cache, InMemoryCache, NamespacedCache, RedisCache, TieredCache, aio
from cachery.testing import AsyncServerConformance, ServerConformance

SHIFT = """
local by = tonumber(ARGV[2])
for _, name in ipairs(redis.call('KEYS', '*' .. ARGV[1] .. '*')) do
  local left = redis.call('PTTL', name)
  if left >= 0 and left <= by then redis.call('DEL', name) end
  if left > by then redis.call('PEXPIRE', name, left - by) end
end
"""


class OnRedis:
    """Time is moved on the server, by shortening what is left of every entry, and on the clock of the process."""

    options: dict[str, Any]
    ports: list[int]

    @pytest.fixture(autouse=True)
    def _server(self, redis_port: int) -> None:
        self.ports = [redis_port]
        self.options = {"port": redis_port, "prefix": f"t-{token_hex(4)}"}
        self.numbers = count()

    def redis_options(self, **options: Any) -> dict[str, Any]:
        return {"clock": self.clock, "name": str(next(self.numbers)), **self.options, **options}  # type: ignore[attr-defined]

    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)  # type: ignore[attr-defined]
        for port in self.ports:
            ask(port, "EVAL", SHIFT, 0, self.options["prefix"], int(seconds * 1000))


class TestRedis(OnRedis, ServerConformance):
    def make_cache(self, **options: Any) -> Cache:
        return RedisCache(**self.redis_options(**options))


class TestNamespaced(OnRedis, ServerConformance):
    def make_cache(self, **options: Any) -> Cache:
        return NamespacedCache(RedisCache(**self.redis_options(**options)), "part")


class TestSigned(OnRedis, ServerConformance):
    def make_cache(self, **options: Any) -> Cache:
        more: dict[str, Any] = {"secret": "a secret of tests", "serializer": "pickle", "compression": "zlib"}
        return RedisCache(
            **self.redis_options(**more, encryption="another secret of tests", compression_threshold=1, **options)
        )


class TestAsyncRedis(OnRedis, AsyncServerConformance):
    def make_async_cache(self, **options: Any) -> aio.Cache:
        return aio.RedisCache(**self.redis_options(**options))


class TestAsyncPart(OnRedis, AsyncServerConformance):
    def make_async_cache(self, **options: Any) -> aio.Cache:
        return aio.NamespacedCache(aio.RedisCache(**self.redis_options(**options)), "part")


class OnCluster(OnRedis):
    @pytest.fixture(autouse=True)
    def _server(self, redis_cluster_ports: tuple[int, ...]) -> None:
        self.ports = list(redis_cluster_ports)
        self.options = {"port": redis_cluster_ports[0], "cluster": True, "prefix": f"t-{token_hex(4)}"}
        self.numbers = count()


class TestCluster(OnCluster, ServerConformance):
    def make_cache(self, **options: Any) -> Cache:
        return RedisCache(**self.redis_options(**options))


class TestAsyncCluster(OnCluster, AsyncServerConformance):
    def make_async_cache(self, **options: Any) -> aio.Cache:
        return aio.RedisCache(**self.redis_options(**options))


class OnSentinels(OnRedis):
    @pytest.fixture(autouse=True)
    def _server(self, shared_redis_sentinels: RedisSentinels) -> None:
        sentinels = shared_redis_sentinels
        self.ports = [sentinels.primary_port]
        places = [("127.0.0.1", port) for port in sentinels.ports]
        self.options = {"sentinels": places, "service_name": SERVICE, "prefix": f"t-{token_hex(4)}"}
        self.numbers = count()


class TestSentinels(OnSentinels, ServerConformance):
    def make_cache(self, **options: Any) -> Cache:
        return RedisCache(**self.redis_options(**options))


class TestAsyncSentinels(OnSentinels, AsyncServerConformance):
    def make_async_cache(self, **options: Any) -> aio.Cache:
        return aio.RedisCache(**self.redis_options(**options))


class TestTiered(OnRedis, ServerConformance):
    def make_cache(self, **options: Any) -> Cache:
        return TieredCache(InMemoryCache(clock=self.clock), RedisCache(**self.redis_options(**options)))


class TestTieredCopies(OnRedis, ServerConformance):
    def make_cache(self, **options: Any) -> Cache:
        near = InMemoryCache(2, copy="deep", clock=self.clock)
        return TieredCache(near, RedisCache(**self.redis_options(**options)), bus="pubsub", max_stale_when_blind=0)


class TestTieredCluster(OnCluster, ServerConformance):
    def make_cache(self, **options: Any) -> Cache:
        return TieredCache(InMemoryCache(clock=self.clock), RedisCache(**self.redis_options(**options)))


class TestAsyncTiered(OnRedis, AsyncServerConformance):
    def make_async_cache(self, **options: Any) -> aio.Cache:
        far = aio.RedisCache(**self.redis_options(**options))
        return aio.TieredCache(aio.InMemoryCache(clock=self.clock), far)
