"""Bare text is written as ``str`` shows it; a typed value says what it is."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from tests.serializers.values import json_texts, json_values, same

from cachery.exceptions import CacheSerializationError, CacheValueError
from cachery.serializers import JSONSerializer, PickleSerializer, StringSerializer, TypedSerializer


@given(json_texts)
def test_text_comes_back_as_it_was(text: str) -> None:
    assert StringSerializer().serialize(text) == text.encode()
    assert StringSerializer().deserialize(text.encode()) == text


@pytest.mark.parametrize(("value", "data"), [(42, b"42"), (None, b"None"), (b"x", b"b'x'"), ([1], b"[1]")])
def test_what_is_no_text_is_written_as_it_shows(value: Any, data: bytes) -> None:
    assert StringSerializer().serialize(value) == data


def test_an_encoding_is_one_of_text() -> None:
    serializer = StringSerializer("latin-1")
    assert serializer.encoding == "latin-1"
    assert serializer.serialize("é") == b"\xe9"
    for encoding in ("klingon", "base64", "", "a\0b", 3):
        with pytest.raises(CacheValueError, match="no encoding of text"):
            StringSerializer(encoding)  # type: ignore[arg-type]


def test_letters_that_an_encoding_lacks_are_refused() -> None:
    with pytest.raises(CacheSerializationError, match="of type str cannot be written as ascii text"):
        StringSerializer("ascii").serialize("é")
    with pytest.raises(CacheSerializationError, match="of type str cannot be written as utf-8 text"):
        StringSerializer().serialize("\ud800")
    with pytest.raises(CacheSerializationError, match="cannot be read as utf-8 text"):
        StringSerializer().deserialize(b"\xff")


@given(json_values)
def test_a_typed_value_comes_back_as_it_was(value: Any) -> None:
    assert same(TypedSerializer().deserialize(TypedSerializer().serialize(value)), value)


@pytest.mark.parametrize(
    ("value", "data"),
    [
        (None, b'{"_type":"NoneType","_value":null}'),
        (True, b'{"_type":"bool","_value":true}'),
        (1, b'{"_type":"int","_value":1}'),
        (1.0, b'{"_type":"float","_value":1.0}'),
        ("a", b'{"_type":"str","_value":"a"}'),
        ([1], b'{"_type":"list","_value":[1]}'),
        ({"a": 1}, b'{"_type":"dict","_value":{"a":1}}'),
    ],
)
def test_the_typed_forms_are_these(value: Any, data: bytes) -> None:
    assert TypedSerializer().serialize(value) == data
    assert same(TypedSerializer().deserialize(data), value)


class int_(int):  # noqa: N801 - named so that only a look at the class tells it
    pass


int_.__name__ = "int"


@pytest.mark.parametrize("value", [(1,), {1}, b"x", 1j, int_(3), object()])
def test_other_types_are_refused(value: Any) -> None:
    with pytest.raises(CacheSerializationError, match="has no typed form"):
        TypedSerializer().serialize(value)


def test_what_the_serializer_beneath_cannot_carry_is_refused_there() -> None:
    with pytest.raises(CacheSerializationError, match=r'value\["_value"\]\[0\] is of type tuple'):
        TypedSerializer().serialize([(1,)])
    beneath = TypedSerializer(PickleSerializer())
    assert beneath.deserialize(beneath.serialize([(1,)])) == [(1,)]
    assert type(beneath.base) is PickleSerializer
    assert (beneath.can_run_code, TypedSerializer(JSONSerializer()).can_run_code) == (True, False)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"1",
        b"[]",
        b"{}",
        b'{"_type":"int"}',
        b'{"_type":"int","_value":1,"more":2}',
        b'{"_type":"int","_value":"1"}',
        b'{"_type":"int","_value":true}',
        b'{"_type":"set","_value":[]}',
        b'{"_type":[],"_value":[]}',
        b'{"_type":"float","_value":1' + b"0" * 400 + b"}",
    ],
)
def test_what_is_no_typed_value_is_refused(data: bytes) -> None:
    with pytest.raises(CacheSerializationError, match="these bytes cannot be read as"):
        TypedSerializer().deserialize(data)


def test_the_serializer_beneath_is_one() -> None:
    with pytest.raises(CacheValueError, match="base_serializer is a CacheSerializer, not str"):
        TypedSerializer("json")  # type: ignore[arg-type]
