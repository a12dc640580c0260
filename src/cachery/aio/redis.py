"""``RedisCache``: a cache on Redis or Valkey, for event loops."""

from __future__ import annotations

from typing import Any, Self

import cachery.cache
import cachery.redis
from cachery.aio.awaited import AwaitedDoor
from cachery.aio.door import Door
from cachery.backends.redis.driver.opening import open_loop

__all__ = ["RedisCache"]


class RedisCache(AwaitedDoor):
    """A cache on a Redis or Valkey server: what one turn of the loop asks travels together, over one connection.

    The arguments are those of ``cachery.RedisCache``; ``blocking`` is the same cache for blocking code, with
    connections of its own, which are opened when it is used.

    >>> cache = RedisCache("redis://localhost:6379/0", default_ttl="5m", name="products")
    >>> cache
    <aio <RedisCache 'products' at localhost:6379>>
    """

    blocking: cachery.redis.RedisCache

    def __init__(self, *args: Any, **options: Any) -> None:
        fallback = options.get("fallback")
        if isinstance(fallback, Door):
            options["fallback"] = fallback.blocking
        self._begin(cachery.redis.RedisCache(*args, **options))

    @classmethod
    def to(cls, blocking: cachery.cache.Cache) -> Self:
        """Return a door to ``blocking``, a ``cachery.RedisCache``, which stays usable itself."""
        door = super().to(blocking)
        door._begin(door.blocking)  # noqa: SLF001 - another door of this class
        return door

    def _begin(self, blocking: cachery.redis.RedisCache) -> None:
        self.blocking = blocking
        self.link = blocking.guarded(open_loop(blocking.address))
        store = blocking.store_over(self.link, blocking, self.carry_on)
        self.store = store if blocking.shelter is None else blocking.shelter.over(store)
