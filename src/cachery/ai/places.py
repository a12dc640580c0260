"""Where answers are kept: in memory alone, or in memory before Redis.

Two doors lead to Redis: one with copies in memory before it, one without, for answers that memory is not to hold. Both
share what is kept while the server is away.
"""

from __future__ import annotations

import logging
from importlib.util import find_spec
from typing import Any

import cachery.aio.in_memory
import cachery.aio.tiered
import cachery.tiered
from cachery.aio.cache import Cache
from cachery.exceptions import CacheConnectionError, CacheTimeoutError, CacheValueError
from cachery.in_memory import InMemoryCache
from cachery.ports.clock import Clock

__all__ = ["MemoryAlone", "Place", "RedisPlace", "place_for"]

_logger = logging.getLogger("cachery.ai")
_DEFAULTS = {"lease_timeout": 600.0, "max_stale_when_blind": 60.0}
"""A model may take minutes, and while a server is away an answer a minute old is better than another call."""

_SPARE = 1000
"""Entries kept while the server is away, where memory is to hold none otherwise."""


class Place:
    """A place for answers. ``door`` leads to all of it; ``memory`` is the part in this process, ``None`` for none."""

    is_shared = False

    def __init__(self, door: Cache, memory: InMemoryCache | None) -> None:
        self.door = door
        self.memory = memory

    def door_for(self, *, in_memory: bool) -> Cache:
        """Return the door for answers that memory holds too, or does not."""
        del in_memory
        return self.door

    @property
    def doors(self) -> tuple[Cache, ...]:
        """All doors, each with numbers of its own."""
        return (self.door,)

    def forget(self, key: str) -> None:
        """Let memory forget a copy of what was just changed on the server through the other door."""
        del key

    def values_at_hand(self) -> list[bytes]:
        """Return the records that memory holds."""
        memory = self.memory
        if memory is None:
            return []
        entries = (memory.peek(key) for key in memory.known_keys())
        records = (entry if type(entry) is bytes else getattr(entry, "value", None) for entry in entries)
        return [record for record in records if type(record) is bytes]

    @property
    def is_degraded(self) -> bool:
        """Whether a server is wanted that is away."""
        return False

    async def connect(self) -> bool:
        """Tell whether a server can be reached."""
        return False

    async def server_info(self) -> dict[str, str] | None:
        """Return what the server says of itself, ``None`` where it says nothing."""
        return None

    async def close(self) -> None:
        """Close all doors."""
        for door in self.doors:
            await door.close()


class MemoryAlone(Place):
    """Nothing but memory. ``is_degraded``: whether a server was wanted that cannot be spoken to at all."""

    def __init__(self, size: int, clock: Clock | None, *, is_degraded: bool = False) -> None:
        if size < 1:
            raise CacheValueError("without Redis, memory_cache_size is 1 or more: nothing could be kept")
        memory = InMemoryCache(size, clock=clock)
        super().__init__(cachery.aio.in_memory.InMemoryCache.to(memory), memory)
        self._is_degraded = is_degraded

    @property
    def is_degraded(self) -> bool:
        """Whether a server was wanted."""
        return self._is_degraded


class RedisPlace(Place):
    """Redis, and copies in memory of what is asked there, ``size`` of them."""

    is_shared = True

    def __init__(self, redis_url: str, size: int, clock: Clock | None, options: dict[str, Any]) -> None:
        tier = {name: options.pop(name) for name in ("bus", "max_stale_when_blind") if name in options}
        import cachery.aio.redis  # noqa: PLC0415 - needs an extra
        import cachery.redis  # noqa: PLC0415

        if not size:
            options = {"fallback": InMemoryCache(_SPARE, clock=clock), **options}
        server = cachery.redis.RedisCache(redis_url, clock=clock, serializer="msgpack", **options)
        self._server = server
        if size:
            memory = InMemoryCache(size, clock=clock)
            tiers = cachery.aio.tiered.TieredCache.to(cachery.tiered.TieredCache(memory, server, **tier))
            super().__init__(tiers, memory)
            self._far = cachery.aio.redis.RedisCache.to(server)
        else:
            self._far = cachery.aio.redis.RedisCache.to(server)
            super().__init__(self._far, None)

    def door_for(self, *, in_memory: bool) -> Cache:
        """Return the door for answers that memory holds too, or does not."""
        return self.door if in_memory else self._far

    @property
    def doors(self) -> tuple[Cache, ...]:
        """Both doors, or one for both purposes."""
        return (self.door,) if self._far is self.door else (self.door, self._far)

    @property
    def is_degraded(self) -> bool:
        """Whether the server did not answer when it was last asked."""
        return bool(self._server.degraded)

    async def connect(self) -> bool:
        """Tell whether the server can be reached, within the budget of time."""
        return await self._asked("PING") is not None

    async def server_info(self) -> dict[str, str] | None:
        """Return what ``INFO`` says."""
        answer = await self._asked("INFO")
        if answer is None:
            return None
        lines = (line.partition(":") for line in bytes(answer).decode("utf-8", "replace").splitlines())
        return {name: value for name, _, value in lines if value}

    def forget(self, key: str) -> None:
        """Let memory forget a copy of what was just changed on the server through the other door."""
        if self.memory is not None:
            self.memory.delete(key)

    async def _asked(self, command: str) -> Any:
        try:
            return (await self._far.link.ask([(command,)]))[0]
        except (CacheConnectionError, CacheTimeoutError):  # reported by the link
            return None


def place_for(redis_url: str | None, size: int, clock: Clock | None, options: dict[str, Any]) -> Place:
    """Return the place at ``redis_url``; without one, or without the modules it takes, memory alone."""
    if type(size) is not int or size < 0:
        raise CacheValueError(f"memory_cache_size is a number of entries, not {size!r}")
    if redis_url is not None and (not isinstance(redis_url, str) or not redis_url):
        raise CacheValueError("redis_url is a URL, or None for memory alone; an empty one leads nowhere")
    if redis_url is None:
        if options:
            raise CacheValueError(f"without redis_url there is no setting {', '.join(sorted(options))}")
        return MemoryAlone(size, clock)
    if find_spec("redis") is None or find_spec("hiredis") is None:
        _logger.warning('answers are kept in memory alone: pip install "cachery[redis]" to share them over Redis')
        return MemoryAlone(max(size, 1), clock, is_degraded=True)
    try:
        return RedisPlace(redis_url, size, clock, {**_DEFAULTS, **options})
    except TypeError as error:
        raise CacheValueError(f"there is no such setting: {error}") from error
