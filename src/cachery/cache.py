"""``Cache``: the verbs every cache speaks, and those that follow from the others."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import TracebackType
from typing import Any, Self

from cachery.events import Listener
from cachery.exceptions import CacheValueError
from cachery.keys.text import check_whole, exact_key, exact_keys
from cachery.model.durations import Duration, seconds
from cachery.model.sentinels import MISSING
from cachery.statistics.stats import CacheStats

__all__ = ["Cache"]


class Cache(ABC):
    """A cache. Keys are ``str``; a TTL is seconds, a ``timedelta`` or text such as ``"5m"``.

    Every verb raises ``CacheKeyError`` for a key that is not a ``str``, ``CacheValueError`` for another argument it
    cannot take, and ``CacheClosedError`` on a closed cache; it then leaves the cache as it was.

    >>> from cachery import InMemoryCache
    >>> with InMemoryCache() as cache:
    ...     cache.set("user:42", {"name": "Ada"}, ttl="5m", tags=["users"])
    ...     cache.get("user:42")
    True
    {'name': 'Ada'}
    """

    @abstractmethod
    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of ``key``, or ``default`` when it is absent or expired. A stored ``None`` is a value."""

    @abstractmethod
    def set(
        self, key: str, value: Any, ttl: Duration | None = None, *, tags: Iterable[str] = (), cost: float | None = None
    ) -> bool:
        """Store ``value``; True when stored.

        ``ttl``: ``None`` is the cache's default, ``FOREVER`` no end in spite of a default; 0 or less removes ``key``
        and returns False. ``tags``: names by which ``invalidate_tags`` finds the entry. ``cost``: what computing the
        value took, in seconds or money, kept with the entry for policies that weigh it.
        """

    @abstractmethod
    def add(self, key: str, value: Any, ttl: Duration | None = None) -> bool:
        """Store ``value`` only if ``key`` is absent, in one step; True when stored."""

    @abstractmethod
    def delete(self, key: str) -> bool:
        """Remove ``key``; True if it was there."""

    @abstractmethod
    def exists(self, key: str) -> bool:
        """Tell whether ``key`` is there. Neither recency nor counters change."""

    @abstractmethod
    def clear(self) -> bool:
        """Remove this cache's own entries, never a neighbour's; True, also when there were none."""

    @abstractmethod
    def incr(self, key: str, by: int = 1, *, initial: int = 0, ttl: Duration | None = None) -> int:
        """Add ``by`` to the whole number under ``key``, in one step, and return the sum.

        An absent key begins at ``initial`` and lives for ``ttl``; both count only then. Raises ``CacheValueError`` when
        something else than an ``int`` is stored or given.
        """

    @abstractmethod
    def touch(self, key: str, ttl: Duration | None = None) -> bool:
        """Let ``key`` live for ``ttl`` from now on, ``None`` being the default; True if it was there.

        A ``ttl`` of 0 or less deletes it.
        """

    @abstractmethod
    def ttl(self, key: str) -> float | None:
        """Return the seconds that ``key`` has left: ``None`` when it is absent, ``inf`` when it never expires."""

    @abstractmethod
    def keys(self, pattern: str = "*") -> Iterator[str]:
        """Return an iterator over the live keys that match the glob ``pattern`` (``*``, ``?``, ``[ab]``, ``[!ab]``)."""

    @abstractmethod
    def __len__(self) -> int:
        """Return how many entries are live. Those dead by a tag may count until they are touched or swept."""

    @abstractmethod
    def delete_pattern(self, pattern: str) -> int:
        """Remove every key that matches the glob ``pattern``; return how many there were."""

    @abstractmethod
    def invalidate_tags(self, *tags: str) -> None:
        """Make every entry that carries one of ``tags`` unreadable, in a time that does not depend on their number."""

    @abstractmethod
    def cleanup_expired(self) -> int:
        """Remove what is dead already; return how many entries that were. ``TTLManager`` calls it."""

    @property
    @abstractmethod
    def stats(self) -> CacheStats:
        """The numbers of this cache, live. Called, it returns itself: ``cache.stats()`` is ``cache.stats``."""

    @abstractmethod
    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` with each event (``cachery.events``) from now on; return a function that ends it."""

    @abstractmethod
    def close(self) -> None:
        """Let go of everything. Any verb after that raises ``CacheClosedError``; closing again does nothing."""

    @abstractmethod
    def check_open(self) -> None:
        """Raise ``CacheClosedError`` on a closed cache."""

    def has(self, key: str) -> bool:
        """Tell whether ``key`` is there, as ``exists``."""
        return self.exists(key)

    def __contains__(self, key: str) -> bool:
        """Tell whether ``key`` is there, as ``exists``."""
        return self.exists(key)

    def __bool__(self) -> bool:
        """Return True: an empty cache is a cache."""
        return True

    def get_many(self, keys: Iterable[str]) -> dict[str, Any]:
        """Return the values of those of ``keys`` that are there.

        >>> from cachery import InMemoryCache
        >>> cache = InMemoryCache()
        >>> cache.set_many({"a": 1, "b": 2})
        True
        >>> cache.get_many(["a", "b", "c"])
        {'a': 1, 'b': 2}
        """
        self.check_open()
        found = {key: self.get(key, MISSING) for key in exact_keys(keys)}
        return {key: value for key, value in found.items() if value is not MISSING}

    def set_many(self, mapping: Mapping[str, Any], ttl: Duration | None = None) -> bool:
        """Store every value of ``mapping``; True when all were stored. A bad key or TTL stores none."""
        if not isinstance(mapping, Mapping):
            raise CacheValueError(f"mapping maps keys to values; {type(mapping).__name__} does not")
        self.check_open()
        life = None if ttl is None else seconds(ttl)
        checked = {exact_key(key): value for key, value in mapping.items()}
        stored = [self.set(key, value, life) for key, value in checked.items()]
        return all(stored)

    def delete_many(self, keys: Iterable[str]) -> int:
        """Remove ``keys``; return how many were there. A bad key removes none."""
        self.check_open()
        return sum(self.delete(key) for key in exact_keys(keys))

    def decr(self, key: str, by: int = 1, *, initial: int = 0, ttl: Duration | None = None) -> int:
        """Subtract ``by`` from the whole number under ``key``, as ``incr`` adds."""
        check_whole(by=by)
        return self.incr(key, -by, initial=initial, ttl=ttl)

    def get_stats(self) -> CacheStats:
        """Return ``stats``."""
        return self.stats

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError(
            f"{type(self).__name__} objects cannot be pickled or copied: name one in the manager, or make another"
        )
