"""The management of a cache on Redis, there and away."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

pytest.importorskip("fastapi", reason="needs the extra fastapi")
pytest.importorskip("redis", reason="needs the extra redis")

from fastapi import FastAPI
from tests.integrations.serving import served
from tests.servers.redis_servers import HOST, RedisServer, wait_until

from cachery import InMemoryCache, aio
from cachery.ai import AIResponseCache
from cachery.integrations.fastapi import CacheLifespan, cache_router

KEY = {"X-API-Key": "a-long-random-key-for-tests"}


@contextmanager
def answers(url: str, **options: Any) -> Iterator[httpx.Client]:
    """Serve a cache of answers at ``url``, its management, and a way to fill it."""
    caches = CacheLifespan(answers=lambda: AIResponseCache(url, scope="acme", **options))
    app = FastAPI(lifespan=caches)
    app.include_router(cache_router(caches.dependency("answers"), api_keys=KEY["X-API-Key"]))

    @app.post("/answers")
    async def fill() -> int:
        cache = caches.of(app)["answers"]
        return sum([await cache.cache_response(f"text {n}", "qa", {}, {"answer": n}) for n in range(3)])

    @app.get("/answers")
    async def count() -> int:
        cache = caches.of(app)["answers"]
        found = [await cache.get_cached_response(f"text {n}", "qa", {}) for n in range(3)]
        return sum(answer is not None for answer in found)

    with served(app) as client:
        yield client


def status(client: httpx.Client) -> Any:
    response = client.get("/cache/status", headers=KEY)
    assert response.status_code == 200
    return response.json()


def test_with_a_server(redis_port: int, redis_prefix: str) -> None:
    with answers(f"redis://{HOST}:{redis_port}", name=redis_prefix) as client:
        assert client.post("/answers").json() == 3
        told = status(client)
        assert (told["status"], told["redis"]["status"], told["redis"]["keys"]) == ("ok", "connected", 3)
        response = client.post("/cache/invalidate?operation=qa", headers=KEY)
        assert (response.status_code, response.json()["keys_invalidated"]) == (200, 3)
        assert client.get("/answers").json() == 0


def test_what_is_invalidated_in_one_app_is_gone_in_the_other(redis_port: int, redis_prefix: str) -> None:
    url = f"redis://{HOST}:{redis_port}"
    with answers(url, name=redis_prefix) as one, answers(url, name=redis_prefix) as other:
        assert one.post("/answers").json() == 3
        assert other.get("/answers").json() == 3
        assert one.post("/cache/invalidate?pattern=qa", headers=KEY).json()["keys_invalidated"] == 3
        wait_until(lambda: other.get("/answers").json() == 0)


def test_a_server_that_goes_is_told_of_and_what_was_invalidated_stays_so(own_redis: RedisServer) -> None:
    with answers(f"redis://{HOST}:{own_redis.port}", memory_tiers=()) as client:
        assert client.post("/answers").json() == 3
        own_redis.pause()
        try:
            told = status(client)
            assert (told["status"], told["redis"]) == ("degraded", {"status": "unavailable", "keys": 0})
            response = client.post("/cache/invalidate?operation=qa", headers=KEY)
            assert (response.status_code, response.json()["degraded"]) == (202, True)
            for path in ("metrics", "invalidation-stats", "invalidation-recommendations"):
                assert client.get(f"/cache/{path}", headers=KEY).status_code == 200
        finally:
            own_redis.resume()
        wait_until(lambda: status(client)["status"] == "ok")
        wait_until(lambda: client.get("/answers").json() == 0)
        assert client.post("/cache/invalidate?operation=qa", headers=KEY).status_code == 200


def test_a_server_that_is_killed_between_calls(own_redis: RedisServer) -> None:
    with answers(f"redis://{HOST}:{own_redis.port}") as client:
        assert client.post("/answers").json() == 3
        assert status(client)["redis"]["status"] == "connected"
        own_redis.kill()
        assert status(client)["status"] == "degraded"
        assert client.post("/cache/invalidate?all=true", headers=KEY).status_code == 202
        assert client.post("/answers").json() == 3
        assert client.get("/answers").json() == 3
        own_redis.restart()
        wait_until(lambda: status(client)["redis"] == {**status(client)["redis"], "status": "connected", "keys": 3})


def test_a_part_of_a_cache_whose_server_goes(own_redis: RedisServer) -> None:
    async def pages() -> aio.NamespacedCache:
        whole = aio.RedisCache(HOST, port=own_redis.port, fallback=InMemoryCache(10))
        part = aio.NamespacedCache(whole, "pages")
        await part.set_many({"1": 1, "2": 2})
        return part

    caches = CacheLifespan(pages=pages)
    app = FastAPI(lifespan=caches)
    app.include_router(cache_router(caches.dependency("pages"), api_keys=KEY["X-API-Key"]))
    with served(app) as client:
        told = status(client)
        assert (told["status"], told["redis"], told["memory"]) == ("ok", {"status": "connected", "keys": 2}, {})
        own_redis.kill()
        told = status(client)
        assert (told["status"], told["redis"]) == ("degraded", {"status": "unavailable", "keys": 0})
        response = client.post("/cache/invalidate?pattern=1", headers=KEY)
        assert (response.status_code, response.json()["degraded"]) == (202, True)


def test_a_cache_without_refuge_cannot_be_asked_while_its_server_is_away(own_redis: RedisServer) -> None:
    caches = CacheLifespan(pages=lambda: aio.RedisCache(HOST, port=own_redis.port))
    app = FastAPI(lifespan=caches)
    app.include_router(cache_router(caches.dependency("pages"), api_keys=KEY["X-API-Key"]))
    with served(app) as client:
        told = status(client)
        assert (told["status"], told["redis"], told["memory"]) == ("ok", {"status": "connected", "keys": 0}, {})
        assert client.post("/cache/invalidate?pattern=*", headers=KEY).json()["keys_invalidated"] == 0
        own_redis.kill()
        for response in [
            client.get("/cache/status", headers=KEY),
            client.post("/cache/invalidate?pattern=*", headers=KEY),
            client.post("/cache/invalidate?all=true", headers=KEY),
        ]:
            assert response.status_code == 503
            assert response.json() == {"detail": "the cache cannot be asked: CacheConnectionError"}


def test_no_password_is_shown(own_redis: RedisServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    own_redis.ask("CONFIG", "SET", "requirepass", "hush-hush")
    with answers(f"redis://:hush-hush@{HOST}:{own_redis.port}/0") as client:
        assert client.post("/answers").json() == 3
        paths = ["status", "metrics", "invalidation-stats", "invalidation-recommendations"]
        said = [client.get(f"/cache/{path}", headers=KEY).text for path in paths]
        assert json.loads(said[0])["redis"]["status"] == "connected"
        own_redis.kill()
        said += [client.get(f"/cache/{path}", headers=KEY).text for path in paths]
        said.append(client.post("/cache/invalidate?all=true", headers=KEY).text)
    assert "hush-hush" not in "".join([*said, caplog.text])


def test_a_server_that_was_never_there_is_no_reason_not_to_start() -> None:
    with answers(f"redis://user:hush-hush@{HOST}:1/0") as client:
        assert client.post("/answers").json() == 3
        told = status(client)
        assert (told["status"], told["redis"]["status"]) == ("degraded", "unavailable")
        assert "hush-hush" not in json.dumps(told)


def test_the_way_to_redis_belongs_to_the_loop_of_the_app(redis_port: int, redis_prefix: str) -> None:
    caches = CacheLifespan(pages=lambda: aio.RedisCache(HOST, port=redis_port, name=redis_prefix))
    app = FastAPI(lifespan=caches)

    @app.post("/visits")
    async def visit() -> int:
        count: int = await caches.of(app)["pages"].incr("visits")
        return count

    with served(app) as one, served(app) as other:
        assert [client.post("/visits").json() for client in (one, other, one)] == [1, 2, 3]

    async def again() -> int:
        async with caches(app):
            count: int = await caches.of(app)["pages"].incr("visits")
            return count

    assert asyncio.run(again()) == 4
