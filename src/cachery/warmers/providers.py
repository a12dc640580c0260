"""Where the keys come from that are to be warmed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from cachery.exceptions import CacheError, CacheKeyError, CacheValueError
from cachery.keys.text import check_whole
from cachery.warmers.naming import name_of
from cachery.warmers.tracker import AccessTracker

__all__ = [
    "AdaptiveKeyProvider",
    "CallableKeyProvider",
    "KeyProvider",
    "StaticKeyProvider",
    "listed",
    "provider_failed",
]


class KeyProvider(ABC):
    """Says which keys are to be warmed. A subclass has ``get_keys``.

    >>> class Users(KeyProvider):
    ...     def get_keys(self):
    ...         return ["user:1", "user:2"]
    >>> Users().get_keys()
    ['user:1', 'user:2']
    """

    @abstractmethod
    def get_keys(self) -> Any:
        """Return a list of keys, the most important first; an ``AsyncCacheWarmer`` takes what is awaited for too."""


class StaticKeyProvider(KeyProvider):
    """The same ``keys`` each time.

    >>> StaticKeyProvider(["a", "b"]).get_keys()
    ['a', 'b']
    """

    def __init__(self, keys: Iterable[Any]) -> None:
        if isinstance(keys, str):
            raise CacheValueError(f"keys is a list of keys, not one str: write [{keys!r}]")
        if not isinstance(keys, Iterable):
            raise CacheValueError(f"keys is a list of keys, not {type(keys).__name__}")
        self._keys = list(keys)

    def __repr__(self) -> str:
        return f"<StaticKeyProvider of {len(self._keys)} keys>"

    def get_keys(self) -> list[Any]:
        """Return a list of its own for each caller."""
        return list(self._keys)


class CallableKeyProvider(KeyProvider):
    """The keys that ``function`` returns when a run begins.

    >>> CallableKeyProvider(lambda: ["a"]).get_keys()
    ['a']
    """

    def __init__(self, function: Callable[[], Iterable[Any] | Awaitable[Iterable[Any]]]) -> None:
        if not callable(function):
            raise CacheValueError(f"function returns keys; {type(function).__name__} cannot be called")
        self._function = function

    def __repr__(self) -> str:
        return f"CallableKeyProvider({name_of(self._function)})"

    def get_keys(self) -> Any:
        """Return what the function returns."""
        return self._function()


class AdaptiveKeyProvider(KeyProvider):
    """The keys that ``tracker`` has seen at least ``threshold`` times, at most ``limit`` of them, the hottest first.

    >>> tracker = AccessTracker()
    >>> for key in ["a", "b", "a"]:
    ...     tracker.record_access(key)
    >>> AdaptiveKeyProvider(tracker, threshold=2).get_keys()
    ['a']
    """

    def __init__(self, tracker: AccessTracker, threshold: int = 5, limit: int = 1000) -> None:
        if not callable(getattr(tracker, "get_hot_keys", None)):
            raise CacheValueError(f"tracker is an AccessTracker(), not {type(tracker).__name__}")
        check_whole(threshold=threshold, limit=limit)
        self.tracker = tracker
        self.threshold = threshold
        self.limit = limit

    def __repr__(self) -> str:
        return f"AdaptiveKeyProvider({self.tracker!r}, threshold={self.threshold}, limit={self.limit})"

    def get_keys(self) -> list[Any]:
        """Return the keys that are hot now."""
        return self.tracker.get_hot_keys(self.threshold, self.limit)


def listed(keys: Any) -> list[Any]:
    """Return ``keys``, each once. Raises ``CacheValueError`` for what is no collection of keys.

    >>> listed(("a", "b", "a"))
    ['a', 'b']
    """
    if isinstance(keys, str | bytes) or not isinstance(keys, Iterable):
        if hasattr(keys, "close") and hasattr(keys, "send"):
            keys.close()  # a coroutine that nobody will await
        raise CacheValueError(f"what is warmed is a list of keys, not {type(keys).__name__}")
    try:
        return list(dict.fromkeys(keys))
    except TypeError as error:
        raise CacheKeyError(f"one of the keys can be no key: {error}") from error


def provider_failed(provider: object, error: Exception) -> CacheError:
    """Return what to raise from ``error``, which ``provider`` raised."""
    return CacheError(
        f"the key provider {name_of(provider)} failed, so nothing was warmed: {type(error).__name__}: {error}"
    )
