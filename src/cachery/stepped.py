"""A store that is written to be awaited, for blocking code: no call of it suspends, so a step carries each through."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from inspect import iscoroutinefunction
from typing import Any, TypeVar

from cachery.step import step

__all__ = ["SteppedStore"]

T = TypeVar("T")

_ITERATORS = frozenset({"live_keys", "summaries", "verify"})


class SteppedStore:
    """``awaited``, a store of ``ports.store.Store`` but for being awaited, whose link never suspends."""

    def __init__(self, awaited: Any) -> None:
        self.awaited = awaited

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.awaited, name)
        if name in _ITERATORS:
            found = _iterating(found)
        elif iscoroutinefunction(found):
            found = _stepping(found)
        vars(self)[name] = found  # asked for once
        return found


def _stepped_through(items: AsyncIterator[T]) -> Iterator[T]:
    """Yield ``items``, none of which is waited for."""
    while True:
        try:
            item = step(_next(items))
        except StopAsyncIteration:
            return
        yield item


async def _next(items: AsyncIterator[T]) -> T:
    return await anext(items)


def _iterating(function: Callable[..., AsyncIterator[T]]) -> Callable[..., Iterator[T]]:
    return lambda *args, **kwargs: _stepped_through(function(*args, **kwargs))


def _stepping(function: Callable[..., Coroutine[Any, Any, T]]) -> Callable[..., T]:
    def call(*args: Any, **kwargs: Any) -> T:
        return step(function(*args, **kwargs))

    return call
