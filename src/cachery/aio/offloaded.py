"""A cache that may have to wait, for event loops: each call runs on a thread, so the loop never waits with it.

The threads are one small pool for all caches of the process: more of them would not make a disk faster. What a cache
has at hand in memory (``glance``) is answered without a thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from cachery.aio.door import Door
from cachery.backends.adapt import OffLoop
from cachery.forks import reset_in_child
from cachery.keys.glob import glob_matcher
from cachery.keys.text import exact_keys
from cachery.model.durations import Duration
from cachery.model.sentinels import MISSING

if TYPE_CHECKING:  # loaded when something is loaded through a cache for the first time
    from cachery.loading import LoopEngine

__all__ = ["OffloadedDoor", "off_loop"]

_MOST_THREADS = 8

T = TypeVar("T")


class _Pool:
    """The threads, made when they are needed first."""

    def __init__(self) -> None:
        self.reset_after_fork()
        reset_in_child(self)

    def reset_after_fork(self) -> None:
        """Forget the threads of the parent."""
        self._threads: ThreadPoolExecutor | None = None

    @property
    def threads(self) -> ThreadPoolExecutor:
        """The pool."""
        if self._threads is None:
            self._threads = ThreadPoolExecutor(_MOST_THREADS, thread_name_prefix="cachery-disk")
        return self._threads


_pool = _Pool()


async def off_loop(function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """Call ``function`` on a thread of the pool, with this call's context variables; return what it returns."""
    call = partial(copy_context().run, function, *args, **kwargs)
    return await asyncio.get_running_loop().run_in_executor(_pool.threads, call)


class OffloadedDoor(Door):
    """The asynchronous door to ``blocking``, a cache over a store that may wait, or a part of one."""

    blocking: Any

    @property
    def name(self) -> str | None:
        """The name of the cache, in events and errors."""
        name: str | None = self.blocking.name
        return name

    @property
    def max_size(self) -> int | None:
        """The most entries there may be; ``None`` when there is no bound."""
        bound: int | None = self.blocking.max_size
        return bound

    @property
    def default_ttl(self) -> Duration | None:
        """The TTL of an entry stored without one, as it was given."""
        ttl: Duration | None = self.blocking.default_ttl
        return ttl

    async def get(self, key: str, default: Any = None) -> Any:
        """Return the value of ``key``, or ``default`` when it is absent or expired."""
        value = self.blocking.glance(key)
        return value if value is not MISSING else await off_loop(self.blocking.get, key, default)

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
        return await off_loop(self.blocking.set, key, value, ttl, tags=tags, cost=cost, depends_on=depends_on)

    async def add(self, key: str, value: Any, ttl: Duration | None = None) -> bool:
        """Store ``value`` only if ``key`` is absent, in one step among all processes; True when stored."""
        return await off_loop(self.blocking.add, key, value, ttl)

    async def delete(self, key: str) -> bool:
        """Remove ``key``; True if it was there."""
        return await off_loop(self.blocking.delete, key)

    async def exists(self, key: str) -> bool:
        """Tell whether ``key`` is there. Neither recency nor counters change."""
        return await off_loop(self.blocking.exists, key)

    async def clear(self) -> bool:
        """Remove every entry; True, also when there was none."""
        return await off_loop(self.blocking.clear)

    async def get_many(self, keys: Iterable[str]) -> dict[str, Any]:
        """Return the values of those of ``keys`` that are there."""
        self.check_open()
        return await off_loop(self.blocking.get_many, exact_keys(keys))

    async def set_many(self, mapping: Mapping[str, Any], ttl: Duration | None = None) -> bool:
        """Store every value of ``mapping`` at once; True when all were stored."""
        return await off_loop(self.blocking.set_many, mapping, ttl)

    async def delete_many(self, keys: Iterable[str]) -> int:
        """Remove ``keys`` at once; return how many were there."""
        self.check_open()
        return await off_loop(self.blocking.delete_many, exact_keys(keys))

    async def incr(self, key: str, by: int = 1, *, initial: int = 0, ttl: Duration | None = None) -> int:
        """Add ``by`` to the whole number under ``key``, in one step among all processes, and return the sum."""
        return await off_loop(self.blocking.incr, key, by, initial=initial, ttl=ttl)

    async def touch(self, key: str, ttl: Duration | None = None) -> bool:
        """Let ``key`` live for ``ttl`` from now on; True if it was there."""
        return await off_loop(self.blocking.touch, key, ttl)

    async def ttl(self, key: str) -> float | None:
        """Return the seconds that ``key`` has left: ``None`` when it is absent, ``inf`` when it never expires."""
        return await off_loop(self.blocking.ttl, key)

    def keys(self, pattern: str = "*") -> AsyncIterator[str]:
        """Return an asynchronous iterator over the live keys that match the glob ``pattern``, those of this moment."""
        glob_matcher(pattern)  # what is no pattern is refused at once
        self.check_open()
        return self._keys(pattern)

    async def _keys(self, pattern: str) -> AsyncIterator[str]:
        for key in await off_loop(lambda: list(self.blocking.keys(pattern))):
            yield key

    async def size(self) -> int:
        """Return how many entries are live."""
        return await off_loop(self.blocking.__len__)

    async def delete_pattern(self, pattern: str) -> int:
        """Remove every key that matches the glob ``pattern``; return how many there were."""
        return await off_loop(self.blocking.delete_pattern, pattern)

    async def invalidate_tags(self, *tags: str) -> None:
        """Make every entry that carries one of ``tags`` unreadable."""
        await off_loop(self.blocking.invalidate_tags, *tags)

    async def cleanup_expired(self) -> int:
        """Remove what is dead already, and what a crash left behind; return how many entries that were."""
        return await off_loop(self.blocking.cleanup_expired)

    async def close(self) -> None:
        """Let what is loaded in the background end, then close both doors."""
        await self.drain()
        await off_loop(self.blocking.close)

    def peek(self, key: str) -> Any:
        """Return the value of ``key`` if it is fresh and at hand in memory, else ``MISSING``, which counts nothing."""
        return self.blocking.glance(key)

    def build_engine(self) -> LoopEngine:
        """Return an engine that shares its store and its loads with the blocking door, and asks it off the loop."""
        engine: LoopEngine = self.blocking.engine.for_loops(OffLoop(self.blocking.store, off_loop))
        return engine
