"""``TieredCache``: memory before a cache that others share, for event loops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self, TypeVar

import cachery.cache
import cachery.tiered
from cachery.aio.awaited import AwaitedDoor
from cachery.aio.door import Door
from cachery.aio.offloaded import OffloadedDoor, off_loop
from cachery.exceptions import CacheValueError

__all__ = ["TieredCache"]

T = TypeVar("T")


class TieredCache(Door):
    """An ``InMemoryCache`` before a ``DiskCache`` or a ``RedisCache``: what is in memory is answered at once.

    The tiers are those of ``cachery`` or of ``cachery.aio``; ``blocking`` is the same cache for blocking code. The
    other arguments are those of ``cachery.TieredCache``.

    >>> import asyncio, tempfile
    >>> from cachery.aio import DiskCache, InMemoryCache
    >>> async def main(place):
    ...     async with TieredCache(InMemoryCache(), DiskCache(place)) as cache:
    ...         await cache.set("answer", 42)
    ...         return await cache.get("answer")
    >>> with tempfile.TemporaryDirectory() as place:
    ...     asyncio.run(main(place))
    42
    """

    blocking: Any

    def __new__(cls, *tiers: Any, **options: Any) -> Self:
        """Return a new object, which waits for its far tier as that does."""
        del options
        return object.__new__(cls._kind_over(tiers[-1] if tiers else None))

    @classmethod
    def _kind_over(cls, far: Any) -> type[Self]:
        if cls is not TieredCache:
            return cls
        blocking = far.blocking if isinstance(far, Door) else far
        return _OffloadedTiers if hasattr(blocking, "transaction") else _AwaitedTiers  # type: ignore[return-value]

    def __init__(self, *tiers: Any, **options: Any) -> None:
        blocking = [tier.blocking if isinstance(tier, Door) else tier for tier in tiers]
        self._begin(cachery.tiered.TieredCache(*blocking, **options), tiers[-1])

    @classmethod
    def to(cls, blocking: cachery.cache.Cache) -> Self:
        """Return a door to ``blocking``, a ``cachery.TieredCache``, which stays usable itself."""
        if not isinstance(blocking, cachery.tiered.TieredCache):
            raise CacheValueError(f"this door leads to a TieredCache, not to {type(blocking).__name__}")
        door = object.__new__(cls._kind_over(blocking.tiers[1]))
        door._begin(blocking, None)
        return door

    def _begin(self, blocking: cachery.tiered.TieredCache, far: Any) -> None:
        del far
        self.blocking = blocking

    @property
    def name(self) -> str | None:
        """The name of the cache, in events and errors."""
        name: str | None = self.blocking.name
        return name

    async def transact(self, work: Callable[[cachery.tiered.TieredCache], T]) -> T:
        """Call ``work`` with the blocking door, on a thread, in one transaction, as ``DiskCache.transact``.

        Raises ``CacheValueError`` over a server, which has none.
        """
        return await off_loop(self._transact, work)

    def _transact(self, work: Callable[[cachery.tiered.TieredCache], T]) -> T:
        with self.blocking.transaction():
            return work(self.blocking)


class _OffloadedTiers(OffloadedDoor, TieredCache):
    """Over a disk: what is not in memory is read on a thread."""


class _AwaitedTiers(AwaitedDoor, TieredCache):
    """Over a server: what is not in memory is awaited."""

    def _begin(self, blocking: cachery.tiered.TieredCache, far: Any) -> None:
        """Ask the server over the link of ``far`` where that is a door, else over one of one's own."""
        from cachery.aio.redis import RedisCache  # noqa: PLC0415 - needs an extra

        self.blocking = blocking
        self._far = far if isinstance(far, RedisCache) else RedisCache.to(blocking.tiers[1])
        tier: Any = blocking.tier
        self.store = tier.loop_store(self._far.link, blocking.tiers[1].observer, self.carry_on)

    async def close(self) -> None:
        """Let what is loaded in the background end, then close both tiers."""
        await self.drain()
        self.blocking.close()
        await self._far.close()
