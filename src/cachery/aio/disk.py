"""``DiskCache``: a cache that survives a restart, for event loops."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import cachery.disk
from cachery.aio.offloaded import OffloadedDoor, off_loop
from cachery.backends.disk.checking import Health
from cachery.model.durations import Duration

__all__ = ["DiskCache"]

T = TypeVar("T")


class DiskCache(OffloadedDoor):
    """A cache in a directory of this machine, on LMDB; the loop never waits for it.

    The arguments are those of ``cachery.DiskCache``; ``blocking`` is the same cache for blocking code.

    >>> import asyncio, tempfile
    >>> async def main(place):
    ...     async with DiskCache(place) as cache:
    ...         await cache.set("answer", {"value": 42})
    ...         return await cache.get("answer")
    >>> with tempfile.TemporaryDirectory() as place:
    ...     asyncio.run(main(place))
    {'value': 42}
    """

    blocking: cachery.disk.DiskCache

    def __init__(
        self, path: str | os.PathLike[str] | None = None, default_ttl: Duration | None = None, **options: Any
    ) -> None:
        self.blocking = cachery.disk.DiskCache(path, default_ttl, **options)

    @property
    def path(self) -> Path:
        """The directory it is in."""
        return self.blocking.path

    @property
    def total_bytes(self) -> int:
        """The bytes of all records, large values included."""
        return self.blocking.total_bytes

    async def check(self, timeout: Duration | None = None) -> Health:
        """Go through the whole database in a child process, and say what is wrong with it."""
        return await off_loop(self.blocking.check, timeout)

    async def transact(self, work: Callable[[cachery.disk.DiskCache], T]) -> T:
        """Call ``work`` with the blocking door, on a thread, in one transaction; return what it returns.

        A transaction belongs to a thread, so it cannot be open while a coroutine is awaited.

        >>> import asyncio, tempfile
        >>> async def main(place):
        ...     async with DiskCache(place) as cache:
        ...         return await cache.transact(lambda blocking: (blocking.incr("a"), blocking.decr("b")))
        >>> with tempfile.TemporaryDirectory() as place:
        ...     asyncio.run(main(place))
        (1, -1)
        """
        return await off_loop(self._transact, work)

    def _transact(self, work: Callable[[cachery.disk.DiskCache], T]) -> T:
        with self.blocking.transaction():
            return work(self.blocking)
