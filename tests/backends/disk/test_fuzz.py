"""Whatever bytes stand in a store, reading them ends with a value or with ``Unreadable``."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.backends.disk.actors import SECRET

from cachery.backends.disk.big_files import Reference
from cachery.backends.disk.index import ROW_SIZE, unpack_row
from cachery.backends.disk.writing import reference_of
from cachery.codecs import build_codec
from cachery.model.entry import Entry
from cachery.serializers.envelope import SIGNATURE, Body, Envelope, Unreadable, key_of, pack, unpack
from cachery.serializers.pipeline import Codec

REASONS = {"format", "damaged", "secret", "signature", "key", "serializer", "compression", "encryption", "value"}
KEY = b"key"
VALUES: list[Any] = [None, 7, -(2**70), "text", [1, {"a": [1.5, None, True]}], "long " * 500]
OPTIONS: dict[str, dict[str, Any]] = {
    f"{serializer} {compression} {encryption}": {
        "serializer": serializer,
        "compression": compression,
        "encryption": encryption,
    }
    for serializer in ("pickle", "json", "msgpack")
    for compression in (None, "zlib", "zstd", "lz4")
    for encryption in (None, "a secret to encrypt")
    if compression in {None, "zlib"} or (serializer == "msgpack" and encryption is None)
}
EACH = pytest.mark.parametrize("name", OPTIONS)


def codec_of(name: str) -> Codec:
    return build_codec(secret=SECRET, compression_threshold=1, max_value_bytes=100_000, name="fuzz", **OPTIONS[name])


CODECS = {name: codec_of(name) for name in OPTIONS}


def record_of(codec: Codec, value: object, tags: tuple[str, ...] = ()) -> bytes:
    return codec.record_of(KEY, codec.body_of(KEY, value), Entry(None, 10.0, tags=tags, cost=1.5), 3)


RECORDS = {
    name: [record_of(codec, value, tags) for value in VALUES for tags in ((), ("red", "blue"))]
    for name, codec in CODECS.items()
}


def read(codec: Codec, record: bytes) -> Any:
    """Read ``record`` as a store does; return the reason when it is unreadable."""
    try:
        envelope = codec.opened(KEY, record)
        assert isinstance(envelope, Envelope)
        return codec.value_of(KEY, envelope.body)
    except Unreadable as unreadable:
        assert unreadable.reason in REASONS  # noqa: PT017 - it may also be read
        return unreadable


def signed(codec: Codec, record: bytes) -> bytes:
    assert codec.keyring is not None
    return codec.keyring.signed(record)


def damaged(data: st.DataObject, whole: bytes) -> bytes:
    changed = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(changed)))
        changed[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
    return bytes(changed)


@EACH
def test_what_was_written_is_read(name: str) -> None:
    assert [read(CODECS[name], record) for record in RECORDS[name][::2]] == VALUES
    assert [read(CODECS[name], record) for record in RECORDS[name][1::2]] == VALUES


@EACH
@given(record=st.binary(max_size=300))
def test_random_bytes_are_unreadable(name: str, record: bytes) -> None:
    assert isinstance(read(CODECS[name], record), Unreadable)
    assert isinstance(read(CODECS[name], b"\xca\xc8\x01" + record), Unreadable)


@EACH
@given(data=st.data())
def test_a_changed_record_is_unreadable(name: str, data: st.DataObject) -> None:
    whole = data.draw(st.sampled_from(RECORDS[name]))
    changed = damaged(data, whole)
    assert changed == whole or isinstance(read(CODECS[name], changed), Unreadable)


@pytest.mark.parametrize("name", [name for name in OPTIONS if not name.startswith("pickle")])
@given(data=st.data())
def test_a_changed_record_that_is_signed_all_the_same_does_no_harm(name: str, data: st.DataObject) -> None:
    whole = data.draw(st.sampled_from(RECORDS[name]))[:-SIGNATURE]
    read(CODECS[name], signed(CODECS[name], damaged(data, whole)))


@EACH
@given(
    data=st.binary(max_size=200), serializer=st.integers(0, 6), compression=st.integers(0, 5), flags=st.integers(0, 7)
)
def test_any_body_does_no_harm(name: str, data: bytes, serializer: int, compression: int, flags: int) -> None:
    codec = CODECS[name]
    if codec.code == serializer == 1:
        return  # who has the secret may write any pickle
    record = pack(KEY, Body(data, serializer, compression, flags), Entry(None), 0, codec.keyring.key_id)  # type: ignore[union-attr]
    read(codec, signed(codec, record))


@given(record=st.binary(max_size=300), size=st.sampled_from([0, SIGNATURE]))
def test_unpacking_ends_well(record: bytes, size: int) -> None:
    for data in (record, b"\xca\xc8\x01" + record):
        assert isinstance(key_of(data), str)
        reference_of(data)
        try:
            unpack(data, size)
        except Unreadable as unreadable:
            assert unreadable.reason in {"format", "damaged"}  # noqa: PT017 - it may also be unpacked


@given(st.binary(max_size=80))
def test_references_and_rows_are_taken_apart(data: bytes) -> None:
    reference = Reference.unpack(data)
    if reference is not None:
        assert reference.pack() == data
        assert set(reference.name) <= set("0123456789abcdef")
    if len(data) >= ROW_SIZE:
        unpack_row(data[:ROW_SIZE])
