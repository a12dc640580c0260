"""``NullCache``: switches caching off without changing a caller."""

from __future__ import annotations

import cachery.null
from cachery.aio.door import Door

__all__ = ["NullCache"]


class NullCache(Door):
    """Stores nothing: every ``get`` is a miss. Those who load one key at the same time share the load all the same.

    >>> import asyncio
    >>> asyncio.run(NullCache().set("a", 1))
    False
    """

    blocking: cachery.null.NullCache
    max_size = 0

    def __init__(self, *, name: str | None = None) -> None:
        self.blocking = cachery.null.NullCache(name=name)

    @property
    def name(self) -> str | None:
        """The name of the cache, in events and errors."""
        return self.blocking.name
