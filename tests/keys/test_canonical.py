"""Distinct values have distinct bytes, equal values of one type have equal bytes; the bytes can be read back."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import combinations
from operator import attrgetter
from pathlib import PurePosixPath, PureWindowsPath
from struct import pack
from typing import Any
from uuid import UUID

from hypothesis import example, given
from hypothesis import strategies as st

from cachery.keys.canonical import encode


def bits(number: float) -> bytes:
    return b"nan" if math.isnan(number) else pack(">d", number)


SPAN = attrgetter("start", "stop", "step")
VIEWS: dict[type, Callable[[Any], object]] = {
    float: bits,
    complex: lambda number: (number.real, number.imag),
    Decimal: Decimal.as_tuple,
    range: SPAN,
    slice: SPAN,
}


def same(one: Any, other: Any) -> bool:
    """Tell whether two values are of one type and equal, and all that they hold likewise."""
    kind = type(one)
    if kind is not type(other):
        return False
    if kind in {tuple, list}:
        return len(one) == len(other) and all(map(same, one, other))
    if kind in {set, frozenset}:
        return is_matched(list(one), list(other))
    if kind is dict:
        return is_matched(list(one.items()), list(other.items()))
    view = VIEWS.get(kind)
    return same(view(one), view(other)) if view else bool(one == other)


def is_matched(ones: list[Any], others: list[Any]) -> bool:
    """Tell whether each of ``ones`` has its own like among ``others``."""
    for one in ones:
        found = [index for index, other in enumerate(others) if same(one, other)]
        if not found:
            return False
        del others[found[0]]
    return not others


NUMBERS = [True, False, 0, 1, -1, 0.0, -0.0, 1.0, math.nan, 1j, -1j, Decimal(1), Decimal("1.0"), Fraction(1)]
TEXTS = [None, "", "1", "a", "bc", "ab", "c", "n0:", b"", b"a", PurePosixPath("a"), PureWindowsPath("a"), UUID(int=1)]
TIMES = [date(2024, 1, 1), datetime(2024, 1, 1), timedelta(1), timedelta(0, 1), time(1), time(1, fold=1)]  # noqa: DTZ001
RANGES = [range(1), range(0, 1, 2)]

few_hashables = st.sampled_from([*NUMBERS, *TEXTS, *TIMES, *RANGES])
few_leaves = few_hashables | st.sampled_from([bytearray(b"a"), bytearray(), slice(1), slice(None, 1, None)])
many_leaves = (
    st.integers()
    | st.floats()
    | st.text(st.characters(codec=None))
    | st.binary()
    | st.decimals()
    | st.fractions()
    | st.datetimes()
    | st.timedeltas()
    | st.complex_numbers()
)
hashables = st.recursive(
    few_hashables, lambda inner: st.lists(inner, max_size=3).map(tuple) | st.frozensets(inner, max_size=3), max_leaves=5
)


def nested(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.recursive(
        leaves,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.lists(inner, max_size=3).map(tuple)
            | st.sets(hashables, max_size=3)
            | st.dictionaries(hashables, inner, max_size=3)
        ),
        max_leaves=8,
    )


@given(nested(few_leaves), nested(few_leaves))
@example({1: "a", 2: "b"}, {2: "b", 1: "a"})
@example(("a", "bc"), ("ab", "c"))
@example([1], (1,))
@example({"a": ["b"]}, {"a": {"b"}})
@example([[], []], [[[]]])
def test_distinct_values_have_distinct_bytes_and_only_they(one: object, other: object) -> None:
    assert (encode(one) == encode(other)) is same(one, other)


@given(st.lists(st.one_of(few_leaves, many_leaves, nested(many_leaves)), max_size=8))
def test_no_two_of_many_values_meet(values: list[object]) -> None:
    for one, other in combinations(values, 2):
        assert (encode(one) == encode(other)) is same(one, other)


@given(st.sets(hashables, max_size=6).map(list).flatmap(lambda some: st.tuples(st.just(some), st.permutations(some))))
def test_the_order_of_sets_and_dicts_does_not_matter(orders: tuple[list[object], list[object]]) -> None:
    one, other = orders
    assert encode(set(one)) == encode(set(other))
    assert encode(dict.fromkeys(one, 1)) == encode(dict.fromkeys(other, 1))


def read(data: bytes) -> tuple[object, bytes]:
    """Return the value that ``data`` begins with, and the bytes after it."""
    head, _, rest = data.partition(b":")
    tag, length = head[:1], int(head[1:])
    payload, rest = rest[:length], rest[length:]
    if tag in b"tlezm":
        return read_members(tag, payload), rest
    leaves: dict[bytes, Any] = {
        b"n": lambda _: None,
        b"b": lambda text: text == b"1",
        b"i": lambda text: int(text, 16),
        b"f": lambda text: float.fromhex(text.decode()),
        b"s": lambda text: text.decode("utf-8", "surrogatepass"),
        b"y": bytes,
        b"a": bytearray,
    }
    return leaves[tag](payload), rest


def read_members(tag: bytes, payload: bytes) -> object:
    members: list[Any] = []
    while payload:
        member, payload = read(payload)
        members.append(member)
    if tag == b"m":
        return dict(zip(members[::2], members[1::2], strict=True))
    kinds: dict[bytes, Any] = {b"t": tuple, b"l": list, b"e": set, b"z": frozenset}
    return kinds[tag](members)


plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)) | st.binary()


@given(
    st.recursive(
        plain | plain.map(lambda value: frozenset([value])),
        lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(plain, inner) | st.sets(plain),
    )
)
def test_the_bytes_can_be_read_back(value: object) -> None:
    found, rest = read(encode(value))
    assert same(found, value)
    assert rest == b""
