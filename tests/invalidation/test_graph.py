"""What follows from what, and how far an invalidation reaches."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cachery.aio
from cachery import CacheInvalidationError, CacheValueError, InMemoryCache
from cachery.events import Event, Invalidated
from cachery.invalidation import DependencyGraph, File, Key, Version


@pytest.fixture
def cache() -> InMemoryCache:
    return InMemoryCache()


def test_everything_downstream_is_reached_the_nearest_first(cache: InMemoryCache) -> None:
    graph = DependencyGraph(cache)
    graph.add("b", depends_on=["a"])
    graph.add("c", depends_on=["b"])
    graph.add("d", depends_on=["a"])
    for name in "abcd":
        cache.set(name, 1, depends_on=[name])
    assert graph.downstream("a") == ("a", "b", "d", "c")
    assert graph.upstream("c") == ("b", "a")
    assert graph.invalidate("b") == ("b", "c")
    assert sorted(cache.keys()) == ["a", "d"]


def test_a_diamond_is_reached_once(cache: InMemoryCache) -> None:
    graph = DependencyGraph(cache)
    for level in range(60):  # 2 ** 60 ways from top to bottom
        graph.add(f"left {level}", depends_on=[f"node {level}"])
        graph.add(f"right {level}", depends_on=[f"node {level}"])
        graph.add(f"node {level + 1}", depends_on=[f"left {level}", f"right {level}"])
    heard: list[Event] = []
    cache.subscribe(heard.append)
    reached = graph.invalidate("node 0")
    assert len(reached) == len(set(reached)) == 3 * 60 + 1
    assert len(heard) == len(reached)
    assert {event.cause for event in heard if isinstance(event, Invalidated)} == {"tag"}


def test_a_circle_is_refused_and_adds_nothing(cache: InMemoryCache) -> None:
    graph = DependencyGraph(cache)
    graph.add("b", depends_on=["a"])
    graph.add("c", depends_on=["b"])
    with pytest.raises(CacheInvalidationError, match="a cannot depend on c") as caught:
        graph.add("a", depends_on=["new", "c"])
    assert caught.value.context["depends_on"] == "c"
    assert graph.upstream("a") == ()
    with pytest.raises(CacheInvalidationError, match="cannot depend on a"):
        graph.add("a", depends_on=["a"])


def test_files_and_keys_are_sources_too(cache: InMemoryCache, tmp_path: Path) -> None:
    graph = DependencyGraph(cache)
    grammar = tmp_path / "grammar.lark"
    graph.add("ast", depends_on=[grammar])
    graph.add(Key("report"), depends_on=["ast"])
    cache.set("tree", 1, depends_on=["ast"])
    cache.set("direct", 1, depends_on=[File(grammar, "never")])
    cache.set("report", 2)
    cache.set("summary", 3, depends_on=[Key("report")])
    cache.set("other", 4)
    assert graph.invalidate(grammar) == (str(grammar), "ast", "report")
    assert list(cache.keys()) == ["other"]


def test_a_source_that_is_removed_passes_nothing_on(cache: InMemoryCache) -> None:
    graph = DependencyGraph(cache)
    graph.add("b", depends_on=["a"])
    graph.add("c", depends_on=["b"])
    assert (graph.remove("b"), graph.remove("b")) == (True, False)
    assert graph.downstream("a") == ("a",)
    assert graph.upstream("c") == ()
    graph.add("a", depends_on=["c"])
    assert graph.downstream("c") == ("c", "a")


@pytest.mark.parametrize("bad", ["name", 1, [1], [Version("graph", 1)], [["a"]]])
def test_what_is_no_source_is_refused(cache: InMemoryCache, bad: Any) -> None:
    graph = DependencyGraph(cache)
    with pytest.raises(CacheValueError):
        graph.add("x", depends_on=bad)
    assert len(graph) == 0


def test_a_graph_forgets_what_is_removed(cache: InMemoryCache) -> None:
    graph = DependencyGraph(cache)
    for number in range(10):
        graph.add(f"a{number}", depends_on=["common", f"b{number}"])
        graph.remove(f"a{number}")
    assert len(graph) == 0


def test_each_kind_of_cache_is_asked_in_its_way(cache: InMemoryCache) -> None:
    cache.set("x", 1, depends_on=["a"])
    with pytest.raises(CacheValueError, match="is not asynchronous"):
        asyncio.run(DependencyGraph(cache).invalidate_async("a"))
    assert "x" in cache
    with pytest.raises(CacheValueError, match="is asynchronous"):
        DependencyGraph(cachery.aio.InMemoryCache()).invalidate("a")


def test_a_graph_stands_over_a_cache() -> None:
    with pytest.raises(CacheValueError, match="over a cache"):
        DependencyGraph({})


def test_an_asynchronous_cache_is_awaited() -> None:
    async def main() -> list[str]:
        cache = cachery.aio.InMemoryCache()
        graph = DependencyGraph(cache)
        graph.add("b", depends_on=["a"])
        graph.add(Key("k"), depends_on=["b"])
        for key in ("x", "k", "y"):
            await cache.set(key, 1, depends_on=["b"] if key == "x" else ())
        assert await graph.invalidate_async("a") == ("a", "b", "k")
        return [key async for key in cache.keys()]  # noqa: SIM118 - no dict

    assert asyncio.run(main()) == ["y"]


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=60))
def test_a_graph_never_has_circles_and_reaches_what_a_search_does(edges: list[tuple[int, int]]) -> None:
    graph = DependencyGraph(InMemoryCache())
    model: dict[int, set[int]] = {number: set() for number in range(13)}

    def below(number: int) -> set[int]:
        found = {number}
        waiting = [number]
        while waiting:
            new = model[waiting.pop()] - found
            found |= new
            waiting.extend(new)
        return found

    for lower, upper in edges:
        if upper in below(lower):
            with pytest.raises(CacheInvalidationError):
                graph.add(str(lower), depends_on=[str(upper)])
        else:
            graph.add(str(lower), depends_on=[str(upper)])
            model[upper].add(lower)
    for number in model:
        assert {int(name) for name in graph.downstream(str(number))} == below(number)
