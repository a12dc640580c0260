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
    cache, find, function = recipe.cache, recipe.find_key, recipe.subject.function

    async def load(key: str, args: Any, kwargs: Any) -> Any:
        loader = partial(function, *args, **kwargs)
        return (await cache.engine.load_as(recipe.request(key, args, kwargs, loader))).result()

    async def refresh(*args: Any, **kwargs: Any) -> Any:
        cache.check_open()
        loader = partial(function, *args, **kwargs)
        return (await cache.engine.reload(recipe.request(find(args, kwargs), args, kwargs, loader))).result()

    @wraps(function)
    async def call(*args: Any, **kwargs: Any) -> Any:
        key = find(args, kwargs)
        value = cache.peek(key)
        return value if value is not MISSING else await load(key, args, kwargs)

    return _with_verbs(call, recipe, refresh)


def cached_async_generator(recipe: Recipe) -> Any:
    """Return the asynchronous generator function of ``recipe``: run to its end once, its items are kept."""
    function = recipe.subject.function
    kept = cached_coroutine(recipe.loading(lambda *args, **kwargs: _run(function(*args, **kwargs))))

    @wraps(function)
    async def call(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, None]:
        for item in await kept(*args, **kwargs):
            yield item

    async def refresh(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, None]:
        for item in await kept.refresh(*args, **kwargs):
            yield item

    return _with_verbs(call, recipe, refresh)


def _with_verbs(call: Any, recipe: Recipe, refresh: Callable[..., Any]) -> Any:
    """Return ``call`` with what a decorated function has besides."""
    cache, find = recipe.cache, recipe.find_key

    async def invalidate(*args: Any, **kwargs: Any) -> bool:
        was_there: bool = await cache.delete(find(args, kwargs))
        return was_there

    call.cache = cache
    call.refresh = refresh
    call.key = lambda *args, **kwargs: find(args, kwargs)
    call.invalidate = invalidate
    return call


async def _run(generator: AsyncIterator[Any]) -> tuple[Any, ...]:
    return tuple([item async for item in generator])
