"""``InMemoryCache``: the compiled memory cache, for event loops."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal, Unpack

import cachery.in_memory
from cachery.aio.door import Door
from cachery.in_memory import DEFAULT_SIZE, Weigher
from cachery.model.durations import Duration
from cachery.model.sizes import Size
from cachery.ports.clock import Clock

if TYPE_CHECKING:  # loaded when they are used for the first time
    from cachery.snapshots.options import SnapshotOptions

__all__ = ["InMemoryCache"]


class InMemoryCache(Door):
    """A cache in this process: the fastest there is, gone with the process.

    The arguments are those of ``cachery.InMemoryCache``; ``blocking`` is the same cache for blocking code.

    >>> import asyncio
    >>> cache = InMemoryCache(max_size=2)
    >>> asyncio.run(cache.set("a", 1)), cache.blocking.get("a")
    (True, 1)
    """

    blocking: cachery.in_memory.InMemoryCache

    def __init__(  # noqa: PLR0913 - what a cache is made with, all by name
        self,
        max_size: int | None = DEFAULT_SIZE,
        default_ttl: Duration | None = None,
        *,
        policy: str = "lru",
        max_bytes: Size | None = None,
        weigher: Weigher | None = None,
        idle_ttl: Duration | None = None,
        copy: Literal["never", "deep"] = "never",
        clock: Clock | None = None,
        name: str | None = None,
    ) -> None:
        self.blocking = cachery.in_memory.InMemoryCache(
            max_size,
            default_ttl,
            policy=policy,
            max_bytes=max_bytes,
            weigher=weigher,
            idle_ttl=idle_ttl,
            copy=copy,
            clock=clock,
            name=name,
        )

    async def set(  # noqa: PLR0913 - what may be said of an entry, all by name
        self,
        key: str,
        value: Any,
        ttl: Duration | None = None,
        *,
        tags: Iterable[str] = (),
        cost: float | None = None,
        depends_on: Iterable[Any] = (),
        idle_ttl: Duration | None = None,
    ) -> bool:
        """Store ``value``, to be over when it is not read for ``idle_ttl``; True when stored."""
        return self.blocking.set(key, value, ttl, tags=tags, cost=cost, depends_on=depends_on, idle_ttl=idle_ttl)

    @property
    def name(self) -> Any:
        """The name of the cache, in events and errors."""
        return self.blocking.name

    @property
    def max_size(self) -> int | None:
        """The most entries there may be; ``None`` when there is no bound."""
        return self.blocking.max_size

    @property
    def default_ttl(self) -> Duration | None:
        """The TTL of an entry stored without one, as it was given."""
        return self.blocking.default_ttl

    @property
    def idle_ttl(self) -> Duration | None:
        """How long an entry lives that is not read, as it was given."""
        return self.blocking.idle_ttl

    @property
    def max_bytes(self) -> int | None:
        """How many bytes entries may take, as the weigher counts; ``None`` when there is no bound."""
        return self.blocking.max_bytes

    @property
    def total_bytes(self) -> int | None:
        """How many bytes entries take now, as they were weighed; ``None`` where none is weighed."""
        return self.blocking.total_bytes

    @property
    def policy(self) -> str:
        """The name of the policy."""
        return self.blocking.policy

    async def snapshot(self, path: str | os.PathLike[str], **options: Unpack[SnapshotOptions]) -> int:
        """Write every live entry to the file ``path``, on a thread; return how many were written.

        As ``cachery.InMemoryCache.snapshot``. A caller who is cancelled does not end it.
        """
        from cachery.aio.offloaded import off_loop  # noqa: PLC0415 - loaded when it is used

        return await off_loop(self.blocking.snapshot, path, **options)

    async def restore(self, path: str | os.PathLike[str], **options: Unpack[SnapshotOptions]) -> int:
        """Bring back what ``snapshot`` wrote to ``path``, on a thread; return how many entries were stored.

        As ``cachery.InMemoryCache.restore``. A caller who is cancelled does not end it.
        """
        from cachery.aio.offloaded import off_loop  # noqa: PLC0415 - loaded when it is used

        return await off_loop(self.blocking.restore, path, **options)
