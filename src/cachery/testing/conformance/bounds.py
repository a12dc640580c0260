"""A bound of entries, for caches that take one."""

from __future__ import annotations

import pytest

from cachery.events import Evicted, Stored
from cachery.testing.conformance.events import events_of
from cachery.testing.conformance.ground import Ground

__all__ = ["BoundTests"]


class BoundTests(Ground):
    """``max_size``: what is too much leaves, and is counted."""

    def test_size_and_bound(self) -> None:
        with self.make_cache(max_size=4) as cache:
            cache.set("a", 1)
            stats = cache.stats
            assert (stats.size, stats.max_size, stats.usage_percent) == (1, 4, 25.0)
            for key in "bcdef":
                cache.set(key, 1)
            assert (stats.size, stats.evictions) == (4, 2)
            assert stats.eviction_rate == pytest.approx(2 / 6)
            assert stats.text() == "Cache: 0/0 hits (0.0%), 4/4 entries, 2 evictions"

    def test_eviction_names_its_cause(self) -> None:
        with self.make_cache(max_size=1) as cache:
            seen = events_of(cache)
            cache.set("a", 1)
            cache.set("b", 1)
            assert seen == [(Stored, "a"), (Evicted, "a", "size"), (Stored, "b")]

    def test_a_bound_is_never_exceeded(self) -> None:
        with self.make_cache(max_size=3) as cache:
            for number in range(20):
                cache.set(str(number), number)
                assert len(cache) <= 3
            assert len(cache) == 3
            assert cache.stats.evictions == 17
