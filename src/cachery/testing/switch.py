"""``caching_off``: every cache, old and new, is a ``NullCache`` for a while."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch
from weakref import WeakKeyDictionary

import cachery.aio.cache
from cachery.cache import Cache
from cachery.decorators.identity import share_identities
from cachery.null import NullCache
from cachery.testing.delegation import VERBS

__all__ = ["caching_off"]

_VERBS = sorted(VERBS - {"close"} | {"__contains__", "__len__", "has"})


@contextmanager
def caching_off() -> Iterator[None]:
    """Let every cache store nothing and find nothing, those of decorated functions too, until the end of the block.

    What the caches held is there again afterwards. Those who load one key at the same time still share the load.

    >>> from cachery import InMemoryCache
    >>> cache = InMemoryCache()
    >>> cache.set("a", 1)
    True
    >>> with caching_off():
    ...     cache.get("a"), cache.set("b", 2), cache.get_or_set("a", lambda: "loaded")
    (None, False, 'loaded')
    >>> cache.get("a"), cache.get("b")
    (1, None)
    """
    with ExitStack() as switched:
        nulls: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()
        for kind in _kinds(Cache):
            for verb in _VERBS:
                switched.enter_context(patch.object(kind, verb, _through(nulls, verb)))
        own: Any = vars(Cache)["engine"].fget

        def blocking(cache: Cache) -> Any:
            engine = own(_null(nulls, cache))
            share_identities(engine.core.flights, own(_root(cache)).core.flights)
            return engine

        def for_loops(cache: Any) -> Any:
            return blocking(cache.blocking).for_loops()

        switched.enter_context(patch.object(Cache, "engine", property(blocking)))
        switched.enter_context(patch.object(cachery.aio.cache.Cache, "engine", property(for_loops)))
        yield


def _kinds(root: type[Any]) -> list[type[Any]]:
    """Return every class of caches but the one that they are to be like."""
    kinds = [kind for child in root.__subclasses__() for kind in (child, *_kinds(child))]
    return [kind for kind in kinds if not issubclass(kind, NullCache)]


def _root(cache: Any) -> Any:
    """Return the cache that ``cache`` is a part of, or stands before: it knows the names of decorated functions."""
    beneath = getattr(cache, "cache", None)
    return _root(beneath) if isinstance(beneath, Cache) else cache


def _through(nulls: WeakKeyDictionary[Any, Any], verb: str) -> Callable[..., Any]:
    def call(cache: Cache, *args: Any, **kwargs: Any) -> Any:
        return getattr(_null(nulls, cache), verb)(*args, **kwargs)

    return call


def _null(nulls: WeakKeyDictionary[Any, Any], cache: Any) -> Any:
    """Return what ``cache`` is now."""
    cache.check_open()
    return cache if isinstance(cache, NullCache) else nulls.setdefault(cache, NullCache())
