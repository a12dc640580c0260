"""The blocking caches and those of ``cachery.aio`` are one: the same names, with the same parameters."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

import cachery
from cachery import aio

ONLY_BLOCKING = {"__contains__", "__len__", "__enter__", "__exit__"}
ONLY_AIO = {"size", "__aenter__", "__aexit__"}
PLAIN = {"build_engine", "cached", "check_open", "get_stats", "keys", "peek", "record_trace", "subscribe"}
"""What is not awaited in ``cachery.aio``."""

ONLY_IN_MEMORY = {"idle_ttl"}
"""What a verb takes besides of a cache in memory."""


def names_of(kind: type) -> set[str]:
    """Return what ``kind`` says it can do."""
    own = {"__bool__", "__reduce__", *ONLY_BLOCKING, *ONLY_AIO}
    return {name for name in vars(kind) if not name.startswith("_") or name in own}


def parameters_of(function: Any) -> list[tuple[str, Any, Any]]:
    """Return the parameters of ``function``: names, kinds, defaults."""
    return [(each.name, each.kind, each.default) for each in inspect.signature(function).parameters.values()]


VERBS = sorted(
    name for name in names_of(cachery.Cache) - ONLY_BLOCKING if inspect.isfunction(getattr(cachery.Cache, name))
)


def test_both_have_the_same_verbs() -> None:
    assert names_of(cachery.Cache) - ONLY_BLOCKING == names_of(aio.Cache) - ONLY_AIO
    assert names_of(cachery.Cache) >= ONLY_BLOCKING
    assert names_of(aio.Cache) >= ONLY_AIO
    for name in ("stats", "engine"):
        assert isinstance(vars(cachery.Cache)[name], property)
        assert isinstance(vars(aio.Cache)[name], property)


@pytest.mark.parametrize("name", VERBS)
def test_a_verb_has_the_same_parameters_on_both(name: str) -> None:
    assert parameters_of(getattr(aio.Cache, name)) == parameters_of(getattr(cachery.Cache, name))


@pytest.mark.parametrize("name", [*VERBS, "size"])
def test_a_verb_is_awaited_unless_it_is_said_to_be_plain(name: str) -> None:
    is_awaited = name not in PLAIN and not name.startswith("__")
    kinds: list[type] = [aio.Cache, aio.InMemoryCache, aio.NullCache, aio.NamespacedCache]
    assert [inspect.iscoroutinefunction(getattr(kind, name)) for kind in kinds] == [is_awaited] * 4
    if name != "size":
        assert not inspect.iscoroutinefunction(getattr(cachery.Cache, name))


@pytest.mark.parametrize("kind", [aio.InMemoryCache, aio.NullCache, aio.NamespacedCache])
@pytest.mark.parametrize("name", VERBS)
def test_a_cache_takes_what_the_verb_takes(kind: type, name: str) -> None:
    taken = [parameter for parameter in parameters_of(getattr(kind, name)) if parameter[0] not in ONLY_IN_MEMORY]
    assert taken == parameters_of(getattr(aio.Cache, name))


@pytest.mark.parametrize("kind", [cachery.NullCache, cachery.NamespacedCache])
@pytest.mark.parametrize("name", VERBS)
def test_a_blocking_cache_takes_what_the_verb_takes(kind: type, name: str) -> None:
    taken = [parameter for parameter in parameters_of(getattr(kind, name)) if parameter[0] not in ONLY_IN_MEMORY]
    assert taken == parameters_of(getattr(cachery.Cache, name))


@pytest.mark.parametrize("name", ["restore", "snapshot"])
def test_the_verbs_of_memory_alone_are_awaited_with_the_same_parameters(name: str) -> None:
    blocking, awaited = getattr(cachery.InMemoryCache, name), getattr(aio.InMemoryCache, name)
    assert parameters_of(blocking) == parameters_of(awaited)
    assert inspect.iscoroutinefunction(awaited)
    assert not hasattr(cachery.NullCache, name)


@pytest.mark.parametrize(
    "name", ["InMemoryCache", "InMemoryBackend", "NullCache", "NamespacedCache", "CacheManager", "TTLManager"]
)
def test_constructors_take_the_same(name: str) -> None:
    assert parameters_of(getattr(aio, name)) == parameters_of(getattr(cachery, name))


@pytest.mark.parametrize("name", ["get_cache", "cached"])
def test_functions_take_the_same(name: str) -> None:
    assert parameters_of(getattr(aio, name)) == parameters_of(getattr(cachery, name))


@pytest.mark.parametrize("pair", [(cachery.CacheManager, aio.CacheManager), (cachery.TTLManager, aio.TTLManager)])
def test_managers_have_the_same_verbs(pair: tuple[type, type]) -> None:
    blocking, awaited = ({name for name in dir(kind) if not name.startswith("_")} for kind in pair)
    assert blocking == awaited
    for name in blocking:
        one, other = (getattr(kind, name) for kind in pair)
        if inspect.isfunction(one):
            assert parameters_of(one) == parameters_of(other)
        else:
            assert isinstance(one, property)
            assert isinstance(other, property)


def test_what_the_managers_await() -> None:
    kinds: list[type] = [aio.CacheManager, aio.TTLManager]
    awaited = {name for kind in kinds for name in dir(kind) if inspect.iscoroutinefunction(getattr(kind, name))}
    assert {name for name in awaited if not name.startswith("_")} == {
        "cleanup",
        "clear_all",
        "close",
        "remove_cache",
        "stop",
    }


def test_keys_are_an_asynchronous_iterator() -> None:
    keys = aio.InMemoryCache().keys("*")
    assert hasattr(keys, "__anext__")
    assert not inspect.isawaitable(keys)


def test_the_package_of_event_loops_has_the_names_of_the_other() -> None:
    modules = {name for name in cachery.__all__ if inspect.ismodule(getattr(cachery, name))}
    only_there = {"compiled", *modules}
    assert set(cachery.__all__) - only_there == set(aio.__all__)
    for name in aio.__all__:
        assert (getattr(aio, name) is getattr(cachery, name)) == (name not in aio._OWN)
    assert set(aio.__all__) <= set(dir(aio))
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        aio.nonsense  # noqa: B018


def test_what_a_cache_is_called_and_may_hold_is_the_same_at_both_doors() -> None:
    doors: list[Any] = [
        aio.InMemoryCache(5, "1m", policy="lfu", name="mine"),
        aio.NullCache(name="none"),
        aio.NamespacedCache(aio.InMemoryCache(5), "part"),
    ]
    for door in doors:
        shown = [
            name for name in ("name", "max_size", "default_ttl", "policy", "namespace") if hasattr(door.blocking, name)
        ]
        assert "max_size" in shown
        for name in shown:
            assert getattr(door, name) == getattr(door.blocking, name)
