"""A serializer around another changes the bytes and nothing else."""

from __future__ import annotations

import base64
import zlib
from typing import Any

import pytest
from hypothesis import given
from tests.serializers.values import carried, same

from cachery.exceptions import CacheSerializationError, CacheValueError
from cachery.serializers import (
    Base64Serializer,
    CompressedSerializer,
    JSONSerializer,
    MsgpackSerializer,
    PickleSerializer,
)

JSON = JSONSerializer()


@given(carried)
def test_values_come_back_as_they_were(value: Any) -> None:
    beneath = MsgpackSerializer()
    for serializer in (
        CompressedSerializer(beneath),
        Base64Serializer(beneath),
        Base64Serializer(CompressedSerializer(beneath)),
    ):
        assert same(serializer.deserialize(serializer.serialize(value)), value)


def test_the_bytes_are_those_of_zlib_and_of_base_64() -> None:
    value = ["tea"] * 100
    assert CompressedSerializer(JSON).serialize(value) == zlib.compress(JSON.serialize(value), 6)
    assert CompressedSerializer(JSON, 9).serialize(value) == zlib.compress(JSON.serialize(value), 9)
    assert Base64Serializer(JSON).serialize(value) == base64.b64encode(JSON.serialize(value))


def test_they_tell_what_they_are_made_of() -> None:
    compressed, letters = CompressedSerializer(JSON, compression_level=3), Base64Serializer(JSON)
    assert (compressed.base, compressed.level, compressed.name) == (JSON, 3, "json+zlib")
    assert (letters.base, letters.name) == (JSON, "json+base64")


def test_pickle_beneath_is_not_hidden() -> None:
    for wrap in (CompressedSerializer, Base64Serializer):
        assert wrap(PickleSerializer()).can_run_code
        assert wrap(CompressedSerializer(PickleSerializer())).can_run_code
        assert not wrap(JSON).can_run_code


def test_what_inflates_beyond_the_limit_is_not_read() -> None:
    bomb = zlib.compress(b'"' + b" " * 10_000_000 + b'"', 9)
    with pytest.raises(CacheSerializationError, match="more than the limit of 1000000 bytes"):
        CompressedSerializer(JSON, limit=1_000_000).deserialize(bomb)
    assert len(CompressedSerializer(JSON).deserialize(bomb)) == 10_000_000


def test_what_could_not_be_read_again_is_not_written() -> None:
    serializer = CompressedSerializer(JSON, limit=10)
    assert serializer.deserialize(serializer.serialize("a" * 8)) == "a" * 8
    with pytest.raises(CacheSerializationError, match="the value is 11 bytes, more than are read again"):
        serializer.serialize("a" * 9)


@pytest.mark.parametrize(
    "data", [b"", b"tea", zlib.compress(b"1")[:-1], zlib.compress(b"1") + b"x", zlib.compress(b"{")]
)
def test_damaged_bytes_are_refused_when_inflated(data: bytes) -> None:
    with pytest.raises(CacheSerializationError, match="these bytes cannot be read as"):
        CompressedSerializer(JSON).deserialize(data)


@pytest.mark.parametrize("data", [b"", b"!", b"MQ", b"M Q==", b"MQ==x", b"ew=="])
def test_damaged_letters_are_refused(data: bytes) -> None:
    with pytest.raises(CacheSerializationError, match="these bytes cannot be read as"):
        Base64Serializer(JSON).deserialize(data)


def test_arguments_are_checked() -> None:
    for wrap in (CompressedSerializer, Base64Serializer):
        with pytest.raises(CacheValueError, match="base_serializer is a CacheSerializer, not ABCMeta"):
            wrap(JSONSerializer)  # type: ignore[arg-type]
    for level in (10, -2, True, "6"):
        with pytest.raises(CacheValueError, match="level of zlib is -1 to 9"):
            CompressedSerializer(JSON, level)  # type: ignore[arg-type]
    with pytest.raises(CacheValueError, match="limit is a number of bytes"):
        CompressedSerializer(JSON, limit=0)
