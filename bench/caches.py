"""The caches that are measured, ours and the peers', each full of the same 1,000 keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import cycle
from typing import Any

import cachebox
import cachetools

from cachery import InMemoryCache

__all__ = [
    "KEYS",
    "LIFE",
    "OTHERS",
    "Strangers",
    "filled",
    "old_lru",
    "old_ttl",
    "ours",
    "rust_lru",
    "rust_ttl",
    "warm_function",
]

KEYS = [f"key:{number}" for number in range(1000)]
OTHERS = [f"other:{number}" for number in range(3 * len(KEYS))]
"""So many that, stored in turn, each has long been evicted when its turn comes again."""

LIFE = 100
"""Seconds; longer than any measurement."""


class Strangers:
    """Keys for which every pass is the first: 1,000 at a time, and others the next time.

    When those come again there were so many between that nothing remembers them, whether it holds keys or arguments.
    """

    def __init__(self, parts: int = 10) -> None:
        keys = [[f"stranger:{part}:{number}" for number in range(len(KEYS))] for part in range(parts)]
        self._parts = cycle(keys)

    def __len__(self) -> int:
        """Return how many keys there are in one pass."""
        return len(KEYS)

    def __iter__(self) -> Iterator[str]:
        """Go through those whose turn it is."""
        return iter(next(self._parts))


def ours(**settings: Any) -> InMemoryCache:
    """Return an ``InMemoryCache`` that is full."""
    cache = InMemoryCache(len(KEYS), **settings)
    cache.set_many(dict.fromkeys(KEYS, "value"))
    return cache


def filled(cache: Any, keys: Iterable[str] = KEYS, value: object = "value") -> Any:
    """Return ``cache``, which takes items as a ``dict`` does, with ``value`` under each of ``keys``."""
    for key in keys:
        cache[key] = value
    return cache


def rust_lru() -> Any:
    """Return a full ``cachebox.LRUCache``."""
    return filled(cachebox.LRUCache(len(KEYS)))


def rust_ttl() -> Any:
    """Return a full ``cachebox.TTLCache``."""
    return filled(cachebox.TTLCache(len(KEYS), LIFE))


def old_lru() -> Any:
    """Return a full ``cachetools.LRUCache``."""
    return filled(cachetools.LRUCache(len(KEYS)))


def old_ttl() -> Any:
    """Return a full ``cachetools.TTLCache``."""
    return filled(cachetools.TTLCache(len(KEYS), LIFE))


def warm_function() -> Callable[[str], str]:
    """Return a ``functools.lru_cache`` function that knows the answer for every key."""

    @lru_cache(maxsize=len(KEYS))
    def answer(key: str) -> str:
        return key

    for key in KEYS:
        answer(key)
    return answer
