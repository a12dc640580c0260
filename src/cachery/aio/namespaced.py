"""``NamespacedCache``: a part of an asynchronous cache that looks like a whole one."""

from __future__ import annotations

import cachery.namespaced
from cachery.aio.door import Door
from cachery.exceptions import CacheValueError

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

    @property
    def namespace(self) -> str:
        """The name of the part."""
        return self.blocking.namespace
