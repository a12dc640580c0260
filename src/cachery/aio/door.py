"""A cache of this process for event loops: its verbs answer at once, so a call costs a coroutine and nothing more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Self

import cachery.cache
from cachery.aio.cache import Cache
from cachery.events import Listener
from cachery.exceptions import CacheValueError
from cachery.model.durations import Duration
from cachery.statistics.stats import CacheStats

if TYPE_CHECKING:  # loaded when something is loaded through a cache for the first time
    from cachery.loading import LoopEngine

__all__ = ["Door", "door_of"]


class Door(Cache):
    """The asynchronous door to ``blocking``, a cache whose verbs never wait. Both doors lead to one store."""

    blocking: cachery.cache.Cache
    """The same cache for blocking code."""

    @classmethod
    def to(cls, blocking: cachery.cache.Cache) -> Self:
        """Return a door to ``blocking``, which stays usable itself.

        Raises ``CacheValueError`` for what is not a cache of ``cachery``.
        """
        if not isinstance(blocking, cachery.cache.Cache):
            raise CacheValueError(f"a door leads to a cache of cachery, not to {type(blocking).__name__}")
        door = cls.__new__(cls)
        door.blocking = blocking
        return door

    def __repr__(self) -> str:
        return f"<aio {self.blocking!r}>"

    async def get(self, key: str, default: Any = None) -> Any:
        """Return the value of ``key``, or ``default`` when it is absent or expired."""
        return self.blocking.get(key, default)

    async def set(
        self,
        key: str,
        value: Any,
        ttl: Duration | None = None,
        *,
        tags: Iterable[str] = (),
        cost: float | None = None,
        depends_on: Iterable[Any] = (),
    ) -> bool:
        """Store ``value``; True when stored."""
        return self.blocking.set(key, value, ttl, tags=tags, cost=cost, depends_on=depends_on)

    async def add(self, key: str, value: Any, ttl: Duration | None = None) -> bool:
        """Store ``value`` only if ``key`` is absent, in one step; True when stored."""
        return self.blocking.add(key, value, ttl)

    async def delete(self, key: str) -> bool:
        """Remove ``key``; True if it was there."""
        return self.blocking.delete(key)

    async def exists(self, key: str) -> bool:
        """Tell whether ``key`` is there. Neither recency nor counters change."""
        return self.blocking.exists(key)

    async def clear(self) -> bool:
        """Remove this cache's own entries; True, also when there were none."""
        return self.blocking.clear()

    async def get_many(self, keys: Iterable[str]) -> dict[str, Any]:
        """Return the values of those of ``keys`` that are there."""
        return self.blocking.get_many(keys)

    async def set_many(self, mapping: Mapping[str, Any], ttl: Duration | None = None) -> bool:
        """Store every value of ``mapping``; True when all were stored."""
        return self.blocking.set_many(mapping, ttl)

    async def delete_many(self, keys: Iterable[str]) -> int:
        """Remove ``keys``; return how many were there."""
        return self.blocking.delete_many(keys)

    async def incr(self, key: str, by: int = 1, *, initial: int = 0, ttl: Duration | None = None) -> int:
        """Add ``by`` to the whole number under ``key``, in one step, and return the sum."""
        return self.blocking.incr(key, by, initial=initial, ttl=ttl)

    async def touch(self, key: str, ttl: Duration | None = None) -> bool:
        """Let ``key`` live for ``ttl`` from now on; True if it was there."""
        return self.blocking.touch(key, ttl)

    async def ttl(self, key: str) -> float | None:
        """Return the seconds that ``key`` has left: ``None`` when it is absent, ``inf`` when it never expires."""
        return self.blocking.ttl(key)

    def keys(self, pattern: str = "*") -> AsyncIterator[str]:
        """Return an asynchronous iterator over the live keys that match the glob ``pattern``, those of this moment."""
        return _awaited(self.blocking.keys(pattern))

    async def size(self) -> int:
        """Return how many entries are live."""
        return len(self.blocking)

    async def delete_pattern(self, pattern: str) -> int:
        """Remove every key that matches the glob ``pattern``; return how many there were."""
        return self.blocking.delete_pattern(pattern)

    async def invalidate_tags(self, *tags: str) -> None:
        """Make every entry that carries one of ``tags`` unreadable."""
        self.blocking.invalidate_tags(*tags)

    async def cleanup_expired(self) -> int:
        """Remove what is dead already; return how many entries that were."""
        return self.blocking.cleanup_expired()

    @property
    def stats(self) -> CacheStats:
        """The numbers of this cache, those of both doors. Called, it returns itself."""
        return self.blocking.stats

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` with each event, of both doors, from now on; return a function that ends it."""
        return self.blocking.subscribe(listener)

    async def close(self) -> None:
        """Let what is loaded in the background end, then close both doors."""
        await self.drain()
        if self.blocking.drain(0):
            self.blocking.close()
        else:
            await asyncio.to_thread(self.blocking.close)

    def check_open(self) -> None:
        """Raise ``CacheClosedError`` on a closed cache."""
        self.blocking.check_open()

    def peek(self, key: str) -> Any:
        """Return the value of ``key`` if it is fresh and no refresh is due, else ``MISSING``, which counts nothing."""
        return self.blocking.peek(key)

    def build_engine(self) -> LoopEngine:
        """Return an engine that shares its store and its loads with the blocking door."""
        return self.blocking.engine.for_loops()


async def _awaited(keys: Iterator[str]) -> AsyncIterator[str]:
    for key in keys:
        yield key


def door_of(kind: type[cachery.cache.Cache]) -> type[Door]:
    """Return the class of ``cachery.aio`` that has the name of ``kind``: its module has the same name too."""
    twin = import_module(kind.__module__.replace("cachery.", "cachery.aio.", 1))
    door: type[Door] = getattr(twin, kind.__name__)
    return door
