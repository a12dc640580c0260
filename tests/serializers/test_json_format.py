"""JSON carries what it can carry without changing it, and refuses the rest, saying where it stands."""

from __future__ import annotations

import inspect
import json
import math
import sys
from collections import OrderedDict
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any

import pytest
from hypothesis import given
from tests.serializers.values import json_values, same

from cachery.exceptions import CacheSerializationError, CacheValueError
from cachery.serializers import JSONSerializer


class Colour(StrEnum):
    RED = "red"


class Size(IntEnum):
    LARGE = 3


class Text(str):
    __slots__ = ()


SERIALIZER = JSONSerializer()


@given(json_values)
def test_what_json_has_comes_back_as_it_was(value: Any) -> None:
    assert same(SERIALIZER.deserialize(SERIALIZER.serialize(value)), value)
    assert same(JSONSerializer(indent=2).deserialize(JSONSerializer(indent=2).serialize(value)), value)


@given(json_values)
def test_other_readers_of_json_see_the_same(value: Any) -> None:
    assert same(json.loads(SERIALIZER.serialize(value)), value)


def test_the_bytes_are_these() -> None:
    value = {"b": [1, -2.5, True, None], "a": {"Zoë": 'a "quote"'}}
    assert SERIALIZER.serialize(value) == '{"b":[1,-2.5,true,null],"a":{"Zoë":"a \\"quote\\""}}'.encode()
    assert JSONSerializer(indent=1).serialize([{"a": 1}]) == b'[\n {\n  "a": 1\n }\n]'
    assert JSONSerializer(indent=1).indent == 1


@pytest.mark.parametrize(
    ("value", "place", "complaint"),
    [
        ((1, 2), "value ", "of type tuple"),
        ({"a": [0, 1, 2, {1}]}, 'value["a"][3] ', "of type set"),
        ([b"x"], "value[0] ", "of type bytes"),
        ({"a": {1: 2}}, 'value["a"] ', "a key of type int"),
        ({"a": {None: 2}}, 'value["a"] ', "a key of type NoneType"),
        ([math.nan], "value[0] ", "is nan"),
        ({"x": -math.inf}, 'value["x"] ', "is -inf"),
        (["\ud800"], "value[0] ", "lone surrogate"),
        (["\ud83d\ude00"], "value[0] ", "lone surrogate"),
        ({"\udc80": 1}, "value ", "key with a lone surrogate"),
        ([Text("a")], "value[0] ", "test_json_format.Text"),
        ([Colour.RED], "value[0] ", "test_json_format.Colour"),
        ({Colour.RED: 1}, "value ", "a key of type"),
        ({"size": Size.LARGE}, 'value["size"] ', "test_json_format.Size"),
        ([OrderedDict(a=1)], "value[0] ", "collections.OrderedDict"),
        ([datetime(2024, 1, 1)], "value[0] ", "datetime.datetime"),  # noqa: DTZ001 - any will do
        ([object()], "value[0] ", "of type object"),
        ([10**5000], "value[0] ", "more digits"),
    ],
)
def test_what_json_would_change_is_refused(value: Any, place: str, complaint: str) -> None:
    with pytest.raises(CacheSerializationError) as caught:
        SERIALIZER.serialize(value)
    message = str(caught.value)
    assert message.startswith(place)
    assert complaint in message
    assert 'write serializer="msgpack" or serializer="pickle"' in message
    assert caught.value.context["path"] == place.strip()
    assert caught.value.context["value_type"]


def test_the_path_is_short_and_asks_no_code_of_the_value() -> None:
    value: Any = {1}
    for _ in range(30):
        value = {"a" * 100: value}
    with pytest.raises(CacheSerializationError, match=r"^value\[") as caught:
        SERIALIZER.serialize(value)
    assert len(str(caught.value)) < 600


def test_the_same_thing_met_twice_is_no_cycle() -> None:
    part = [1]
    assert SERIALIZER.serialize([part, part, {"a": part}]) == b'[[1],[1],{"a":[1]}]'


def test_what_has_no_end_or_too_many_levels_is_refused() -> None:
    one: list[Any] = []
    one.extend([one, one])
    two: dict[str, Any] = {}
    two["self"] = two
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    for value in (one, two, deep):
        with pytest.raises(CacheSerializationError, match="contains itself, or is nested deeper than 200 levels"):
            SERIALIZER.serialize(value)
    while deep:  # level by level, or taking it down would need as deep a stack
        deep = deep[0]


def test_two_hundred_levels_are_carried_and_one_more_is_not() -> None:
    deepest: Any = 1
    for _ in range(200):
        deepest = [deepest]
    assert SERIALIZER.deserialize(SERIALIZER.serialize(deepest)) == deepest
    with pytest.raises(CacheSerializationError, match="nested deeper"):
        SERIALIZER.serialize([deepest])


@pytest.mark.parametrize(
    "data", [b"", b"{", b"nul", b"NaN", b"[Infinity]", b"\xff", b"[1]x", b"[" * 100_000, '["a"]'.encode("utf-16")]
)
def test_bytes_that_are_no_json_are_refused(data: bytes) -> None:
    with pytest.raises(CacheSerializationError, match="these bytes cannot be read as JSON") as caught:
        SERIALIZER.deserialize(data)
    assert caught.value.__cause__ is not None


def test_a_stack_that_is_nearly_full_is_told_so() -> None:
    value: Any = {1}
    for _ in range(150):
        value = [value]
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack()) + 60)
    try:
        with pytest.raises(CacheSerializationError, match="nested deeper"):
            SERIALIZER.serialize(value)
    finally:
        sys.setrecursionlimit(limit)


def test_what_nobody_foresaw_is_an_error_of_ours_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> str:
        raise MemoryError

    serializer = JSONSerializer()
    monkeypatch.setattr(serializer, "_encode", fail)
    with pytest.raises(CacheSerializationError, match="it changed meanwhile, or there was no room") as caught:
        serializer.serialize([1])
    assert isinstance(caught.value.__cause__, MemoryError)


def test_an_indent_is_a_number_text_or_nothing() -> None:
    for indent in (True, 1.5, [1]):
        with pytest.raises(CacheValueError, match="indent is"):
            JSONSerializer(indent=indent)  # type: ignore[arg-type]
