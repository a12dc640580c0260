"""Served caches, to be managed, and a key that opens them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from fastapi import FastAPI
from tests.integrations.serving import served

from cachery.ai import AIResponseCache
from cachery.integrations.fastapi import cache_router

KEY = "a-long-random-key-for-tests"
BEARER = {"Authorization": f"Bearer {KEY}"}
READS = ["/cache/status", "/cache/invalidation-stats", "/cache/invalidation-recommendations", "/cache/metrics"]


@contextmanager
def managed(cache: Any, **options: Any) -> Iterator[httpx.Client]:
    """Serve the routes for ``cache``."""
    app = FastAPI()
    app.include_router(cache_router(cache, **{"api_keys": KEY, **options}))
    with served(app) as client:
        yield client


@contextmanager
def answers(**options: Any) -> Iterator[tuple[AIResponseCache, httpx.Client]]:
    """Serve the routes for a cache with five answers."""
    cache = AIResponseCache(redis_url=None)
    asyncio.run(fill(cache))
    with managed(cache, **options) as client:
        yield cache, client


async def fill(cache: AIResponseCache) -> None:
    for number in range(2):
        await cache.cache_response(f"text {number}", "summarize", {}, {"summary": number}, scope="acme")
    await cache.cache_response("text", "qa", {}, {"answer": 1}, scope="other")
    for model in ("small-1", "large-1"):
        await cache.cached_completion({"model": model, "messages": []}, reply, scope="other")


async def reply(**_: Any) -> Any:
    return {"choices": [{"finish_reason": "stop", "message": {"content": "4"}}]}
