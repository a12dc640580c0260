"""Statistics."""

from __future__ import annotations

import pytest

from cachery.cache import Cache
from cachery.exceptions import CacheValueError
from cachery.testing.conformance.ground import Ground

__all__ = ["CountingTests"]


class CountingTests(Ground):
    """The numbers are exact and live."""

    def test_one_object_three_ways_to_reach_it(self, cache: Cache) -> None:
        assert cache.stats is cache.stats() is cache.get_stats()

    def test_hits_and_misses(self, cache: Cache) -> None:
        cache.set("a", 1)
        cache.get("a")
        cache.get("a")
        cache.get("b")
        cache.get_many(["a", "b"])
        stats = cache.stats
        assert (stats.hits, stats.misses, stats.total_requests) == (3, 2, 5)
        assert stats.hit_rate == 0.6
        assert stats.miss_rate == 0.4

    def test_asking_without_reading_counts_nothing(self, cache: Cache) -> None:
        cache.set("a", 1)
        cache.exists("a")
        cache.has("b")
        assert "a" in cache
        cache.ttl("a")
        list(cache.keys())
        assert cache.stats.total_requests == 0

    def test_an_expired_entry_is_a_miss_and_an_expiration(self, cache: Cache) -> None:
        cache.set("a", 1, ttl=10)
        self.advance(10)
        cache.get("a")
        assert (cache.stats.hits, cache.stats.misses, cache.stats.expirations) == (0, 1, int(self.tells_of_expiry))

    def test_writes_and_deletes(self, cache: Cache) -> None:
        cache.set("a", 1)
        cache.set("a", 2)
        cache.add("a", 3)
        cache.add("b", 1)
        cache.incr("n")
        cache.set("z", 1, ttl=0)
        assert cache.stats.writes == 4
        cache.delete("a")
        cache.delete("a")
        cache.delete_pattern("b")
        assert cache.stats.deletes == 2
        cache.clear()
        assert cache.drain(30), "a server reclaims the room in the background"
        assert cache.stats.deletes == 3

    def test_the_rate_of_a_window(self, cache: Cache) -> None:
        cache.set("a", 1)
        for _ in range(100):
            cache.get("a")
        assert cache.stats.hit_rate_window(60) == 1.0
        self.advance(61)
        assert cache.stats.hit_rate_window(60) == 0.0
        for _ in range(10):
            cache.get("absent")
        cache.get("a")
        assert cache.stats.hit_rate_window(seconds=60.0) == pytest.approx(1 / 11)
        assert cache.stats.hit_rate_window(1000) == pytest.approx(101 / 111)
        assert cache.stats.hit_rate_window("2m") == pytest.approx(101 / 111)

    def test_the_hottest_keys(self, cache: Cache) -> None:
        for count, key in enumerate("abcd"):
            cache.set(key, 1)
            for _ in range(count):
                cache.get(key)
        assert cache.stats.hottest_keys(2) == [("d", 3), ("c", 2)]
        assert cache.stats.hottest_keys(n=10) == [("d", 3), ("c", 2), ("b", 1)]
        assert cache.stats.hottest_keys(0) == []

    @pytest.mark.parametrize("n", [-1, 1.5, True, None])
    def test_a_number_of_keys_is_checked(self, cache: Cache, n: int) -> None:
        with pytest.raises(CacheValueError):
            cache.stats.hottest_keys(n)

    def test_a_snapshot_stays(self, cache: Cache) -> None:
        cache.set("a", 1)
        cache.get("a")
        before = cache.stats.snapshot()
        cache.get("a")
        cache.get("b")
        self.advance(100)
        assert (before.hits, before.misses, before.size) == (1, 0, 1)
        assert before.hit_rate_window(60) == 1.0
        assert before.hottest_keys() == [("a", 1)]
        assert cache.stats.hits == 2

    def test_reset_begins_anew(self, cache: Cache) -> None:
        cache.set("a", 1)
        cache.get("a")
        cache.stats.reset()
        assert cache.stats.to_dict() | {"max_size": 0, "usage_percent": 0.0} == {
            "hits": 0,
            "misses": 0,
            "writes": 0,
            "deletes": 0,
            "evictions": 0,
            "expirations": 0,
            "load_success": 0,
            "load_failure": 0,
            "stale_hits": 0,
            "coalesced": 0,
            "total_requests": 0,
            "hit_rate": 0.0,
            "size": 1,
            "max_size": 0,
            "usage_percent": 0.0,
        }
        assert cache.stats.hit_rate_window() == 0.0
        assert cache.get("a") == 1
