"""``NullCache``: switches caching off without changing a caller."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from cachery.backends.null import NullStore
from cachery.cache import Cache
from cachery.events import Event, Invalidated, Listener, Miss, listening, notify, without
from cachery.exceptions import CacheClosedError
from cachery.keys.glob import glob_matcher
from cachery.keys.text import check_whole, checked_cost, exact_key, exact_tags
from cachery.model.durations import Duration, idle_of, seconds
from cachery.model.sentinels import MISSING
from cachery.model.values import check_value
from cachery.sources.source import exact_sources
from cachery.statistics.counters import Counters
from cachery.statistics.stats import CacheStats

if TYPE_CHECKING:  # loaded when something is loaded through a cache for the first time
    from cachery.loading import BlockingEngine

__all__ = ["NullCache"]


class NullCache(Cache):
    """Stores nothing: every ``get`` is a miss. It refuses the same bad arguments as any other cache.

    >>> cache = NullCache()
    >>> cache.set("a", 1), cache.get("a", "nothing")
    (False, 'nothing')
    """

    max_size = 0

    def __init__(self, *, name: str | None = None) -> None:
        self.name = name
        self._is_closed = False
        self._listeners: tuple[Listener, ...] = ()
        self._counters = Counters()
        self._stats = CacheStats.of(self._counters, self)
        self._store = NullStore(self.check_open)

    def __repr__(self) -> str:
        return "<NullCache>"

    def get(self, key: str, default: Any = None) -> Any:
        """Return ``default``."""
        key = exact_key(key)
        self.check_open()
        self._counters.miss()
        self._report(Miss(self.name, key))
        return default

    def peek(self, key: str) -> Any:
        """Return ``MISSING``."""
        self._refuse(key, None)
        return MISSING

    def build_engine(self) -> BlockingEngine:
        """Return an engine by which those who ask at the same time share a load, and which keeps nothing."""
        from cachery.loading import blocking_engine  # noqa: PLC0415 - loaded when something is loaded first
        from cachery.statistics.recorder import Recorder  # noqa: PLC0415

        return blocking_engine(self._store, Recorder(self._counters, self.name, lambda: self._listeners))

    def set(  # noqa: PLR0913 - what may be said of an entry, all by name
        self,
        key: str,
        value: Any,
        ttl: Duration | None = None,
        *,
        tags: Iterable[str] = (),
        cost: float | None = None,
        depends_on: Iterable[Any] = (),
        idle_ttl: Duration | None = None,
    ) -> bool:
        """Store nothing; False."""
        idle_of(idle_ttl)
        check_value(value)
        exact_tags(tags)
        checked_cost(cost)
        exact_sources(depends_on)
        return self._change(key, ttl)

    def add(self, key: str, value: Any, ttl: Duration | None = None) -> bool:
        """Store nothing; False."""
        check_value(value)
        return self._change(key, ttl)

    def delete(self, key: str) -> bool:
        """Return False: there was nothing."""
        return self._change(key)

    def exists(self, key: str) -> bool:
        """Return False."""
        return self._refuse(key, None)

    def clear(self) -> bool:
        """Return True."""
        self.check_open()
        self._store.invalidate()
        self._report(Invalidated(self.name, "clear", ""))
        return True

    def incr(self, key: str, by: int = 1, *, initial: int = 0, ttl: Duration | None = None) -> int:
        """Return ``initial + by``: every key begins anew."""
        check_whole(by=by, initial=initial)
        self._change(key, ttl)
        return initial + by

    def touch(self, key: str, ttl: Duration | None = None) -> bool:
        """Return False."""
        return self._change(key, ttl)

    def ttl(self, key: str) -> float | None:
        """Return ``None``."""
        self._refuse(key, None)
        return None

    def keys(self, pattern: str = "*") -> Iterator[str]:
        """Return an empty iterator."""
        glob_matcher(pattern)
        self.check_open()
        return iter(())

    def __len__(self) -> int:
        """Return 0."""
        self.check_open()
        return 0

    def delete_pattern(self, pattern: str) -> int:
        """Return 0."""
        glob_matcher(pattern)
        self.check_open()
        self._store.invalidate()
        self._report(Invalidated(self.name, "pattern", pattern))
        return 0

    def invalidate_tags(self, *tags: str) -> None:
        """Do nothing."""
        checked = exact_tags(tags)
        self.check_open()
        self._store.invalidate()
        for tag in checked:
            self._report(Invalidated(self.name, "tag", tag))

    def cleanup_expired(self) -> int:
        """Return 0."""
        self.check_open()
        return 0

    @property
    def stats(self) -> CacheStats:
        """The numbers of this cache: misses."""
        return self._stats

    def hottest_keys(self, n: int) -> list[tuple[str, int]]:
        """Return nothing: no key is ever hit."""
        del n
        return []

    def forget_hits(self) -> None:
        """Do nothing."""

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` with each event from now on; return a function that ends it."""
        end = listening(listener, self._unsubscribe)
        self.check_open()
        self._listeners = (*self._listeners, listener)
        return end

    def close(self) -> None:
        """Let what is loaded in the background end, then refuse every verb."""
        self.drain()
        self._is_closed = True

    def _refuse(self, key: str, ttl: Duration | None) -> bool:
        """Check what was given, then decline it."""
        exact_key(key)
        if ttl is not None:
            seconds(ttl)
        self.check_open()
        return False

    def _change(self, key: str, ttl: Duration | None = None) -> bool:
        """Decline to change ``key``; a load of it that has begun counts as overtaken all the same."""
        self._refuse(key, ttl)
        self._store.invalidate()
        return False

    def check_open(self) -> None:
        """Raise ``CacheClosedError`` on a closed cache."""
        if self._is_closed:
            raise CacheClosedError("the cache was closed", cache_name=self.name)

    def _unsubscribe(self, listener: Listener) -> None:
        self._listeners = without(self._listeners, listener)

    def _report(self, event: Event) -> None:
        notify(self._listeners, event)
