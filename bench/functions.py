"""The functions that are measured, plain and decorated, by us and by the peers; each takes a key."""

from __future__ import annotations

from functools import lru_cache
from threading import RLock
from typing import Any

from cachetools import TTLCache, cached
from cashews import Cache

import cachery.aio
from bench.caches import KEYS, LIFE
from cachery import InMemoryCache

__all__ = [
    "answer",
    "answer_later",
    "cashews",
    "kept",
    "kept_by_cachetools",
    "kept_by_cashews",
    "kept_by_functools",
    "kept_later",
    "load",
    "load_later",
]


def load() -> str:
    """Return what is to be kept."""
    return "value"


async def load_later() -> str:
    """Return the same, to a coroutine."""
    return "value"


def answer(_key: str) -> str:
    """Return the same for every key."""
    return "value"


async def answer_later(_key: str) -> str:
    """Return the same for every key, to a coroutine."""
    return "value"


def kept() -> Any:
    """Return ``answer`` with our decorator."""
    return InMemoryCache(len(KEYS)).cached(ttl=LIFE)(answer)


def kept_by_functools() -> Any:
    """Return ``answer`` in a ``functools.lru_cache`` that, as ours, tells arguments of two types apart."""
    return lru_cache(len(KEYS), typed=True)(answer)


def kept_by_cachetools() -> Any:
    """Return ``answer`` with the decorator of cachetools over a cache with a TTL, safe for threads as ours is."""
    return cached(TTLCache(len(KEYS), LIFE), lock=RLock())(answer)


def kept_later() -> Any:
    """Return ``answer_later`` with our decorator."""
    return cachery.aio.InMemoryCache(len(KEYS)).cached(ttl=LIFE)(answer_later)


def kept_by_cashews() -> Any:
    """Return ``answer_later`` with the decorator of cashews."""
    return cashews()(ttl=LIFE)(answer_later)


def cashews() -> Any:
    """Return a cache of cashews in memory, for as many entries as ours."""
    cache = Cache()
    cache.setup("mem://", size=len(KEYS))
    return cache
