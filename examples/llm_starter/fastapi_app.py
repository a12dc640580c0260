"""A small service that summarizes texts, keeps the answers, and has its cache managed over HTTP.

Run it with ``uvicorn fastapi_app:app``. ``REDIS_URL`` says where the answers are shared; without it they are kept in
memory. ``CACHE_API_KEYS``: who may manage the cache, separated by commas.
"""
# ruff: noqa: INP001

from __future__ import annotations

import os
from typing import Annotated, Any

from fastapi import Depends, FastAPI

from cachery.ai import AIResponseCache
from cachery.integrations.fastapi import CacheLifespan, cache_router


def make_answers() -> AIResponseCache:
    """Return the cache of answers, which all users share."""
    return AIResponseCache(os.environ.get("REDIS_URL"), scope="public", name="summaries")


def api_keys() -> list[str]:
    """Return who may manage the cache, as of now."""
    return os.environ.get("CACHE_API_KEYS", "").split(",")


caches = CacheLifespan(answers=make_answers)
Answers = Annotated[AIResponseCache, Depends(caches.dependency("answers"))]

app = FastAPI(title="Summaries", lifespan=caches)
app.include_router(cache_router(caches.dependency("answers"), api_keys=api_keys, prefix="/internal/cache"))


async def ask_a_model(text: str, max_length: int) -> dict[str, str]:
    """Stand in for a call of a model."""
    return {"summary": text[:max_length]}


@app.post("/summaries")
async def summarize(text: str, answers: Answers, max_length: int = 20) -> dict[str, Any]:
    """Return a summary: a kept one, or a new one."""
    options = {"max_length": max_length}
    answer: dict[str, Any] = await answers.get_or_compute(
        text, "summarize", options, lambda: ask_a_model(text, max_length)
    )
    return answer
