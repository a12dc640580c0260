"""What has no bytes of its own is refused, in words that say what to do."""

from __future__ import annotations

import asyncio
import math
import sys
from dataclasses import dataclass
from typing import Any, Literal

import pytest
from tests.keys.samples import Attribute, Keyed, Plain, Point

from cachery.exceptions import CacheKeyError
from cachery.keys.canonical import DEEPEST, encode


def itself_in_a_list() -> object:
    value: list[object] = [1]
    value.append([value, value])
    return value


def itself_in_a_dict() -> object:
    value: dict[str, object] = {}
    value["a"] = (value,)
    return value


def itself_in_an_object() -> object:
    point = Point(1)
    point.y = [point]
    return point


def itself_by_its_method() -> object:
    keyed = Keyed(None)
    keyed.key = keyed
    return keyed


@pytest.mark.parametrize("make", [itself_in_a_list, itself_in_a_dict, itself_in_an_object, itself_by_its_method])
def test_what_contains_itself_is_refused(make: Any) -> None:
    with pytest.raises(CacheKeyError, match="contains itself"):
        encode(make())


def test_nesting_has_a_bound() -> None:
    value: list[object] = []
    for _ in range(DEEPEST - 1):
        value = [value]
    assert encode(value)
    with pytest.raises(CacheKeyError, match=f"deeper than {DEEPEST} levels"):
        encode([value])


class Unset:
    __attrs_attrs__ = (Attribute("x"),)


no_name = lambda: None  # noqa: E731


def made_inside() -> list[object]:
    class Inside:
        pass

    @dataclass
    class InsideData:
        x: int = 1

    class InsideKeyed:
        def __cache_key__(self) -> object:
            return 1

    return [Inside, InsideData(), InsideKeyed(), no_name]


@pytest.mark.parametrize("value", made_inside(), ids=lambda value: type(value).__name__)
def test_what_may_share_its_name_is_refused(value: object) -> None:
    with pytest.raises(CacheKeyError, match=r"another may have its name: define it at the top level .* key="):
        encode([value])


@pytest.mark.parametrize(
    "value",
    [Plain(), object(), memoryview(b"a"), Literal["a"], math, [].append, "a".join, Keyed(1).__cache_key__],
)
def test_what_has_no_bytes_is_refused(value: object) -> None:
    with pytest.raises(CacheKeyError, match=r"key='...'"):
        encode({"a": value})


def test_a_refusal_names_the_type_and_says_what_to_do() -> None:
    with pytest.raises(CacheKeyError) as caught:
        encode((1, [Plain()]))
    message = str(caught.value)
    assert f"{Plain.__module__}.Plain cannot be part of a key" in message
    assert "__cache_key__" in message
    assert "Plain" in caught.value.context["reason"]


@pytest.mark.parametrize("value", [iter([1]), (letter for letter in "ab"), map(len, []), zip(strict=True)])
def test_what_is_used_up_by_reading_is_refused(value: object) -> None:
    with pytest.raises(CacheKeyError, match="pass a list or a tuple"):
        encode(value)


def test_coroutines_are_refused() -> None:
    async def load() -> None: ...

    waiting = load()
    with pytest.raises(CacheKeyError, match=r"coroutine .* used up"):
        encode(waiting)
    asyncio.run(waiting)


def test_a_class_in_c_that_extends_a_type_may_hold_more_than_it_shows() -> None:
    with pytest.raises(CacheKeyError, match=r"type sys\.version_info cannot"):
        encode(sys.version_info)


def test_a_field_without_a_value_is_refused() -> None:
    with pytest.raises(CacheKeyError, match="without a value") as caught:
        encode(Unset())
    assert isinstance(caught.value.__cause__, AttributeError)
