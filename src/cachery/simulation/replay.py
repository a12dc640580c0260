"""Replays a trace through a memory cache."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from cachery.in_memory import InMemoryCache
from cachery.ports.clock import Clock, stopwatch

__all__ = ["Progress", "Replay", "replay_trace"]

_REQUESTS_A_STEP = 4096

Progress: TypeAlias = Callable[[int], object]
"""Called now and then with how many requests were made since the last time."""


@dataclass(frozen=True, slots=True)
class Replay:
    """What came of a trace under a ``policy`` in a cache of ``size`` entries, ``None`` for no bound.

    ``nanoseconds``: what one request took on average, storing what it missed included.
    """

    policy: str
    size: int | None
    hits: int
    requests: int
    nanoseconds: float

    @property
    def hit_ratio(self) -> float:
        """Hits among all requests, 0.0 to 1.0; 0.0 when there were none."""
        return self.hits / self.requests if self.requests else 0.0


def replay_trace(
    trace: Sequence[str],
    policy: str,
    size: int | None,
    *,
    progress: Progress | None = None,
    clock: Clock = stopwatch,
) -> Replay:
    """Ask a new cache for each key of ``trace`` and store what it misses, without a TTL; return what came of it.

    ``progress`` is called every few thousand requests and at the end, outside the time taken. ``clock`` takes the time.
    Raises ``CacheValueError`` for a policy or size that no cache can have.

    >>> replayed = replay_trace(["a", "b", "a"], policy="lru", size=2)
    >>> replayed.hits, replayed.requests
    (1, 3)
    """
    taken = 0.0
    with InMemoryCache(size, policy=policy) as cache:
        for start in range(0, len(trace), _REQUESTS_A_STEP):
            step = trace[start : start + _REQUESTS_A_STEP]
            taken += _timed_requests(cache, step, clock)
            if progress is not None:
                progress(len(step))
        hits = cache.stats.hits
    return Replay(policy, size, hits, len(trace), 1e9 * taken / max(len(trace), 1))


def _timed_requests(cache: InMemoryCache, keys: Sequence[str], clock: Clock) -> float:
    get, store = cache.get, cache.set
    start = clock()
    for key in keys:
        if get(key) is None:
            store(key, True)
    return clock() - start
