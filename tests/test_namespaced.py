"""A part of a cache that looks like a whole one."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cachery import DiskCache, FileBasedCache, InMemoryCache, NamespacedCache
from cachery.events import Event, Evicted, Expired, Hit, Invalidated, Miss, Stored
from cachery.exceptions import CacheClosedError, CacheValueError
from cachery.testing import FakeClock


def test_keys_are_stored_with_the_namespace_before_them() -> None:
    base = InMemoryCache()
    NamespacedCache(base, "llm").set("query", 1)
    NamespacedCache(base, namespace="rag").set("query", 2)
    assert sorted(base.keys()) == ["llm:query", "rag:query"]


def test_clearing_one_leaves_the_others() -> None:
    base = InMemoryCache()
    llm, rag = NamespacedCache(base, "llm"), NamespacedCache(base, "rag")
    for part in (llm, rag, base):
        part.set("query", 1)
    assert llm.clear() is True
    assert llm.clear() is True
    assert rag.get("query") == base.get("query") == 1
    assert (len(llm), len(rag), len(base)) == (0, 1, 2)


@pytest.mark.parametrize("namespace", ["a*", "a?", "[ab]", "a:b", "50%", "a b", "ä"])
def test_a_namespace_is_taken_by_its_letters(namespace: str) -> None:
    base = InMemoryCache()
    for other in ("abc", "a", "b", "a:b", "ab"):
        base.set(f"{other}:key", 0)
    part = NamespacedCache(base, namespace)
    part.set("key", 1)
    assert list(part.keys()) == ["key"]
    assert part.delete_pattern("*") == 1
    assert len(base) == 5


@pytest.mark.parametrize("kind", [DiskCache, FileBasedCache])
@pytest.mark.parametrize("namespace", ["a*", "[ab]", "a:b", "50%"])
def test_so_it_is_on_disk(namespace: str, kind: type[DiskCache | FileBasedCache], tmp_path: Path) -> None:
    with kind(tmp_path / "cache") as base:
        base.set_many({"abc:key": 0, "a:key": 0, "a:b:key": 0})
        part = NamespacedCache(base, namespace=namespace)
        part.set("key", 1, tags=["red"])
        part.set("[k]*", 2)
        assert sorted(part.keys()) == ["[k]*", "key"]
        assert list(part.keys("[[]k]*")) == ["[k]*"]
        assert part.clear() is True
        assert (len(part), len(base)) == (0, 3)


@given(
    st.text(min_size=1, max_size=4),
    st.text(max_size=4),
    st.text(min_size=1, max_size=4),
    st.text(max_size=4).filter(lambda text: text[:1] != "\x1f"),  # with which no tag may begin
)
def test_different_namespaces_never_meet(first: str, key: str, second: str, other: str) -> None:
    base = InMemoryCache()
    one, two = NamespacedCache(base, first), NamespacedCache(base, second)
    one.set(key, 1, tags=[other])
    is_same = (first, key) == (second, other)
    assert two.exists(other) is is_same
    two.invalidate_tags(other)
    assert one.exists(key) is (first != second)


def test_nesting_is_concatenation() -> None:
    base = InMemoryCache()
    inner = NamespacedCache(NamespacedCache(base, "a"), "b")
    inner.set("key", 1)
    assert list(base.keys()) == ["a:b:key"]
    assert not NamespacedCache(base, "a:b").exists("key")
    assert inner.delete_pattern("k*") == 1


def test_numbers_are_its_own_but_for_what_it_shares() -> None:
    clock = FakeClock()
    base = InMemoryCache(max_size=2, clock=clock)
    part = NamespacedCache(base, "a")
    base.get("other")
    part.set("x", 1)
    part.get("x")
    part.get("y")
    stats = part.stats
    assert (stats.hits, stats.misses, stats.writes, stats.size, stats.max_size) == (1, 1, 1, 1, 2)
    assert stats.hit_rate_window(60) == 0.5
    assert stats.hottest_keys() == [("x", 1)]
    base.set("p", 1)
    base.set("q", 1)
    assert stats.evictions == base.stats.evictions == 1
    assert stats.snapshot().evictions == 1
    assert stats.to_dict()["evictions"] == 1


def test_it_reports_its_own_events_under_its_own_names() -> None:
    clock = FakeClock()
    base = InMemoryCache(max_size=2, clock=clock, name="base")
    part = NamespacedCache(base, "a")
    seen: list[Event] = []
    unsubscribe = part.subscribe(seen.append)
    base.set("other", 1)
    part.set("x", 1, ttl=5, tags=["red"])
    part.get("x")
    part.get("y")
    clock.advance(5)
    part.get("x")
    part.set("x", 1)
    base.set("p", 1)
    base.set("q", 1)
    part.delete("p")
    part.set("x", 1)
    part.delete("x")
    part.invalidate_tags("red")
    part.delete_pattern("k*")
    base.delete_pattern("zzz")
    part.clear()
    base.clear()
    unsubscribe()
    part.set("unheard", 1)
    assert seen == [
        Stored("base", "x"),
        Hit("base", "x"),
        Miss("base", "y"),
        Expired("base", "x"),
        Miss("base", "x"),
        Stored("base", "x"),
        Evicted("base", "x", "size"),
        Stored("base", "x"),
        Invalidated("base", "delete", "x"),
        Invalidated("base", "tag", "red"),
        Invalidated("base", "pattern", "k*"),
        Invalidated("base", "clear", ""),
        Invalidated("base", "clear", ""),
    ]


def test_closing_it_leaves_the_cache_beneath_open() -> None:
    base = InMemoryCache()
    with NamespacedCache(base, "a") as part:
        part.set("x", 1)
    with pytest.raises(CacheClosedError):
        part.get("x")
    assert base.get("a:x") == 1


def test_what_is_no_namespace_of_a_cache_is_refused() -> None:
    base = InMemoryCache()
    for namespace in ("", None, 5, b"a"):
        with pytest.raises(CacheValueError, match="namespace"):
            NamespacedCache(base, namespace)  # type: ignore[arg-type]
    with pytest.raises(CacheValueError, match="cache is a Cache"):
        NamespacedCache({}, "a")  # type: ignore[arg-type]
