"""Caches of a FastAPI app: opened and closed with it, handed to its routes, and managed over HTTP.

>>> from fastapi import FastAPI
>>> from cachery.ai import AIResponseCache
>>> from cachery.integrations.fastapi import CacheLifespan, cache_router
>>> caches = CacheLifespan(answers=lambda: AIResponseCache(redis_url=None))
>>> app = FastAPI(lifespan=caches)
>>> app.include_router(cache_router(caches.dependency("answers"), api_keys="a-long-random-key"))

Needs the extra ``fastapi``: ``pip install "cachery[fastapi]"``.
"""

from __future__ import annotations

from cachery.serializers.extras import import_extra

import_extra("fastapi", "fastapi")

from cachery.integrations.fastapi.lifespan import CacheLifespan, shared  # noqa: E402 - without the extra there is advice
from cachery.integrations.fastapi.responses import (  # noqa: E402
    CachePerformanceResponse,
    InvalidationResponse,
    InvalidationStatsResponse,
    RecommendationsResponse,
    StatusResponse,
)
from cachery.integrations.fastapi.router import cache_router  # noqa: E402

__all__ = [
    "CacheLifespan",
    "CachePerformanceResponse",
    "InvalidationResponse",
    "InvalidationStatsResponse",
    "RecommendationsResponse",
    "StatusResponse",
    "cache_router",
    "shared",
]
