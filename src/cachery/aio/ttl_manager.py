"""``TTLManager``: a sweep of what has expired, as a task."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from typing import Any, Protocol, Self
from weakref import ReferenceType, ref

from cachery.exceptions import CacheClosedError, CacheValueError
from cachery.model.durations import Duration, seconds

__all__ = ["Sweepable", "TTLManager"]

_log = logging.getLogger("cachery")


class Sweepable(Protocol):
    """What can be swept: every cache of ``cachery.aio``."""

    def cleanup_expired(self) -> Awaitable[int]:
        """Remove what is dead; return how many entries that were."""


class TTLManager:
    """Awaits ``cleanup_expired`` of the registered caches every ``cleanup_interval`` seconds, in a task.

    ``start`` makes the task in the loop that runs, ``stop`` ends it; so do ``async with`` and its end. Caches are held
    weakly: one that nobody else uses is forgotten.

    >>> import asyncio
    >>> from cachery.aio import InMemoryCache
    >>> async def main():
    ...     cache = InMemoryCache()
    ...     async with TTLManager(cleanup_interval=60) as manager:
    ...         manager.register_cache(cache)
    ...         return manager.is_running
    >>> asyncio.run(main())
    True
    """

    def __init__(self, cleanup_interval: Duration = 60) -> None:
        self.cleanup_interval = seconds(cleanup_interval, "cleanup_interval")
        if not 0 < self.cleanup_interval < float("inf"):
            raise CacheValueError(f"cleanup_interval must be above 0 and finite, not {cleanup_interval!r}")
        self._caches: list[ReferenceType[Any]] = []
        self._task: asyncio.Task[None] | None = None

    @property
    def is_running(self) -> bool:
        """Whether the task is at work."""
        return self._task is not None and not self._task.done()

    def register_cache(self, cache: Sweepable) -> None:
        """Sweep ``cache`` from now on. A second time does nothing.

        Raises ``CacheValueError`` for an object without ``cleanup_expired`` or one that cannot be held weakly.
        """
        if not callable(getattr(cache, "cleanup_expired", None)):
            raise CacheValueError(f"{type(cache).__name__} has no cleanup_expired() to await")
        if all(known() is not cache for known in self._caches):
            try:
                self._caches.append(ref(cache))
            except TypeError:
                raise CacheValueError(
                    f"a {type(cache).__name__} cannot be held weakly, so it cannot be swept"
                ) from None

    def start(self) -> None:
        """Make the task, in the loop that runs; nothing happens when there is one."""
        if not self.is_running:
            self._task = asyncio.get_running_loop().create_task(self._sweep())

    async def stop(self) -> None:
        """End the task."""
        task, self._task = self._task, None
        if task is not None and not task.done():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def cleanup(self) -> int:
        """Sweep every registered cache now; return how many entries went. One that fails is logged and left."""
        self._caches = [known for known in self._caches if known() is not None]
        caches = [cache for known in self._caches if (cache := known()) is not None]
        return sum([await _swept(cache) for cache in caches])

    async def __aenter__(self) -> Self:
        self.start()
        return self

    async def __aexit__(self, *failure: object) -> None:
        await self.stop()

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(self.cleanup_interval)
            await self.cleanup()


async def _swept(cache: Sweepable) -> int:
    try:
        return await cache.cleanup_expired()
    except CacheClosedError:
        return 0
    except Exception:  # noqa: BLE001 - one cache that fails must not end the sweep of the others
        _log.exception("sweeping %r failed", cache)
        return 0
