"""``TieredCache``: memory before a cache that survives, for event loops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import cachery.tiered
from cachery.aio.door import Door
from cachery.aio.offloaded import OffloadedDoor, off_loop

__all__ = ["TieredCache"]

T = TypeVar("T")


class TieredCache(OffloadedDoor):
    """An ``InMemoryCache`` before a ``DiskCache``: what is in memory is answered without a thread.

    The tiers are those of ``cachery`` or of ``cachery.aio``; ``blocking`` is the same cache for blocking code.

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

    blocking: cachery.tiered.TieredCache

    def __init__(self, *tiers: Any, name: str | None = None) -> None:
        blocking = [tier.blocking if isinstance(tier, Door) else tier for tier in tiers]
        self.blocking = cachery.tiered.TieredCache(*blocking, name=name)

    async def transact(self, work: Callable[[cachery.tiered.TieredCache], T]) -> T:
        """Call ``work`` with the blocking door, on a thread, in one transaction, as ``DiskCache.transact``."""
        return await off_loop(self._transact, work)

    def _transact(self, work: Callable[[cachery.tiered.TieredCache], T]) -> T:
        with self.blocking.transaction():
            return work(self.blocking)
