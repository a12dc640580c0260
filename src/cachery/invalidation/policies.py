"""Who leaves an ``InvalidationManager``, and when: policies that look at entries, for those who write their own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from cachery.model.durations import Duration, seconds
from cachery.ports.clock import monotonic

__all__ = [
    "CacheEntry",
    "FIFOPolicy",
    "InvalidationPolicy",
    "InvalidationStrategy",
    "LFUPolicy",
    "LRUPolicy",
    "TTLPolicy",
]


class InvalidationStrategy(Enum):
    """The ways in which entries leave."""

    TTL = "ttl"
    LRU = "lru"
    LFU = "lfu"
    FIFO = "fifo"
    TAG_BASED = "tag_based"
    VERSION_BASED = "version_based"


@dataclass(slots=True)
class CacheEntry:
    """What a policy sees of an entry. Times are seconds of ``clock``; ``ttl_seconds``: ``None`` for no end.

    >>> entry = CacheEntry("answer", 42, ttl_seconds=0.0)
    >>> entry.is_expired
    True
    """

    key: str
    value: Any
    created_at: float = field(default=-1.0)
    last_accessed: float = field(default=-1.0)
    access_count: int = 0
    ttl_seconds: float | None = None
    tags: set[str] = field(default_factory=set)
    version: int = 1
    clock: Callable[[], float] = field(default=monotonic, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.created_at < 0:
            self.created_at = self.clock()
        if self.last_accessed < 0:
            self.last_accessed = self.created_at

    @property
    def is_expired(self) -> bool:
        """Whether its time is over."""
        return self.ttl_seconds is not None and self.clock() - self.created_at >= self.ttl_seconds

    def touch(self) -> None:
        """Note that it was read now."""
        self.last_accessed = self.clock()
        self.access_count += 1


class InvalidationPolicy(ABC):
    """Decides which entries leave. Derive from it for a policy of one's own, which is asked at each read and write.

    ``strategy`` names one of the policies that a cache knows by itself; ``None``: this class is asked.

    >>> class Largest(InvalidationPolicy):
    ...     def should_evict(self, entry: CacheEntry) -> bool:
    ...         return entry.is_expired
    ...     def select_for_eviction(self, entries):
    ...         return max(entries, key=lambda key: len(entries[key].value), default=None)
    """

    strategy: InvalidationStrategy | None = None

    @abstractmethod
    def should_evict(self, entry: CacheEntry) -> bool:
        """Tell whether ``entry`` is to leave, whether room is needed or not."""

    @abstractmethod
    def select_for_eviction(self, entries: Mapping[str, CacheEntry]) -> str | None:
        """Return the key of the entry that leaves to make room; ``None`` when none does."""


class _Timed(InvalidationPolicy):
    """Lets go of what is over, whether room is needed or not."""

    def should_evict(self, entry: CacheEntry) -> bool:
        """Tell whether the time of ``entry`` is over."""
        return entry.is_expired


class TTLPolicy(_Timed):
    """Who is over first leaves first. ``default_ttl``: of entries stored without one; seconds or text."""

    strategy = InvalidationStrategy.TTL

    def __init__(self, default_ttl: Duration = 300.0) -> None:
        self.default_ttl = seconds(default_ttl, "default_ttl")

    def select_for_eviction(self, entries: Mapping[str, CacheEntry]) -> str | None:
        """Return the key of the entry that is over first."""
        return min(entries, key=lambda key: _end_of(entries[key]), default=None)


class LRUPolicy(_Timed):
    """Who was not read for the longest time leaves first."""

    strategy = InvalidationStrategy.LRU

    def select_for_eviction(self, entries: Mapping[str, CacheEntry]) -> str | None:
        """Return the key of the entry that was read longest ago."""
        return min(entries, key=lambda key: entries[key].last_accessed, default=None)


class LFUPolicy(_Timed):
    """Who was read least leaves first, the oldest of them."""

    strategy = InvalidationStrategy.LFU

    def select_for_eviction(self, entries: Mapping[str, CacheEntry]) -> str | None:
        """Return the key of the entry that was read least."""
        return min(entries, key=lambda key: (entries[key].access_count, entries[key].last_accessed), default=None)


class FIFOPolicy(_Timed):
    """Who came first leaves first."""

    strategy = InvalidationStrategy.FIFO

    def select_for_eviction(self, entries: Mapping[str, CacheEntry]) -> str | None:
        """Return the key of the entry that was stored first."""
        return min(entries, key=lambda key: entries[key].created_at, default=None)


def _end_of(entry: CacheEntry) -> float:
    return float("inf") if entry.ttl_seconds is None else entry.created_at + entry.ttl_seconds
