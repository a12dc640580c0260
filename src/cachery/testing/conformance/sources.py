"""What an entry depends on: names, files, versions, other keys."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from cachery.cache import Cache
from cachery.engine.context import LoadContext
from cachery.exceptions import CacheInvalidationError, CacheValueError
from cachery.model.sentinels import MISSING
from cachery.sources.source import File, Key, Version
from cachery.testing.conformance.ground import Ground

__all__ = ["SourceTests"]

NO_SOURCES: list[Any] = ["schema", Key("other"), File("/etc/hosts"), 1, [None], [("schema",)], ["\x1f"]]


class Made:
    """A loader that counts its calls, and does something first."""

    def __init__(self, first: Any = None) -> None:
        self.count = 0
        self.first = first

    def __call__(self) -> int:
        self.count += 1
        if self.first is not None:
            self.first()
        return self.count


class SourceTests(Ground):
    """``depends_on=`` of ``set`` and the loading verbs."""

    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        """Return the path of a file that can be changed."""
        path = tmp_path / "source.txt"
        path.write_text("one")
        return path

    def test_a_name_is_invalidated_as_a_tag(self, cache: Cache) -> None:
        cache.set("a", 1, depends_on=["schema"])
        cache.get_or_set("b", Made(), depends_on=["schema"], tags=["red"])
        cache.set("c", 3, depends_on=["other"])
        assert cache.get_many(["a", "b", "c"]) == {"a": 1, "b": 1, "c": 3}
        cache.invalidate_tags("schema")
        assert cache.get_many(["a", "b", "c"]) == {"c": 3}

    def test_a_file_that_changes_makes_what_depends_on_it_a_miss(self, cache: Cache, file: Path) -> None:
        cache.set("a", 1, depends_on=[file])
        cache.set("b", 2, depends_on=[str(file)])  # a name: nobody looks at the file
        assert cache.get_many(["a", "b"]) == {"a": 1, "b": 2}
        file.write_text("two, and longer")
        assert cache.get("a") is None
        assert cache.get_many(["a", "b"]) == {"b": 2}
        assert not cache.exists("a")
        assert cache.ttl("a") is None
        assert cache.touch("a", 10) is False
        assert cache.add("a", 3) is True

    def test_a_file_that_comes_or_goes_has_changed(self, cache: Cache, file: Path) -> None:
        absent = file.with_name("absent.txt")
        cache.set("a", 1, depends_on=[file])
        cache.set("b", 2, depends_on=[File(absent, "hash")])
        assert cache.get_many(["a", "b"]) == {"a": 1, "b": 2}
        file.unlink()
        absent.write_text("here")
        assert cache.get_many(["a", "b"]) == {}

    def test_by_content_a_file_that_was_only_touched_is_the_same(self, cache: Cache, file: Path) -> None:
        cache.set("by stat", 1, depends_on=[File(file)])
        cache.set("by hash", 2, depends_on=[File(file, "hash")])
        os.utime(file, (1, 1))
        for _ in range(2):
            assert cache.get_many(["by stat", "by hash"]) == {"by hash": 2}
        file.write_text("two")
        assert cache.get("by hash") is None

    def test_a_file_that_nobody_looks_at_is_invalidated_by_its_tag(self, cache: Cache, file: Path) -> None:
        source = File(file, "never")
        cache.set("a", 1, depends_on=[source])
        cache.set("b", 2, depends_on=[File(file)])
        file.write_text("two, and longer")
        assert cache.get_many(["a", "b"]) == {"a": 1}
        cache.set("b", 2, depends_on=[File(file)])
        cache.invalidate_tags(source.tag)
        assert cache.get_many(["a", "b"]) == {}

    def test_another_version_is_another_entry(self, cache: Cache) -> None:
        cache.set("a", 1, depends_on=[Version("conformance", 1)])
        assert cache.get("a") == 1
        Version("conformance", 2)
        assert cache.get("a") is None
        cache.set("a", 2, depends_on=[Version("conformance", 2)])
        assert cache.get("a") == 2

    def test_a_key_takes_along_what_depends_on_it(self, cache: Cache) -> None:
        changes: list[Callable[[], object]] = [
            lambda: cache.set("a", 2),
            lambda: cache.delete("a"),
            lambda: cache.incr("a"),
        ]
        for change in changes:
            cache.set("a", 1)
            cache.set("b", 2, depends_on=[Key("a")])
            cache.set("c", 3, depends_on=[Key("b")])
            cache.set("d", 4, depends_on=[Key("b"), Key("a"), Key("c")])
            cache.set("e", 5)
            assert cache.get_many(["b", "c", "d"]) == {"b": 2, "c": 3, "d": 4}
            change()
            assert cache.get_many(["b", "c", "d", "e"]) == {"e": 5}

    def test_what_invalidates_a_key_reaches_what_depends_on_it(self, cache: Cache, file: Path) -> None:
        cache.set("a", 1, tags=["red"], depends_on=[file])
        changes: list[Callable[[], object]] = [
            lambda: cache.invalidate_tags("red"),
            lambda: file.write_text("two, and longer"),
        ]
        for change in changes:
            cache.set("a", 1, tags=["red"], depends_on=[file])
            cache.set("b", 2, depends_on=[Key("a")])
            cache.set("c", 3, depends_on=[Key("b")])
            assert cache.get("c") == 3
            change()
            assert cache.get_many(["a", "b", "c"]) == {}

    def test_what_depends_on_a_key_is_over_when_that_is(self, cache: Cache) -> None:
        cache.set("a", 1, ttl=10)
        cache.set("b", 2, ttl=1000, depends_on=[Key("a")])
        self.advance(5)
        assert cache.get("b") == 2
        self.advance(6)
        assert cache.get("b") is None

    def test_a_circle_is_refused_and_changes_nothing(self, cache: Cache) -> None:
        cache.set("a", 1)
        cache.set("b", 2, depends_on=[Key("a")])
        cache.set("c", 3, depends_on=[Key("b")])
        for circle in ("a", "b", "c"):
            with pytest.raises(CacheInvalidationError, match="cannot depend on"):
                cache.set("a", 4, depends_on=[Key(circle)])
        with pytest.raises(CacheInvalidationError, match="cannot depend on"):
            cache.get_or_set("z", Made(), depends_on=[Key("z")])
        assert cache.get_many(["a", "b", "c"]) == {"a": 1, "b": 2, "c": 3}

    def test_what_is_no_source_is_refused(self, cache: Cache) -> None:
        cache.set("a", 1)
        for bad in NO_SOURCES:
            with pytest.raises(CacheValueError):
                cache.set("a", 2, depends_on=bad)
            with pytest.raises(CacheValueError):
                cache.get_or_set("b", Made(), depends_on=bad)
        assert cache.get("a") == 1

    def test_sources_are_looked_at_before_the_load(self, cache: Cache, file: Path) -> None:
        def change() -> None:
            file.write_text("changed in the middle")

        load = Made(change)
        assert cache.get_or_set("a", load, depends_on=[file]) == 1
        assert cache.get("a") is None
        load.first = None
        assert [cache.get_or_set("a", load, depends_on=[file]) for _ in range(2)] == [2, 2]

    def test_a_load_follows_its_file(self, cache: Cache, file: Path) -> None:
        load = Made()
        assert [cache.get_or_set("a", load, depends_on=[file]) for _ in range(2)] == [1, 1]
        file.write_text("two, and longer")
        assert [cache.get_or_set("a", load, depends_on=[file]) for _ in range(2)] == [2, 2]

    def test_many_loads_depend_on_the_same(self, cache: Cache, file: Path) -> None:
        def load(keys: list[str]) -> dict[str, int]:
            return {key: len(keys) for key in keys}

        assert cache.get_many_or_set(["a", "b"], load, depends_on=[file, "schema"]) == {"a": 2, "b": 2}
        cache.invalidate_tags("schema")
        assert cache.get_many(["a", "b"]) == {}
        assert cache.get_many_or_set(["a"], load, depends_on=[file, "schema"]) == {"a": 1}
        file.write_text("two, and longer")
        assert cache.get("a") is None

    def test_a_loader_may_load_what_it_depends_on(self, cache: Cache) -> None:
        inner = Made()
        outer = Made(lambda: cache.get_or_set("inner", inner))
        for _ in range(3):
            cache.get_or_set("outer", outer, depends_on=[Key("inner")])
        assert (outer.count, inner.count) == (1, 1)
        cache.delete("inner")
        for _ in range(3):
            cache.get_or_set("outer", outer, depends_on=[Key("inner")])
        assert (outer.count, inner.count) == (2, 2)

    def test_a_key_that_changes_during_the_load_makes_it_a_miss(self, cache: Cache) -> None:
        cache.set("a", 1)
        cache.get_or_set("b", Made(lambda: cache.set("a", 2)), depends_on=[Key("a")])
        assert cache.get("b") is None

    def test_tags_of_the_loader_do_not_replace_its_sources(self, cache: Cache, file: Path) -> None:
        def load(context: LoadContext) -> int:
            context.tags = ["red"]
            return 1

        cache.get_or_set("a", load, depends_on=[file, "schema"])
        cache.invalidate_tags("schema")
        assert cache.get("a") is None
        cache.get_or_set("a", load, depends_on=[file, "schema"])
        file.write_text("two, and longer")
        assert cache.get("a", MISSING) is MISSING

    def test_what_has_changed_is_never_served_stale(self, cache: Cache, file: Path) -> None:
        load = Made()
        assert cache.get_or_set("a", load, 10, stale_ttl=1000, depends_on=[file]) == 1
        self.advance(20)
        file.write_text("two, and longer")
        assert cache.get_or_set("a", load, 10, stale_ttl=1000, depends_on=[file]) == 2

    def test_what_was_made_of_a_key_that_somebody_else_wrote_meanwhile_is_not_kept(self, cache: Cache) -> None:
        changes: list[Callable[[], object]] = [
            lambda: cache.set("inner", 2),
            lambda: cache.delete("inner"),
            lambda: cache.set("inner", 1) and cache.delete("inner"),
        ]
        for change in changes:
            cache.clear()

            def load(change: Callable[[], object] = change) -> Any:
                value = cache.get_or_set("inner", lambda: 1)
                change()
                return value

            assert cache.get_or_set("outer", load, depends_on=[Key("inner")]) == 1
            assert cache.get("outer") is None

    def test_a_key_that_is_dead_is_not_there(self, cache: Cache) -> None:
        cache.set("a", 1, tags=["red"])
        cache.invalidate_tags("red")
        load = Made()
        assert [cache.get_or_set("b", load, depends_on=[Key("a")]) for _ in range(3)] == [1, 1, 1]
        cache.set("a", 2)
        assert cache.get("b") is None

    def test_who_joins_is_asked_about_what_the_key_depends_on(self, cache: Cache) -> None:
        cache.set("a", 1, tags=["red"])
        loads: list[int] = []
        has_begun, has_begun_again, may_end = Event(), Event(), Event()

        def load() -> int:
            loads.append(1)
            number = len(loads)
            if number > 1:
                has_begun_again.set()
                return number
            has_begun.set()
            may_end.wait(30)
            return number

        def ask() -> Any:
            return cache.get_or_set("b", load, depends_on=[Key("a")])

        with ThreadPoolExecutor(2) as pool:
            first = pool.submit(ask)
            has_begun.wait(30)
            cache.invalidate_tags("red")
            second = pool.submit(ask)
            has_begun_again.wait(0.2)  # where it waits for the lease of the other, it does not join its load
            may_end.set()
            assert (first.result(30), second.result(30)) == (1, 2)

    def test_what_has_changed_is_not_listed_nor_removed(self, cache: Cache, file: Path) -> None:
        cache.set("a", 1, depends_on=[file])
        cache.set("b", 2)
        file.write_text("two, and longer")
        assert list(cache.keys()) == ["b"]
        assert (cache.delete("a"), cache.delete("b")) == (False, True)
