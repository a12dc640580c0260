"""``NamespacedCache``: a part of an asynchronous cache that looks like a whole one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import cachery.cache
import cachery.namespaced
from cachery.aio.door import Door
from cachery.exceptions import CacheValueError

if TYPE_CHECKING:  # loaded when something is loaded through a cache for the first time
    from cachery.loading import LoopEngine

__all__ = ["NamespacedCache"]


class NamespacedCache(Door):
    """The entries of ``cache`` whose key begins with ``namespace:``, under what follows.

    As ``cachery.NamespacedCache``, awaited. Closing it leaves the cache beneath open.

    >>> import asyncio
    >>> from cachery.aio import InMemoryCache
    >>> async def main():
    ...     base = InMemoryCache()
    ...     await NamespacedCache(base, "llm").set("query", 1)
    ...     return [key async for key in base.keys()]
    >>> asyncio.run(main())
    ['llm:query']
    """

    blocking: cachery.namespaced.NamespacedCache

    def __init__(self, cache: Door, namespace: str) -> None:
        if not isinstance(cache, Door):
            raise CacheValueError(f"cache is a cache of cachery.aio, not {type(cache).__name__}")
        self.cache = cache
        self.blocking = cachery.namespaced.NamespacedCache(cache.blocking, namespace)

    @classmethod
    def to(cls, blocking: cachery.cache.Cache) -> Self:
        """Return a door to ``blocking``, a ``cachery.NamespacedCache``; raise ``CacheValueError`` for another."""
        if not isinstance(blocking, cachery.namespaced.NamespacedCache):
            raise CacheValueError(f"this door leads to a NamespacedCache, not to {type(blocking).__name__}")
        door = super().to(blocking)
        door.cache = Door.to(blocking.cache)
        return door

    def build_engine(self) -> LoopEngine:
        """Return an engine whose loads in the background are those of the cache beneath, which waits for them."""
        from cachery.loading import LoopEngine  # noqa: PLC0415 - loaded when something is loaded first

        own = self.blocking.engine
        return LoopEngine(own.core.on(self.cache.engine.core.runtime), own.recorder)

    async def close(self) -> None:
        """Refuse every verb from now on. The cache beneath stays open, with all its entries."""
        self.blocking.close()

    @property
    def namespace(self) -> str:
        """The name of the part."""
        return self.blocking.namespace

    @property
    def max_size(self) -> int | None:
        """The bound of the cache beneath, in entries; ``None`` when it has none."""
        return self.blocking.max_size
