"""Any blocking cache, asynchronously: its store through a door for event loops, and many keys at a time.

>>> import asyncio
>>> from cachery import InMemoryCache
>>> blocking = InMemoryCache()
>>> async def main():
...     cache = AsyncCache(blocking)
...     await cache.set("answer", 42, tags=["quiz"])
...     print(await cache.get("answer"), await cache.invalidate(tags=["quiz"]), await cache.get("answer"))
>>> asyncio.run(main())
42 0 None
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack

import cachery.cache
from cachery.aio.door import Door, door_of
from cachery.aio.threaded import ThreadedDoor
from cachery.exceptions import CacheValueError
from cachery.keys.text import check_whole, exact_key, exact_keys
from cachery.model.durations import Duration, seconds
from cachery.model.options import LoadingOptions
from cachery.model.values import check_value
from cachery.namespaced import NamespacedCache
from cachery.statistics.stats import CacheStats

__all__ = ["AsyncCache", "async_cache"]

T = TypeVar("T")

_WITH_A_TWIN = {
    "cachery.disk.DiskCache",
    "cachery.file_based.FileBasedCache",
    "cachery.in_memory.InMemoryCache",
    "cachery.namespaced.NamespacedCache",
    "cachery.null.NullCache",
    "cachery.redis.RedisCache",
    "cachery.tiered.TieredCache",
}


def async_cache(cache: cachery.cache.Cache) -> Door:
    """Return the door to ``cache`` for event loops: its verbs, as coroutines that never block the loop.

    For a class of ``cachery`` that is the class of the same name in ``cachery.aio``, and for one cache always the same
    door. For a class of another's making every call runs on a thread.

    Raises ``CacheValueError`` for what is no blocking cache of ``cachery``.

    >>> from cachery import InMemoryCache
    >>> cache = InMemoryCache()
    >>> async_cache(cache) is async_cache(cache), async_cache(cache).blocking is cache
    (True, True)
    """
    if not isinstance(cache, cachery.cache.Cache):
        raise CacheValueError(f"this takes a blocking cache, InMemoryCache() for instance, not {type(cache).__name__}")
    known: dict[str, Any] = getattr(cache, "__dict__", {})
    door: Door = known.get("_door") or known.setdefault("_door", _new_door(cache))
    return door


def _new_door(cache: cachery.cache.Cache) -> Door:
    return (door_of(type(cache)) if _has_twin(cache) else ThreadedDoor).to(cache)


def _has_twin(cache: cachery.cache.Cache) -> bool:
    kind = type(cache)
    is_known = f"{kind.__module__}.{kind.__qualname__}" in _WITH_A_TWIN
    return is_known and (not isinstance(cache, NamespacedCache) or _has_twin(cache.cache))


class AsyncCache:
    """A blocking ``cache`` for event loops: the verbs used most, ``invalidate``, and bulk verbs that are bounded.

    ``concurrency``: how many batches a bulk verb has under way at once, unless it is told otherwise; ``batch_size``:
    keys in each. ``cache``, the attribute, is the door itself, with all verbs.

    Raises ``CacheValueError`` for what is no blocking cache, and for numbers below 1.

    >>> from cachery import InMemoryCache
    >>> async def main():
    ...     async with AsyncCache(InMemoryCache(), concurrency=4) as cache:
    ...         await cache.set("answer", 42, ttl="5m")
    ...         return await cache.get("answer")
    >>> asyncio.run(main())
    42
    """

    def __init__(self, cache: cachery.cache.Cache, *, concurrency: int = 8, batch_size: int = 100) -> None:
        self.concurrency = _checked(concurrency=concurrency)
        self.batch_size = _checked(batch_size=batch_size)
        self.cache = async_cache(cache)

    def __repr__(self) -> str:
        return f"<AsyncCache over {self.cache.blocking!r}>"

    async def get(self, key: str, default: Any = None) -> Any:
        """Return the value of ``key``, or ``default`` when it is absent or expired."""
        return await self.cache.get(key, default)

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
        return await self.cache.set(key, value, ttl, tags=tags, cost=cost, depends_on=depends_on)

    async def delete(self, key: str) -> bool:
        """Remove ``key``; True if it was there."""
        return await self.cache.delete(key)

    async def exists(self, key: str) -> bool:
        """Tell whether ``key`` is there."""
        return await self.cache.exists(key)

    async def clear(self) -> bool:
        """Remove every entry; True."""
        return await self.cache.clear()

    async def get_or_set(
        self, key: str, loader: Callable[..., Any], ttl: Duration | None = None, **options: Unpack[LoadingOptions]
    ) -> Any:
        """Return the value of ``key``; where it is absent, await ``loader`` and store what it returns."""
        return await self.cache.get_or_set(key, loader, ttl, **options)

    async def get_many_or_set(
        self,
        keys: Iterable[str],
        loader: Callable[[list[str]], Any],
        ttl: Duration | None = None,
        **options: Unpack[LoadingOptions],
    ) -> dict[str, Any]:
        """Return the values of ``keys``; await ``loader`` once, with the list of those that are absent."""
        return await self.cache.get_many_or_set(keys, loader, ttl, **options)

    async def incr(self, key: str, by: int = 1, *, initial: int = 0, ttl: Duration | None = None) -> int:
        """Add ``by`` to the whole number under ``key``, in one step, and return the sum."""
        return await self.cache.incr(key, by, initial=initial, ttl=ttl)

    async def invalidate(self, *keys: str, tags: Iterable[str] = (), pattern: str | None = None) -> int:
        """Remove ``keys``, what carries one of ``tags``, and what matches the glob ``pattern``.

        In that order. Returns how many of ``keys`` were there, and how many of what was then still there matched
        ``pattern``; what goes by a tag is not counted, as nobody goes through it, so with ``tags`` alone it is 0.
        Raises ``CacheValueError`` when nothing is said; a bad key, tag or pattern removes nothing that comes after it.
        """
        marks = tuple(tags) if not isinstance(tags, str) else tags
        if not keys and not marks and pattern is None:
            raise CacheValueError("say what to invalidate: keys, tags=[...] or pattern='...'; clear() is for all")
        if isinstance(marks, str):
            raise CacheValueError(f"tags is a sequence of str, not one str: write tags=[{marks!r}]")
        count = await self.delete_many(keys) if keys else 0
        if marks:
            await self.cache.invalidate_tags(*marks)
        return count if pattern is None else count + await self.cache.delete_pattern(pattern)

    async def get_many(self, keys: Iterable[str], *, concurrency: int | None = None) -> dict[str, Any]:
        """Return the values of those of ``keys`` that are there, in batches, some of them at once.

        >>> import asyncio
        >>> from cachery import InMemoryCache
        >>> async def main():
        ...     cache = AsyncCache(InMemoryCache())
        ...     await cache.set_many({"a": 1, "b": 2})
        ...     return await cache.get_many(["a", "b", "c"], concurrency=2)
        >>> asyncio.run(main())
        {'a': 1, 'b': 2}
        """
        batches = self._batches(exact_keys(keys))
        found = await self._in_turn(self.cache.get_many, batches, concurrency)
        return {key: value for part in found for key, value in part.items()}

    async def set_many(
        self, mapping: Mapping[str, Any], ttl: Duration | None = None, *, concurrency: int | None = None
    ) -> bool:
        """Store every value of ``mapping``; True when all were stored. A bad key, value or TTL stores none."""
        if not isinstance(mapping, Mapping):
            raise CacheValueError(f"mapping maps keys to values; {type(mapping).__name__} does not")
        life = None if ttl is None else seconds(ttl)
        checked = {exact_key(key): value for key, value in mapping.items()}
        for value in checked.values():
            check_value(value)
        batches = [{key: checked[key] for key in batch} for batch in self._batches(list(checked))]
        return all(await self._in_turn(lambda part: self.cache.set_many(part, life), batches, concurrency))

    async def delete_many(self, keys: Iterable[str], *, concurrency: int | None = None) -> int:
        """Remove ``keys``; return how many were there. A bad key removes none."""
        return sum(await self._in_turn(self.cache.delete_many, self._batches(exact_keys(keys)), concurrency))

    def _batches(self, keys: Sequence[str]) -> list[list[str]]:
        return [list(keys[start : start + self.batch_size]) for start in range(0, len(keys), self.batch_size)]

    async def _in_turn(
        self, call: Callable[[Any], Coroutine[Any, Any, T]], batches: Sequence[Any], concurrency: int | None
    ) -> list[T]:
        """Return what ``call`` returns for each of ``batches``; the first that fails ends those that did not begin."""
        limit = self.concurrency if concurrency is None else _checked(concurrency=concurrency)
        self.cache.check_open()
        results: dict[int, T] = {}
        waiting = iter(enumerate(batches))

        async def work() -> None:
            for place, batch in waiting:
                results[place] = await call(batch)

        tasks = [asyncio.create_task(work()) for _ in range(min(limit, len(batches)))]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
        return [results[place] for place in range(len(batches))]

    @property
    def stats(self) -> CacheStats:
        """The numbers of the cache."""
        return self.cache.stats

    async def close(self) -> None:
        """Close the cache, for blocking code too."""
        await self.cache.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()


def _checked(**numbers: int) -> int:
    check_whole(**numbers)
    ((name, number),) = numbers.items()
    if number < 1:
        raise CacheValueError(f"{name} is 1 or more, not {number}")
    return number
