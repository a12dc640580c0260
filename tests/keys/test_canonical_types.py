"""What belongs to a value: its type, its class, and all that it holds; nothing else."""

from __future__ import annotations

import math
import re
import typing
from collections import Counter, OrderedDict, defaultdict, deque
from datetime import datetime, timedelta, timezone
from decimal import Decimal, localcontext
from fractions import Fraction
from ipaddress import ip_address, ip_network
from itertools import combinations
from pathlib import Path, PurePosixPath, PureWindowsPath
from types import MappingProxyType

import pytest
from tests.keys.golden import zone_named
from tests.keys.samples import (
    BERLIN,
    NOON,
    PARIS,
    Access,
    Attrs,
    Bytes,
    Color,
    Couple,
    Folder,
    Items,
    Keyed,
    KeyedColor,
    KeyedText,
    Level,
    Mapping,
    Model,
    Moment,
    Name,
    Number,
    Pair,
    Place,
    Plain,
    Point,
    Shade,
    Slotted,
    Summer,
    Text,
    function,
    no_default,
    with_language,
)

from cachery.exceptions import CacheKeyError
from cachery.keys.canonical import encode

ALL_DIFFERENT: dict[str, list[object]] = {
    "the six": [1, True, 1.0, "1", None, ""],
    "zeros": [0, False, 0.0, -0.0, 0j, -0j, Decimal(0), Decimal("-0"), Decimal("0.0"), Fraction(0), "0", b"0"],
    "containers": [(), [], set(), frozenset(), {}, "", b"", bytearray(), range(0), OrderedDict(), defaultdict(list)],
    "numbers": [1, Number(1), Level.LOW, Color.RED, True],
    "texts": ["a", Text("a"), Text("b"), KeyedText("a"), with_language(Text, "en"), with_language(Text, "fr")],
    "slots": [Slotted("a"), with_language(Slotted, "en"), with_language(Slotted, "fr")],
    "bytes": [b"a", bytearray(b"a"), Bytes(b"a"), Bytes(b"b"), "a"],
    "lists": [[1], Items([1]), Items([2]), Items([1, 2]), (1,)],
    "pairs": [(1, 2), Pair(1, 2), Pair(2, 1), Couple(1, 2), [1, 2], {1: 2}, Pair(1, 2.0)],
    "dicts": [{"a": 1}, Mapping(a=1), Mapping(a=2), OrderedDict(a=1), Counter(a=1), defaultdict(int, a=1)],
    "factories": [defaultdict(None), defaultdict(int), defaultdict(list), defaultdict(no_default)],
    "orders": [OrderedDict(a=1, b=2), OrderedDict(b=2, a=1), {"a": 1, "b": 2}],
    "members": [Color.RED, Color.BLUE, Shade.RED, Color, Shade, "RED", 1, KeyedColor.RED],
    "texts of an enum": ["LOW", Name.LOW, Level.LOW],
    "flags": [Access(0), Access.READ, Access.WRITE, Access.READ | Access.WRITE, 1, 2],
    "objects": [Point(1, 2), Point(1, 3), Point(1, 2, "note"), Place(1, 2), Attrs(1, 2), Model(1, 2), {"x": 1, "y": 2}],
    "models": [Model(1, 2), Model(2, 1), Model(1, 2, z=3), Model(Point(1), 2), Model(Place(1), 2), Model({"x": 1}, 2)],
    "keyed": [Keyed("a"), Keyed("b"), Keyed(("a",)), "a", Keyed(None), Keyed(Keyed("a"))],
    "names": [int, bool, Point, Plain, function, no_default, len, math.sin, type, "int"],
    "zones": [
        datetime(2024, 1, 1, 12),  # noqa: DTZ001
        NOON,
        NOON.replace(fold=1),
        NOON.replace(tzinfo=timezone(timedelta(0), "GMT")),
        NOON.replace(tzinfo=timezone(timedelta(hours=1))),
        NOON.replace(tzinfo=BERLIN),
        NOON.replace(tzinfo=BERLIN, fold=1),
        NOON.replace(tzinfo=PARIS),
        NOON.replace(tzinfo=zone_named("UTC")),
        NOON.date(),
        NOON.time(),
        NOON.timetz(),
        NOON.timetz().replace(tzinfo=BERLIN),
        Moment(2024, 1, 1, 12),
    ],
    "paths": [Path("a"), PurePosixPath("a"), PureWindowsPath("a"), Path("a/b"), Folder("a"), Folder("b"), "a"],
    "spans": [range(1), range(0, 1, 2), range(1, 1), slice(1), slice(0, 1), slice(0, 1, 2), slice("a"), (0, 1, 2)],
    "lone surrogates": ["\ud83d", "\udd11", "\ud83d\udd11", "\U0001f511"],
}


@pytest.mark.parametrize("name", ALL_DIFFERENT)
def test_all_of_these_differ(name: str) -> None:
    values = ALL_DIFFERENT[name]
    encoded = [encode(value) for value in values]
    met = [(one, other) for one, other in combinations(range(len(values)), 2) if encoded[one] == encoded[other]]
    assert met == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (math.nan, -float("nan")),
        (Color.RED, Color.CRIMSON),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({1, 2, 3}, {3, 2, 1}),
        (Point(1, 2), Point(1, 2)),
        (Path("a//b/."), Path("a") / "b"),
        (Keyed((1, "a")), Keyed((1, "a"))),
        (Folder("a"), Folder("a")),
        (Fraction(2, 4), Fraction(1, 2)),
        (NOON.replace(tzinfo=BERLIN), NOON.replace(tzinfo=zone_named("Europe/Berlin"))),
        (Access.READ | Access.WRITE, Access(3)),
    ],
)
def test_these_are_the_same(one: object, other: object) -> None:
    assert encode(one) == encode(other)


def test_the_format_is_the_one_that_is_described() -> None:
    assert encode((1, "x")) == b"t8:i1:1s1:x"
    assert encode(None) == b"n0:"
    assert encode([-31, -0.0, "é"]) == b"l23:i3:-1ff9:-0x0.0p+0s2:\xc3\xa9"
    assert encode({"b", "a"}) == b"e8:s1:as1:b"


def test_using_a_path_or_a_context_changes_nothing() -> None:
    folder = Folder("a/b")
    before = encode([folder, Decimal("1E+5")])
    assert folder.name in str(folder)
    assert hash(folder) is not None
    with localcontext() as context:
        context.capitals = 0
        context.prec = 1
        assert encode([folder, Decimal("1E+5")]) == before


def test_a_number_may_be_of_any_size() -> None:
    assert encode(10**5000) != encode(10**5000 + 1)


def test_a_zone_without_a_key_is_what_it_is_and_says() -> None:
    class Local(Summer):
        pass

    assert encode(NOON.replace(tzinfo=Summer())) != encode(NOON.replace(tzinfo=timezone(timedelta(hours=2), "CEST")))
    assert encode(NOON.replace(tzinfo=Summer())) == encode(NOON.replace(tzinfo=Summer()))
    with pytest.raises(CacheKeyError, match="Local"):
        encode(NOON.replace(tzinfo=Local()))


def test_pydantic_models_are_their_fields() -> None:
    pydantic = pytest.importorskip("pydantic")
    inner = pydantic.create_model("Inner", name=(str, ...), __module__=__name__)
    child = pydantic.create_model("Child", name=(str, ...), __module__=__name__)
    outer = pydantic.create_model(
        "Outer", part=(object, ...), secret=(int, pydantic.Field(exclude=True)), __module__=__name__
    )
    values = [outer(part=inner(name="a"), secret=1), outer(part=inner(name="a"), secret=2)]
    values += [outer(part=child(name="a"), secret=1), outer(part={"name": "a"}, secret=1)]
    assert len({encode(value) for value in values}) == 4
    assert encode(values[0]) == encode(values[0].model_copy(deep=True))


def test_annotations_are_keys_however_they_are_written() -> None:
    assert encode(typing.Optional[int]) == encode(int | None) == encode(None | int)  # noqa: UP045 - one of the ways
    assert encode(typing.List[int]) == encode(list[int])  # noqa: UP006 - one of the ways
    assert len({encode(kind) for kind in (list[int], list[str], list, int | str, int | None, dict[str, int])}) == 6


def test_zones_patterns_and_addresses_are_told_apart() -> None:
    values = [
        timezone.utc,  # noqa: UP017 - the class, not its name
        timezone(timedelta(0), "other"),
        zone_named("UTC"),
        re.compile("a"),
        re.compile("a", re.IGNORECASE),
        re.compile(b"a"),
        ip_address("10.0.0.1"),
        ip_network("10.0.0.1/32"),
        deque([1]),
        deque([1], 1),
        [1],
        MappingProxyType({"a": 1}),
        {"a": 1},
        ...,
    ]
    assert len({encode(value) for value in values}) == len(values)
