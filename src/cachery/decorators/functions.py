"""Decorated functions of blocking code."""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import partial, wraps
from typing import Any

from cachery.decorators.recipe import Recipe
from cachery.model.sentinels import MISSING

__all__ = ["cached_function", "cached_generator"]


def cached_function(recipe: Recipe) -> Any:
    """Return the function of ``recipe``, its results kept."""
    cache, find, function = recipe.cache, recipe.find_key, recipe.subject.function

    def load(key: str, args: Any, kwargs: Any) -> Any:
        loader = partial(function, *args, **kwargs)
        return cache.engine.load_as(recipe.request(key, args, kwargs, loader)).result()

    def refresh(*args: Any, **kwargs: Any) -> Any:
        cache.check_open()
        loader = partial(function, *args, **kwargs)
        return cache.engine.reload(recipe.request(find(args, kwargs), args, kwargs, loader)).result()

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        key = find(args, kwargs)
        value = cache.peek(key)
        return value if value is not MISSING else load(key, args, kwargs)

    return _with_verbs(call, recipe, refresh)


def cached_generator(recipe: Recipe) -> Any:
    """Return the generator function of ``recipe``: run to its end once, its items and what it returns are kept."""
    function = recipe.subject.function
    kept = cached_function(recipe.loading(lambda *args, **kwargs: _run(function(*args, **kwargs))))

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Generator[Any, None, Any]:
        items, returned = kept(*args, **kwargs)
        yield from items
        return returned

    def refresh(*args: Any, **kwargs: Any) -> Generator[Any, None, Any]:
        items, returned = kept.refresh(*args, **kwargs)
        yield from items
        return returned

    return _with_verbs(call, recipe, refresh)


def _with_verbs(call: Any, recipe: Recipe, refresh: Callable[..., Any]) -> Any:
    """Return ``call`` with what a decorated function has besides."""
    cache, find = recipe.cache, recipe.find_key
    call.cache = cache
    call.refresh = refresh
    call.key = lambda *args, **kwargs: find(args, kwargs)
    call.invalidate = lambda *args, **kwargs: cache.delete(find(args, kwargs))
    return call


def _run(generator: Generator[Any, Any, Any]) -> tuple[tuple[Any, ...], Any]:
    """Return the items of ``generator`` and what it returns at its end."""
    items = []
    while True:
        try:
            items.append(next(generator))
        except StopIteration as end:
            return tuple(items), end.value
