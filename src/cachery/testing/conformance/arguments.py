"""Bad arguments: refused at the door, in words that help, and the cache stays as it was."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from cachery.cache import Cache
from cachery.exceptions import CacheKeyError, CacheValueError
from cachery.testing.conformance.ground import Ground

__all__ = ["ArgumentTests"]

BAD_KEYS = [None, 1, 1.5, True, b"bytes", ("a",), ["a"], object(), math.nan]
BAD_TTLS = [math.nan, True, False, "", "soon", "5 apples", "-5s", "nan", "inf", "5m5", b"5", [], (), object(), 1j]
BAD_TAGS = ["red", "", 5, None, [1], [None], [["red"]], b"red", [b"red"], ["\x1f"], ["\x1f?version\x1f1\x1fa"]]
BAD_COSTS = [math.nan, math.inf, -1, True, "1", []]
BAD_PATTERNS = [None, 1, b"*", ["*"]]
BAD_KEY_LISTS = ["ab", 5, None, [1], ["a", None], {1: 2}]

KEY_VERBS: list[Callable[[Cache, Any], object]] = [
    lambda cache, key: cache.get(key),
    lambda cache, key: cache.set(key, 1),
    lambda cache, key: cache.set(key, 1, ttl=0),
    lambda cache, key: cache.add(key, 1),
    lambda cache, key: cache.delete(key),
    lambda cache, key: cache.exists(key),
    lambda cache, key: cache.has(key),
    lambda cache, key: key in cache,
    lambda cache, key: cache.ttl(key),
    lambda cache, key: cache.touch(key, 10),
    lambda cache, key: cache.incr(key),
    lambda cache, key: cache.decr(key),
    lambda cache, key: cache.set_many({"fine": 1, key: 2}),
]
TTL_VERBS: list[Callable[[Cache, Any], object]] = [
    lambda cache, ttl: cache.set("key", 1, ttl),
    lambda cache, ttl: cache.set("key", 1, ttl=ttl, tags=["t"]),
    lambda cache, ttl: cache.add("new", 1, ttl),
    lambda cache, ttl: cache.touch("key", ttl),
    lambda cache, ttl: cache.incr("number", ttl=ttl),
    lambda cache, ttl: cache.decr("number", ttl=ttl),
    lambda cache, ttl: cache.set_many({"key": 1, "new": 2}, ttl),
]


class _Text(str):
    """Text that is unequal to all text, and cannot be hashed."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        raise AssertionError("a key compared itself")

    def __hash__(self) -> int:
        raise AssertionError("a key hashed itself")


class ArgumentTests(Ground):
    """One table of bad arguments over all verbs."""

    @pytest.fixture
    def filled(self, cache: Cache) -> Cache:
        """Return a cache that holds a key and a number."""
        cache.set_many({"key": "value", "number": 7})
        return cache

    def test_what_can_be_used_only_once_is_no_value(self, cache: Cache) -> None:
        async def work() -> None: ...

        async def items() -> Any:
            yield 1

        coroutine = work()
        for value in (coroutine, (number for number in range(3)), items()):
            for store in (cache.set, cache.add):
                with pytest.raises(CacheValueError, match="once"):
                    store("key", value)
            with pytest.raises(CacheValueError, match="once"):
                cache.set_many({"first": 1, "key": value})
        coroutine.close()
        assert len(cache) == 0

    @pytest.mark.parametrize("verb", KEY_VERBS)
    def test_a_key_is_text(self, filled: Cache, verb: Callable[[Cache, Any], object]) -> None:
        for key in BAD_KEYS:
            if isinstance(key, list) and verb is KEY_VERBS[-1]:
                continue  # a list cannot be the key of the mapping either
            with pytest.raises(CacheKeyError, match="a cache key is a str"):
                verb(filled, key)
        _is_untouched(filled)

    @pytest.mark.parametrize("verb", TTL_VERBS)
    def test_a_ttl_is_a_time_span(self, filled: Cache, verb: Callable[[Cache, Any], object]) -> None:
        for ttl in BAD_TTLS:
            with pytest.raises(CacheValueError, match="ttl"):
                verb(filled, ttl)
        _is_untouched(filled)

    def test_tags_are_texts(self, filled: Cache) -> None:
        for tags in BAD_TAGS:
            with pytest.raises(CacheValueError, match="tag"):
                filled.set("key", 1, tags=tags)  # type: ignore[arg-type]
        for tag in (1, None, b"red", ["red"], "\x1f?"):
            with pytest.raises(CacheValueError, match="tag"):
                filled.invalidate_tags("fine", tag)  # type: ignore[arg-type]
        _is_untouched(filled)

    def test_a_cost_is_a_number(self, filled: Cache) -> None:
        for cost in BAD_COSTS:
            with pytest.raises(CacheValueError, match="cost"):
                filled.set("key", 1, cost=cost)  # type: ignore[arg-type]
        _is_untouched(filled)

    def test_a_pattern_is_text(self, filled: Cache) -> None:
        for pattern in BAD_PATTERNS:
            with pytest.raises(CacheValueError, match="pattern"):
                filled.keys(pattern)  # type: ignore[arg-type]
            with pytest.raises(CacheValueError, match="pattern"):
                filled.delete_pattern(pattern)  # type: ignore[arg-type]
        _is_untouched(filled)

    def test_many_keys_are_a_collection_of_texts(self, filled: Cache) -> None:
        for keys in BAD_KEY_LISTS:
            with pytest.raises((CacheKeyError, CacheValueError)):
                filled.get_many(keys)  # type: ignore[arg-type]
            with pytest.raises((CacheKeyError, CacheValueError)):
                filled.delete_many(keys)  # type: ignore[arg-type]
        for mapping in ([("a", 1)], "ab", None, 5):
            with pytest.raises(CacheValueError, match="mapping"):
                filled.set_many(mapping)  # type: ignore[arg-type]
        _is_untouched(filled)

    def test_a_kind_of_text_is_taken_as_plain_text(self, cache: Cache) -> None:
        key = _Text("key")
        assert cache.set(key, 1, tags=[_Text("red")]) is True
        assert cache.get(key) == cache.get("key") == 1
        assert type(next(cache.keys())) is str
        cache.invalidate_tags(_Text("red"))
        assert cache.delete(key) is False


def _is_untouched(cache: Cache) -> None:
    assert cache.get_many(["key", "number"]) == {"key": "value", "number": 7}
    assert cache.ttl("key") == cache.ttl("number") == math.inf
    assert len(cache) == 2
