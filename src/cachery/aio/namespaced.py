"""``NamespacedCache``: a part of an asynchronous cache that looks like a whole one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import cachery.cache
import cachery.namespaced
from cachery.aio.awaited import AwaitedDoor
from cachery.aio.awaited_part import AwaitedPart
from cachery.aio.door import Door, door_of
from cachery.aio.offloaded import OffloadedDoor
from cachery.exceptions import CacheValueError
from cachery.stored import StoredCache

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

    def __new__(cls, cache: Door, namespace: str) -> Self:
        """Return a new object; over a cache that may have to wait, one that waits off the loop as that does."""
        del namespace
        return object.__new__(cls._kind_over(cache))

    @classmethod
    def _kind_over(cls, cache: Door) -> type[Self]:
        if cls is not NamespacedCache or not isinstance(cache, OffloadedDoor | AwaitedDoor | AwaitedPart):
            return cls
        return _OffloadedPart if isinstance(cache, OffloadedDoor) else _AwaitedPart  # type: ignore[return-value]

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
        beneath = _door_to(blocking.cache)
        door = object.__new__(cls._kind_over(beneath))
        door.cache, door.blocking = beneath, blocking
        return door

    def build_engine(self) -> LoopEngine:
        """Return an engine whose store and loads in the background are those of the cache beneath."""
        from cachery.loading import LoopEngine  # noqa: PLC0415 - loaded when something is loaded first

        own, beneath = self.blocking.engine, self.cache.engine.core
        return LoopEngine(own.core.over(beneath.backend).on(beneath.runtime), own.recorder)

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


class _OffloadedPart(OffloadedDoor, NamespacedCache):
    """A part of a cache that may have to wait."""

    build_engine = NamespacedCache.build_engine
    close = NamespacedCache.close


class _AwaitedPart(AwaitedPart, NamespacedCache):
    """A part of a cache that is awaited."""

    blocking: cachery.namespaced.NamespacedCache
    build_engine = NamespacedCache.build_engine
    close = NamespacedCache.close


def _door_to(blocking: cachery.cache.Cache) -> Door:
    if isinstance(blocking, cachery.namespaced.NamespacedCache):
        return NamespacedCache.to(blocking)
    if not isinstance(blocking, StoredCache):
        return Door.to(blocking)
    return door_of(type(blocking)).to(blocking)
