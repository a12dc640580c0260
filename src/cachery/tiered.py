"""``TieredCache``: memory before a cache that others share, coherent among all of them."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, Literal
from weakref import finalize

from cachery.cache import Cache
from cachery.exceptions import CacheValueError
from cachery.in_memory import InMemoryCache
from cachery.model.durations import Duration
from cachery.ports.tier import Tier
from cachery.stepped import SteppedStore
from cachery.stored import StoredCache

__all__ = ["TieredCache"]


class TieredCache(StoredCache):
    """An ``InMemoryCache`` before a ``DiskCache`` or a ``RedisCache``: what was read once is at hand in memory.

    Over a disk, whoever changes an entry, in whatever process of the machine, the next read of each process sees it: a
    copy in memory is looked up against a counter that all of them share.

    Over Redis, changes are heard over a channel, mostly within a millisecond or two. ``bus``: ``"tracking"`` or
    ``"auto"``, the server tells of every change whoever makes it; ``"pubsub"``, those who write tell, so all
    of them must use it.
    ``max_stale_when_blind``: how many seconds old a copy may be while the channel is interrupted, 2 if not given, and
    never less than the second that noticing takes. Older ones are compared with the server.

    A copy lives no longer than what is left of its entry, and no longer than the default TTL of the cache in memory.
    Values from memory are given by reference, unless that cache makes copies (``copy="deep"``). ``stats`` count what is
    asked of this object, from whichever tier it is answered; ``tiers`` have numbers of their own. Closing it closes
    both tiers.

    Raises ``CacheValueError`` for other tiers.

    >>> import tempfile
    >>> from cachery import DiskCache, InMemoryCache
    >>> with tempfile.TemporaryDirectory() as place:
    ...     with TieredCache(InMemoryCache(max_size=100), DiskCache(place)) as cache:
    ...         _ = cache.set("answer", 42)
    ...         cache.get("answer"), cache.get("answer"), cache.tiers[0].stats.hits
    (42, 42, 1)
    """

    def __init__(
        self,
        *tiers: Cache,
        bus: Literal["auto", "tracking", "pubsub"] | None = None,
        max_stale_when_blind: Duration | None = None,
        name: str | None = None,
    ) -> None:
        self.tiers = near, far = _near_and_far(*tiers)
        super().__init__(
            far.default_ttl, clock=far.clock, name=far.name if name is None else name, max_size=far.max_size
        )
        options = {"bus": bus, "max_stale_when_blind": max_stale_when_blind}
        given = {key: value for key, value in options.items() if value is not None}
        self.tier: Tier = far.tier(near, self, self.carry_on, **given)
        finalize(self, self.tier.let_go)
        self._look = self.tier.look
        self._is_awaited = self.tier.is_awaited
        store = self.tier.blocking_store()
        self.store = SteppedStore(store) if self._is_awaited else store

    def __repr__(self) -> str:
        return f"<TieredCache of {self.tiers[0]!r} and {self.tiers[1]!r}>"

    def transaction(self) -> AbstractContextManager[None]:
        """Return a context in which all verbs of this thread are one write, as ``DiskCache.transaction``."""
        far: Any = self.tiers[1]
        if not hasattr(far, "transaction"):
            raise CacheValueError("only a DiskCache has transactions")
        context: AbstractContextManager[None] = far.transaction()
        return context

    def close(self) -> None:
        """Let what is loaded in the background end, then close both tiers."""
        if not self._is_closed:
            self.drain()
            self._is_closed = True
            self.tier.close()
            for tier in self.tiers:
                tier.close()


def _near_and_far(*tiers: Cache) -> tuple[InMemoryCache, Any]:
    if len(tiers) == 2:  # noqa: PLR2004 - near and far
        near, far = tiers
        if isinstance(near, InMemoryCache) and hasattr(far, "tier") and not isinstance(far, TieredCache):
            return near, far
    raise CacheValueError("a TieredCache is made of an InMemoryCache and a DiskCache or RedisCache, in this order")
