"""The types that MessagePack lacks and that hold no other value: a number for each, and their bytes.

==================  ======  ==========================================================================
type                number  bytes
==================  ======  ==========================================================================
``int``             1       beyond 64 bits: two's complement, the highest byte first
``str``             2       with lone surrogates: UTF-8 that writes them as if they were characters
``bytearray``       3       itself
``tuple``           4       a MessagePack array of its members
``set``             5       likewise
``frozenset``       6       likewise
``dict``            7       with keys that are no plain ones: an array, key and value by turns
``date``            8       year (2 bytes), month, day
``time``            9       hour, minute, second, microsecond (4 bytes), fold, and a zone
``datetime``        10      a date, then a time
``timedelta``       11      days, seconds, microseconds (4 bytes each)
``Decimal``         12      its text
``UUID``            13      its 16 bytes
``complex``         14      two floats
registered types    15      a MessagePack array of name and content
==================  ======  ==========================================================================

Numbers are written with the highest byte first. A zone is empty for a naive time; ``Z`` and the key of a ``ZoneInfo``;
or ``F``, the offset as a ``timedelta``, and the name if it has one of its own. Neither a number nor its meaning ever
changes: what is stored outlives the program that stored it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from struct import Struct
from typing import Any, Final, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

__all__ = [
    "CARRIED",
    "DICT",
    "FROZENSET",
    "LARGE_INT",
    "LEAVES",
    "LEAVES_BY_CODE",
    "ODD_TEXT",
    "REGISTERED",
    "SET",
    "TUPLE",
    "Leaf",
    "int_bytes",
    "text_bytes",
]

LARGE_INT: Final = 1
ODD_TEXT: Final = 2
TUPLE: Final = 4
SET: Final = 5
FROZENSET: Final = 6
DICT: Final = 7
REGISTERED: Final = 15

_DATE = Struct(">HBB")
_TIME = Struct(">BBBIB")
_SPAN = Struct(">iII")
_COMPLEX = Struct(">dd")


class Leaf(NamedTuple):
    """How a type is written: its number, to bytes, and back. Reading raises anything for bytes that are wrong."""

    code: int
    write: Callable[[Any], bytes]
    read: Callable[[bytes], Any]


def int_bytes(value: int) -> bytes:
    """Return ``value`` in as many bytes as it needs, the sign included.

    >>> int_bytes(-(2**64)).hex()
    'ff0000000000000000'
    """
    return value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True)


def text_bytes(value: str) -> bytes:
    """Return ``value`` as UTF-8, lone surrogates as they are.

    >>> text_bytes(chr(0xD800)).hex()
    'eda080'
    """
    return value.encode("utf-8", "surrogatepass")


def _read_int(data: bytes) -> int:
    return int.from_bytes(data, "big", signed=True)


def _read_text(data: bytes) -> str:
    return str(data, "utf-8", "surrogatepass")


def _write_date(value: date) -> bytes:
    return _DATE.pack(value.year, value.month, value.day)


def _read_date(data: bytes) -> date:
    return date(*_DATE.unpack(data))


def _write_time(value: time | datetime) -> bytes:
    fields = _TIME.pack(value.hour, value.minute, value.second, value.microsecond, value.fold)
    return fields if value.tzinfo is None else fields + _write_zone(value)


def _read_time(data: bytes) -> time:
    hour, minute, second, microsecond, fold = _TIME.unpack(data[: _TIME.size])
    return time(hour, minute, second, microsecond, _read_zone(data[_TIME.size :]), fold=fold)


def _write_datetime(value: datetime) -> bytes:
    return _write_date(value) + _write_time(value)


def _read_datetime(data: bytes) -> datetime:
    return datetime.combine(_read_date(data[: _DATE.size]), _read_time(data[_DATE.size :]))


def _write_zone(value: time | datetime) -> bytes:
    zone = value.tzinfo
    if type(zone) is ZoneInfo and zone.key is not None:
        return b"Z" + text_bytes(zone.key)
    offset = value.utcoffset()
    if offset is None:
        raise ValueError(f"its zone has no offset of its own: {type(zone).__name__}")
    name = value.tzname()
    is_named = name is not None and name != timezone(offset).tzname(None)
    return b"F" + _write_span(offset) + (text_bytes(name) if name is not None and is_named else b"")


def _read_zone(data: bytes) -> tzinfo | None:
    if not data:
        return None
    mark, rest = data[0], data[1:]
    if mark == ord("Z"):
        return ZoneInfo(_read_text(rest))
    if mark != ord("F"):
        raise ValueError("a zone of an unknown kind")
    offset, name = _read_span(rest[: _SPAN.size]), _read_text(rest[_SPAN.size :])
    if name:
        return timezone(offset, name)
    return timezone(offset) if offset else UTC


def _write_span(value: timedelta) -> bytes:
    return _SPAN.pack(value.days, value.seconds, value.microseconds)


def _read_span(data: bytes) -> timedelta:
    return timedelta(*_SPAN.unpack(data))


def _write_complex(value: complex) -> bytes:
    return _COMPLEX.pack(value.real, value.imag)


def _read_complex(data: bytes) -> complex:
    return complex(*_COMPLEX.unpack(data))


def _write_decimal(value: Decimal) -> bytes:
    return str(value).encode()


def _read_decimal(data: bytes) -> Decimal:
    return Decimal(str(data, "ascii"))


def _write_uuid(value: UUID) -> bytes:
    return value.bytes


def _read_uuid(data: bytes) -> UUID:
    return UUID(bytes=data)


LEAVES: Final[dict[type, Leaf]] = {
    bytearray: Leaf(3, bytes, bytearray),
    date: Leaf(8, _write_date, _read_date),
    time: Leaf(9, _write_time, _read_time),
    datetime: Leaf(10, _write_datetime, _read_datetime),
    timedelta: Leaf(11, _write_span, _read_span),
    Decimal: Leaf(12, _write_decimal, _read_decimal),
    UUID: Leaf(13, _write_uuid, _read_uuid),
    complex: Leaf(14, _write_complex, _read_complex),
}
"""The types that always need an extension."""

LEAVES_BY_CODE: Final[dict[int, Callable[[bytes], Any]]] = {
    LARGE_INT: _read_int,
    ODD_TEXT: _read_text,
    **{leaf.code: leaf.read for leaf in LEAVES.values()},
}
"""How what holds no other value is read, by number."""

CARRIED: Final = frozenset({type(None), bool, int, float, str, bytes, list, tuple, set, frozenset, dict, *LEAVES})
"""The types that need no registration."""
