"""``Cache``: the verbs every cache speaks, as coroutines."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, ParamSpec, Self, TypeVar, Unpack, overload

from cachery.events import Listener
from cachery.exceptions import CacheValueError
from cachery.keys.text import check_whole, exact_key, exact_keys
from cachery.model.durations import Duration, seconds
from cachery.model.options import CachedOptions, LoadingOptions
from cachery.model.sentinels import MISSING
from cachery.model.values import check_value
from cachery.statistics.stats import CacheStats

if TYPE_CHECKING:  # loaded when they are used for the first time
    from collections.abc import AsyncGenerator, Awaitable

    from cachery.decorators.types import CachedAsyncGenerator, CachedCoroutine, LoopDecorator
    from cachery.loading import LoopEngine
    from cachery.recording import TraceRecording

__all__ = ["Cache"]

P = ParamSpec("P")
R = TypeVar("R")


class Cache(ABC):
    """A cache for event loops. What each verb means, ``cachery.Cache`` says; here the verbs are awaited.

    In the place of ``in`` and ``len`` there are ``exists`` and ``size``; ``keys`` is an asynchronous iterator;
    ``stats``, ``subscribe``, ``cached``, ``record_trace`` and ``peek`` are plain. A cache belongs to no loop: any
    number may use it.

    >>> import asyncio
    >>> from cachery.aio import InMemoryCache
    >>> async def main():
    ...     async with InMemoryCache() as cache:
    ...         await cache.set("user:42", {"name": "Ada"}, ttl="5m", tags=["users"])
    ...         return await cache.get("user:42")
    >>> asyncio.run(main())
    {'name': 'Ada'}
    """

    @abstractmethod
    async def get(self, key: str, default: Any = None) -> Any:
        """Return the value of ``key``, or ``default`` when it is absent or expired. A stored ``None`` is a value."""

    @abstractmethod
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
        """Store ``value``; True when stored. A ``ttl`` of 0 or less removes ``key`` and returns False."""

    @abstractmethod
    async def add(self, key: str, value: Any, ttl: Duration | None = None) -> bool:
        """Store ``value`` only if ``key`` is absent, in one step; True when stored."""

    @abstractmethod
    async def delete(self, key: str) -> bool:
        """Remove ``key``; True if it was there."""

    @abstractmethod
    async def exists(self, key: str) -> bool:
        """Tell whether ``key`` is there. Neither recency nor counters change."""

    @abstractmethod
    async def clear(self) -> bool:
        """Remove this cache's own entries, never a neighbour's; True, also when there were none."""

    @abstractmethod
    async def incr(self, key: str, by: int = 1, *, initial: int = 0, ttl: Duration | None = None) -> int:
        """Add ``by`` to the whole number under ``key``, in one step, and return the sum."""

    @abstractmethod
    async def touch(self, key: str, ttl: Duration | None = None) -> bool:
        """Let ``key`` live for ``ttl`` from now on, ``None`` being the default; True if it was there."""

    @abstractmethod
    async def ttl(self, key: str) -> float | None:
        """Return the seconds that ``key`` has left: ``None`` when it is absent, ``inf`` when it never expires."""

    @abstractmethod
    def keys(self, pattern: str = "*") -> AsyncIterator[str]:
        """Return an asynchronous iterator over the live keys that match the glob ``pattern``."""

    @abstractmethod
    async def size(self) -> int:
        """Return how many entries are live. Those dead by a tag may count until they are touched or swept."""

    @abstractmethod
    async def delete_pattern(self, pattern: str) -> int:
        """Remove every key that matches the glob ``pattern``; return how many there were."""

    @abstractmethod
    async def invalidate_tags(self, *tags: str) -> None:
        """Make every entry that carries one of ``tags`` unreadable, in a time that does not depend on their number."""

    @abstractmethod
    async def cleanup_expired(self) -> int:
        """Remove what is dead already; return how many entries that were. ``TTLManager`` calls it."""

    @property
    @abstractmethod
    def stats(self) -> CacheStats:
        """The numbers of this cache, live. Called, it returns itself: ``cache.stats()`` is ``cache.stats``."""

    @abstractmethod
    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` with each event (``cachery.events``) from now on; return a function that ends it."""

    @abstractmethod
    async def close(self) -> None:
        """Let what is loaded in the background end, then let go of everything. Closing again does nothing."""

    @abstractmethod
    def check_open(self) -> None:
        """Raise ``CacheClosedError`` on a closed cache."""

    @abstractmethod
    def peek(self, key: str) -> Any:
        """Return the value of ``key`` if it is fresh and in this process, else ``MISSING``, and then count nothing."""

    @abstractmethod
    def build_engine(self) -> LoopEngine:
        """Return a new engine that loads through this cache. Called once, when something is loaded first."""

    @property
    def engine(self) -> LoopEngine:
        """What the loading verbs work with, one for the life of the cache."""
        made: LoopEngine | None = self.__dict__.get("_engine")
        if made is None:  # of two made at the same time the first stays; no lock is held while modules are loaded
            made = self.__dict__.setdefault("_engine", self.build_engine())
        return made

    async def drain(self, timeout: float = 5.0) -> bool:
        """Let what is loaded in the background end, at most ``timeout`` seconds; what is late is cancelled.

        True when nothing was late. ``close`` begins with it.
        """
        made: LoopEngine | None = self.__dict__.get("_engine")
        return made is None or await made.drain(timeout)

    @overload
    async def get_or_set(
        self,
        key: str,
        loader: Callable[..., Awaitable[R]],
        ttl: Duration | None = None,
        **options: Unpack[LoadingOptions],
    ) -> R: ...
    @overload
    async def get_or_set(
        self, key: str, loader: Callable[..., R], ttl: Duration | None = None, **options: Unpack[LoadingOptions]
    ) -> R: ...
    async def get_or_set(
        self, key: str, loader: Callable[..., Any], ttl: Duration | None = None, **options: Unpack[LoadingOptions]
    ) -> Any:
        """Return the value of ``key``; where it is absent, await ``loader()``, store the value, and return it.

        However many tasks, event loops and threads ask at once, the loader runs once, as a task of the cache: a caller
        who is cancelled harms no other, and when the last one is, so is the load. ``loader`` may also be a plain
        function, which must not block. All else is as in ``cachery.Cache.get_or_set``.

        >>> import asyncio
        >>> from cachery.aio import InMemoryCache
        >>> async def answer():
        ...     return 42
        >>> asyncio.run(InMemoryCache().get_or_set("answer", answer, ttl="5m"))
        42
        """
        value = self.peek(key)
        return value if value is not MISSING else (await self.engine.load(key, loader, ttl, options)).result()

    async def get_many_or_set(
        self,
        keys: Iterable[str],
        loader: Callable[[list[str]], Mapping[str, Any] | Awaitable[Mapping[str, Any]]],
        ttl: Duration | None = None,
        **options: Unpack[LoadingOptions],
    ) -> dict[str, Any]:
        """Return the values of ``keys``; await ``loader`` once, with the list of those that are absent."""
        self.check_open()
        loaded: dict[str, Any] = (await self.engine.load_many(keys, loader, ttl, options)).result()
        return loaded

    @overload
    def cached(self, function: Callable[P, AsyncGenerator[R, None]], /) -> CachedAsyncGenerator[P, R]: ...
    @overload
    def cached(self, function: Callable[P, Awaitable[R]], /) -> CachedCoroutine[P, R]: ...
    @overload
    def cached(
        self, function: None = None, /, ttl: Duration | None = None, **options: Unpack[CachedOptions]
    ) -> LoopDecorator: ...
    def cached(self, function: Any = None, /, ttl: Duration | None = None, **options: Any) -> Any:
        """Return a decorator that keeps what a coroutine function returns in this cache, by its arguments.

        As ``cachery.Cache.cached``; ``invalidate(...)`` and ``refresh(...)`` are awaited. An asynchronous generator is
        kept too, once it has come to its end.

        >>> import asyncio
        >>> from cachery.aio import InMemoryCache
        >>> cache = InMemoryCache()
        >>> @cache.cached(ttl="5m")
        ... async def square(number: int) -> int:
        ...     return number * number
        >>> asyncio.run(square(12))
        144
        """
        from cachery.decorators import cached_in_loop  # noqa: PLC0415 - loaded when it is used

        return cached_in_loop(self, function, ttl, options)

    def record_trace(self, path: str | os.PathLike[str]) -> TraceRecording:
        """Write the key of every request to ``path`` from now on, a line each, until what is returned is closed.

        As ``cachery.Cache.record_trace``, and plain as it is: a few keys in a thousand wait for the disk.
        """
        from cachery.recording import record_trace  # noqa: PLC0415 - loaded when it is used

        return record_trace(self, path)

    async def has(self, key: str) -> bool:
        """Tell whether ``key`` is there, as ``exists``."""
        return await self.exists(key)

    async def get_many(self, keys: Iterable[str]) -> dict[str, Any]:
        """Return the values of those of ``keys`` that are there."""
        self.check_open()
        found = {key: await self.get(key, MISSING) for key in exact_keys(keys)}
        return {key: value for key, value in found.items() if value is not MISSING}

    async def set_many(self, mapping: Mapping[str, Any], ttl: Duration | None = None) -> bool:
        """Store every value of ``mapping``; True when all were stored. A bad key, value or TTL stores none."""
        if not isinstance(mapping, Mapping):
            raise CacheValueError(f"mapping maps keys to values; {type(mapping).__name__} does not")
        self.check_open()
        life = None if ttl is None else seconds(ttl)
        checked = {exact_key(key): value for key, value in mapping.items()}
        for value in checked.values():
            check_value(value)
        stored = [await self.set(key, value, life) for key, value in checked.items()]
        return all(stored)

    async def delete_many(self, keys: Iterable[str]) -> int:
        """Remove ``keys``; return how many were there. A bad key removes none."""
        self.check_open()
        return sum([await self.delete(key) for key in exact_keys(keys)])

    async def decr(self, key: str, by: int = 1, *, initial: int = 0, ttl: Duration | None = None) -> int:
        """Subtract ``by`` from the whole number under ``key``, as ``incr`` adds."""
        check_whole(by=by)
        return await self.incr(key, -by, initial=initial, ttl=ttl)

    def get_stats(self) -> CacheStats:
        """Return ``stats``."""
        return self.stats

    def __bool__(self) -> bool:
        """Return True: an empty cache is a cache."""
        return True

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError(
            f"{type(self).__name__} objects cannot be pickled or copied: name one in the manager, or make another"
        )
