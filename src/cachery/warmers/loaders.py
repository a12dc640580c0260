"""Where the values come from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from inspect import isawaitable
from typing import Any

from cachery.exceptions import CacheKeyError, CacheValueError
from cachery.warmers.naming import name_of

__all__ = ["NOTHING", "BatchValueLoader", "CallableValueLoader", "ValueLoader", "checked_batch"]

NOTHING = "the loader returned nothing for it"
"""Why a key failed that a batch loader left out."""


class ValueLoader(ABC):
    """Loads the value of a key. A subclass has ``load``, and ``load_batch`` too if it can load many at once.

    >>> class Squares(ValueLoader):
    ...     def load(self, key):
    ...         return int(key) ** 2
    >>> Squares().load("7")
    49
    """

    @abstractmethod
    def load(self, key: Any) -> Any:
        """Return the value of ``key``, or for an ``AsyncCacheWarmer`` something to be awaited for it."""


class CallableValueLoader(ValueLoader):
    """The value is what ``function`` returns for the key.

    >>> CallableValueLoader(str.upper).load("a")
    'A'
    """

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self._function = _checked(function)

    def __repr__(self) -> str:
        return f"CallableValueLoader({name_of(self._function)})"

    def load(self, key: Any) -> Any:
        """Return the value of ``key``."""
        return self._function(key)


class BatchValueLoader(ValueLoader):
    """The values are what ``batch_func`` returns for a list of keys: a mapping. Nothing is kept between two calls.

    A key that it leaves out failed. When it raises for several keys, it is asked for each of them alone.

    >>> loader = BatchValueLoader(lambda keys: {key: key.upper() for key in keys})
    >>> loader.load_batch(["a", "b"]), loader.load("c")
    ({'a': 'A', 'b': 'B'}, 'C')
    """

    def __init__(self, batch_func: Callable[[list[Any]], Any]) -> None:
        self._function = _checked(batch_func)

    def __repr__(self) -> str:
        return f"BatchValueLoader({name_of(self._function)})"

    def load_batch(self, keys: list[Any]) -> Any:
        """Return what the function returns for ``keys``."""
        return self._function(keys)

    def load(self, key: Any) -> Any:
        """Return the value of ``key``. Raises ``CacheKeyError`` when the function has none."""
        found = self._function([key])
        return _awaited_value(found, key) if isawaitable(found) else _value(found, key)


async def _awaited_value(found: Any, key: Any) -> Any:
    return _value(await found, key)


def _value(found: Any, key: Any) -> Any:
    values = checked_batch(found)
    if key not in values:
        raise CacheKeyError(f"{key!r}: {NOTHING}", key=key)
    return values[key]


def checked_batch(found: Any) -> Mapping[Any, Any]:
    """Return ``found``, which a loader of many returned. Raises ``CacheValueError`` unless it is a mapping."""
    if not isinstance(found, Mapping):
        raise CacheValueError(f"a loader of many keys returns a mapping of keys to values, not {type(found).__name__}")
    return found


def _checked(function: Any) -> Any:
    if not callable(function):
        raise CacheValueError(f"a loader calls a function; {type(function).__name__} cannot be called")
    return function
