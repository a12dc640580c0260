"""Whatever bytes are read, the answer is a value or a CacheSerializationError."""

from __future__ import annotations

import base64
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.serializers.values import SAMPLES

from cachery.exceptions import CacheSerializationError
from cachery.serializers import (
    Base64Serializer,
    CacheSerializer,
    CompressedSerializer,
    JSONSerializer,
    MsgpackSerializer,
    StringSerializer,
    TypedSerializer,
)

SERIALIZERS: dict[str, CacheSerializer] = {
    "json": JSONSerializer(),
    "msgpack": MsgpackSerializer(),
    "typed": TypedSerializer(),
    "string": StringSerializer(),
    "compressed": CompressedSerializer(MsgpackSerializer()),
    "base64": Base64Serializer(MsgpackSerializer()),
}
EACH = pytest.mark.parametrize("name", SERIALIZERS)
PLAIN = [SAMPLES[0], [1, "ä", {"b": {"c": [-0.5]}}]]


def read(name: str, data: bytes) -> None:
    try:
        SERIALIZERS[name].deserialize(data)
    except CacheSerializationError as error:
        assert error.__cause__ is not None  # noqa: PT017 - it may also be read


def written(name: str) -> list[bytes]:
    values: list[Any] = PLAIN if name in {"json", "typed", "string"} else SAMPLES
    return [SERIALIZERS[name].serialize(value) for value in values]


@EACH
@given(data=st.binary())
def test_random_bytes_do_no_harm(name: str, data: bytes) -> None:
    read(name, data)


@EACH
@given(data=st.data())
def test_changed_bytes_do_no_harm(name: str, data: st.DataObject) -> None:
    whole = bytearray(data.draw(st.sampled_from(written(name))))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(whole)))
        whole[place : place + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=3))
    read(name, bytes(whole))


@EACH
@given(data=st.data())
def test_bytes_that_are_cut_off_do_no_harm(name: str, data: st.DataObject) -> None:
    whole = data.draw(st.sampled_from(written(name)))
    read(name, whole[: data.draw(st.integers(0, len(whole)))])


@given(st.binary(min_size=1, max_size=60), st.integers(-128, 127))
def test_any_extension_does_no_harm(payload: bytes, code: int) -> None:
    data = bytes([0xC7, len(payload), code & 0xFF]) + payload
    read("msgpack", data)
    read("compressed", zlib.compress(data))
    read("base64", base64.b64encode(data))


@EACH
@pytest.mark.parametrize("data", [None, "text", 3, [1]])
def test_what_is_no_bytes_is_refused(name: str, data: Any) -> None:
    with pytest.raises(CacheSerializationError):
        SERIALIZERS[name].deserialize(data)


@EACH
def test_views_and_byte_arrays_are_read_too(name: str) -> None:
    data = written(name)[0]
    value = SERIALIZERS[name].deserialize(data)
    assert SERIALIZERS[name].deserialize(memoryview(data)) == value  # type: ignore[arg-type]
    assert SERIALIZERS[name].deserialize(bytearray(data)) == value  # type: ignore[arg-type]
