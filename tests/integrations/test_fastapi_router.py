"""The management of a cache over HTTP, as a client sees it."""
# Annotations are evaluated here: FastAPI finds no local name by its text.

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import httpx
import pytest

pytest.importorskip("fastapi", reason="needs the extra fastapi")

from fastapi import Depends, FastAPI
from tests.integrations.managing import BEARER, KEY, READS, answers, managed
from tests.integrations.serving import served

import cachery
from cachery import CacheValueError, aio
from cachery.ai import AIResponseCache
from cachery.ai import InMemoryCache as AnswersInMemory
from cachery.integrations.fastapi import CacheLifespan, CachePerformanceResponse, cache_router


def invalidated(client: httpx.Client, **asked: Any) -> tuple[int, Any]:
    response = client.post("/cache/invalidate", params=asked, headers=BEARER)
    return response.status_code, response.json().get("keys_invalidated", response.json())


# What the routes answer


def test_status() -> None:
    with answers() as (_, client):
        response = client.get("/cache/status", headers=BEARER)
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    told = response.json()
    assert list(told) == ["status", "redis", "memory", "performance"]
    assert told["status"] == "ok"
    assert told["redis"] == {"status": "disabled", "keys": 0}
    assert told["memory"]["memory_cache_entries"] == 5
    assert told["performance"]["cache_misses"] == 2


def test_metrics() -> None:
    with answers() as (cache, client):
        asyncio.run(cache.get_cached_response("text 1", "summarize", {}, scope="acme"))
        told = client.get("/cache/metrics", headers=BEARER).json()
        assert (told["cache_hits"], told["cache_misses"], told["retention_hours"]) == (1, 2, 1)
        assert told["cache_operations"]["total_operations"] == told["total_cache_operations"]
        assert told["invalidation"] is told["compression"] is None
        assert told["memory_usage"]["current"]["cache_entry_count"] == 5
        invalidated(client, operation="qa")
        told = client.get("/cache/metrics", headers=BEARER).json()
        assert told["memory_usage"]["current"]["cache_entry_count"] == 4
        assert told["invalidation"]["total_keys_invalidated"] == 1
        assert CachePerformanceResponse(**told).cache_hits == 1


def test_reports_about_invalidations() -> None:
    with answers() as (cache, client):
        told = client.get("/cache/invalidation-stats", headers=BEARER).json()
        assert told == cache.get_invalidation_frequency_stats()
        assert told["no_invalidations"] is True
        recommended = client.get("/cache/invalidation-recommendations", headers=BEARER).json()
        assert recommended == {"recommendations": []}
        for _ in range(4):
            invalidated(client, pattern="nothing", operation_context="nightly")
        told = client.get("/cache/invalidation-stats", headers=BEARER).json()
        assert told == cache.get_invalidation_frequency_stats()
        assert told["patterns"]["most_common_patterns"] == {"nothing": 4}
        assert {event.operation_context for event in cache.performance_monitor.invalidation_events} == {"nightly"}
        recommended = client.get("/cache/invalidation-recommendations", headers=BEARER).json()
        assert recommended == {"recommendations": cache.get_invalidation_recommendations()}
        issues = [each["issue"] for each in recommended["recommendations"]]
        assert "Low invalidation efficiency" in issues


@pytest.mark.parametrize(
    ("asked", "count", "message"),
    [
        ({"pattern": "summarize"}, 2, "Cache invalidated for pattern: summarize"),
        ({"pattern": "*"}, 5, "Cache invalidated for pattern: *"),
        ({"pattern": "nothing"}, 0, "Cache invalidated for pattern: nothing"),
        ({"operation": "qa"}, 1, "Cache invalidated for operation: qa"),
        ({"operation": "q"}, 0, "Cache invalidated for operation: q"),
        ({"model": "small-1"}, 1, "Cache invalidated for model: small-1"),
        ({"model": "small-*"}, 0, "Cache invalidated for model: small-*"),
        ({"scope": "acme"}, 2, "Cache invalidated for scope: acme"),
        ({"all": "true"}, 5, "Cache invalidated"),
        ({"all": "true", "pattern": ""}, 5, "Cache invalidated"),
    ],
)
def test_invalidating(asked: dict[str, str], count: int, message: str) -> None:
    with answers() as (cache, client):
        response = client.post("/cache/invalidate", params=asked, headers=BEARER)
        assert response.status_code == 200
        assert response.json() == {"message": message, "keys_invalidated": count, "degraded": False}
        assert cache.stats.size == 5 - count


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"pattern": ""},
        {"all": "false"},
        {"operation_context": "nightly"},
        {"pattern": "qa", "all": "true"},
        {"pattern": "qa", "operation": "qa"},
        {"scope": "acme", "model": "small-1"},
        {"operation": "not|an|operation"},
    ],
)
def test_nothing_and_more_than_one_thing_are_refused(asked: dict[str, str]) -> None:
    with answers() as (cache, client):
        status, answer = invalidated(client, **asked)
        assert status == 400
        assert "one of pattern, operation, model" in answer["detail"] or "an operation is named" in answer["detail"]
        assert cache.stats.size == 5


@pytest.mark.parametrize("asked", [{"all": "perhaps"}, {"patern": "qa"}, {"operation": "qa", "modle": "small-1"}])
def test_a_mistake_invalidates_nothing(asked: dict[str, str]) -> None:
    with answers() as (cache, client):
        assert invalidated(client, **asked)[0] == 422
        assert invalidated(client, pattern="x" * 1001)[0] == 422
        assert cache.stats.size == 5


def test_these_are_all_the_routes_there_are() -> None:
    with answers() as (_, client):
        assert client.get("/cache/invalidate", headers=BEARER).status_code == 405
        assert client.post("/cache/status", headers=BEARER).status_code == 405
        assert client.get("/cache", headers=BEARER).status_code == 404


# Caches: of the lifespan, of cachery.aio, closed, none


def test_the_cache_of_a_lifespan() -> None:
    caches = CacheLifespan(answers=lambda: AIResponseCache(redis_url=None))
    app = FastAPI(lifespan=caches)
    app.include_router(cache_router(caches.dependency("answers"), api_keys=KEY, prefix="/internal/cache", tags=["ops"]))

    @app.post("/answers/{text}")
    async def answer(text: str, cache: Annotated[AIResponseCache, Depends(caches.dependency("answers"))]) -> bool:
        return await cache.cache_response(text, "qa", {}, {"answer": text})

    with served(app) as client:
        assert [client.post(f"/answers/{number}").json() for number in range(3)] == [True] * 3
        assert client.get("/internal/cache/status", headers=BEARER).json()["memory"]["memory_cache_entries"] == 3
        response = client.post("/internal/cache/invalidate?operation=qa", headers=BEARER)
        assert response.json()["keys_invalidated"] == 3


def test_outside_of_the_lifespan_the_cache_cannot_be_asked() -> None:
    caches = CacheLifespan(answers=lambda: AIResponseCache(redis_url=None))
    with managed(caches.dependency("answers")) as client:
        for response in every(client):
            assert (response.status_code, response.json()["detail"]) == (503, UNASKED)
        assert client.get("/cache/status").status_code == 401


UNASKED = "the cache cannot be asked: CacheClosedError"


def every(client: httpx.Client) -> Iterator[httpx.Response]:
    yield client.post("/cache/invalidate?pattern=a", headers=BEARER)
    yield client.post("/cache/invalidate?all=true", headers=BEARER)
    for path in READS:
        yield client.get(path, headers=BEARER)


@pytest.mark.parametrize("make", [lambda: AIResponseCache(redis_url=None), lambda: aio.InMemoryCache(10)])
def test_a_closed_cache_is_no_success(make: Any, caplog: pytest.LogCaptureFixture) -> None:
    cache = make()
    with managed(cache) as client:
        assert [response.status_code for response in every(client)] == [200] * 6
        asyncio.run(cache.close())
        for response in every(client):
            assert (response.status_code, response.json()) == (503, {"detail": UNASKED})
    assert UNASKED in caplog.text


@contextmanager
def entries() -> Iterator[tuple[aio.InMemoryCache, httpx.Client]]:
    cache = aio.InMemoryCache(10)
    asyncio.run(cache.set_many({"user:1": 1, "user:2": 2, "page:1": 3}))
    with managed(cache) as client:
        yield cache, client


def test_any_cache_tells_its_state_and_its_numbers() -> None:
    with entries() as (cache, client):
        assert [asyncio.run(cache.get(key)) for key in ("user:1", "user:1", "nobody", "page:1")] == [1, 1, None, 3]
        told = client.get("/cache/status", headers=BEARER).json()
        assert (told["status"], told["redis"], told["memory"]) == (
            "ok",
            {"status": "disabled", "keys": 0},
            {"entries": 3},
        )
        assert told["performance"]["cache_hit_rate"] == 75.0
        told = client.get("/cache/metrics", headers=BEARER).json()
        assert (told["cache_hits"], told["cache_misses"], told["total_cache_operations"]) == (3, 1, 4)
        assert told["retention_hours"] is told["invalidation"] is None


def test_any_cache_can_be_invalidated_by_pattern() -> None:
    with entries() as (cache, client):
        assert invalidated(client, pattern="user:*") == (200, 2)
        assert invalidated(client, pattern="ser") == (200, 0)
        assert asyncio.run(cache.size()) == 1
        assert invalidated(client, all="true") == (200, 1)
        assert asyncio.run(cache.size()) == 0
        told = client.get("/cache/invalidation-stats", headers=BEARER).json()
        assert (told["total_invalidations"], told["total_keys_invalidated"]) == (3, 3)
        assert client.get("/cache/metrics", headers=BEARER).json()["invalidation"] == told
        assert "recommendations" in client.get("/cache/invalidation-recommendations", headers=BEARER).json()


@pytest.mark.parametrize("what", ["operation", "model", "scope"])
def test_other_caches_know_no_operations(what: str) -> None:
    with entries() as (cache, client):
        status, answer = invalidated(client, **{what: "user:1"})
        assert (status, answer["detail"]) == (400, f"this cache knows no {what}: invalidate by pattern, or all")
        assert asyncio.run(cache.size()) == 3


@pytest.mark.parametrize(
    "cache", [cachery.InMemoryCache(10), AnswersInMemory(), None, "answers", {}, aio.CacheManager()]
)
def test_what_cannot_be_managed_is_refused(cache: Any) -> None:
    with pytest.raises(CacheValueError, match="can be managed, and the caches of"):
        cache_router(cache, api_keys=KEY)


def test_a_dependency_that_gives_no_cache_is_a_mistake_of_the_app(caplog: pytest.LogCaptureFixture) -> None:
    with managed(lambda: cachery.InMemoryCache(10)) as client:
        headers = {**BEARER, "Connection": "close"}
        assert [client.get(path, headers=headers).status_code for path in READS] == [500] * 4
        assert client.post("/cache/invalidate?all=true", headers=headers).status_code == 500
    assert "can be managed" in caplog.text


@pytest.mark.parametrize(
    "options", [{"read_access": "all"}, {"read_access": None}, {"api_keys": 7}, {"api_keys": [b"bytes"]}]
)
def test_bad_arguments(options: Any) -> None:
    with pytest.raises(CacheValueError):
        cache_router(aio.InMemoryCache(10), **{"api_keys": KEY, **options})


def test_keys_have_to_be_said() -> None:
    with pytest.raises(TypeError, match="api_keys"):
        cache_router(aio.InMemoryCache(10))  # type: ignore[call-arg]


# What the description says


def described(read_access: Any) -> Any:
    app = FastAPI()
    app.include_router(cache_router(aio.InMemoryCache(10), api_keys=KEY, read_access=read_access))
    with served(app) as client:
        return client.get("/openapi.json").json()


@pytest.mark.parametrize("read_access", ["key", "anonymous"])
def test_the_description_of_the_routes(read_access: Any) -> None:
    told = described(read_access)
    routes = {(method, path): route for path, methods in told["paths"].items() for method, route in methods.items()}
    by_key: list[Any] = [{"CacheBearer": []}, {"CacheApiKey": []}]
    reading = {
        path: {
            "security": [*by_key, {}] if read_access == "anonymous" else by_key,
            "answer": answer,
            "statuses": ["200", "401", "403", "503"],
        }
        for path, answer in zip(
            READS,
            ["StatusResponse", "InvalidationStatsResponse", "RecommendationsResponse", "CachePerformanceResponse"],
            strict=True,
        )
    }
    writing = {
        "security": by_key,
        "answer": "InvalidationResponse",
        "statuses": ["200", "202", "400", "401", "403", "422", "503"],
    }
    assert {place: essential(route) for place, route in routes.items()} == {
        **{("get", path): route for path, route in reading.items()},
        ("post", "/cache/invalidate"): writing,
    }
    assert {route["summary"] for route in routes.values()} == {
        "State of the cache",
        "Invalidate entries",
        "How often it is invalidated",
        "What could be invalidated better",
        "Numbers of the cache",
    }
    assert all(route["tags"] == ["cache"] and route["description"] for route in routes.values())
    assert told["components"]["securitySchemes"] == {
        "CacheBearer": {"type": "http", "scheme": "bearer", "description": "An API key of the cache."},
        "CacheApiKey": {
            "type": "apiKey",
            "in": "header",
            "name": "X-API-Key",
            "description": "An API key of the cache.",
        },
    }


def essential(route: Any) -> dict[str, Any]:
    schema = route["responses"]["200"]["content"]["application/json"]["schema"]
    return {
        "security": route["security"],
        "answer": schema["$ref"].rpartition("/")[2],
        "statuses": sorted(route["responses"]),
    }


def test_what_can_be_invalidated_is_described() -> None:
    parameters = described("key")["paths"]["/cache/invalidate"]["post"]["parameters"]
    names = ["pattern", "operation", "model", "scope", "all", "operation_context"]
    assert [(each["name"], each["in"], each["required"]) for each in parameters] == [
        (name, "query", False) for name in names
    ]
    assert all(each["description"] for each in parameters)
