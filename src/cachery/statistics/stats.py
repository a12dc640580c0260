"""``CacheStats``: the numbers of one cache, live or on their own."""

from __future__ import annotations

from typing import Any, Protocol, Self

from cachery.exceptions import CacheClosedError, CacheValueError
from cachery.model.durations import Duration
from cachery.model.durations import seconds as in_seconds
from cachery.ports.clock import Clock
from cachery.statistics.counters import COUNTED, Counters
from cachery.statistics.hot_keys import HotKeys

__all__ = ["CacheStats", "Census", "PartStats"]

_SNAPSHOT_KEYS = 100


class Census(Protocol):
    """What the numbers of a live cache need to ask of it."""

    @property
    def max_size(self) -> int | None:
        """The most entries there may be; ``None`` when there is no bound."""

    def __len__(self) -> int:
        """Return how many entries are live."""

    def hottest_keys(self, n: int) -> list[tuple[str, int]]:
        """Return the ``n`` most read keys, each with how often it was read."""

    def forget_hits(self) -> None:
        """Let the counts behind ``hottest_keys`` begin again."""


def _counter(name: str, meaning: str) -> Any:
    """Return a property that reads and writes one of the counters."""

    def read(stats: CacheStats) -> int:
        return int(getattr(stats._counters, name))

    def write(stats: CacheStats, value: int) -> None:
        setattr(stats._counters, name, value)

    return property(read, write, doc=meaning)


class CacheStats:
    """Counts of what was asked of a cache and what became of it.

    ``cache.stats`` is such an object, live: it shows the numbers of the moment. Made by hand it is a plain record to
    count with. Called, it returns itself, so that ``cache.stats()`` works too.

    >>> stats = CacheStats(hits=847, misses=153, size=312, max_size=1000, evictions=23)
    >>> stats.text()
    'Cache: 847/1000 hits (84.7%), 312/1000 entries, 23 evictions'
    >>> stats.record_hit("user:42")
    >>> stats.hits, f"{stats.hit_rate:.2%}", stats.hottest_keys(1)
    (848, '84.72%', [('user:42', 1)])
    """

    hits = _counter("hits", "Requests that found a live value.")
    misses = _counter("misses", "Requests that did not.")
    writes = _counter("writes", "Values stored.")
    deletes = _counter("deletes", "Entries removed on purpose: by key, pattern, tag or clearing, not by closing.")
    evictions = _counter("evictions", "Entries that left to make room.")
    expirations = _counter("expirations", "Entries removed because their time was over.")

    load_success = _counter("load_success", "Values that a loader returned.")
    load_failure = _counter("load_failure", "Values that a loader failed to return.")
    stale_hits = _counter("stale_hits", "Hits answered with a value past its time.")
    coalesced = _counter("coalesced", "Requests that waited for the load of another instead of loading too.")

    def __init__(  # noqa: PLR0913 - a record of independent numbers, all by name
        self,
        *,
        hits: int = 0,
        misses: int = 0,
        total_requests: int | None = None,
        size: int = 0,
        max_size: int = 0,
        evictions: int = 0,
        writes: int = 0,
        deletes: int = 0,
        expirations: int = 0,
        load_success: int = 0,
        load_failure: int = 0,
        stale_hits: int = 0,
        coalesced: int = 0,
        clock: Clock | None = None,
    ) -> None:
        self._counters = Counters(clock)
        self._census: Census | None = None
        self._keys = HotKeys()
        self._size, self._max_size, self._total = size, max_size, total_requests
        self.hits, self.misses, self.writes = hits, misses, writes
        self.evictions, self.deletes, self.expirations = evictions, deletes, expirations
        self.load_success, self.load_failure = load_success, load_failure
        self.stale_hits, self.coalesced = stale_hits, coalesced

    @classmethod
    def of(cls, counters: Counters, census: Census) -> Self:
        """Return the live numbers of the cache that counts in ``counters``."""
        stats = cls.__new__(cls)
        stats._counters, stats._census, stats._keys = counters, census, HotKeys()
        stats._size = stats._max_size = 0
        stats._total = None
        return stats

    def __call__(self) -> CacheStats:
        """Return the object itself: ``cache.stats`` and ``cache.stats()`` are one."""
        return self

    def __repr__(self) -> str:
        return f"<CacheStats {self.text()}>"

    @property
    def total_requests(self) -> int:
        """Requests in all: hits and misses, unless another number was given."""
        return int(self.hits + self.misses) if self._total is None else self._total

    @total_requests.setter
    def total_requests(self, value: int) -> None:
        self._total = value

    @property
    def size(self) -> int:
        """Live entries; 0 once the cache is closed."""
        if self._census is None:
            return self._size
        try:
            return len(self._census)
        except CacheClosedError:
            return 0

    @size.setter
    def size(self, value: int) -> None:
        self._size = value

    @property
    def max_size(self) -> int:
        """The most entries there may be; 0 when there is no bound."""
        return self._max_size if self._census is None else self._census.max_size or 0

    @max_size.setter
    def max_size(self, value: int) -> None:
        self._max_size = value

    @property
    def hit_rate(self) -> float:
        """Hits among all requests, 0.0 to 1.0; 0.0 when there were none."""
        return self.hits / self.total_requests if self.total_requests else 0.0

    @property
    def miss_rate(self) -> float:
        """Misses among all requests, 0.0 to 1.0; 0.0 when there were none."""
        return self.misses / self.total_requests if self.total_requests else 0.0

    @property
    def usage_percent(self) -> float:
        """How full the cache is, 0.0 to 100.0; 0.0 when it has no bound."""
        return 100.0 * self.size / self.max_size if self.max_size else 0.0

    @property
    def eviction_rate(self) -> float:
        """Evictions per write; 0.0 when nothing was written."""
        return self.evictions / self.writes if self.writes else 0.0

    def hit_rate_window(self, seconds: Duration = 60.0) -> float:
        """Return the hit rate of the last ``seconds``, 0.0 when nothing was asked in them.

        At its far edge the window is right to 64 hits, 64 misses and a quarter of a second, or to 5 % of its length
        where that is more. A cache that was given a clock reads it at every request: short windows are then exact.
        Raises ``CacheValueError`` for a span of 0 or less.
        """
        span = in_seconds(seconds, "seconds")
        if span <= 0:
            raise CacheValueError(f"seconds must be above 0, not {seconds!r}")
        return self._counters.hit_rate_since(span)

    def hottest_keys(self, n: int = 10) -> list[tuple[str, int]]:
        """Return the ``n`` most read keys and how often each was read, the most read first.

        Of a live memory cache these are exact counts of the entries it holds now.
        """
        if isinstance(n, bool) or not isinstance(n, int) or n < 0:
            raise CacheValueError(f"n is a number of keys, 0 or more, not {n!r}")
        return self._keys.hottest(n) if self._census is None else self._census.hottest_keys(n)

    def text(self) -> str:
        """Return one line for a person."""
        return (
            f"Cache: {self.hits}/{self.total_requests} hits ({self.hit_rate:.1%}), "
            f"{self.size}/{self.max_size} entries, {self.evictions} evictions"
        )

    def record_hit(self, key: str = "") -> None:
        """Count a hit, and a use of ``key`` when it is not empty."""
        self._counters.hit()
        self._count_request()
        if key:
            self._keys.use(key)

    def record_miss(self, key: str = "") -> None:
        """Count a miss. ``key`` is taken for symmetry; misses are not counted by key."""
        del key
        self._counters.miss()
        self._count_request()

    def record_write(self) -> None:
        """Count a value stored."""
        self._counters.count("writes")

    def record_eviction(self) -> None:
        """Count an entry that left to make room."""
        self._counters.count("evictions")

    def record_delete(self) -> None:
        """Count an entry removed on purpose."""
        self._counters.count("deletes")

    def reset(self) -> None:
        """Set everything but the sizes of a live cache and ``max_size`` to 0."""
        self._counters.reset()
        self._keys.reset()
        self._size = 0
        self._total = None
        if self._census is not None:
            self._census.forget_hits()

    def snapshot(self) -> CacheStats:
        """Return the numbers of this moment, with the window and the hundred hottest keys; they stay as they are."""
        copy = CacheStats.__new__(CacheStats)
        copy._counters, copy._census = self._counters.copy(), None
        copy._keys = HotKeys.holding(self.hottest_keys(_SNAPSHOT_KEYS))
        copy._size, copy._max_size, copy._total = self.size, self.max_size, self._total
        for name in COUNTED:
            setattr(copy, name, getattr(self, name))
        return copy

    def to_dict(self) -> dict[str, int | float]:
        """Return the numbers as plain data: ``hit_rate`` to four places, ``usage_percent`` to one."""
        counts = {name: int(getattr(self, name)) for name in COUNTED}
        return {
            **counts,
            "total_requests": self.total_requests,
            "hit_rate": round(self.hit_rate, 4),
            "size": self.size,
            "max_size": self.max_size,
            "usage_percent": round(self.usage_percent, 1),
        }

    def _count_request(self) -> None:
        if self._total is not None:
            self._total += 1


class PartStats(CacheStats):
    """The numbers of a part of a cache: evictions and expirations, which a part cannot tell, are those of the whole."""

    _whole: CacheStats

    @classmethod
    def within(cls, whole: CacheStats, counters: Counters, census: Census) -> PartStats:
        """Return the live numbers of the part that counts in ``counters``."""
        stats = cls.of(counters, census)
        stats._whole = whole
        return stats

    @property
    def evictions(self) -> int:
        """Entries that left the whole cache to make room."""
        return int(self._whole.evictions)

    @property
    def expirations(self) -> int:
        """Entries of the whole cache removed because their time was over."""
        return int(self._whole.expirations)
