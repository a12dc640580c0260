"""``ReportingCache``: a cache that counts and tells for itself what its store has done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cachery.cache import Cache
from cachery.events import (
    Event,
    Evicted,
    Expired,
    Listener,
    Stored,
    TierDown,
    TierUp,
    Unreadable,
    listening,
    notify,
    without,
)
from cachery.exceptions import CacheClosedError, CacheValueError
from cachery.model.durations import Duration
from cachery.model.keys import Count, Key
from cachery.ports.clock import Clock
from cachery.ports.store import Cause
from cachery.statistics.counters import Counters
from cachery.statistics.stats import CacheStats
from cachery.statistics.uses import Uses

__all__ = ["ReportingCache"]

_FOREIGN_SIGNATURE = (
    "%s holds values that another secret signed, and so counts as not holding them: give all who share it the same "
    "secret= or CACHERY_SECRET"
)


class ReportingCache(Cache):
    """What a cache over a store knows of itself; as an ``Observer`` it hears what the store does.

    ``stats`` are those of this object: what other processes do with the store, their own count.
    """

    def __init__(
        self, default_ttl: Duration | None, *, clock: Clock | None, name: Key | None, max_size: int | None
    ) -> None:
        if name is not None and not isinstance(name, str):
            raise CacheValueError(f"name is a str, not {type(name).__name__}")
        if clock is not None and not callable(clock):
            raise CacheValueError(f"clock is a function that returns seconds, not {type(clock).__name__}")
        self.name = name
        self.max_size = max_size
        self._default_ttl = default_ttl
        self.clock = clock
        self._counters = Counters(clock)
        self._uses = Uses()
        self._stats = CacheStats.of(self._counters, self)
        self._listeners: tuple[Listener, ...] = ()
        self._is_closed = False
        self._is_warned = False
        self._is_awaited = False
        self._tiers_down: set[str] = set()
        self._look: Callable[[str], Any] | None = None  # into what is at hand in memory, where that is quicker to ask

    @property
    def default_ttl(self) -> Duration | None:
        """The TTL of an entry stored without one, as it was given."""
        return self._default_ttl

    @property
    def stats(self) -> CacheStats:
        """The numbers of this object, live. Called, it returns itself."""
        return self._stats

    def hottest_keys(self, n: Count) -> list[tuple[str, int]]:
        """Return the ``n`` keys most read through this object, each with about how often it was read."""
        return self._uses.hottest(n)

    def forget_hits(self) -> None:
        """Let the counts behind ``hottest_keys`` begin again."""
        self._uses.reset()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` with each event of this object from now on; return a function that ends it."""
        end = listening(listener, self._unsubscribe)
        self.check_open()
        self._listeners = (*self._listeners, listener)
        return end

    def _unsubscribe(self, listener: Listener) -> None:
        self._listeners = without(self._listeners, listener)

    def _report(self, event: Event) -> None:
        notify(self._listeners, event)

    # What the store reports (``ports.store.Observer``)

    def stored(self, key: Key) -> None:
        """Count a value that was written."""
        self._counters.count("writes")
        if self._listeners:
            self._report(Stored(self.name, key))

    def evicted(self, key: Key, cause: Cause) -> None:
        """Count an entry that left."""
        self._counters.count("evictions")
        self._report(Evicted(self.name, key, cause))

    def expired(self, key: Key) -> None:
        """Count an entry whose time is over."""
        self._counters.count("expirations")
        self._report(Expired(self.name, key))

    def removed(self, count: Count) -> None:
        """Count entries that were dead by a tag."""
        self._counters.count("deletes", count)

    @property
    def degraded(self) -> bool:
        """Whether a server that this cache needs did not answer when it was last asked."""
        return bool(self._tiers_down)

    def tier_down(self, tier: Key, error: Key) -> None:
        """Report that the server ``tier`` is away."""
        self._tiers_down.add(tier)
        self._report(TierDown(self.name, tier, error))

    def tier_up(self, tier: Key) -> None:
        """Report that the server ``tier`` is back."""
        self._tiers_down.discard(tier)
        self._report(TierUp(self.name, tier))

    def unreadable(self, key: Key, reason: Key) -> None:
        """Report what cannot be read; say once what to do about another's signature."""
        if reason == "secret" and not self._is_warned:
            import logging  # noqa: PLC0415 - loaded only when something is wrong

            self._is_warned = True
            logging.getLogger("cachery").warning(_FOREIGN_SIGNATURE, self)
        self._report(Unreadable(self.name, key, reason))

    def check_open(self) -> None:
        """Raise ``CacheClosedError`` on a closed cache."""
        if self._is_closed:
            raise CacheClosedError("the cache was closed", cache_name=self.name)
