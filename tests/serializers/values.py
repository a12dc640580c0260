"""Values of the types that msgpack carries, and whether one came back as it was."""

from __future__ import annotations

import math
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from struct import pack
from typing import Any

from hypothesis import strategies as st


def same(one: Any, other: Any) -> bool:
    """Tell whether two values are of one type and equal, in one order, and all that they hold likewise."""
    kind = type(one)
    if kind is not type(other):
        return False
    if kind in {list, tuple}:
        return is_same_row(list(one), list(other))
    if kind in {set, frozenset}:
        return is_matched(list(one), list(other))
    if kind is dict:
        return is_same_row(list(one.items()), list(other.items()))
    return is_same_leaf(one, other)


def is_same_row(ones: list[Any], others: list[Any]) -> bool:
    return len(ones) == len(others) and all(same(one, other) for one, other in zip(ones, others, strict=True))


def is_same_leaf(one: Any, other: Any) -> bool:
    if isinstance(one, datetime | time):
        return bool(one == other) and zone_of(one) == zone_of(other)
    if isinstance(one, complex):
        return bits(one.real) == bits(other.real) and bits(one.imag) == bits(other.imag)
    if isinstance(one, float):
        return bits(one) == bits(other)
    if isinstance(one, Decimal):
        return bool(one.as_tuple() == other.as_tuple())
    return bool(one == other)


def bits(number: float) -> bytes:
    return b"nan" if math.isnan(number) else pack(">d", number)


def zone_of(value: datetime | time) -> tuple[object, ...]:
    return value.replace(tzinfo=None), value.fold, value.utcoffset(), value.tzname(), type(value.tzinfo)


def is_matched(ones: list[Any], others: list[Any]) -> bool:
    """Tell whether each of ``ones`` has its own like among ``others``."""
    for one in ones:
        found = [index for index, other in enumerate(others) if same(one, other)]
        if not found:
            return False
        del others[found[0]]
    return not others


texts = st.text(st.characters(codec=None), max_size=5)  # lone surrogates too
zones: st.SearchStrategy[Any] = st.none() | st.builds(
    timezone, st.timedeltas(timedelta(hours=-23), timedelta(hours=23)), st.sampled_from(["UTC", "EST", "Zoë"])
)
zones |= st.builds(timezone, st.timedeltas(timedelta(hours=-23), timedelta(hours=23)))
hashable_leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(2**100), 2**100)
    | st.sampled_from([2**63, 2**64 - 1, 2**64, -(2**63), -(2**63) - 1])
    | st.floats()
    | st.complex_numbers()
    | texts
    | st.binary(max_size=5)
    | st.decimals()
    | st.uuids()
    | st.dates()
    | st.times(timezones=zones)
    | st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 1, 1), timezones=zones)  # noqa: DTZ001 - limits of the strategy are naive
    | st.timedeltas()
).filter(lambda value: not (isinstance(value, Decimal) and value.is_snan()))
hashables = st.recursive(
    hashable_leaves,
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.frozensets(inner, max_size=3),
    max_leaves=4,
)
leaves = hashable_leaves | st.binary(max_size=5).map(bytearray)


def nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.sets(hashables, max_size=3)
        | st.frozensets(hashables, max_size=3)
        | st.dictionaries(hashables, inner, max_size=3)
        | st.dictionaries(texts, inner, max_size=3)
    )


carried = st.recursive(leaves, nested, max_leaves=10)

json_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)


def json_with(integers: st.SearchStrategy[int]) -> st.SearchStrategy[Any]:
    numbers = integers | st.floats(allow_nan=False, allow_infinity=False)
    return st.recursive(
        st.none() | st.booleans() | numbers | json_texts,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(json_texts, inner, max_size=4),
        max_leaves=12,
    )


json_values = json_with(st.integers())

SAMPLES: list[Any] = [
    {"a": [1, None, True, 2.5, "tea"]},
    {1: 2, None: b"x", (1, 2): {3}, "\ud800": [2**70]},
    [date(2024, 2, 29), time(12, 30, 15, 5), datetime(2024, 2, 29, 12, tzinfo=timezone(timedelta(hours=2), "X"))],
    [Decimal("1.50"), timedelta(-1, 5), 1j, frozenset({1}), bytearray(b"ab")],
]
