"""Named caches and the environment."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from cachery import FOREVER, CacheManager, InMemoryCache, NullCache, get_cache, manager
from cachery.exceptions import CacheClosedError, CacheValueError
from cachery.settings import VARIABLES, from_environment, is_set


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def named() -> Iterator[CacheManager]:
    with CacheManager() as made:
        yield made


def memory(manager: CacheManager, name: str = "default", **options: Any) -> InMemoryCache:
    cache = manager.get_cache(name, **options)
    assert isinstance(cache, InMemoryCache)
    return cache


def test_a_name_is_one_cache(named: CacheManager) -> None:
    first = named.get_cache("a")
    assert named.get_cache("a") is first
    assert named.get_cache("b") is not first
    first.set("key", 1)
    assert named.get_cache("b").get("key") is None


def test_a_name_on_another_backend_is_another_cache(named: CacheManager) -> None:
    assert isinstance(named.get_cache("a"), InMemoryCache)
    assert isinstance(named.get_cache("a", backend="null"), NullCache)
    assert named.cache_count == 2


def test_other_options_for_a_known_name_are_refused(named: CacheManager) -> None:
    cache = named.get_cache("a", max_size=5)
    assert named.get_cache("a", max_size=5) is cache
    assert named.get_cache("a") is cache
    with pytest.raises(CacheValueError, match="was made with"):
        named.get_cache("a", max_size=6)


def test_options_reach_the_cache(named: CacheManager) -> None:
    cache = memory(named, "a", max_size=5, policy="lfu", default_ttl="1m")
    assert (cache.max_size, cache.policy, cache.default_ttl, cache.name) == (5, "lfu", "1m", "a")


def test_where_a_ttl_comes_from(monkeypatch: pytest.MonkeyPatch) -> None:
    assert memory(CacheManager()).default_ttl == 300
    monkeypatch.setenv("CACHE_TTL_DEFAULT", "1h")
    assert memory(CacheManager()).default_ttl == 3600
    assert memory(CacheManager(default_ttl=60)).default_ttl == 60
    assert memory(CacheManager(default_ttl=timedelta(minutes=2)), default_ttl=5).default_ttl == 5
    cache = memory(CacheManager(default_ttl=60))
    cache.set("a", 1)
    cache.set("b", 1, ttl=FOREVER)
    assert cache.ttl("a") == pytest.approx(60, abs=1)
    assert cache.ttl("b") == math.inf
    assert memory(CacheManager(default_ttl=FOREVER)).default_ttl == math.inf


def test_constructors_know_nothing_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CACHE_TTL_DEFAULT", "5")
    monkeypatch.setenv("CACHE_MAX_SIZE", "5")
    cache = InMemoryCache()
    assert cache.default_ttl is None
    assert cache.max_size == 1000


def test_the_environment_names_backend_and_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CACHE_MAX_SIZE", "7")
    assert memory(CacheManager()).max_size == 7
    monkeypatch.setenv("CACHE_BACKEND", "null")
    assert isinstance(CacheManager().get_cache(), NullCache)
    assert isinstance(CacheManager("in_memory").get_cache(), InMemoryCache)


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("CACHE_BACKEND", "memcached"),
        ("CACHE_TTL_DEFAULT", "soon"),
        ("CACHE_TTL_DEFAULT", "0"),
        ("CACHE_MAX_SIZE", "0"),
        ("CACHE_MAX_SIZE", "many"),
        ("CACHE_MAX_SIZE", "-5"),
    ],
)
def test_a_malformed_variable_is_named(monkeypatch: pytest.MonkeyPatch, variable: str, text: str) -> None:
    monkeypatch.setenv(variable, text)
    with pytest.raises(CacheValueError, match=f"{variable}='{text}'"):
        CacheManager().get_cache()
    assert CacheManager().get_cache("a", "in_memory", max_size=5, default_ttl=5).set("a", 1)


def test_an_empty_variable_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CACHE_MAX_SIZE", "  ")
    assert from_environment("CACHE_MAX_SIZE") == 1000
    assert not is_set("CACHE_MAX_SIZE")
    monkeypatch.setenv("CACHE_TTL_DEFAULT", "forever")
    assert from_environment("CACHE_TTL_DEFAULT") == math.inf
    assert is_set("CACHE_TTL_DEFAULT")


def test_an_unknown_backend_is_refused_with_the_list(named: CacheManager) -> None:
    for call in (lambda: named.get_cache("a", "memroy"), lambda: CacheManager("memroy")):
        with pytest.raises(CacheValueError, match="in_memory, null"):
            call()
    assert named.cache_count == 0


@pytest.mark.parametrize("options", [{"max_sise": 5}, {"max_size": 0}, {"policy": "mru"}, {"default_ttl": "soon"}])
@pytest.mark.parametrize("backend", ["in_memory", "null"])
def test_a_bad_option_makes_no_cache(named: CacheManager, backend: str, options: dict[str, object]) -> None:
    with pytest.raises(CacheValueError):
        named.get_cache("a", backend, **options)
    assert not named.has_cache("a")


@pytest.mark.parametrize("default_ttl", [0, -1, "soon", True])
def test_a_bad_default_ttl_makes_no_manager(default_ttl: float) -> None:
    with pytest.raises(CacheValueError, match="default_ttl"):
        CacheManager(default_ttl=default_ttl)


def test_a_name_is_text(named: CacheManager) -> None:
    with pytest.raises(CacheValueError, match="name of a cache"):
        named.get_cache(5)  # type: ignore[arg-type]


def test_names_do_not_overlap(named: CacheManager) -> None:
    named.get_cache("a:b")
    assert not named.has_cache("a")
    assert named.remove_cache("a") is False
    assert named.has_cache("a:b")


def test_removing_closes_on_every_backend(named: CacheManager) -> None:
    memory_cache, null_cache = named.get_cache("a"), named.get_cache("a", "null")
    other = named.get_cache("b")
    assert named.remove_cache("a") is True
    assert named.remove_cache("a") is False
    for cache in (memory_cache, null_cache):
        with pytest.raises(CacheClosedError):
            cache.get("key")
    assert other.get("key") is None
    assert named.get_cache("a") is not memory_cache


def test_listing_clearing_and_summary(named: CacheManager) -> None:
    named.get_cache("b").set("key", 1)
    named.get_cache("a", "null")
    listed = named.list_caches()
    assert [record["key"] for record in listed] == ["a:null", "b:in_memory"]
    assert [record["backend"] for record in listed] == ["null", "in_memory"]
    assert all(record["created_at"] > 1.7e9 for record in listed)
    assert named.clear_all() == 2
    assert len(named.get_cache("b")) == 0
    assert named.summary() == {
        "total_caches": 2,
        "backends_used": ["in_memory", "null"],
        "default_backend": "in_memory",
        "default_ttl": 300.0,
    }
    assert repr(named) == "<CacheManager of 2 caches>"


def test_a_cache_that_was_closed_is_made_anew(named: CacheManager) -> None:
    with named.get_cache("a") as cache:
        cache.set("key", 1)
    assert named.clear_all() == 0
    assert named.get_cache("a").get("key") is None


def test_a_closed_manager_makes_no_cache() -> None:
    with CacheManager() as closed:
        cache = closed.get_cache()
    for call in (closed.get_cache, lambda: cache.get("key")):
        with pytest.raises(CacheClosedError):
            call()


def test_the_function_uses_one_manager(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manager, "_managers", [])
    assert get_cache("a") is get_cache("a") is manager.default_manager().get_cache("a")
    assert get_cache().stats.max_size == 1000
