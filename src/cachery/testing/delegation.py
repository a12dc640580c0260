"""A cache every call of which goes through one method: the ground of those that disturb or translate calls."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from cachery.cache import Cache
from cachery.events import Listener
from cachery.model.durations import Duration
from cachery.statistics.stats import CacheStats

__all__ = ["VERBS", "DelegatingCache"]


class DelegatingCache(Cache):
    """Hands each verb to ``call``, by its name and with its arguments."""

    @abstractmethod
    def call(self, verb: str, *args: Any, **kwargs: Any) -> Any:
        """Carry out ``verb``."""

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of ``key``, or ``default``."""
        return self.call("get", key, default)

    def peek(self, key: str) -> Any:
        """Return the value of ``key`` if it is fresh, else ``MISSING``."""
        return self.call("peek", key)

    def set(
        self,
        key: str,
        value: Any,
        ttl: Duration | None = None,
        *,
        tags: Iterable[str] = (),
        cost: float | None = None,
        depends_on: Iterable[Any] = (),
    ) -> Any:
        """Store ``value``; True when stored."""
        return self.call("set", key, value, ttl, tags=tags, cost=cost, depends_on=depends_on)

    def add(self, key: str, value: Any, ttl: Duration | None = None) -> Any:
        """Store ``value`` only if ``key`` is absent."""
        return self.call("add", key, value, ttl)

    def delete(self, key: str) -> Any:
        """Remove ``key``; True if it was there."""
        return self.call("delete", key)

    def exists(self, key: str) -> Any:
        """Tell whether ``key`` is there."""
        return self.call("exists", key)

    def clear(self) -> Any:
        """Remove everything; True."""
        return self.call("clear")

    def get_many(self, keys: Iterable[str]) -> Any:
        """Return the values of those of ``keys`` that are there."""
        return self.call("get_many", keys)

    def set_many(self, mapping: Mapping[str, Any], ttl: Duration | None = None) -> Any:
        """Store every value of ``mapping``."""
        return self.call("set_many", mapping, ttl)

    def delete_many(self, keys: Iterable[str]) -> Any:
        """Remove ``keys``; return how many were there."""
        return self.call("delete_many", keys)

    def incr(self, key: str, by: int = 1, *, initial: int = 0, ttl: Duration | None = None) -> Any:
        """Add ``by`` to the number under ``key`` and return the sum."""
        return self.call("incr", key, by, initial=initial, ttl=ttl)

    def decr(self, key: str, by: int = 1, *, initial: int = 0, ttl: Duration | None = None) -> Any:
        """Subtract ``by`` from the number under ``key`` and return the difference."""
        return self.call("decr", key, by, initial=initial, ttl=ttl)

    def touch(self, key: str, ttl: Duration | None = None) -> Any:
        """Let ``key`` live for ``ttl`` from now on."""
        return self.call("touch", key, ttl)

    def ttl(self, key: str) -> Any:
        """Return the seconds that ``key`` has left."""
        return self.call("ttl", key)

    def keys(self, pattern: str = "*") -> Iterator[str]:
        """Return an iterator over the live keys that match ``pattern``."""
        return iter(self.call("keys", pattern))

    def __len__(self) -> int:
        """Return how many entries are live."""
        size: int = self.call("size")
        return size

    def delete_pattern(self, pattern: str) -> Any:
        """Remove every key that matches ``pattern``; return how many there were."""
        return self.call("delete_pattern", pattern)

    def invalidate_tags(self, *tags: str) -> None:
        """Make every entry that carries one of ``tags`` unreadable."""
        self.call("invalidate_tags", *tags)

    def cleanup_expired(self) -> Any:
        """Remove what is dead already; return how many entries that were."""
        return self.call("cleanup_expired")

    def close(self) -> None:
        """Close it."""
        self.call("close")

    @property
    @abstractmethod
    def stats(self) -> CacheStats:
        """The numbers of the cache beneath."""

    @abstractmethod
    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` with each event of the cache beneath."""


VERBS = frozenset(name for name in vars(DelegatingCache) if not name.startswith("_")) - {"call", "stats", "subscribe"}
"""The names that ``call`` is given, ``size`` aside."""
