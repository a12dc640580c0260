"""What a test says about a cache."""

from __future__ import annotations

from typing import Any

from cachery.cache import Cache
from cachery.exceptions import CacheValueError

__all__ = ["assert_cached"]


def assert_cached(subject: Any, *args: Any, **kwargs: Any) -> None:
    """Raise ``AssertionError`` unless what is asked for is in the cache. Changes neither recency nor counters.

    ``subject`` is a cache, and ``args`` are keys; or a decorated function, and the arguments are those of a call.
    Either may be asynchronous.

    >>> from cachery import InMemoryCache
    >>> cache = InMemoryCache()
    >>> @cache.cached(key="square:{number}")
    ... def square(number: int) -> int:
    ...     return number * number
    >>> square(12)
    144
    >>> assert_cached(square, 12)
    >>> assert_cached(cache, "square:12")
    """
    is_function = hasattr(subject, "__wrapped__") and hasattr(subject, "cache")
    keys = (subject.key(*args, **kwargs),) if is_function else args
    cache = subject.cache if is_function else subject
    blocking: Cache = getattr(cache, "blocking", cache)
    if not isinstance(blocking, Cache):
        raise CacheValueError(f"assert_cached asks a cache or a decorated function, not {subject!r}")
    if not is_function and (kwargs or not keys):
        raise CacheValueError("assert_cached of a cache takes one key or more, none by name")
    missing = [key for key in keys if not blocking.exists(key)]
    if missing:
        raise AssertionError(f"{', '.join(map(repr, missing))} not in {cache!r}")
