"""Classes whose instances are hard to tell apart, for the tests of keys."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone, tzinfo
from enum import Enum, Flag, IntEnum, StrEnum
from pathlib import Path
from typing import Any

from tests.keys.golden import zone_named


class Number(int):
    pass


class Text(str):  # noqa: SLOT000
    def encode(self, *_: object) -> bytes:
        return b"forged"


class Slotted(str):
    __slots__ = ("language",)


class Bytes(bytes):
    def __bytes__(self) -> bytes:
        return b"forged"

    def __len__(self) -> int:
        return 0


class Items(list[object]):
    def __iter__(self) -> Iterator[object]:
        return iter(())


class Mapping(dict[str, object]):
    def items(self) -> Any:
        return ()


class Moment(datetime):
    pass


class Folder(type(Path())):  # type: ignore[misc]
    pass


Pair = namedtuple("Pair", "left right")  # noqa: PYI024
Couple = namedtuple("Couple", "left right")  # noqa: PYI024


class Color(Enum):
    RED = 1
    CRIMSON = RED
    BLUE = 2


class Shade(Enum):
    RED = 1


class Level(IntEnum):
    LOW = 1


class Name(StrEnum):
    LOW = "LOW"


class Access(Flag):
    READ = 1
    WRITE = 2


@dataclass
class Point:
    x: object
    y: object = 0
    note: str = field(default="", compare=False)


@dataclass
class Place:
    x: object
    y: object = 0
    note: str = ""


class Keyed:
    def __init__(self, key: object) -> None:
        self.key = key

    def __cache_key__(self) -> object:
        return self.key


class KeyedText(str):  # noqa: SLOT000
    def __cache_key__(self) -> object:
        return self.lower()


class KeyedColor(Enum):
    RED = "red"

    def __cache_key__(self) -> object:
        return self.value


class Plain:
    pass


class Attribute:
    def __init__(self, name: str) -> None:
        self.name = name


class Attrs:
    """What attrs makes of a class, as far as it matters here."""

    __attrs_attrs__ = (Attribute("x"), Attribute("y"))

    def __init__(self, x: object, y: object) -> None:
        self.x, self.y = x, y


class Model:
    """What pydantic makes of a class, as far as it matters here."""

    model_fields = {"x": None, "y": None}  # noqa: RUF012
    model_extra: dict[str, object] | None = None

    def __init__(self, x: object, y: object, **extra: object) -> None:
        self.x, self.y = x, y
        self.model_extra = extra
        vars(self).update(extra)


class Summer(tzinfo):
    def utcoffset(self, _: datetime | None) -> timedelta:
        return timedelta(hours=2)

    def tzname(self, _: datetime | None) -> str:
        return "CEST"

    def dst(self, _: datetime | None) -> timedelta:
        return timedelta(hours=1)


def function() -> None: ...


def with_language(kind: type[Any], language: str) -> object:
    text = kind("a")
    text.language = language
    return text


def no_default() -> str:
    return ""


BERLIN, PARIS = zone_named("Europe/Berlin"), zone_named("Europe/Paris")
NOON = datetime(2024, 1, 1, 12, tzinfo=timezone.utc)  # noqa: UP017
