"""Pickle carries nearly everything; what it cannot is named."""

from __future__ import annotations

import pickle
import pickletools
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.serializers.values import carried, same

from cachery.exceptions import CacheSerializationError, CacheValueError
from cachery.serializers import PickleSerializer

SERIALIZER = PickleSerializer()


@given(carried)
def test_values_come_back_as_they_were(value: Any) -> None:
    assert same(SERIALIZER.deserialize(SERIALIZER.serialize(value)), value)


def test_what_contains_itself_comes_back_so() -> None:
    value: list[Any] = []
    value.append(value)
    found = SERIALIZER.deserialize(SERIALIZER.serialize(value))
    assert found[0] is found


def test_the_protocol_is_the_newest_unless_one_is_given() -> None:
    assert SERIALIZER.protocol == pickle.HIGHEST_PROTOCOL
    assert SERIALIZER.serialize(1) == pickle.dumps(1, pickle.HIGHEST_PROTOCOL)
    older = PickleSerializer(protocol=2)
    assert next(pickletools.genops(older.serialize([1])))[1] == older.protocol == 2
    for protocol in (-1, pickle.HIGHEST_PROTOCOL + 1, True, "2", None):
        with pytest.raises(CacheValueError, match="protocol is a number from 0 to"):
            PickleSerializer(protocol)  # type: ignore[arg-type]


def test_what_has_no_pickle_is_named() -> None:
    class Local:
        pass

    for value, name in ((Local(), "Local"), (threading.Lock(), "lock"), (lambda: 0, "function")):
        with pytest.raises(CacheSerializationError, match=f"{name} cannot be pickled") as caught:
            SERIALIZER.serialize(value)
        assert caught.value.__cause__ is not None


def test_what_is_too_deep_is_refused() -> None:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(CacheSerializationError, match="RecursionError"):
        SERIALIZER.serialize(value)
    while value:
        value = value[0]


@given(carried, st.data())
def test_a_pickle_that_is_cut_off_is_refused(value: Any, data: st.DataObject) -> None:
    whole = SERIALIZER.serialize(value)
    part = whole[: data.draw(st.integers(0, len(whole) - 1))]
    with pytest.raises(CacheSerializationError, match="cannot be read as a pickle"):
        SERIALIZER.deserialize(part)


@pytest.mark.parametrize("data", [b"", b"tea", b"\x80\xff.", b"cnowhere\nname\n.", b"\x80\x04."])
def test_garbage_is_refused(data: bytes) -> None:
    with pytest.raises(CacheSerializationError, match="cannot be read as a pickle"):
        SERIALIZER.deserialize(data)


def test_reading_it_is_known_to_run_code() -> None:
    assert SERIALIZER.can_run_code
