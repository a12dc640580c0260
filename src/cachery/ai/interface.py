"""``CacheInterface``: what every cache of answers can do by key."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from cachery.model.durations import Duration

__all__ = ["CacheInterface"]


class CacheInterface(ABC):
    """Values by key, awaited. To make a cache of your own, derive from this and write the four methods.

    >>> import asyncio
    >>> from cachery.ai import InMemoryCache
    >>> isinstance(InMemoryCache(), CacheInterface)
    True
    """

    @abstractmethod
    async def get(self, key: str) -> Any | None:
        """Return the value of ``key``, or ``None`` when it is absent or expired."""

    @abstractmethod
    async def set(self, key: str, value: Any, ttl: Duration | None = None) -> None:
        """Store ``value`` for ``ttl`` seconds, or for the default of the cache."""

    @abstractmethod
    async def delete(self, key: str) -> None:
        """Remove ``key``, if it is there."""

    @abstractmethod
    async def exists(self, key: str) -> bool:
        """Tell whether ``key`` is there. Who leaves first when the cache is full does not change."""
