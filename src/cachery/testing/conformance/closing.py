"""The end of a cache, and what it must not allow."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable

import pytest

from cachery.cache import Cache
from cachery.exceptions import CacheClosedError
from cachery.testing.conformance.ground import Ground

__all__ = ["ClosingTests"]

VERBS: list[Callable[[Cache], object]] = [
    lambda cache: cache.get("key"),
    lambda cache: cache.set("key", 1),
    lambda cache: cache.set("new", 1, ttl=5, tags=["t"]),
    lambda cache: cache.set("key", 1, ttl=0),
    lambda cache: cache.add("key", 1),
    lambda cache: cache.delete("key"),
    lambda cache: cache.exists("key"),
    lambda cache: cache.has("key"),
    lambda cache: "key" in cache,
    lambda cache: cache.clear(),
    lambda cache: cache.get_many(["key"]),
    lambda cache: cache.set_many({"key": 1}),
    lambda cache: cache.delete_many(["key"]),
    lambda cache: cache.incr("key"),
    lambda cache: cache.decr("key"),
    lambda cache: cache.touch("key", 5),
    lambda cache: cache.ttl("key"),
    lambda cache: cache.keys(),
    len,
    lambda cache: cache.delete_pattern("*"),
    lambda cache: cache.invalidate_tags("t"),
    lambda cache: cache.cleanup_expired(),
    lambda cache: cache.subscribe(print),
]


class ClosingTests(Ground):
    """``close``, ``with``, and no copies."""

    @pytest.mark.parametrize("verb", VERBS)
    def test_a_closed_cache_refuses_every_verb(self, verb: Callable[[Cache], object]) -> None:
        cache = self.make_cache()
        cache.set("key", 1)
        cache.close()
        cache.close()
        with pytest.raises(CacheClosedError):
            verb(cache)

    def test_with_closes(self) -> None:
        with self.make_cache() as cache:
            cache.set("key", 1)
        with pytest.raises(CacheClosedError):
            cache.get("key")

    def test_a_cache_is_neither_pickled_nor_copied(self, cache: Cache) -> None:
        for copier in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError, match="cannot be pickled or copied"):
                copier(cache)
