"""Counting in a cache."""

from __future__ import annotations

import math

import pytest

from cachery.cache import Cache
from cachery.exceptions import CacheValueError
from cachery.testing.conformance.ground import Ground

__all__ = ["NumberTests"]


class NumberTests(Ground):
    """``incr`` and ``decr``."""

    def test_an_absent_number_begins_at_initial(self, cache: Cache) -> None:
        assert cache.incr("a") == 1
        assert cache.incr("a", 5) == 6
        assert cache.incr("b", 2, initial=10) == 12
        assert cache.decr("c") == -1
        assert cache.decr("c", 2, initial=100) == -3
        assert cache.get_many(["a", "b", "c"]) == {"a": 6, "b": 12, "c": -3}

    def test_numbers_have_no_bound(self, cache: Cache) -> None:
        cache.set("big", 2**62)
        assert cache.incr("big", 2**62) == 2**63

    def test_ttl_and_initial_count_only_at_creation(self, cache: Cache) -> None:
        cache.incr("n", ttl=10)
        self.advance(4)
        assert cache.incr("n", initial=100, ttl=1000) == 2
        assert cache.ttl("n") == pytest.approx(6, abs=1)
        self.advance(6)
        assert cache.incr("n") == 1
        assert cache.ttl("n") == math.inf

    @pytest.mark.parametrize("value", ["1", 1.0, None, True, [1]])
    def test_only_whole_numbers_count(self, cache: Cache, value: object) -> None:
        cache.set("n", value)
        with pytest.raises(CacheValueError, match="not an int"):
            cache.incr("n")
        assert cache.get("n") == value

    @pytest.mark.parametrize("by", ["1", 1.5, None, True])
    def test_only_whole_numbers_are_added(self, cache: Cache, by: int) -> None:
        for count in (cache.incr, cache.decr):
            with pytest.raises(CacheValueError, match="by must be an int"):
                count("n", by)
        with pytest.raises(CacheValueError, match="initial must be an int"):
            cache.incr("n", initial=by)
        assert not cache.exists("n")

    def test_a_number_that_is_over_at_once_is_not_kept(self, cache: Cache) -> None:
        assert cache.incr("n", 3, ttl=0) == 3
        assert not cache.exists("n")
