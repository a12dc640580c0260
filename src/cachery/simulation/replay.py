"""Replays a trace through a memory cache."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from cachery.in_memory import InMemoryCache
from cachery.model.sizes import bytes_of
from cachery.ports.clock import Clock, stopwatch
from cachery.simulation.workload import Unit, Workload, bytes_in, is_in_bytes, keys_of, sizes_of

__all__ = ["Progress", "Replay", "replay_trace"]

_REQUESTS_A_STEP = 4096

Progress: TypeAlias = Callable[[int], object]
"""Called now and then with how many requests were made since the last time."""


@dataclass(frozen=True, slots=True)
class Replay:
    """What came of a trace under a ``policy`` in a cache of ``size``, ``None`` for no bound, counted in ``unit``.

    ``nanoseconds``: what one request took on average, storing what it missed included. ``bytes_hit`` of
    ``bytes_requested`` are there when the trace has sizes.
    """

    policy: str
    size: int | None
    hits: int
    requests: int
    nanoseconds: float
    bytes_hit: int | None = None
    bytes_requested: int | None = None
    unit: Unit = "entries"

    @property
    def hit_ratio(self) -> float:
        """Hits among all requests, 0.0 to 1.0; 0.0 when there were none."""
        return self.hits / self.requests if self.requests else 0.0

    @property
    def byte_hit_ratio(self) -> float | None:
        """Bytes of hits among all bytes asked for, 0.0 to 1.0; ``None`` when the trace has no sizes."""
        if self.bytes_hit is None or self.bytes_requested is None:
            return None
        return self.bytes_hit / self.bytes_requested if self.bytes_requested else 0.0


def replay_trace(
    trace: Workload,
    policy: str,
    size: int | None,
    *,
    unit: Unit = "entries",
    progress: Progress | None = None,
    clock: Clock = stopwatch,
) -> Replay:
    """Ask a new cache for each key of ``trace`` and store what it misses, without a TTL; return what came of it.

    ``size`` is how many entries, or in the ``unit`` ``"bytes"`` how many bytes of values, the cache has room for.
    ``progress`` is called every few thousand requests and at the end, outside the time taken. ``clock`` takes the time.
    Raises ``CacheValueError`` for a policy or size that no cache can have, and for bytes of a trace without sizes.

    >>> replayed = replay_trace(["a", "b", "a"], policy="lru", size=2)
    >>> replayed.hits, replayed.requests
    (1, 3)
    """
    keys, sizes = keys_of(trace), sizes_of(trace)
    if is_in_bytes(unit):
        sizes, size = bytes_in(trace), None if size is None else bytes_of(size, "size")
    taken = 0.0
    bytes_hit = 0
    with _cache_for(policy, size, unit) as cache:
        for start in range(0, len(keys), _REQUESTS_A_STEP):
            step = slice(start, start + _REQUESTS_A_STEP)
            began = clock()
            if sizes is None:
                _request(cache, keys[step])
            else:
                bytes_hit += _request_sized(cache, keys[step], sizes[step])
            taken += clock() - began
            if progress is not None:
                progress(len(keys[step]))
        hits = cache.stats.hits
    hit, requested = (None, None) if sizes is None else (bytes_hit, sum(sizes))
    return Replay(policy, size, hits, len(keys), 1e9 * taken / max(len(keys), 1), hit, requested, unit)


def _cache_for(policy: str, size: int | None, unit: Unit) -> InMemoryCache:
    """Return a new cache. One that is bounded in bytes is given the sizes of values in the place of values."""
    if size is None or unit == "entries":
        return InMemoryCache(size, policy=policy)
    return InMemoryCache(max_bytes=size, weigher=lambda _, stored: stored, policy=policy)


def _request(cache: InMemoryCache, keys: Sequence[str]) -> None:
    get, store = cache.get, cache.set
    for key in keys:
        if get(key) is None:
            store(key, True)


def _request_sized(cache: InMemoryCache, keys: Sequence[str], sizes: Sequence[int]) -> int:
    """Do the same; return the bytes of the hits."""
    get, store = cache.get, cache.set
    hit = 0
    for key, size in zip(keys, sizes, strict=True):
        if get(key) is None:
            store(key, size)
        else:
            hit += size
    return hit
