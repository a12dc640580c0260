"""``FileBasedCache``: a file for each value, for event loops."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import cachery.file_based
from cachery.aio.offloaded import OffloadedDoor
from cachery.model.durations import Duration

__all__ = ["FileBasedCache"]


class FileBasedCache(OffloadedDoor):
    """A file for each value and one for what is known of it; the loop never waits for them.

    The arguments are those of ``cachery.FileBasedCache``; ``blocking`` is the same cache for blocking code.

    >>> import asyncio, tempfile
    >>> async def main(place):
    ...     async with FileBasedCache(place) as cache:
    ...         await cache.set("report", "text")
    ...         return await cache.get("report")
    >>> with tempfile.TemporaryDirectory() as place:
    ...     asyncio.run(main(place))
    'text'
    """

    blocking: cachery.file_based.FileBasedCache

    def __init__(
        self, cache_dir: str | os.PathLike[str] | None = None, default_ttl: Duration | None = None, **options: Any
    ) -> None:
        self.blocking = cachery.file_based.FileBasedCache(cache_dir, default_ttl, **options)

    @property
    def cache_dir(self) -> Path:
        """The directory it is in."""
        return self.blocking.cache_dir
