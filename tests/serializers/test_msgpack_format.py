"""Msgpack carries types as they are, is ordinary MessagePack where it can be, and refuses what it does not know."""

from __future__ import annotations

import functools
import inspect
import math
import sys
from collections import OrderedDict, defaultdict, deque, namedtuple
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.serializers.values import SAMPLES, carried, json_with, same

from cachery.exceptions import CacheSerializationError
from cachery.serializers import MsgpackSerializer
from cachery.serializers.refusals import DEEPEST

SERIALIZER = MsgpackSerializer()
Pair = namedtuple("Pair", "a b")  # noqa: PYI024 - both kinds are to be refused


class Colour(StrEnum):
    RED = "red"


class Size(IntEnum):
    LARGE = 3


class Number(int):
    pass


class Plain:
    pass


class Twist(tzinfo):
    """A zone of one's own, which nobody else knows."""

    def utcoffset(self, moment: datetime | None) -> timedelta | None:
        return None if moment is None else timedelta(hours=3, seconds=moment.second)

    def dst(self, _: datetime | None) -> None:
        return None

    def tzname(self, _: datetime | None) -> str:
        return "Twist"


def back(value: Any) -> Any:
    return SERIALIZER.deserialize(SERIALIZER.serialize(value))


def in_paris(*fields: int, fold: int = 0) -> datetime:
    try:
        return datetime(*fields, tzinfo=ZoneInfo("Europe/Paris"), fold=fold)  # type: ignore[arg-type,misc]
    except ZoneInfoNotFoundError:
        pytest.skip("this system knows no time zones")


@given(carried)
def test_all_types_come_back_as_they_were(value: Any) -> None:
    assert same(back(value), value)


@given(json_with(st.integers(-(2**63), 2**64 - 1)))
def test_plain_values_are_ordinary_messagepack(value: Any) -> None:
    assert SERIALIZER.serialize(value) == msgspec.msgpack.encode(value)
    assert same(SERIALIZER.deserialize(msgspec.msgpack.encode(value)), value)


@pytest.mark.parametrize("value", SAMPLES)
def test_samples_come_back_as_they_were(value: Any) -> None:
    assert same(back(value), value)


GOLDEN: list[tuple[object, str]] = [
    ({"a": [1, -1, 2.5, None, True, b"x"]}, "81a16196 01 ff cb4004000000000000 c0 c3 c40178"),
    ({1: 2, None: 3}, "82 0102 c003"),
    (2**64 - 1, "cf ffffffffffffffff"),
    (2**64, "c7 09 01 010000000000000000"),
    (-(2**63) - 1, "c7 09 01 ff7fffffffffffffff"),
    ("\ud800", "c7 03 02 eda080"),
    (bytearray(b"ab"), "d5 03 6162"),
    ((1, "a"), "d6 04 92 01 a161"),
    ({7}, "d5 05 9107"),
    (frozenset({7}), "d5 06 9107"),
    ({(1,): 2}, "c7 06 07 92 d504 9101 02"),
    (datetime(2024, 2, 29).date(), "d6 08 07e8 02 1d"),  # noqa: DTZ001 - a date only
    (time(12, 30, 15, 5, fold=1), "d7 09 0c 1e 0f 00000005 01"),
    (datetime(2024, 2, 29, 12, 30, 15, 5), "c7 0c 0a 07e8 02 1d 0c 1e 0f 00000005 00"),  # noqa: DTZ001 - naive on purpose
    (
        datetime(2024, 2, 29, tzinfo=timezone(timedelta(hours=-1), "X")),
        "c7 1a 0a 07e8 02 1d 00 00 00 00000000 00 46 ffffffff 00014370 00000000 58",
    ),
    (timedelta(-1, 2, 3), "c7 0c 0b ffffffff 00000002 00000003"),
    (Decimal("-1.50"), "c7 05 0c 2d312e3530"),
    (UUID(int=1), "d8 0d 00000000000000000000000000000001"),
    (1 - 2j, "d8 0e 3ff0000000000000 c000000000000000"),
]


@pytest.mark.parametrize(("value", "data"), GOLDEN)
def test_the_bytes_of_each_type_never_change(value: object, data: str) -> None:
    assert SERIALIZER.serialize(value).hex() == data.replace(" ", "")
    assert same(SERIALIZER.deserialize(bytes.fromhex(data)), value)


def test_a_zone_by_name_keeps_its_rules() -> None:
    for moment in (in_paris(2024, 7, 1), in_paris(2024, 10, 27, 2, 30), in_paris(2024, 10, 27, 2, 30, fold=1)):
        found = back(moment)
        assert same(found, moment)
        assert found.tzinfo is moment.tzinfo
        assert same(back(moment.timetz()), moment.timetz())
    assert SERIALIZER.serialize(in_paris(2024, 7, 1)).endswith(b"ZEurope/Paris")


def test_another_zone_comes_back_as_its_offset_at_that_time() -> None:
    moment = datetime(2024, 7, 1, 12, 0, 7, tzinfo=Twist(), fold=1)
    found = back(moment)
    assert found == moment
    assert (found.utcoffset(), found.tzname(), found.fold) == (timedelta(hours=3, seconds=7), "Twist", 1)


def test_a_time_whose_offset_depends_on_the_day_is_refused() -> None:
    with pytest.raises(CacheSerializationError, match=r"value\[0\] of type datetime.time cannot be carried"):
        SERIALIZER.serialize([time(12, tzinfo=Twist())])


def test_universal_time_is_the_one_object() -> None:
    assert back(datetime(2024, 7, 1, tzinfo=UTC)).tzinfo is UTC


def test_a_quiet_and_a_signalling_nan_are_told_apart() -> None:
    assert str(back(Decimal("sNaN123"))) == "sNaN123"
    assert math.isnan(back(math.nan))


def test_the_order_of_a_dict_is_kept() -> None:
    for value in ({"b": 1, "a": 2}, {(2,): 1, (1,): 2}, {2: 1, 1: (2,)}):
        assert list(back(value).items()) == list(value.items())


@pytest.mark.parametrize(
    ("value", "place", "kind"),
    [
        (Plain(), "value ", "Plain"),
        ({"a": [1, (Plain(),)]}, 'value["a"][1][0] ', "Plain"),
        ({"a": {3: Plain()}}, 'value["a"][3] ', "Plain"),
        ({Plain(): 1}, "value{key} ", "Plain"),
        ({(1, 2): Plain()}, "value[<tuple>] ", "Plain"),
        ([{Plain()}], "value[0]{member} ", "Plain"),
        ([Colour.RED], "value[0] ", "Colour"),
        ([Size.LARGE], "value[0] ", "Size"),
        ([Number(3)], "value[0] ", "Number"),
        ([Pair(1, 2)], "value[0] ", "Pair"),
        ([OrderedDict(a=1)], "value[0] ", "OrderedDict"),
        ([defaultdict(int)], "value[0] ", "defaultdict"),
        ([deque()], "value[0] ", "deque"),
        ([memoryview(b"a")], "value[0] ", "memoryview"),
        ([print], "value[0] ", "builtin_function_or_method"),
        ([range(3)], "value[0] ", "range"),
    ],
)
def test_a_type_that_is_not_registered_is_refused(value: Any, place: str, kind: str) -> None:
    with pytest.raises(CacheSerializationError) as caught:
        SERIALIZER.serialize(value)
    message = str(caught.value)
    assert message.startswith(place)
    assert kind in caught.value.context["value_type"]
    assert f"cachery.serializers.register({kind}" in message


def test_the_line_to_write_is_complete() -> None:
    with pytest.raises(CacheSerializationError, match=r"write cachery\.serializers\.register\(Colour\) or serializer="):
        SERIALIZER.serialize(Colour.RED)
    with pytest.raises(CacheSerializationError, match=r"register\(Plain, encode=\.\.\., decode=\.\.\.\)"):
        SERIALIZER.serialize(Plain())


def nest(inner: Any, levels: int, wrap: Callable[[Any], Any]) -> Any:
    return functools.reduce(lambda value, _: wrap(value), range(levels), inner)


WRAPS: list[Callable[[Any], Any]] = [
    lambda value: [value],
    lambda value: (value,),
    lambda value: {"a": value},
    lambda value: {1.5: value, (): 1},
    lambda value: frozenset([value]),
]


@pytest.mark.parametrize("wrap", WRAPS)
def test_two_hundred_levels_are_carried_and_one_more_is_not(wrap: Callable[[Any], Any]) -> None:
    limit = sys.getrecursionlimit()
    deepest = nest(2**70, DEEPEST - (wrap is WRAPS[3]), wrap)
    sys.setrecursionlimit(limit + 1000)  # the stack of a test runner is deep itself
    try:
        assert back(deepest) == deepest
        with pytest.raises(CacheSerializationError, match="nested deeper than 200 levels"):
            SERIALIZER.serialize(wrap(wrap(deepest)))
    finally:
        sys.setrecursionlimit(limit)


def test_what_has_no_end_is_refused() -> None:
    one: list[Any] = []
    one.extend([one, (one,)])
    two: dict[str, Any] = {"large": 2**70}
    two["self"] = two
    for value in (one, two):
        with pytest.raises(CacheSerializationError, match="contains itself"):
            SERIALIZER.serialize(value)


def test_a_stack_that_is_nearly_full_is_told_so() -> None:
    limit = sys.getrecursionlimit()
    value = nest(1, 150, lambda value: (value,))
    sys.setrecursionlimit(len(inspect.stack()) + 60)
    try:
        with pytest.raises(CacheSerializationError, match="nested deeper"):
            SERIALIZER.serialize(value)
    finally:
        sys.setrecursionlimit(limit)


def test_what_nobody_foresaw_is_an_error_of_ours_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> bytes:
        raise MemoryError

    serializer = MsgpackSerializer()
    monkeypatch.setattr(serializer, "_pack", fail)
    with pytest.raises(CacheSerializationError, match="cannot be written as MessagePack: MemoryError"):
        serializer.serialize([1])


@pytest.mark.parametrize(
    "data",
    [
        "",
        "c1",
        "c0c0",
        "92c0",
        "dd ffffffff",
        "df 7fffffff",
        "c6 ffffffff",
        "c9 ffffffff 04",
        "a2 ff fe",
        "d4 63 00",  # an extension that is not ours
        "d4 04 01",  # a tuple that is an int
        "d5 05 91 90",  # a set of a list
        "d5 07 91 01",  # a key without a value
        "c7 04 07 92 90 90 c0",
        "c7 05 07 92 81 01 02 01",  # a dict as a key
        "d4 08 00",  # a date of one byte
        "d6 08 07e8 0d 01",  # the thirteenth month
        "c7 0d 0a 07e8 02 1d 0c 1e 0f 00000005 00 51",  # a zone of an unknown kind
        "c7 11 0a 07e8 02 1d 0c 1e 0f 00000005 00 5a 2e2e2f61",  # a zone above all zones
        "c7 03 0c 746561",  # a number that is none
        "d4 0d 00",
        "d4 0e 00",
        "d4 0f 90",
        "d7 0f 92 a5 6f732e6f73 c0",  # a name that nobody registered
        "d6 0f 92 91c0 c0",
    ],
)
def test_bytes_that_are_wrong_are_refused(data: str) -> None:
    with pytest.raises(CacheSerializationError, match="these bytes cannot be read as MessagePack"):
        SERIALIZER.deserialize(bytes.fromhex(data))


def test_bytes_that_nest_without_end_are_refused() -> None:
    data = b"\xc0"
    for _ in range(5000):
        data = b"\xc9" + (len(data) + 1).to_bytes(4, "big") + b"\x04\x91" + data
    for endless in (data, b"\x91" * 100_000, b"\x81\xc0" * 100_000):
        with pytest.raises(CacheSerializationError, match="cannot be read as MessagePack"):
            SERIALIZER.deserialize(endless)


def test_an_unknown_name_imports_nothing() -> None:
    data = SERIALIZER.serialize(None)
    name = b"antigravity.Class"
    data = b"\xc7" + bytes([len(name) + 3, 15, 0x92, 0xA0 | len(name)]) + name + b"\xc0"
    with pytest.raises(CacheSerializationError, match=r"no type is registered as 'antigravity\.Class'"):
        SERIALIZER.deserialize(data)
    assert "antigravity" not in sys.modules


def test_enums_of_any_kind_are_not_taken_for_their_values() -> None:
    class Odd(Enum):
        ONE = 1

    with pytest.raises(CacheSerializationError, match="Odd"):
        SERIALIZER.serialize({"a": Odd.ONE})
