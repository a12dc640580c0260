"""What is registered is carried, under names that mean the same in every process."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import InitVar, dataclass, field
from enum import EJECT, Enum, Flag, IntEnum, IntFlag, StrEnum, auto
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, Generic, NamedTuple, TypeVar

import pytest
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, computed_field

import cachery
from cachery.exceptions import CacheSerializationError, CacheValueError
from cachery.serializers import MsgpackSerializer, register, registered

SERIALIZER = MsgpackSerializer()
T = TypeVar("T")


@pytest.fixture(autouse=True)
def _own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registered, "_BY_KIND", {})
    monkeypatch.setattr(registered, "_BY_NAME", {})


def back(value: Any) -> Any:
    return SERIALIZER.deserialize(SERIALIZER.serialize(value))


class Colour(Enum):
    RED = "red"
    GREEN = ("g", 1)
    ROSE = RED


class Text(StrEnum):
    A = "a"


class Size(IntEnum):
    LARGE = 3


class Rights(Flag):
    READ = auto()
    WRITE = auto()


class Bits(IntFlag):
    ONE = 1


@dataclass
class Point:
    x: int
    y: float = 0.5


@dataclass(frozen=True, slots=True)
class Line:
    start: Point
    end: Point
    length: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "length", self.end.x - self.start.x)


@dataclass
class Doubling:
    number: int
    by: InitVar[int]
    is_even: bool = field(init=False, default=True)

    def __post_init__(self, by: int) -> None:
        self.number *= by


@dataclass
class Box(Generic[T]):
    content: T
    unset: int = field(init=False)

    @cached_property
    def text(self) -> str:
        return str(self.content)


@dataclass
class Guarded:
    name: str

    def __post_init__(self) -> None:
        self.secret = 1


@dataclass
class Listed(list[int]):
    name: str


class Pair(NamedTuple):
    a: int
    b: Any = None


class Plain:
    def __init__(self, number: int) -> None:
        self.number = number

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Plain) and other.number == self.number

    def __hash__(self) -> int:
        return self.number


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")

    tags: set[str] = Field(default_factory=set)


class Model(BaseModel):
    model_config = ConfigDict(frozen=True)

    name: str = Field(alias="Name")
    inner: Inner
    pair: tuple[int, float]

    @computed_field  # type: ignore[prop-decorator]
    @property
    def shout(self) -> str:
        return self.name.upper()


class Forgetful(BaseModel):
    name: str
    hidden: int = Field(default=0, exclude=True)
    _private: int = PrivateAttr(default=0)


class More(Inner):
    more: int = 1


@pytest.mark.parametrize(
    "value",
    [
        Colour.RED,
        Colour.GREEN,
        Text.A,
        Size.LARGE,
        Rights.READ,
        Rights.READ | Rights.WRITE,
        Rights(0),
        Bits(5),
        Point(1),
        Pair(1, Point(2, -0.0)),
        [Pair(1), {Size.LARGE: {Text.A}}],
    ],
)
def test_enums_dataclasses_and_named_tuples_need_only_be_registered(value: Any) -> None:
    for kind in (Colour, Text, Size, Rights, Bits, Point, Pair):
        register(kind)
    found = back(value)
    assert found == value
    assert type(found) is type(value)


def test_an_enum_is_written_by_the_name_of_its_member() -> None:
    register(Colour, name="colour")
    data = SERIALIZER.serialize(Colour.ROSE)
    assert data == b"\xc7\x0c\x0f\x92\xa6colour\xa3RED"
    assert SERIALIZER.deserialize(data) is Colour.RED


def test_the_bytes_of_each_kind_never_change() -> None:
    for kind, name in ((Point, "p"), (Pair, "t"), (Rights, "r")):
        register(kind, name=name)
    assert SERIALIZER.serialize(Point(1, 2.0)).hex() == "c7120f92a17082a17801a179cb4000000000000000"
    assert SERIALIZER.serialize(Pair(1)).hex() == "c70a0f92a17482a16101a162c0"
    assert SERIALIZER.serialize(Rights.WRITE).hex() == "d60f92a17202"


def test_a_dataclass_comes_back_with_the_fields_it_had() -> None:
    for kind in (Point, Line, Doubling, Box):
        register(kind)
    line = Line(Point(1), Point(5))
    object.__setattr__(line, "length", 99.0)
    assert back(line) == line
    doubling = Doubling(3, by=2)
    assert (back(doubling).number, back(doubling)) == (6, doubling)


def test_a_field_without_a_value_stays_without() -> None:
    register(Box)
    box = Box((1, 2))
    assert box.text == "(1, 2)"  # kept by the object, and computed again by the other
    found = back(box)
    assert (found.content, hasattr(found, "unset"), found.text) == ((1, 2), False, "(1, 2)")


def test_a_dataclass_that_holds_more_than_its_fields_is_refused() -> None:
    register(Guarded)
    with pytest.raises(CacheSerializationError, match=r"value\[0\] has an attribute 'secret' that is no field"):
        SERIALIZER.serialize([Guarded("a")])
    with pytest.raises(CacheValueError, match="Listed is a list besides"):
        register(Listed)
    with pytest.raises(CacheSerializationError, match=r"register\(Listed, encode=\.\.\., decode=\.\.\.\)"):
        SERIALIZER.serialize(Listed("a"))


def test_a_field_added_since_gets_its_default_and_one_that_is_gone_is_an_error() -> None:
    register(Point, name="point")
    data = SERIALIZER.serialize(Point(1, 2.0))
    registered._BY_NAME.clear()

    @register(name="point")
    @dataclass
    class Newer:
        x: int
        y: float
        z: list[int] = field(default_factory=list)
        w: int = 7

    assert SERIALIZER.deserialize(data) == Newer(1, 2.0, [], 7)
    for content in ({"x": 1}, {"x": 1, "y": 2.0, "gone": 3}, [1, 2], None):
        with pytest.raises(CacheSerializationError, match="field"):
            SERIALIZER.deserialize(stored("point", content))


def stored(name: str, content: object) -> bytes:
    """Return what would stand for a type that is registered as ``name``, were ``content`` its content."""
    register(Plain, name=name + "!", encode=lambda _: content, decode=Plain)
    data = SERIALIZER.serialize(Plain(0))
    mark, longer = bytes([0xA0 + len(name)]), bytes([0xA1 + len(name)])
    inner = data[data.index(b"\x92" + longer) :].replace(longer + name.encode() + b"!", mark + name.encode())
    return b"\xc7" + bytes([len(inner), 15]) + inner


def test_a_named_tuple_takes_its_own_fields_and_no_others() -> None:
    register(Pair, name="pair")
    assert SERIALIZER.deserialize(stored("pair", {"a": 1})) == Pair(1)
    for content in ({"b": 1}, {"a": 1, "c": 2}, [1, 2]):
        with pytest.raises(CacheSerializationError, match="cannot be read"):
            SERIALIZER.deserialize(stored("pair", content))


def test_models_of_pydantic_come_back_as_they_were() -> None:
    register(Model)
    model = Model(Name="tea", inner=Inner(tags={"a"}), pair=(1, 2.0))
    found = back({"model": model})["model"]
    assert found == model
    assert type(found.pair) is tuple
    assert found.shout == "TEA"


def test_a_model_that_would_come_back_as_another_is_refused() -> None:
    register(Forgetful)
    register(Model)
    assert back(Forgetful(name="a")) == Forgetful(name="a")
    private = Forgetful(name="a")
    private._private = 3
    for model in (
        Forgetful(name="a", hidden=3),
        private,
        Model(Name="a", inner=More(more=5), pair=(1, 2.0)),
    ):
        with pytest.raises(CacheSerializationError, match="is another after model_dump and model_validate"):
            SERIALIZER.serialize(model)


def test_stored_fields_that_a_model_no_longer_takes_are_an_error() -> None:
    register(Inner, name="inner")
    for content in ({"gone": 1}, {"tags": None}):
        with pytest.raises(CacheSerializationError, match="ValidationError"):
            SERIALIZER.deserialize(stored("inner", content))


def test_any_class_is_carried_with_functions_of_ones_own() -> None:
    register(Plain, encode=lambda value: (value.number,), decode=lambda content: Plain(*content))
    register(PurePosixPath, encode=str, decode=PurePosixPath)
    value = {Plain(3): [PurePosixPath("a/b")]}
    assert back(value) == value


def test_what_the_functions_return_is_looked_at_too() -> None:
    register(Plain, encode=lambda value: {"held": [object()] * value.number}, decode=Plain)
    with pytest.raises(CacheSerializationError, match=r'value\[0\]\["held"\]\[0\] is of type object'):
        SERIALIZER.serialize([Plain(1)])


def test_functions_that_fail_are_told_with_the_place() -> None:
    register(Plain, encode=lambda value: value.nothing, decode=Plain)
    with pytest.raises(CacheSerializationError, match=r"value\[1\] of type .*Plain cannot be taken apart") as caught:
        SERIALIZER.serialize([0, Plain(1)])
    assert isinstance(caught.value.__cause__, AttributeError)
    register(Plain, encode=lambda value: value.number, decode=lambda _: 1 / 0)
    with pytest.raises(CacheSerializationError, match="ZeroDivisionError"):
        back(Plain(1))


def test_what_contains_itself_through_a_registered_type_is_refused() -> None:
    register(Pair)
    members: list[Any] = []
    members.append(Pair(1, members))
    with pytest.raises(CacheSerializationError, match="contains itself"):
        SERIALIZER.serialize(members)


def test_it_decorates_with_and_without_a_name() -> None:
    @register
    @dataclass
    class One:
        a: int

    @register(name="two")
    @dataclass
    class Two:
        a: int

    assert back([One(1), Two(2)]) == [One(1), Two(2)]
    assert b"two" in SERIALIZER.serialize(Two(1))
    assert b"test_registered" in SERIALIZER.serialize(One(1))


def test_the_same_class_may_be_registered_again_and_its_former_name_is_still_read() -> None:
    assert register(Point) is Point
    former = SERIALIZER.serialize(Point(1))
    register(Point)
    register(Point, name="point")
    assert SERIALIZER.deserialize(former) == back(Point(1)) == Point(1)
    assert b"Point" not in SERIALIZER.serialize(Point(1))


def test_two_classes_have_two_names() -> None:
    register(Point, name="it")
    with pytest.raises(CacheValueError, match="another class is registered as 'it'"):
        register(Pair, name="it")
    assert back(Point(1)) == Point(1)


def local_class() -> type:
    @dataclass
    class Local:
        a: int

    return Local


def test_a_class_that_is_defined_again_takes_the_place_of_the_former() -> None:
    former, latter = local_class(), local_class()
    register(former)
    with pytest.raises(CacheValueError, match="another class is registered"):
        register(latter)
    for kind in (former, latter):
        kind.__qualname__ = "Local"
        register(kind)
    assert type(SERIALIZER.deserialize(SERIALIZER.serialize(former(1)))) is latter


def test_a_subclass_is_not_registered_with_its_parent() -> None:
    class Child(Point):
        pass

    register(Point)
    with pytest.raises(CacheSerializationError, match=r"register\(Child\)"):
        SERIALIZER.serialize(Child(1))


@pytest.mark.parametrize(
    ("arguments", "options", "complaint"),
    [
        ([3], {}, "only classes are registered, not int"),
        ([list], {}, "list is carried as it is"),
        ([Plain], {}, r"register\(Plain, encode=\.\.\., decode=\.\.\.\)"),
        ([Plain], {"encode": str}, "given together"),
        ([Plain], {"decode": str}, "given together"),
        ([Point], {"name": ""}, "name is a str"),
        ([Point], {"name": 3}, "name is a str"),
    ],
)
def test_what_cannot_be_registered_is_said(arguments: list[Any], options: dict[str, Any], complaint: str) -> None:
    with pytest.raises(CacheValueError, match=complaint):
        register(*arguments, **options)


@pytest.mark.parametrize("content", ["BLUE", "ROSE ", 3, None, []])
def test_a_member_that_is_gone_is_an_error(content: Any) -> None:
    register(Colour, name="c")
    with pytest.raises(CacheSerializationError, match="cannot be read"):
        SERIALIZER.deserialize(stored("c", content))


def test_a_flag_of_unknown_bits_is_an_error() -> None:
    register(Rights, name="r")
    for content in (0x70, "READ", None):
        with pytest.raises(CacheSerializationError, match="cannot be read"):
            SERIALIZER.deserialize(stored("r", content))


class Open(Flag, boundary=EJECT):
    ONE = 1


class Growing(Enum):
    ONE = 1

    @classmethod
    def _missing_(cls, value: object) -> Growing:
        member = object.__new__(cls)
        member._name_, member._value_ = str(value), 0
        return member


def test_a_member_that_has_no_name_of_its_own_is_refused() -> None:
    register(Growing)
    register(Open, name="open")
    with pytest.raises(CacheSerializationError, match=r"value\[0\] is no named member of .*Growing"):
        SERIALIZER.serialize([Growing(7)])
    with pytest.raises(CacheSerializationError, match="ValueError: 6 is no "):
        SERIALIZER.deserialize(stored("open", 6))


def test_another_process_reads_what_this_one_wrote(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(
        "from dataclasses import dataclass\nfrom cachery.serializers import MsgpackSerializer, register\n"
        "@register\n@dataclass\nclass Article:\n    name: str\n"
    )
    paths = os.pathsep.join([str(Path(cachery.__file__).parents[1]), str(tmp_path), *filter(None, sys.path)])

    def run(statement: str) -> str:
        code = f"import shop; {statement}"
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONPATH": paths},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        return done.stdout.strip()

    data = run("print(shop.MsgpackSerializer().serialize(shop.Article('tea')).hex())")
    assert run(f"print(shop.MsgpackSerializer().deserialize(bytes.fromhex({data!r})))") == "Article(name='tea')"
    with pytest.raises(CacheSerializationError, match=r"no type is registered as 'shop\.Article'"):
        SERIALIZER.deserialize(bytes.fromhex(data))
