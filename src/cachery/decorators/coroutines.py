"""Decorated coroutine functions."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from functools import partial, wraps
from typing import Any

from cachery.decorators.recipe import Recipe
from cachery.model.sentinels import MISSING

__all__ = ["cached_async_generator", "cached_coroutine"]


def cached_coroutine(recipe: Recipe) -> Any:
    """Return the coroutine function of ``recipe``, its results kept."""
    cache, find, request = recipe.cache, recipe.find_key, recipe.request

    @wraps(recipe.subject.function)
    async def call(*args: Any, **kwargs: Any) -> Any:
        key = find(args, kwargs)
        value = cache.peek(key)
        return value if value is not MISSING else (await cache.engine.load_as(request(key, args, kwargs))).result()

    async def refresh(*args: Any, **kwargs: Any) -> Any:
        cache.check_open()
        return (await cache.engine.reload(request(find(args, kwargs), args, kwargs))).result()

    return _finished(call, recipe, refresh)


def cached_async_generator(recipe: Recipe) -> Any:
    """Return the asynchronous generator function of ``recipe``: run to its end once, its items are kept."""
    cache, find = recipe.cache, recipe.find_key
    request = recipe.loading(partial(_run, recipe.subject.function)).request

    @wraps(recipe.subject.function)
    async def call(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, None]:
        key = find(args, kwargs)
        items = cache.peek(key)
        if items is MISSING:
            items = (await cache.engine.load_as(request(key, args, kwargs))).result()
        for item in items:
            yield item

    async def refresh(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, None]:
        cache.check_open()
        return _again((await cache.engine.reload(request(find(args, kwargs), args, kwargs))).result())

    return _finished(call, recipe, refresh)


def _finished(call: Any, recipe: Recipe, refresh: Callable[..., Any]) -> Any:
    cache, find = recipe.cache, recipe.find_key

    async def invalidate(*args: Any, **kwargs: Any) -> bool:
        was_there: bool = await cache.delete(find(args, kwargs))
        return was_there

    return recipe.finish(call, refresh, invalidate)


async def _run(function: Callable[..., AsyncIterator[Any]], *args: Any, **kwargs: Any) -> tuple[Any, ...]:
    """Return the items of the asynchronous generator that ``function`` returns."""
    return tuple([item async for item in function(*args, **kwargs)])


async def _again(items: tuple[Any, ...]) -> AsyncGenerator[Any, None]:
    for item in items:
        yield item
