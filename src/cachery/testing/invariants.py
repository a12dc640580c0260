"""A look inside a cache: what must hold whatever was done to it."""

from __future__ import annotations

import gc
from typing import Any

from cachery.in_memory import InMemoryCache
from cachery.statistics.counters import COUNTED

__all__ = ["check_invariants"]


def check_invariants(cache: Any) -> None:
    """Raise ``AssertionError`` unless links, sizes and counters of ``cache`` agree, and no load is under way.

    Of a cache that stands before another, ``NamespacedCache`` or one of ``cachery.aio``, it is the other that counts.

    >>> from cachery import InMemoryCache
    >>> check_invariants(InMemoryCache())
    """
    beneath = getattr(cache, "blocking", None) or getattr(cache, "cache", None)
    if beneath is not None:
        check_invariants(beneath)
        return
    audited = cache if isinstance(cache, InMemoryCache) else getattr(cache, "store", None)
    complaints = [] if audited is None else _audit(audited)
    stats = cache.stats
    complaints += [f"{name} is {getattr(stats, name)}" for name in COUNTED if getattr(stats, name) < 0]
    if stats.total_requests != stats.hits + stats.misses:
        complaints.append(f"{stats.hits} hits and {stats.misses} misses make {stats.total_requests} requests")
    flights = cache.engine.core.flights
    if len(flights):
        complaints.append(f"{len(flights)} loads are under way")
    if complaints:
        raise AssertionError("; ".join(complaints))


def _audit(store: Any) -> list[str]:
    """Return what is wrong inside. No garbage is collected meanwhile: a finalizer might change the cache."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        complaints: list[str] = store.audit()
        return complaints
    finally:
        if was_enabled:
            gc.enable()
