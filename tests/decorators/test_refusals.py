"""What is refused when a function is decorated, and what the message says."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from typing import Any

import pytest

from cachery import Cache, CacheValueError, InMemoryCache, NamespacedCache, NullCache, aio


def function(user_id: int) -> int:
    return user_id


def method(cls: type[object], /) -> str:
    return cls.__name__


async def coroutine(user_id: int) -> int:
    return user_id


def generator() -> Iterator[int]:
    yield 1


async def asynchronous() -> AsyncIterator[int]:
    yield 1


class Asynchronous:
    async def __call__(self, number: int) -> int:
        return number


BLOCKING = [InMemoryCache, NullCache, lambda: NamespacedCache(InMemoryCache(), "part")]
LOOP = [aio.InMemoryCache, aio.NullCache, lambda: aio.NamespacedCache(aio.InMemoryCache(), "part")]


@pytest.mark.parametrize("make", BLOCKING)
@pytest.mark.parametrize(
    ("decorated", "kind"),
    [
        (coroutine, "coroutine is a coroutine function"),
        (asynchronous, "asynchronous is an asynchronous generator function"),
        (partial(coroutine, 1), "is a coroutine function"),
        (Asynchronous(), "is a coroutine function"),
    ],
)
def test_blocking_caches_refuse_what_is_awaited(make: Callable[[], Cache], decorated: Any, kind: str) -> None:
    with pytest.raises(CacheValueError, match=rf"{kind}, and this cache is not asynchronous: .*cachery\.aio"):
        make().cached(decorated)


@pytest.mark.parametrize("make", LOOP)
@pytest.mark.parametrize("decorated", [function, generator, partial(function, 1), len])
def test_asynchronous_caches_refuse_what_is_not(make: Callable[[], aio.Cache], decorated: Any) -> None:
    with pytest.raises(CacheValueError, match=r"function, and this cache is asynchronous: .*cachery\.get_cache\(\)"):
        make().cached(decorated)


@pytest.mark.parametrize(
    "key", ["user:{nobody}", "user:{}", "user:{0}", "{user_id.__class__}", "{user_id", "{user_id!x}"]
)
@pytest.mark.parametrize("option", ["key", "tags"])
def test_a_template_has_fields_that_name_arguments(key: str, option: str) -> None:
    options: Any = {option: key if option == "key" else [key]}
    with pytest.raises(CacheValueError, match="user"):
        InMemoryCache().cached(**options)(function)


def test_the_message_lists_the_arguments_there_are() -> None:
    with pytest.raises(CacheValueError, match=r"no parameter 'nobody' \(there are: user_id\)"):
        InMemoryCache().cached(key="{nobody}")(function)


def test_a_method_says_what_stands_for_its_object() -> None:
    cache = InMemoryCache()
    with pytest.raises(CacheValueError, match=r"Repository\.load is a method.*key=.*key_self=.*__cache_key__"):

        class Repository:
            @cache.cached
            def load(self) -> int:
                return 1


def test_an_inherited_cache_key_is_said_to_be_meant() -> None:
    cache = InMemoryCache()

    class Base:
        def __cache_key__(self) -> int:
            return 1

    with pytest.raises(CacheValueError, match=r"inherited is given as key_self=Base\.__cache_key__"):

        class Child(Base):
            @cache.cached
            def load(self) -> int:
                return 1


def test_a_cache_key_of_a_class_around_does_not_count() -> None:
    cache = InMemoryCache()
    with pytest.raises(CacheValueError, match=r"Outer\.Inner\.load is a method"):

        class Outer:
            def __cache_key__(self) -> int:
                return 1

            class Inner:
                @cache.cached
                def load(self) -> int:
                    return 1


def test_key_and_key_self_contradict_each_other() -> None:
    with pytest.raises(CacheValueError, match="key says it all"):
        InMemoryCache().cached(key="user:{self.id}", key_self="id")


@pytest.mark.parametrize("key_self", [7, ["id"], b"id"])
def test_key_self_is_a_function_or_the_name_of_an_attribute(key_self: Any) -> None:
    with pytest.raises(CacheValueError, match=f"name of an attribute, not {type(key_self).__name__}"):
        InMemoryCache().cached(key_self=key_self)


def test_key_self_is_for_methods_of_objects() -> None:
    keeping: Any = InMemoryCache().cached(key_self="id")
    with pytest.raises(CacheValueError, match="function is no method"):
        keeping(function)
    with pytest.raises(CacheValueError, match="function is no method"):
        keeping(staticmethod(function))
    with pytest.raises(CacheValueError, match="method is called on its class"):
        keeping(classmethod(method))


@pytest.mark.parametrize("decorated", [int, Asynchronous, "5m", 300, object(), b"", [function]])
def test_classes_and_what_cannot_be_called_are_no_functions(decorated: Any) -> None:
    for cache in (InMemoryCache(), aio.InMemoryCache()):
        with pytest.raises(CacheValueError, match="cached decorates a function, not"):
            cache.cached(decorated)


def test_an_object_that_cannot_be_told_from_others_is_no_function() -> None:
    class Unhashable:
        __hash__ = None  # type: ignore[assignment]

        def __call__(self) -> int:
            return 1

    class Unheld:
        __slots__ = ()

        def __call__(self) -> int:
            return 1

    for decorated in (Unhashable(), Unheld()):
        with pytest.raises(CacheValueError, match=rf"{type(decorated).__name__} cannot be told from others"):
            InMemoryCache().cached(decorated)


def test_parameters_that_cannot_be_read_are_said_to_be() -> None:
    with pytest.raises(CacheValueError, match="parameters of max cannot be read"):
        InMemoryCache().cached(max)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"soft_timeout": 1}, "needs stale_ttl"),
        ({"soft_timeout": 2, "hard_timeout": 1, "stale_ttl": 9}, "longer than hard_timeout"),
        ({"refresh_ahead": 2}, "refresh_ahead is a share"),
        ({"jitter": 1}, "jitter is a share"),
        ({"stale_ttl": 0}, "stale_ttl must be above 0"),
        ({"ttl": "soon"}, "ttl='soon' is no time span"),
        ({"negative_ttl": []}, "negative_ttl must be"),
        ({"cache_exceptions": "LookupError"}, "cache_exceptions is a tuple"),
        ({"cache_exceptions": (BaseException,)}, "cache_exceptions is a tuple"),
        ({"breaker": 5}, "breaker is a CircuitBreaker"),
        ({"tags": "red"}, "tags"),
        ({"tags": [7]}, "tag"),
    ],
)
def test_options_that_make_no_sense_are_refused_at_once(options: Any, match: str) -> None:
    with pytest.raises(CacheValueError, match=match):
        InMemoryCache().cached(**options)(function)
    with pytest.raises(CacheValueError, match=match):
        aio.InMemoryCache().cached(**options)(coroutine)


def test_an_option_there_is_not_is_named() -> None:
    with pytest.raises(TypeError, match="stale: no option of loading; there are stale_ttl"):
        InMemoryCache().cached(stale=10)  # type: ignore[call-overload]


def test_what_is_refused_leaves_nothing_behind() -> None:
    cache = InMemoryCache()
    for _ in range(3):
        with pytest.raises(CacheValueError):
            cache.cached(key="{nobody}")(function)
    assert cache.cached(function).key(1).startswith(f"{__name__}.function:")
    assert len(cache) == 0
