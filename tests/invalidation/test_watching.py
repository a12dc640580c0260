"""Editing a watched file makes exactly its dependants miss."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from pathlib import Path
from queue import Queue
from typing import Any

import pytest

import cachery.aio
from cachery import CacheConnectionError, CacheInvalidationError, CacheValueError, InMemoryCache, NamespacedCache
from cachery.invalidation import DependencyGraph, File, Watch, watch

LONG = 30.0


class Changes:
    """The paths that have changed, as they are told."""

    def __init__(self) -> None:
        self._told: Queue[frozenset[str]] = Queue()

    def __call__(self, paths: frozenset[str]) -> None:
        self._told.put(paths)

    def wait_for(self, path: Path) -> None:
        """Wait until ``path`` was told to have changed."""
        while str(path) not in self._told.get(timeout=LONG):
            pass


@pytest.fixture
def cache() -> InMemoryCache:
    return InMemoryCache()


@pytest.fixture
def changes() -> Changes:
    return Changes()


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("a.txt", "b.txt", "deep/c.txt"):
        path = tmp_path / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path / "tree"


@pytest.fixture(name="watched")
def watch_of_the_tree(cache: InMemoryCache, changes: Changes, tree: Path) -> Iterator[Watch]:
    for path in sorted(tree.rglob("*.txt")):
        cache.set(path.name, 1, depends_on=[File(path, "never")])
    with watch(cache, [tree], on_change=changes) as watching:
        yield watching


def test_a_file_that_is_edited_makes_exactly_its_dependants_miss(
    cache: InMemoryCache, changes: Changes, tree: Path, watched: Watch
) -> None:
    (tree / "a.txt").write_text("new")
    changes.wait_for(tree / "a.txt")
    assert sorted(cache.keys()) == ["b.txt", "c.txt"]
    assert watched.is_running


@pytest.mark.usefixtures("watched")
def test_a_directory_that_is_moved_away_takes_its_files_along(
    cache: InMemoryCache, changes: Changes, tree: Path
) -> None:
    (tree / "deep").rename(tree.parent / "elsewhere")
    changes.wait_for(tree / "deep" / "c.txt")
    assert sorted(cache.keys()) == ["a.txt", "b.txt"]
    cache.set("c.txt", 2, depends_on=[File(tree / "deep" / "c.txt", "never")])
    (tree.parent / "elsewhere").rename(tree / "deep")
    changes.wait_for(tree / "deep" / "c.txt")
    assert sorted(cache.keys()) == ["a.txt", "b.txt"]


def test_a_watched_directory_that_vanishes_is_watched_for_its_return(
    cache: InMemoryCache, changes: Changes, tree: Path, watched: Watch
) -> None:
    shutil.rmtree(tree)
    changes.wait_for(tree / "a.txt")
    for _ in range(2):  # it comes back, and another time
        cache.set("a.txt", 2, depends_on=[File(tree / "a.txt", "never")])
        shutil.rmtree(tree, ignore_errors=True)
        tree.mkdir()
        (tree / "a.txt").write_text("back")
        changes.wait_for(tree / "a.txt")
        assert "a.txt" not in cache
    assert watched.is_running


def test_a_file_that_is_replaced_stays_watched(cache: InMemoryCache, changes: Changes, tree: Path) -> None:
    path, other = tree / "a.txt", tree / "b.txt"
    with watch(cache, [path], on_change=changes):
        for text in ("one", "two"):
            cache.set("a", 1, depends_on=[File(path, "never")])
            cache.set("b", 1, depends_on=[File(other, "never")])
            other.write_text(text)
            draft = tree / "draft"
            draft.write_text(text)
            draft.rename(path)
            changes.wait_for(path)
            assert list(cache.keys()) == ["b"]
        path.unlink()
        cache.set("a", 1, depends_on=[File(path, "never")])
        path.write_text("again")
        changes.wait_for(path)
        assert list(cache.keys()) == ["b"]


def test_what_follows_from_a_file_is_invalidated_with_it(cache: InMemoryCache, changes: Changes, tree: Path) -> None:
    graph = DependencyGraph(cache)
    graph.add("ast", depends_on=[tree / "a.txt"])
    cache.set("tree", 1, depends_on=["ast"])
    cache.set("other", 2, depends_on=["other"])
    with watch(graph, [tree], on_change=changes):
        (tree / "a.txt").write_text("new")
        changes.wait_for(tree / "a.txt")
    assert list(cache.keys()) == ["other"]


def test_files_reach_into_namespaces_and_asynchronous_caches(changes: Changes, tree: Path) -> None:
    cache = cachery.aio.InMemoryCache()
    part = NamespacedCache(cache.blocking, "part")
    part.set("a", 1, depends_on=[File(tree / "a.txt", "never")])
    with watch(cache, [tree], on_change=changes):
        (tree / "a.txt").write_text("new")
        changes.wait_for(tree / "a.txt")
    assert "a" not in part


def test_one_who_is_told_and_fails_stops_nothing(
    cache: InMemoryCache, tree: Path, caplog: pytest.LogCaptureFixture
) -> None:
    told = Changes()

    def fail(paths: frozenset[str]) -> None:
        told(paths)
        raise ValueError("no")

    with caplog.at_level(logging.WARNING, "cachery"), watch(cache, [tree], on_change=fail):
        for text in ("one", "two"):
            (tree / "a.txt").write_text(text)
            told.wait_for(tree / "a.txt")
    assert "on_change failed" in caplog.text


def test_what_cannot_be_watched_is_refused(cache: InMemoryCache, tree: Path) -> None:
    with pytest.raises(CacheInvalidationError, match="its directory is not there"):
        watch(cache, [tree / "nowhere" / "a.txt"])
    bad: Any
    for bad in ([], None, str(tree), [1], [""]):
        with pytest.raises(CacheValueError):
            watch(cache, bad)
    with pytest.raises(CacheValueError, match="on_change"):
        watch(cache, [tree], on_change=3)  # type: ignore[arg-type]
    with pytest.raises(CacheValueError, match="not in dict"):
        watch({}, [tree])


def test_the_watch_of_a_cache_that_is_closed_ends(
    cache: InMemoryCache, tree: Path, caplog: pytest.LogCaptureFixture
) -> None:
    watching = watch(cache, [tree])
    cache.close()
    with caplog.at_level(logging.INFO, "cachery"):
        (tree / "a.txt").write_text("new")
        watching._thread.join(LONG)
    assert not watching.is_running
    assert [record.levelname for record in caplog.records] == ["INFO"]


def test_one_who_is_told_may_close_the_watch(cache: InMemoryCache, tree: Path) -> None:
    closing: list[Watch] = []
    watching = watch(cache, [tree], on_change=lambda _: closing[0].close())
    closing.append(watching)
    (tree / "a.txt").write_text("new")
    watching._thread.join(LONG)
    assert not watching.is_running


class Failing:
    """A cache that fails to invalidate, for a while."""

    def __init__(self, cache: InMemoryCache, failures: int) -> None:
        self.cache, self.failures = cache, failures

    def invalidate_tags(self, *tags: str) -> None:
        if self.failures:
            self.failures -= 1
            raise CacheConnectionError("away")
        self.cache.invalidate_tags(*tags)


def test_what_could_not_be_invalidated_is_owed(cache: InMemoryCache, changes: Changes, tree: Path) -> None:
    with watch(Failing(cache, 2), [tree], on_change=changes):
        cache.set("c", 1, depends_on=[File(tree / "deep" / "c.txt", "never")])
        (tree / "deep").rename(tree.parent / "elsewhere")
        changes.wait_for(tree / "deep" / "c.txt")
    assert "c" not in cache


def test_where_the_system_does_not_let_us_watch_it_is_said(
    cache: InMemoryCache, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("no more watches")

    monkeypatch.setattr("cachery.invalidation.watching.changes_in", refuse)
    monkeypatch.setattr("cachery.invalidation.watching._PATIENCE", 0.05)
    with pytest.raises(CacheInvalidationError, match="no more watches"):
        watch(cache, [tree])


def test_a_watch_that_is_closed_watches_no_more(cache: InMemoryCache, tree: Path) -> None:
    watching = watch(cache, [tree])
    watching.close()
    watching.close()
    assert not watching.is_running
