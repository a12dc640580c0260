"""The cache that stores nothing refuses the same things and counts its misses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cachery import MISSING, Cache, NullCache
from cachery.events import Event, Invalidated, Miss
from cachery.exceptions import CacheClosedError, CacheKeyError, CacheValueError
from cachery.testing.conformance.arguments import BAD_KEYS, BAD_TAGS, BAD_TTLS, KEY_VERBS, TTL_VERBS
from cachery.testing.conformance.closing import VERBS


def test_it_stores_nothing() -> None:
    cache = NullCache()
    assert cache.set("a", 1) is False
    assert cache.set_many({"a": 1}) is False
    assert cache.set_many({}) is True
    assert cache.add("a", 1) is False
    assert cache.incr("a", 5, initial=10) == 15
    assert cache.decr("a") == -1
    assert cache.get("a", MISSING) is MISSING
    assert cache.get_many(["a"]) == {}
    assert cache.delete("a") is False
    assert cache.delete_many(["a"]) == cache.delete_pattern("*") == cache.cleanup_expired() == len(cache) == 0
    assert cache.touch("a", 5) is False
    assert cache.ttl("a") is None
    assert list(cache.keys()) == []
    assert not cache.has("a")
    assert cache.clear() is True
    cache.invalidate_tags("red")


def test_its_numbers_are_true() -> None:
    cache = NullCache()
    cache.get("a")
    cache.get_many(["a", "b"])
    stats = cache.stats()
    assert (stats.hits, stats.misses, stats.writes, stats.size, stats.max_size) == (0, 3, 0, 0, 0)
    assert stats.hit_rate_window() == 0.0
    assert stats.hottest_keys() == []
    stats.reset()
    assert stats.total_requests == 0


def test_it_reports_what_happens() -> None:
    cache = NullCache(name="off")
    seen: list[Event] = []
    first, second = cache.subscribe(seen.append), cache.subscribe(seen.append)
    cache.get("a")
    first()
    first()
    cache.invalidate_tags("red")
    second()
    cache.clear()
    assert seen == [Miss("off", "a"), Miss("off", "a"), Invalidated("off", "tag", "red")]


@pytest.mark.parametrize("verb", KEY_VERBS)
def test_a_key_is_text(verb: Callable[[Cache, Any], object]) -> None:
    for key in BAD_KEYS:
        if not (isinstance(key, list) and verb is KEY_VERBS[-1]):
            with pytest.raises(CacheKeyError):
                verb(NullCache(), key)


@pytest.mark.parametrize("verb", TTL_VERBS)
def test_a_ttl_is_a_time_span(verb: Callable[[Cache, Any], object]) -> None:
    for ttl in BAD_TTLS:
        with pytest.raises(CacheValueError, match="ttl"):
            verb(NullCache(), ttl)


def test_other_arguments_are_checked_too() -> None:
    cache = NullCache()
    for tags in BAD_TAGS:
        with pytest.raises(CacheValueError, match="tag"):
            cache.set("a", 1, tags=tags)  # type: ignore[arg-type]
    bad: list[Callable[[], object]] = [
        lambda: cache.set("a", 1, cost=-1),
        lambda: cache.keys(5),  # type: ignore[arg-type]
        lambda: cache.delete_pattern(None),  # type: ignore[arg-type]
        lambda: cache.incr("a", 1.5),  # type: ignore[arg-type]
        lambda: cache.subscribe(5),  # type: ignore[arg-type]
    ]
    for call in bad:
        with pytest.raises(CacheValueError):
            call()


@pytest.mark.parametrize("verb", VERBS)
def test_closed_it_refuses_every_verb(verb: Callable[[Cache], object]) -> None:
    cache = NullCache()
    with cache:
        pass
    with pytest.raises(CacheClosedError):
        verb(cache)
    assert repr(cache) == "<NullCache>"
