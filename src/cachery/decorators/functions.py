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
    cache, find, request = recipe.cache, recipe.find_key, recipe.request

    @wraps(recipe.subject.function)
    def call(*args: Any, **kwargs: Any) -> Any:
        key = find(args, kwargs)
        value = cache.peek(key)
        return value if value is not MISSING else cache.engine.load_as(request(key, args, kwargs)).result()

    def refresh(*args: Any, **kwargs: Any) -> Any:
        cache.check_open()
        return cache.engine.reload(request(find(args, kwargs), args, kwargs)).result()

    return _finished(call, recipe, refresh)


def cached_generator(recipe: Recipe) -> Any:
    """Return the generator function of ``recipe``: run to its end once, its items and what it returns are kept."""
    cache, find = recipe.cache, recipe.find_key
    request = recipe.loading(partial(_run, recipe.subject.function)).request

    @wraps(recipe.subject.function)
    def call(*args: Any, **kwargs: Any) -> Generator[Any, None, Any]:
        key = find(args, kwargs)
        kept = cache.peek(key)
        if kept is MISSING:
            kept = cache.engine.load_as(request(key, args, kwargs)).result()
        yield from kept[0]
        return kept[1]

    def refresh(*args: Any, **kwargs: Any) -> Generator[Any, None, Any]:
        cache.check_open()
        return _again(*cache.engine.reload(request(find(args, kwargs), args, kwargs)).result())

    return _finished(call, recipe, refresh)


def _finished(call: Any, recipe: Recipe, refresh: Callable[..., Any]) -> Any:
    cache, find = recipe.cache, recipe.find_key
    return recipe.finish(call, refresh, lambda *args, **kwargs: cache.delete(find(args, kwargs)))


def _run(function: Callable[..., Generator[Any, Any, Any]], *args: Any, **kwargs: Any) -> tuple[tuple[Any, ...], Any]:
    """Return the items of the generator that ``function`` returns, and what that returns at its end."""
    generator = function(*args, **kwargs)
    items = []
    while True:
        try:
            items.append(next(generator))
        except StopIteration as end:
            return tuple(items), end.value


def _again(items: tuple[Any, ...], returned: Any) -> Generator[Any, None, Any]:
    yield from items
    return returned
