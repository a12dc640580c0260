"""Which keys are asked for: how often, and when last. In bounded memory; to count takes constant time."""

from __future__ import annotations

from typing import Any

from cachery.exceptions import CacheKeyError, CacheValueError
from cachery.keys.text import check_whole
from cachery.locks import make_lock
from cachery.model.durations import Duration, seconds
from cachery.ports.clock import Clock, monotonic
from cachery.statistics.hot_keys import HotKeys

__all__ = ["AccessTracker"]


class AccessTracker:
    """Counts accesses of at most ``max_keys`` keys. Thread-safe.

    Counts are exact as long as there are no more keys than that. Then a new key takes over the place, and the count, of
    one that is used least: what is hot stays, and no count is too high by more than the accesses by ``max_keys``.

    Raises ``CacheValueError`` for ``max_keys`` below 1.

    >>> tracker = AccessTracker()
    >>> for key in ["a", "b", "a"]:
    ...     tracker.record_access(key)
    >>> tracker.get_access_count("a"), tracker.get_hot_keys(threshold=2), tracker.get_recent_keys()
    (2, ['a'], ['a', 'b'])
    """

    def __init__(self, max_keys: int = 10000, *, clock: Clock = monotonic) -> None:
        check_whole(max_keys=max_keys)
        if max_keys < 1:
            raise CacheValueError(f"max_keys is 1 or more, not {max_keys}")
        self._max_keys = max_keys
        self._clock = clock
        self._lock = make_lock()
        self._counts = HotKeys(max_keys)
        self._seen_at: dict[Any, float] = {}

    def __repr__(self) -> str:
        return f"<AccessTracker of {len(self._seen_at)} keys>"

    def record_access(self, key: Any) -> None:
        """Count one access of ``key``, now. Raises ``CacheKeyError`` for what can be no key."""
        if key is None or not hasattr(type(key), "__hash__") or type(key).__hash__ is None:
            raise CacheKeyError(f"{type(key).__name__} can be no key")
        now = self._clock()
        self._counts.use(key)
        with self._lock:
            self._seen_at.pop(key, None)
            self._seen_at[key] = now  # at the end: the dictionary is in the order of the last access
            if len(self._seen_at) > self._max_keys:
                del self._seen_at[next(iter(self._seen_at))]

    def get_access_count(self, key: Any) -> int:
        """Return how often ``key`` was accessed; 0 when it is not known. Goes through all that are."""
        return dict(self._counts.hottest(self._max_keys)).get(key, 0)

    def get_hot_keys(self, threshold: int = 5, limit: int = 100) -> list[Any]:
        """Return at most ``limit`` keys with ``threshold`` accesses or more, the hottest first."""
        return [key for key, count in self._counts.hottest(limit) if count >= threshold]

    def get_recent_keys(self, seconds: Duration = 300.0, limit: int = 100) -> list[Any]:
        """Return at most ``limit`` keys that were accessed in the last ``seconds``, the last one first."""
        since = self._clock() - _span(seconds)
        with self._lock:
            keys: list[Any] = []
            for key, at in reversed(self._seen_at.items()):
                if at < since or len(keys) >= limit:
                    break
                keys.append(key)
            return keys

    def clear(self) -> None:
        """Forget all."""
        self._counts.reset()
        with self._lock:
            self._seen_at.clear()


def _span(given: Duration) -> float:
    return seconds(given, "seconds")
