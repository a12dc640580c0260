"""A look inside a cache: what must hold whatever was done to it."""

from __future__ import annotations

from cachery.cache import Cache
from cachery.in_memory import InMemoryCache
from cachery.namespaced import NamespacedCache
from cachery.statistics.counters import COUNTED

__all__ = ["check_invariants"]


def check_invariants(cache: Cache) -> None:
    """Raise ``AssertionError`` unless links, sizes and counters of ``cache`` agree.

    >>> from cachery import InMemoryCache
    >>> check_invariants(InMemoryCache())
    """
    if isinstance(cache, NamespacedCache):
        check_invariants(cache.cache)
        return
    complaints = cache.audit() if isinstance(cache, InMemoryCache) else []
    stats = cache.stats
    complaints += [f"{name} is {getattr(stats, name)}" for name in COUNTED if getattr(stats, name) < 0]
    if stats.total_requests != stats.hits + stats.misses:
        complaints.append(f"{stats.hits} hits and {stats.misses} misses make {stats.total_requests} requests")
    if complaints:
        raise AssertionError("; ".join(complaints))
