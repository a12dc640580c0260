"""Values as bytes: the same for the same value of the same type, and for nothing else.

A default key is the digest of a call's arguments. Two calls that differ must not share it, or one would be answered
with the result of the other; one call must have it in every process, or a shared store would be of no use. ``hash`` and
``id`` change from process to process, ``pickle`` and ``repr`` from version to version, and a ``repr`` may be the same
for different values. So values are written in a format of our own.

**The format.** A tag (a letter for the type), the length of what follows in decimal digits, a colon, then the payload:

==================  ====  ==============================================================================
type                tag   payload
==================  ====  ==============================================================================
``None``            n     nothing
``bool``            b     ``1`` or ``0``
``int``             i     digits to base 16: of any size, and quick
``float``           f     ``float.hex``: exact, ``-0x0.0p+0`` for -0.0, ``nan`` for each nan
``str``             s     UTF-8, where a lone surrogate is written as if it were a character
``bytes``           y     itself; ``bytearray`` is a, ``UUID`` is u
``tuple``           t     its members; ``list`` is l
``set``             e     its members, sorted by their bytes; ``frozenset`` is z
``dict``            m     its items, key and value, sorted by their bytes
numbers             c q   the parts of ``complex`` and ``Fraction``; N: sign, digits, exponent of ``Decimal``
spans               r x   start, stop, step of ``range`` and ``slice``
times               d h   the fields of ``date`` and ``time``; D both (``datetime``), w ``timedelta``
paths               p     class (none for ``Path``, which is one on each system), text with ``/``
collections         O F   the items of ``OrderedDict``, in order; factory and items of ``defaultdict``; Q: bound and
                          members of ``deque``, M: the items of a mapping proxy
zones               Z     key of ``ZoneInfo``, or span and name of ``timezone``
texts               R I   pattern and flags of ``re.Pattern``; class and text of an IP address or network
annotations         G U   origin and arguments of ``list[int]`` and its like; the sorted members of ``int | None``
``...``             E     nothing
names               g     module and qualified name of a class or function
objects             o     the name of its class, then what it holds
==================  ====  ==============================================================================

So ``(1, "x")`` is ``t8:i1:1s1:x``. A member is a value written in the same way.

**Why lengths.** Whoever reads from the left knows after the colon where a value ends, whatever bytes it is made of.
Nothing needs to be escaped, no separator can be forged: ``("a", "bc")`` and ``("ab", "c")`` are cut where they were
put together. What can be read back in one way only was written by one value only: the format is injective.

**Objects.** What ``__cache_key__`` returns comes before all else. Otherwise a member of an ``Enum`` is its name, a
``Flag`` its number; a subclass of a type above, named tuples among them, is what that type would be, and its own
attributes; a dataclass, an attrs class or a pydantic model is its fields by name. The class stands beside it, by module
and qualified name. Two that were made inside functions may share these, so they are refused, as lambdas are.
"""

from __future__ import annotations

import re
import typing
from collections import OrderedDict, defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, Flag
from fractions import Fraction
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from operator import attrgetter
from pathlib import PosixPath, PurePath, PurePosixPath, PureWindowsPath, WindowsPath
from types import BuiltinFunctionType, EllipsisType, FunctionType, GenericAlias, MappingProxyType, UnionType
from typing import Any, TypeAlias
from uuid import UUID
from zoneinfo import ZoneInfo

from cachery.exceptions import CacheKeyError
from cachery.keys.fields import field_names

__all__ = ["DEEPEST", "encode"]

DEEPEST = 100
"""How many levels a value may be nested; one that contains itself has more."""

_WRITTEN_IN_PYTHON = 1 << 9
"""The flag of classes made at run time (``Py_TPFLAGS_HEAPTYPE``)."""

_Leaf: TypeAlias = Callable[[Any], bytes]
_Branch: TypeAlias = Callable[[Any, int], bytes]


def encode(value: object) -> bytes:
    """Return the bytes of ``value``, in every process and Python version the same.

    Raises ``CacheKeyError`` for a type that has none (the message says what to do) and for a value that is nested
    deeper than ``DEEPEST``, as one that contains itself is.

    >>> encode((1, "x")), encode((True, 1.0))
    (b't8:i1:1s1:x', b't28:b1:1f20:0x1.0000000000000p+0')
    >>> encode({"b": 2, "a": 1}) == encode({"a": 1, "b": 2})
    True
    """
    return _encode(value, DEEPEST)


def _encode(value: object, depth: int) -> bytes:
    kind = type(value)
    leaf = _LEAVES.get(kind)
    if leaf is not None:
        return leaf(value)
    if not depth:
        message = f"an argument contains itself, or is nested deeper than {DEEPEST} levels: write key='...'"
        raise CacheKeyError(message, reason="nested too deeply")
    branch = _BRANCHES.get(kind, _encode_object)
    return branch(value, depth - 1)


# --- Leaves: they hold no other value.


def _framed(tag: bytes, payload: bytes) -> bytes:
    return b"%b%d:%b" % (tag, len(payload), payload)


def _encode_int(value: int) -> bytes:
    digits = b"%x" % value
    return b"i%d:%b" % (len(digits), digits)


def _encode_str(value: str) -> bytes:
    text = str.encode(value, "utf-8", "surrogatepass")
    return b"s%d:%b" % (len(text), text)


def _encode_float(value: float) -> bytes:
    return _framed(b"f", float.hex(value).encode())


def _encode_name(named: type | FunctionType | BuiltinFunctionType) -> bytes:
    module, name = named.__module__, named.__qualname__
    if not isinstance(module, str) or "<" in name:
        advice = "define it at the top level of a module, or write key='...'"
        message = f"{name} cannot be part of a key, as another may have its name: {advice}"
        raise CacheKeyError(message, reason=f"{name} has no name of its own")
    return _framed(b"g", _encode_str(module) + _encode_str(name))


def _path_of(class_name: str) -> _Leaf:
    return lambda value: _framed(b"p", _encode_str(class_name) + _encode_str(value.as_posix()))


_LEAVES: dict[type, _Leaf] = {
    str: _encode_str,
    int: _encode_int,
    float: _encode_float,
    type(None): lambda _: b"n0:",
    bool: lambda value: b"b1:1" if value else b"b1:0",
    bytes: lambda value: _framed(b"y", bytes(memoryview(value))),
    EllipsisType: lambda _: b"E0:",
    bytearray: lambda value: _framed(b"a", bytes(memoryview(value))),
    UUID: lambda value: _framed(b"u", value.bytes),
    PosixPath: _path_of(""),
    WindowsPath: _path_of(""),
    PurePosixPath: _path_of("PurePosixPath"),
    PureWindowsPath: _path_of("PureWindowsPath"),
    type: _encode_name,
    FunctionType: _encode_name,
    BuiltinFunctionType: _encode_name,
}


# --- Branches: they hold other values.


def _in_order(tag: bytes, members: Callable[[Any], Iterable[object]]) -> _Branch:
    return lambda value, depth: _framed(tag, b"".join([_encode(member, depth) for member in members(value)]))


def _sorted(tag: bytes, members: Callable[[Any], Iterable[object]]) -> _Branch:
    return lambda value, depth: _framed(tag, b"".join(sorted([_encode(member, depth) for member in members(value)])))


def _encode_dict(value: dict[object, object], depth: int) -> bytes:
    items = [_encode(key, depth) + _encode(member, depth) for key, member in dict.items(value)]
    return _framed(b"m", b"".join(sorted(items)))


def _encode_defaultdict(value: defaultdict[object, object], depth: int) -> bytes:
    return _framed(b"F", _encode(value.default_factory, depth) + _encode_dict(value, depth))


def _encode_proxy(value: MappingProxyType[object, object], depth: int) -> bytes:
    return _framed(b"M", _encode_dict(dict(value), depth))


def _encode_annotation(value: object, depth: int) -> bytes:
    """Return the bytes of a parametrized type; ``Optional[int]`` is ``int | None``, and the order is no matter."""
    if typing.get_origin(value) in (typing.Union, UnionType):
        return _encode_union(value, depth)
    members = (typing.get_origin(value), *typing.get_args(value))
    return _framed(b"G", b"".join([_encode(member, depth) for member in members]))


def _decimal_parts(value: Decimal) -> tuple[object, ...]:
    sign, digits, exponent = value.as_tuple()
    return sign, "".join(map(str, digits)), exponent


def _time_parts(value: datetime | time) -> tuple[object, ...]:
    return value.hour, value.minute, value.second, value.microsecond, value.fold, *_zone_parts(value)


def _zone_parts(value: datetime | time) -> tuple[object, ...]:
    """Return what tells the zone: its key if it has one, else what it is and says at that time."""
    zone = value.tzinfo
    if zone is None:
        return ()
    if isinstance(zone, ZoneInfo) and zone.key is not None:
        return (zone.key,)
    return type(zone), value.utcoffset(), value.tzname()


def _named_zone_parts(value: ZoneInfo) -> tuple[object, ...]:
    if value.key is None:
        raise _refusal(value, ZoneInfo)
    return (value.key,)


_address_parts = _in_order(b"I", lambda value: (type(value).__name__, str(value)))
_encode_union = _sorted(b"U", typing.get_args)
_date_parts = attrgetter("year", "month", "day")
_span_parts = attrgetter("start", "stop", "step")

_BRANCHES: dict[type, _Branch] = {
    tuple: _in_order(b"t", tuple.__iter__),
    list: _in_order(b"l", list.__iter__),
    set: _sorted(b"e", set.__iter__),
    frozenset: _sorted(b"z", frozenset.__iter__),
    dict: _encode_dict,
    OrderedDict: _in_order(b"O", OrderedDict.items),
    defaultdict: _encode_defaultdict,
    complex: _in_order(b"c", attrgetter("real", "imag")),
    Decimal: _in_order(b"N", _decimal_parts),
    Fraction: _in_order(b"q", attrgetter("numerator", "denominator")),
    range: _in_order(b"r", _span_parts),
    slice: _in_order(b"x", _span_parts),
    date: _in_order(b"d", _date_parts),
    time: _in_order(b"h", _time_parts),
    datetime: _in_order(b"D", lambda value: _date_parts(value) + _time_parts(value)),
    timedelta: _in_order(b"w", attrgetter("days", "seconds", "microseconds")),
    timezone: _in_order(b"Z", lambda value: (value.utcoffset(None), value.tzname(None))),
    ZoneInfo: _in_order(b"Z", _named_zone_parts),
    re.Pattern: _in_order(b"R", attrgetter("pattern", "flags")),
    deque: _in_order(b"Q", lambda value: (value.maxlen, *value)),
    MappingProxyType: _encode_proxy,
    GenericAlias: _encode_annotation,
    UnionType: _encode_annotation,
    IPv4Address: _address_parts,
    IPv4Network: _address_parts,
    IPv6Address: _address_parts,
    IPv6Network: _address_parts,
}


# --- Objects: all others.


def _encode_object(value: Any, depth: int) -> bytes:
    kind = type(value)
    if issubclass(kind, type):
        return _encode_name(value)
    if typing.get_origin(value) is not None:
        return _encode_annotation(value, depth)
    content = _encode_content(value, kind, depth)
    return _framed(b"o", _encode_name(kind) + content)


def _encode_content(value: Any, kind: Any, depth: int) -> bytes:
    """Return the bytes of what an instance of ``kind`` holds; its class decides how they are made."""
    if hasattr(kind, "__cache_key__"):
        return _encode(kind.__cache_key__(value), depth)
    if issubclass(kind, Enum):
        return _encode(value.value if issubclass(kind, Flag) else value.name, depth)
    if parent := _parent_of(kind):
        return _encode_as(parent, value, depth) + _encode(_own_attributes(value), depth)
    return _encode(_fields_of(value, kind), depth)


def _encode_as(parent: type, value: object, depth: int) -> bytes:
    leaf = _LEAVES.get(parent)
    return leaf(value) if leaf is not None else _BRANCHES[parent](value, depth)


def _parent_of(kind: type) -> type[Any] | None:
    """Return the type of the tables that ``kind`` extends, if it does so in Python alone.

    A class in C may hold more than can be seen: a pandas ``Timestamp`` is a ``datetime`` with hidden nanoseconds.
    """
    for ancestor in kind.__mro__:
        if ancestor is object:
            break
        if ancestor in _LEAVES or ancestor in _BRANCHES:
            return ancestor
        if not ancestor.__flags__ & _WRITTEN_IN_PYTHON:
            break
    return None


def _own_attributes(value: object) -> object:
    """Return what a subclass holds beside its content. The slots of a path are left out, where it keeps its caches."""
    if isinstance(value, PurePath):
        return getattr(value, "__dict__", None) or None
    return object.__getstate__(value)


def _fields_of(value: Any, kind: Any) -> dict[str, object]:
    names = field_names(value, kind)
    if names is None:
        raise _refusal(value, kind)
    try:
        return {name: getattr(value, name) for name in names}
    except AttributeError as error:
        raise CacheKeyError(f"an argument has a field without a value: {error}", reason="a field is unset") from error


def _refusal(value: object, kind: type) -> CacheKeyError:
    name = f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")
    if isinstance(value, Iterator | AsyncIterator | Awaitable):
        advice = "it is used up by one reading: pass a list or a tuple, or write key='...'"
    else:
        advice = "write key='...' with what tells calls apart, or give its class a method __cache_key__"
    return CacheKeyError(f"an argument of type {name} cannot be part of a key: {advice}", reason=f"{name} has no bytes")
