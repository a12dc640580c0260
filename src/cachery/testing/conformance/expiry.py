"""Time to live."""

from __future__ import annotations

import math
from datetime import timedelta

import pytest

from cachery.cache import Cache
from cachery.model.durations import HUNDRED_YEARS, Duration
from cachery.model.sentinels import FOREVER, MISSING
from cachery.testing.conformance.ground import Ground

__all__ = ["ExpiryTests"]

FIVE_MINUTES = [300, 300.0, "300", "5m", "300s", "300000ms", " 4m 60s ", timedelta(minutes=5)]
OVER = [0, 0.0, -1, -0.5, "0", "0s", timedelta(0), timedelta(seconds=-1), -math.inf]
NEVER = [math.inf, FOREVER]
LONG = [1e30, 10**400, timedelta.max, "99999w"]


class ExpiryTests(Ground):
    """When entries are over, and when not."""

    @pytest.mark.parametrize("ttl", FIVE_MINUTES)
    def test_an_entry_lives_for_its_ttl(self, cache: Cache, ttl: Duration) -> None:
        cache.set("key", 1, ttl=ttl)
        assert cache.ttl("key") == pytest.approx(300, abs=1)
        self.advance(299)
        assert cache.get("key") == 1
        self.advance(1)
        assert cache.get("key") is None
        assert not cache.exists("key")
        assert cache.ttl("key") is None

    @pytest.mark.parametrize("ttl", OVER)
    def test_a_ttl_of_nothing_removes(self, cache: Cache, ttl: Duration) -> None:
        cache.set("key", 1)
        assert cache.set("key", 2, ttl=ttl) is False
        assert cache.get("key", MISSING) is MISSING
        assert cache.add("other", 1, ttl=ttl) is False
        assert len(cache) == 0

    @pytest.mark.parametrize("ttl", NEVER)
    def test_an_entry_without_an_end(self, ttl: Duration) -> None:
        with self.make_cache(default_ttl=10) as cache:
            cache.set("key", 1, ttl=ttl)
            assert cache.ttl("key") == math.inf
            self.advance(1e6)
            assert cache.get("key") == 1

    @pytest.mark.parametrize("ttl", LONG)
    def test_a_ttl_ends_at_a_hundred_years(self, cache: Cache, ttl: Duration) -> None:
        cache.set("key", 1, ttl=ttl)
        assert cache.ttl("key") == pytest.approx(HUNDRED_YEARS, rel=1e-6)

    def test_none_is_the_default_of_the_cache(self) -> None:
        with self.make_cache(default_ttl=10) as cache:
            cache.set("key", 1)
            cache.set("own", 1, ttl=20)
            self.advance(10)
            assert list(cache.keys()) == ["own"]

    def test_without_a_default_nothing_expires(self, cache: Cache) -> None:
        cache.set("key", 1)
        assert cache.ttl("key") == math.inf
        self.advance(1e6)
        assert cache.get("key") == 1

    def test_setting_again_begins_a_new_life(self, cache: Cache) -> None:
        cache.set("key", 1, ttl=10)
        self.advance(9)
        cache.set("key", 2, ttl=10)
        self.advance(9)
        assert cache.get("key") == 2
        cache.set("key", 3)
        assert cache.ttl("key") == math.inf

    def test_add_takes_an_expired_key_for_absent(self, cache: Cache) -> None:
        cache.set("key", 1, ttl=10)
        self.advance(10)
        assert cache.add("key", 2, ttl=5) is True
        assert cache.ttl("key") == pytest.approx(5, abs=1)

    def test_the_dead_are_not_counted(self, cache: Cache) -> None:
        cache.set_many({"a": 1, "b": 2}, ttl=10)
        cache.set("c", 3, ttl=20)
        self.advance(10)
        assert len(cache) == 1
        assert cache.stats.size == 1
        assert list(cache.keys()) == ["c"]
        assert cache.delete("a") is False
        assert cache.delete_many(["a", "b"]) == 0
        assert cache.delete_pattern("*") == 1

    def test_touch_moves_the_end(self, cache: Cache) -> None:
        cache.set("key", 1, ttl=10)
        assert cache.touch("key", 100) is True
        self.advance(50)
        assert cache.get("key") == 1
        assert cache.ttl("key") == pytest.approx(50, abs=1)
        assert cache.touch("key", FOREVER) is True
        assert cache.ttl("key") == math.inf
        assert cache.touch("absent", 100) is False

    def test_touch_without_a_ttl_gives_the_default(self) -> None:
        with self.make_cache(default_ttl=10) as cache:
            cache.set("key", 1, ttl=100)
            assert cache.touch("key") is True
            assert cache.ttl("key") == pytest.approx(10, abs=1)

    def test_touch_with_nothing_deletes(self, cache: Cache) -> None:
        cache.set("key", 1)
        assert cache.touch("key", 0) is True
        assert not cache.exists("key")
        assert cache.touch("key", 0) is False

    def test_touch_does_not_wake_the_dead(self, cache: Cache) -> None:
        cache.set("key", 1, ttl=10)
        self.advance(10)
        assert cache.touch("key", 100) is False
        assert cache.get("key") is None

    def test_cleanup_removes_the_dead_and_counts_them(self, cache: Cache) -> None:
        cache.set_many({"a": 1, "b": 2}, ttl=10)
        cache.set("c", 3)
        assert cache.cleanup_expired() == 0
        self.advance(10)
        dead = 2 if self.tells_of_expiry else 0
        assert cache.cleanup_expired() == dead
        assert cache.cleanup_expired() == 0
        assert cache.stats.expirations == dead
        assert cache.get("c") == 3

    def test_a_fraction_of_a_second_counts(self, cache: Cache) -> None:
        cache.set("key", 1, ttl="250ms")
        assert cache.get("key") == 1
        self.advance(0.5)
        assert cache.get("key") is None
