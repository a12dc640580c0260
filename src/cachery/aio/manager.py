"""Named caches for event loops: the other door to the caches of the same name in ``cachery``."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, ParamSpec, Self, TypeVar, Unpack, overload

import cachery.manager
from cachery.aio.door import Door, door_of
from cachery.cache import Cache
from cachery.locks import make_lock
from cachery.manager import default_manager
from cachery.model.durations import Duration
from cachery.model.options import CachedOptions

if TYPE_CHECKING:  # loaded when something is decorated, or there are settings to be read
    from cachery.configuration.source import Config
    from cachery.decorators.types import CachedCoroutine, LoopDecorator

__all__ = ["CacheManager", "cached", "get_cache"]

P = ParamSpec("P")
R = TypeVar("R")

_lock = make_lock()


class CacheManager:
    """Makes caches and keeps them by name, as ``cachery.CacheManager``, which is its attribute ``blocking``.

    >>> manager = CacheManager(default_ttl="10m")
    >>> cache = manager.get_cache("sessions", max_size=100)
    >>> manager.get_cache("sessions") is cache, cache.blocking is manager.blocking.get_cache("sessions")
    (True, True)
    """

    def __init__(
        self,
        default_backend: str | None = None,
        default_ttl: Duration | None = None,
        *,
        config: Config | None = None,
    ) -> None:
        self.blocking = cachery.manager.CacheManager(default_backend, default_ttl, config=config)

    def __repr__(self) -> str:
        return f"<aio {self.blocking!r}>"

    @property
    def default_backend(self) -> str:
        """The backend of a cache that names none."""
        return self.blocking.default_backend

    @property
    def default_ttl(self) -> float:
        """The default TTL, in seconds, of a cache that names none; ``inf`` for no end."""
        return self.blocking.default_ttl

    def get_cache(self, name: str = "default", backend: str | None = None, **options: Any) -> Door:
        """Return the cache of that ``name`` and ``backend``, made with ``options`` when it is not there yet."""
        return _door_to(self.blocking.get_cache(name, backend, **options))

    def backend_of(self, name: str) -> str:
        """Return the backend on which ``get_cache`` has the cache of that ``name``, if none is asked for."""
        return self.blocking.backend_of(name)

    def has_settings_of(self, name: str) -> bool:
        """Tell whether ``config`` says anything of a cache of that ``name``."""
        return self.blocking.has_settings_of(name)

    def has_cache(self, name: str) -> bool:
        """Tell whether there is a cache of that ``name``, on any backend."""
        return self.blocking.has_cache(name)

    def list_caches(self) -> list[dict[str, Any]]:
        """Return a record of each cache: ``key`` (``name:backend``), ``name``, ``backend``, ``created_at`` (epoch)."""
        return self.blocking.list_caches()

    @property
    def cache_count(self) -> int:
        """How many caches there are."""
        return self.blocking.cache_count

    def summary(self) -> dict[str, Any]:
        """Return how many caches there are, on which backends, and the defaults in force."""
        return self.blocking.summary()

    async def remove_cache(self, name: str) -> bool:
        """Close and forget the caches of that ``name``, on every backend; True if there was one."""
        await self._drain(name)
        return await asyncio.to_thread(self.blocking.remove_cache, name)

    async def clear_all(self) -> int:
        """Clear every open cache; return how many there are."""
        return self.blocking.clear_all()

    async def close(self) -> None:
        """Close and forget every cache. ``get_cache`` raises ``CacheClosedError`` from then on."""
        await self._drain()
        await asyncio.to_thread(self.blocking.close)

    async def _drain(self, name: str | None = None) -> None:
        """Let what the caches of ``name``, or all, load in the background of this loop end."""
        for record in self.blocking.list_caches():
            if name in {None, record["name"]}:
                await self.get_cache(record["name"], record["backend"]).drain()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()


def _door_to(blocking: Cache) -> Door:
    """Return the door to ``blocking``, always the same: the cache holds it, so that both go together."""
    door: Door | None = vars(blocking).get("_door")
    if door is None:
        kind = door_of(type(blocking))
        with _lock:
            door = vars(blocking).get("_door")
            if door is None:
                door = vars(blocking)["_door"] = kind.to(blocking)
    return door


def get_cache(name: str = "default", backend: str | None = None, **options: Any) -> Door:
    """Return the cache of that ``name``: the store of ``cachery.get_cache(name)``, through the other door.

    >>> import cachery
    >>> get_cache("answers").blocking is cachery.get_cache("answers")
    True
    """
    return _door_to(default_manager().get_cache(name, backend, **options))


@overload
def cached(function: Callable[P, Awaitable[R]], /) -> CachedCoroutine[P, R]: ...
@overload
def cached(
    function: None = None, /, ttl: Duration | None = None, **options: Unpack[CachedOptions]
) -> LoopDecorator: ...
def cached(function: Any = None, /, ttl: Duration | None = None, **options: Any) -> Any:
    """Return a decorator that keeps results in ``get_cache()``, the default cache, as ``Cache.cached`` does.

    >>> @cached(ttl="5m")
    ... async def double(number: int) -> int:
    ...     return 2 * number
    >>> import asyncio
    >>> asyncio.run(double(21))
    42
    """
    return get_cache().cached(function, ttl, **options)
