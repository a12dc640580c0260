"""From a call to its key: by default, by a template, by a function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from cachery import CacheKeyError, CacheValueError, InMemoryCache


@dataclass(frozen=True)
class User:
    id: int
    name: str


@pytest.fixture
def cache() -> InMemoryCache:
    return InMemoryCache()


def test_the_default_key_begins_with_the_name_of_the_function(cache: InMemoryCache) -> None:
    @cache.cached
    def load(number: int) -> int:
        return number

    name, _, digest = load.key(1).rpartition(":")
    assert name.endswith(".test_the_default_key_begins_with_the_name_of_the_function.<locals>.load")
    assert len(digest) == 32
    assert load.key(1) != load.key(2)


def test_a_template_is_filled_with_the_arguments(cache: InMemoryCache) -> None:
    @cache.cached(key="user:{user.id}:{fields[0]}:{limit:03d}")
    def load(user: User, fields: list[str], limit: int = 5) -> str:
        return f"{user.name} {fields} {limit}"

    ada = User(7, "Ada")
    assert load.key(ada, ["age"]) == "user:7:age:005"
    assert load(ada, ["age"]) == load(User(7, "other"), ["age", "more"]) == "Ada ['age'] 5"
    assert load(limit=6, fields=["age"], user=ada) == "Ada ['age'] 6"
    assert sorted(cache.keys()) == ["user:7:age:005", "user:7:age:006"]


def test_a_template_tells_all_it_is_asked_to(cache: InMemoryCache) -> None:
    @cache.cached(key="{{x}}:{args}:{kwargs[a]}")
    def load(*args: int, **kwargs: int) -> int:
        return sum(args) + sum(kwargs.values())

    assert load.key(1, 2, a=3) == "{x}:(1, 2):3"
    assert load(1, 2, a=3) == 6


def test_a_template_that_cannot_be_filled_is_an_error_of_the_key(cache: InMemoryCache) -> None:
    @cache.cached(key="user:{user.id}")
    def load(user: Any) -> Any:
        return user

    with pytest.raises(CacheKeyError, match="cannot be filled"):
        load("no user")
    assert len(cache) == 0


def test_a_function_makes_the_key(cache: InMemoryCache) -> None:
    @cache.cached(key=lambda path, *, encoding="utf-8": f"{path.lower()}:{encoding}")
    def read(path: str, *, encoding: str = "utf-8") -> str:
        return f"{path} {encoding}"

    assert read.key("README") == "readme:utf-8"
    assert [read("README"), read("ReadMe"), read("readme", encoding="ascii")] == [
        "README utf-8",
        "README utf-8",
        "readme ascii",
    ]


def test_a_function_that_makes_the_key_is_asked_each_time(cache: InMemoryCache) -> None:
    tenant = ["a"]

    @cache.cached(key=lambda number: f"{tenant[0]}:{number}")
    def load(number: int) -> str:
        return f"{number} of {tenant[0]}"

    assert load(1) == "1 of a"
    tenant[0] = "b"
    assert load(1) == "1 of b"
    assert cache.get("a:1") == "1 of a"


@pytest.mark.parametrize("found", [None, 7, b"key", ("a",)])
def test_a_function_that_makes_no_text_is_an_error_of_the_key(cache: InMemoryCache, found: Any) -> None:
    @cache.cached(key=lambda _: found)
    def load(number: int) -> int:
        return number

    for call in (load, load.key, load.invalidate, load.refresh):
        with pytest.raises(CacheKeyError, match=f"returned {type(found).__name__}, not str"):
            call(1)


def test_what_a_function_for_the_key_raises_is_raised(cache: InMemoryCache) -> None:
    @cache.cached(key=lambda number: f"{1 // number}")
    def load(number: int) -> int:
        return number

    with pytest.raises(ZeroDivisionError):
        load(0)


@pytest.mark.parametrize("key", [7, b"user", ["user:{user_id}"], True])
def test_nonsense_is_no_key(cache: InMemoryCache, key: Any) -> None:
    with pytest.raises(CacheValueError, match=f"key is a template .* or a function, not {type(key).__name__}"):
        cache.cached(key=key)(lambda user_id: user_id)


def test_arguments_that_cannot_be_part_of_a_key_are_named_when_called(cache: InMemoryCache) -> None:
    @cache.cached
    def load(thing: object) -> object:
        return thing

    with pytest.raises(CacheKeyError):
        load(object())


def test_a_text_that_is_more_than_text_is_a_key_all_the_same(cache: InMemoryCache) -> None:
    class Text(str):
        __slots__ = ()

    @cache.cached(key=Text)
    def load(number: int) -> int:
        return number

    assert load(1) == 1
    assert type(load.key(1)) is str


def test_one_key_of_two_functions_is_shared_as_it_was_written(cache: InMemoryCache) -> None:
    first, second = (cache.cached(key="shared:{number}")(lambda number, base=base: base + number) for base in (10, 20))
    assert (first(1), second(1)) == (11, 11)
