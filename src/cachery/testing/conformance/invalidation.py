"""Removing by pattern and by tag."""

from __future__ import annotations

from cachery.cache import Cache
from cachery.testing.conformance.ground import Ground

__all__ = ["InvalidationTests"]


class InvalidationTests(Ground):
    """What many entries have in common, removed at once."""

    def test_a_pattern_removes_what_it_matches(self, cache: Cache) -> None:
        cache.set_many(dict.fromkeys(["user:1", "user:2", "mail:1"], 0))
        assert cache.delete_pattern("user:*") == 2
        assert list(cache.keys()) == ["mail:1"]
        assert cache.delete_pattern("user:*") == 0

    def test_a_pattern_knows_cases_and_sets(self, cache: Cache) -> None:
        cache.set_many(dict.fromkeys(["a1", "A1", "a2", "b1"], 0))
        assert cache.delete_pattern("[ab]1") == 2
        assert cache.delete_pattern("[!a]*") == 1
        assert list(cache.keys()) == ["a2"]

    def test_a_tag_reaches_every_entry_that_carries_it(self, cache: Cache) -> None:
        cache.set("a", 1, tags=["red"])
        cache.set("b", 2, tags=["red", "round"])
        cache.set("c", 3, tags=["round"])
        cache.set("d", 4)
        cache.invalidate_tags("red")
        assert cache.get_many("abcd".strip() and ["a", "b", "c", "d"]) == {"c": 3, "d": 4}
        assert not cache.exists("a")
        assert sorted(cache.keys()) == ["c", "d"]
        assert cache.ttl("b") is None

    def test_several_tags_at_once_and_none(self, cache: Cache) -> None:
        cache.set("a", 1, tags=["red"])
        cache.set("b", 2, tags=["round"])
        cache.invalidate_tags()
        assert len(cache) == 2
        cache.invalidate_tags("red", "round", "unknown")
        assert cache.get_many(["a", "b"]) == {}

    def test_what_is_stored_after_an_invalidation_lives(self, cache: Cache) -> None:
        cache.set("a", 1, tags=["red"])
        cache.invalidate_tags("red")
        cache.set("a", 2, tags=["red"])
        assert cache.get("a") == 2
        cache.invalidate_tags("red")
        assert cache.get("a") is None

    def test_new_contents_bring_new_tags(self, cache: Cache) -> None:
        cache.set("a", 1, tags=["red"])
        cache.set("a", 2, tags=["blue"])
        cache.invalidate_tags("red")
        assert cache.get("a") == 2
        cache.set("a", 3)
        cache.invalidate_tags("blue")
        assert cache.get("a") == 3

    def test_tags_stay_with_an_entry_that_is_touched_or_counted_up(self, cache: Cache) -> None:
        cache.set("a", 1, tags=["red"])
        cache.set("n", 1, tags=["red"])
        cache.touch("a", 100)
        cache.incr("n")
        cache.invalidate_tags("red")
        assert cache.get_many(["a", "n"]) == {}

    def test_add_and_incr_take_an_entry_dead_by_tag_for_absent(self, cache: Cache) -> None:
        cache.set("a", 1, tags=["red"])
        cache.set("n", 10, tags=["red"])
        cache.invalidate_tags("red")
        assert cache.add("a", 2) is True
        assert cache.incr("n") == 1
        assert cache.touch("a", 10) is True

    def test_cleanup_takes_the_dead_by_tag_along(self, cache: Cache) -> None:
        cache.set("a", 1, tags=["red"])
        cache.set("b", 2)
        cache.invalidate_tags("red")
        cache.cleanup_expired()
        assert len(cache) == 1

    def test_many_thousand_tags_are_forgotten_without_harm(self, cache: Cache) -> None:
        cache.set("kept", 1, tags=["kept"])
        cache.set("lost", 1, tags=["lost"])
        cache.invalidate_tags("lost")
        for number in range(3000):
            cache.invalidate_tags(f"tag {number}")
        assert cache.get_many(["kept", "lost"]) == {"kept": 1}
        cache.invalidate_tags("kept")
        assert cache.get("kept") is None
