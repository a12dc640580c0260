"""What values weigh: as much as ``tracemalloc`` traces when they are made, and no code of theirs runs meanwhile."""

from __future__ import annotations

import array
import gc
import importlib.util
import json
import logging
import sys
import threading
import tracemalloc
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from itertools import count
from pathlib import Path, PurePosixPath
from types import ModuleType, SimpleNamespace
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cachery
from cachery.weighing import weigh, weigh_entry, weigh_unseen

COPIES = 1000
WARM = 60  # the first instances of a class have more room than they need
FRAMES = 10  # between here and where the standard library makes a value
ZONE = timezone(timedelta(hours=2))


class Colour(Enum):
    RED = "red"


@dataclass
class Point:
    x: int
    name: str
    tags: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Slotted:
    x: int
    name: str


class Plain:
    def __init__(self, number: int) -> None:
        self.number = number + 1000
        self.text = f"text {number}"
        self.more: dict[str, Any] = {f"key {number}": number + 1000}


class Text(str):
    __slots__ = ()


class Attributed(list[int]):
    def __init__(self, number: int) -> None:
        super().__init__([number + 1000] * 20)
        self.first, self.second, self.third, self.fourth, self.fifth = range(5)


class OwnError(Exception):
    pass


Pair = namedtuple("Pair", ["left", "right"])  # noqa: PYI024 - those with types are the same


def as_json(number: int) -> Any:
    row = {"id": number + 1000, "name": f"somebody {number}", "tags": ["first", "second"], "at": [1.5, 2.5, None, True]}
    return json.loads(json.dumps({"rows": [row] * 3, "next": None, "total": number, "names": {"é": "ü€", "o": {}}}))


def materialized(number: int) -> Plain:
    made = Plain(number)
    assert made.__dict__
    return made


MAKERS: dict[str, Callable[[int], Any]] = {
    "ascii": lambda number: "a" * (50 + number % 50),
    "latin-1": lambda number: "é" * (50 + number % 50),
    "two bytes a character": lambda number: "€" * (50 + number % 50),
    "four bytes a character": lambda number: "😀" * (50 + number % 50),
    "bytes": lambda number: b"x" * (50 + number % 50),
    "big bytes": lambda number: b"x" * (10_000 + number),
    "bytearray": lambda number: bytearray(100 + number),
    "small int": lambda number: number % 200,
    "int": lambda number: number + 1000,
    "huge int": lambda number: 10**100 + number,
    "float": lambda number: number + 0.5,
    "None": lambda _: None,
    "bool": lambda number: number % 2 == 0,
    "list": lambda number: [number + 1000, number + 0.5, f"text {number}"],
    "grown list": lambda number: [each + 1000 for each in range(number % 30)],
    "empty list": lambda _: [],
    "tuple": lambda number: tuple(range(number + 1000, number + 1021)),
    "JSON": as_json,
    "set": lambda number: {number + 1000, f"text {number}"},
    "frozenset": lambda number: frozenset((number + 1000, f"text {number}")),
    "dataclass": lambda number: Point(number + 1000, f"text {number}"),
    "dataclass with slots": lambda number: Slotted(number + 1000, f"text {number}"),
    "plain": Plain,
    "with a __dict__": materialized,
    "list with attributes": Attributed,
    "namespace": lambda number: SimpleNamespace(number=number + 1000),
    "enum": lambda _: Colour.RED,
    "aware datetime": lambda number: datetime(2026, 1, 1, 0, 0, 0, number, ZONE),
    "date": lambda number: date(2000 + number % 100, 1, 1),
    "timedelta": lambda number: timedelta(seconds=number),
    "Decimal": lambda number: Decimal(number) / 7,
    "long Decimal": lambda number: Decimal("1" * (100 + number)),
    "UUID": lambda number: UUID(int=(number + 1) << 100),
    "Fraction": lambda number: Fraction(number + 1000, number + 1001),
    "deque": lambda number: deque([number + 1000, f"text {number}"]),
    "OrderedDict": lambda number: OrderedDict([(number + 1000, f"text {number}")]),
    "defaultdict": lambda number: defaultdict(list, {number + 1000: [number + 0.5]}),
    "Counter": lambda number: Counter([f"text {number}"]),
    "namedtuple": lambda number: Pair(number + 1000, f"text {number}"),
    "array": lambda number: array.array("d", [0.5] * (number % 100)),
    "memoryview": lambda number: memoryview(b"x" * (100 + number)),
    "exception": lambda number: ValueError(f"text {number}", number + 1000),
    "own exception": lambda number: OwnError(f"text {number}"),
    "str subclass": lambda number: Text(f"text {number}"),
}


def traced(make: Callable[[int], Any], copies: int = COPIES) -> tuple[int, list[Any]]:
    """Return the bytes of that many values, and the values: so many that free lists hold no memory for them.

    Only what was allocated below here counts: other threads allocate too.
    """
    warm = [make(number) for number in range(WARM)]
    values: list[Any] = [None] * copies
    gc.collect()
    gc.disable()
    tracemalloc.start(FRAMES)
    try:
        for number in range(copies):
            values[number] = make(number)
        snapshot = tracemalloc.take_snapshot()
    finally:
        tracemalloc.stop()
        gc.enable()
    del warm
    below = tracemalloc.Filter(inclusive=True, filename_pattern=__file__, all_frames=True)
    by_itself = tracemalloc.Filter(inclusive=False, filename_pattern=tracemalloc.__file__, all_frames=True)
    here = snapshot.filter_traces([below, by_itself])
    return sum(trace.size for trace in here.traces), values


def weighed(values: list[Any]) -> int:
    return sum(map(weigh, values))


@pytest.fixture(scope="module")
def interpreted() -> ModuleType:
    source = Path(cachery.__file__).parent / "weighing.py"
    spec = importlib.util.spec_from_file_location("interpreted_weighing", source)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("kind", MAKERS)
def test_a_value_weighs_what_was_allocated_for_it(kind: str) -> None:
    expected, values = traced(MAKERS[kind])
    unseen = 0.05 if kind == "with a __dict__" else 0  # which Python 3.13 hides where attributes are beside it
    assert (
        abs(weighed(values) - expected) <= (0.1 + unseen) * expected + 500
    )  # what is traced beside the values, in all


def test_a_datetime_without_a_zone_and_a_path_weigh_up_to_a_quarter_more() -> None:
    expected, values = traced(lambda number: datetime(2026, 1, 1, 0, 0, 0, number))  # noqa: DTZ001
    assert weighed(values) == 48 * COPIES
    assert expected >= 40 * COPIES
    paths = [PurePosixPath(f"/usr/share/directory{number}/file.txt") for number in range(3)]
    assert all(200 < weigh(path) < 800 for path in paths)


def test_a_mixed_cache_weighs_what_was_allocated() -> None:
    makers = list(MAKERS.values())
    expected, values = traced(lambda number: makers[number % len(makers)](number // len(makers)), 200 * len(makers))
    assert abs(weighed(values) - expected) <= 0.1 * expected


@pytest.mark.parametrize("kind", MAKERS)
def test_compiled_and_interpreted_it_is_the_same(kind: str, interpreted: ModuleType) -> None:
    shared = [MAKERS[kind](number) for number in range(50)]
    for value in (*shared, shared, dict(enumerate(shared)), (shared, shared[0])):
        assert weigh(value) == interpreted.weigh(value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=8) | st.dictionaries(st.text(), inner, max_size=8),
    max_leaves=40,
)


@given(JSON)
def test_json_weighs_what_was_allocated_for_it(interpreted: ModuleType, value: Any) -> None:
    text = json.dumps(value)
    expected, values = traced(lambda _: json.loads(text), 50)
    assert abs(weighed(values) - expected) <= 0.1 * expected + 50 * 100
    assert [interpreted.weigh(each) for each in values] == list(map(weigh, values))


def test_an_entry_weighs_its_key_its_value_and_what_the_cache_needs() -> None:
    assert weigh_entry("", None) == 112 + 56
    assert weigh_entry("user:1", b"x" * 1000) - weigh_entry("", None) == sys.getsizeof("user:1") + 1033


SHARED: list[Any] = [
    None,
    True,
    ...,
    NotImplemented,
    7,
    "",
    "a",
    "é",
    b"",
    b"a",
    (),
    int,
    Colour,
    Colour.RED,
    len,
    weigh,
    json,
]
SHARED += [
    traced,
    [].append,
    logging.getLogger("some"),
    logging.getLogger("some").info,
    threading.main_thread(),
    lambda: None,
]


@pytest.mark.parametrize("value", SHARED, ids=repr)
def test_what_many_share_weighs_nothing(value: Any) -> None:
    assert weigh(value) == 0
    assert weigh([value, value]) == sys.getsizeof([1, 2])


def test_a_traceback_leads_nowhere() -> None:
    with pytest.raises(OwnError) as raised:
        raise OwnError(b"x" * 1000)
    assert 1000 < weigh(raised.value) < 2000


def test_locks_and_weak_references_weigh_little_and_lead_nowhere() -> None:
    import weakref  # noqa: PLC0415

    big = Plain(10**6)
    big.text = "x" * 100_000
    assert weigh([threading.Lock(), threading.RLock(), weakref.ref(big)]) < 500


def test_what_is_held_twice_counts_once() -> None:
    big = b"x" * 10_000
    for value in (
        [big, big],
        (big, [big]),
        {"a": big, "b": {"c": big}},
        [memoryview(big), big],
        {1: big, 2: SimpleNamespace(x=big, y=big)},
    ):
        assert 10_000 < weigh(value) < 12_000
    inner = [b"y" * 10_000]
    assert 10_000 < weigh([inner, [inner]]) < 11_000


def test_circles_end() -> None:
    circle: list[Any] = [b"x" * 1000]
    circle.append(circle)
    assert weigh(circle) == sys.getsizeof(circle) + 1033
    plain = Plain(1)
    plain.more = {"self": plain}
    assert weigh(plain) < 1000
    assert weigh((plain, circle)) == weigh(plain) + weigh(circle) + sys.getsizeof((1, 2))


def test_several_values_count_once_what_they_share() -> None:
    shared = [b"x" * 1000]
    values = [{"a": shared}, {"b": shared}, shared]
    seen: set[int] = set()
    assert 1000 < sum(weigh_unseen(value, seen) for value in values) < 2000


def test_depth_is_no_matter() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    size = weigh(deep)
    while deep:  # taken apart here, or the interpreter would do it by recursion
        deep = deep.pop()
    assert size == 100_000 * sys.getsizeof([1]) + sys.getsizeof([])


def test_a_million_bytes_far_below_are_found() -> None:
    value = Plain(1)
    value.more = {"a": [OrderedDict(b=deque([defaultdict(list, c=[Slotted(1, "x" * 1_000_000)])]))]}
    assert 1_000_000 < weigh(value) < 1_005_000


class Hostile:
    """Whose code says when it runs."""

    def __init__(self) -> None:
        self.payload = b"x" * 1000

    def _refuse(self, *_: Any) -> Any:
        pytest.fail("code of a user ran")

    __eq__ = __hash__ = __getattr__ = __repr__ = __len__ = __iter__ = __bool__ = _refuse
    name = property(_refuse)


class Meta(type):
    def __eq__(cls, other: object) -> bool:
        pytest.fail("code of a metaclass ran")

    __hash__ = None  # type: ignore[assignment]

    def __getattribute__(cls, name: str) -> Any:
        pytest.fail("code of a metaclass ran")


class HostileDict(dict[str, Any]):
    def _refuse(self, *_: Any) -> Any:
        pytest.fail("code of a user ran")

    keys = values = items = __iter__ = __len__ = __getitem__ = _refuse


def test_no_code_of_a_user_runs() -> None:
    assert 1000 < weigh(Hostile()) < 1300
    assert 2000 < weigh({"a": [Hostile()], "b": HostileDict(key=bytes(1000))}) < 3500
    kind: Any = type.__call__(Meta, "Kind", (), {})
    assert weigh(object.__new__(kind)) < 100
    assert weigh([kind]) == sys.getsizeof([1])


def test_no_dict_comes_into_being() -> None:
    values = [Plain(number) for number in range(WARM)]
    before = sum(weighed(values) for _ in range(2))
    assert not any(type(each) is dict and "number" in each for value in values for each in gc.get_referents(value))
    assert before == 2 * weighed(values)


class Said:
    def __init__(self, size: Any) -> None:
        self.size = size
        self.payload = b"x" * 100_000

    def __sizeof__(self) -> int:
        if isinstance(self.size, Exception):
            raise self.size
        return self.size  # type: ignore[no-any-return]


def test_who_says_what_it_weighs_is_believed() -> None:
    assert 5000 <= weigh(Said(5000)) <= 5050
    assert 5000 <= weigh([Said(5000)]) <= 5200


@pytest.mark.parametrize(
    "size", [-1, "much", None, 1.5, 10**30, 1 << 62, ValueError("x"), MemoryError(), RecursionError()]
)
def test_who_lies_is_weighed_as_others_are_and_named_once(size: Any, caplog: pytest.LogCaptureFixture) -> None:
    class Liar(Said):
        pass

    with caplog.at_level(logging.WARNING, "cachery"):
        assert 100_000 < weigh(Liar(size)) < 101_000
        assert 200_000 < weigh([Liar(size), Liar(size)]) < 202_000
    assert len(caplog.records) == 1
    assert "Liar" in caplog.text


def test_who_wants_to_end_the_program_may() -> None:
    class Ending:
        def __sizeof__(self) -> int:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        weigh(Ending())


def test_classes_that_are_gone_are_forgotten(interpreted: ModuleType) -> None:
    gc.collect()
    known = len(interpreted._kinds)
    kinds = [type(f"Kind{number}", (), {}) for number in range(100)]
    assert [interpreted.weigh(kind()) for kind in kinds] == [weigh(kind()) for kind in kinds]
    assert len(interpreted._kinds) == known + 100
    kinds.clear()
    gc.collect()
    assert len(interpreted._kinds) == known


def changing() -> Iterator[tuple[Any, Callable[[int], object]]]:
    table: dict[int, int | None] = dict.fromkeys(range(1000))
    members: set[int] = set(range(1000))
    ordered: OrderedDict[int, None] = OrderedDict.fromkeys(range(1000))
    items = list(range(1000))
    queue = deque(range(1000))
    yield table, lambda number: table.pop(number % 1000, None) if number % 3 else table.update({number % 1000: 1})
    yield members, lambda number: members.discard(number % 1000) if number % 3 else members.add(number % 1000)
    yield (
        ordered,
        lambda number: ordered.pop(number % 1000, None) if number % 3 else ordered.update({number % 1000: None}),
    )
    yield items, lambda number: items.clear() if number % 1000 == 0 else items.append(number)
    yield queue, lambda number: queue.popleft() if len(queue) > 500 else queue.extend(range(number % 700))


@pytest.mark.parametrize(("value", "change"), list(changing()), ids=["dict", "set", "OrderedDict", "list", "deque"])
def test_what_changes_meanwhile_is_weighed_as_it_is_at_some_time(
    value: Any, change: Callable[[int], object], interpreted: ModuleType
) -> None:
    is_over = threading.Event()

    def keep_changing() -> None:
        for number in count():
            if is_over.is_set():
                return
            change(number)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    thread = threading.Thread(target=keep_changing)
    thread.start()
    try:
        for _ in range(100):
            assert weigh(value) > 0
            assert interpreted.weigh([value]) > 0
    finally:
        is_over.set()
        thread.join()
        sys.setswitchinterval(interval)


def test_arrays_weigh_their_memory_and_views_that_of_the_whole() -> None:
    whole = np.zeros(10_000)
    assert 80_000 < weigh(whole) < 80_500
    assert 80_000 < weigh(np.zeros(10_000)[:3]) < 80_500
    assert 80_000 < weigh([whole, whole[1:], whole[::2]]) < 81_000
    assert 80_000 < weigh(np.frombuffer(b"x" * 80_000, dtype="u1")) < 80_500
    assert 50_000 < weigh(np.array(["x" * 50_000, None], dtype=object)) < 51_000
    assert weigh(np.float64(1.5)) == sys.getsizeof(np.float64(1.5))
