"""``TieredCache``: memory before a cache that survives, coherent among the processes that share it."""

from __future__ import annotations

from contextlib import AbstractContextManager

from cachery.backends.tiered import TieredStore
from cachery.cache import Cache
from cachery.disk import DiskCache
from cachery.exceptions import CacheValueError
from cachery.in_memory import InMemoryCache
from cachery.ports.store import Cause, Observer
from cachery.stored import StoredCache

__all__ = ["TieredCache"]


class TieredCache(StoredCache):
    """An ``InMemoryCache`` before a ``DiskCache``: what was read once is at hand in memory.

    Whoever changes an entry, in whatever process of the machine, the next read of each process sees it: a copy in
    memory is looked up against a counter that all of them share. A copy lives no longer than what is left of its entry,
    and no longer than the default TTL of the cache in memory.

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

    def __init__(self, *tiers: Cache, name: str | None = None) -> None:
        self.tiers = near, far = _near_and_far(*tiers)
        super().__init__(
            far.default_ttl, clock=far.clock, name=far.name if name is None else name, max_size=far.max_size
        )
        self.store = TieredStore(near, far.store, near.default_life)
        far.store.observer = _Both(far.store.observer, self)

    def __repr__(self) -> str:
        return f"<TieredCache of {self.tiers[0]!r} and {self.tiers[1]!r}>"

    def transaction(self) -> AbstractContextManager[None]:
        """Return a context in which all verbs of this thread are one write, as ``DiskCache.transaction``."""
        return self.tiers[1].transaction()

    def close(self) -> None:
        """Let what is loaded in the background end, then close both tiers."""
        if not self._is_closed:
            self.drain()
            self._is_closed = True
            for tier in self.tiers:
                tier.close()


def _near_and_far(*tiers: Cache) -> tuple[InMemoryCache, DiskCache]:
    if len(tiers) == 2:  # noqa: PLR2004 - near and far
        near, far = tiers
        if isinstance(near, InMemoryCache) and isinstance(far, DiskCache):
            return near, far
    raise CacheValueError("a TieredCache is made of an InMemoryCache and a DiskCache, in this order")


class _Both:
    """Two who hear what a store did of itself."""

    def __init__(self, first: Observer, second: Observer) -> None:
        self._all = (first, second)

    def stored(self, key: str) -> None:
        """Note that a value was written."""
        for one in self._all:
            one.stored(key)

    def evicted(self, key: str, cause: Cause) -> None:
        """Note that an entry left."""
        for one in self._all:
            one.evicted(key, cause)

    def expired(self, key: str) -> None:
        """Note that the time of an entry is over."""
        for one in self._all:
            one.expired(key)

    def removed(self, count: int) -> None:
        """Note that entries were removed that were dead by a tag."""
        for one in self._all:
            one.removed(count)

    def unreadable(self, key: str, reason: str) -> None:
        """Note that something cannot be read."""
        for one in self._all:
            one.unreadable(key, reason)
