"""Storing, reading, removing; one and many."""

from __future__ import annotations

import pytest

from cachery.cache import Cache
from cachery.model.sentinels import MISSING
from cachery.testing.conformance.ground import Ground

__all__ = ["VerbTests"]

KEYS = ["", " ", "a", "user:42", "a/../b?c=[d]*", "ключ", "🔑" * 3, "x" * 10_000, "nul\0byte", "line\nbreak", "\ud800"]


class VerbTests(Ground):
    """The plain verbs."""

    @pytest.mark.parametrize("key", KEYS)
    def test_any_text_is_a_key(self, cache: Cache, key: str) -> None:
        assert cache.set(key, "value") is True
        assert cache.get(key) == "value"
        assert list(cache.keys()) == [key]
        assert cache.delete(key) is True
        assert cache.get(key) is None

    def test_an_absent_key_gives_the_default(self, cache: Cache) -> None:
        assert cache.get("absent") is None
        assert cache.get("absent", "default") == "default"
        assert cache.get("absent", MISSING) is MISSING

    @pytest.mark.parametrize("value", [None, False, 0, "", [], {}])
    def test_every_value_is_one_none_and_empty_too(self, cache: Cache, value: object) -> None:
        cache.set("key", value)
        assert cache.get("key", MISSING) == value
        assert cache.exists("key")

    def test_setting_again_replaces(self, cache: Cache) -> None:
        cache.set("key", 1)
        cache.set("key", 2)
        assert cache.get("key") == 2
        assert len(cache) == 1

    def test_add_stores_only_what_is_absent(self, cache: Cache) -> None:
        assert cache.add("key", 1) is True
        assert cache.add("key", 2) is False
        assert cache.get("key") == 1
        cache.delete("key")
        assert cache.add("key", 3) is True

    def test_add_takes_a_stored_none_for_present(self, cache: Cache) -> None:
        cache.set("key", None)
        assert cache.add("key", 1) is False

    def test_delete_says_whether_it_was_there(self, cache: Cache) -> None:
        cache.set("key", 1)
        assert cache.delete("key") is True
        assert cache.delete("key") is False

    def test_three_ways_to_ask_for_presence(self, cache: Cache) -> None:
        cache.set("key", 1)
        assert cache.exists("key")
        assert cache.has("key")
        assert "key" in cache
        assert not cache.exists("other")
        assert not cache.has("other")
        assert "other" not in cache

    def test_clear_removes_all_and_is_true_on_an_empty_cache(self, cache: Cache) -> None:
        cache.set_many({"a": 1, "b": 2})
        assert cache.clear() is True
        assert len(cache) == 0
        assert cache.get("a") is None
        assert cache.clear() is True

    def test_a_cleared_cache_is_as_good_as_new(self, cache: Cache) -> None:
        cache.set("a", 1, tags=["t"])
        cache.clear()
        cache.set("a", 2, tags=["t"])
        assert cache.get("a") == 2

    def test_many_at_once(self, cache: Cache) -> None:
        assert cache.set_many({"a": 1, "b": None, "c": 3}) is True
        assert cache.get_many(["a", "b", "x"]) == {"a": 1, "b": None}
        assert cache.get_many(iter(["c"])) == {"c": 3}
        assert cache.get_many([]) == {}
        assert cache.delete_many(["a", "c", "x"]) == 2
        assert sorted(cache.keys()) == ["b"]
        assert cache.set_many({}) is True

    def test_len_counts_entries_and_an_empty_cache_is_true(self, cache: Cache) -> None:
        assert len(cache) == 0
        assert cache
        cache.set_many({"a": 1, "b": 2})
        assert len(cache) == 2

    def test_keys_by_glob(self, cache: Cache) -> None:
        cache.set_many(dict.fromkeys(["user:1", "user:2", "User:1", "mail:1", "a[b]c", "a*c"], 0))
        assert sorted(cache.keys("user:*")) == ["user:1", "user:2"]
        assert sorted(cache.keys("*:1")) == ["User:1", "mail:1", "user:1"]
        assert sorted(cache.keys("user:[!1]")) == ["user:2"]
        assert sorted(cache.keys("????:1")) == ["User:1", "mail:1", "user:1"]
        assert list(cache.keys("a[*]c")) == ["a*c"]
        assert list(cache.keys("nothing")) == []
        assert len(list(cache.keys())) == 6

    def test_keys_may_change_while_one_goes_through_them(self, cache: Cache) -> None:
        cache.set_many({str(number): number for number in range(50)})
        for key in cache.keys("*"):
            cache.delete(key)
            cache.set(f"new {key}", 0)
        assert len(cache) == 50
