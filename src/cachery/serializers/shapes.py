"""How instances of well known kinds of classes are taken apart into plain values, and put together again."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum, Flag
from functools import cached_property
from typing import Any, NamedTuple

from cachery.exceptions import CacheValueError
from cachery.serializers.refusals import Refusal, type_name

__all__ = ["Forms", "forms_of"]

_WRITTEN_IN_PYTHON = 1 << 9
"""The flag of classes made at run time (``Py_TPFLAGS_HEAPTYPE``)."""

_BY_HAND = "write register(..., encode=..., decode=...) for its class"


class Forms(NamedTuple):
    """``encode`` takes an instance apart, ``decode`` puts it together and raises anything for what is none."""

    encode: Callable[[Any], Any]
    decode: Callable[[Any], Any]


def forms_of(
    kind: Any, encode: Callable[[Any], Any] | None = None, decode: Callable[[Any], Any] | None = None
) -> Forms | None:
    """Return the forms of ``kind``: those given, else those that its class tells; ``None`` if it tells none.

    Raises ``CacheValueError`` if only one is given, or for a dataclass that holds more than its fields.

    >>> forms_of(int) is None
    True
    """
    if encode is not None and decode is not None:
        return Forms(encode, decode)
    if encode is not None or decode is not None:
        raise CacheValueError("encode and decode are given together, or not at all")
    if issubclass(kind, Enum):
        return _flag_forms(kind) if issubclass(kind, Flag) else _enum_forms(kind)
    if hasattr(kind, "model_dump") and hasattr(kind, "model_validate"):
        return _model_forms(kind)
    if is_dataclass(kind):
        return _dataclass_forms(kind)
    if issubclass(kind, tuple) and hasattr(kind, "_fields") and hasattr(kind, "_make"):
        return _named_tuple_forms(kind)
    return None


# --- Enums.


def _enum_forms(kind: type[Enum]) -> Forms:
    members = kind.__members__

    def encode(value: Enum) -> str:
        if members.get(value.name) is not value:
            raise Refusal(value, f"is no named member of {type_name(kind)}", _BY_HAND)
        return value.name

    return Forms(encode, members.__getitem__)


def _flag_forms(kind: type[Flag]) -> Forms:
    def encode(value: Flag) -> int:
        return int(value.value)

    def decode(number: Any) -> Flag:
        found = kind(number)
        if type(found) is not kind or found.value != number:
            raise ValueError(f"{number!r} is no {type_name(kind)}")
        return found

    return Forms(encode, decode)


# --- Dataclasses and named tuples.


def _dataclass_forms(kind: Any) -> Forms:
    """Return forms that restore the fields as they were: ``__post_init__`` might change them once more."""
    _check_layout(kind)
    known = {field.name: field for field in fields(kind)}

    def encode(value: Any) -> dict[str, Any]:
        _check_nothing_else(value, known)
        return {name: getattr(value, name) for name in known if hasattr(value, name)}

    def decode(content: Any) -> Any:
        _check_names(content, known)
        value = object.__new__(kind)
        for name, stored in content.items():
            object.__setattr__(value, name, stored)
        for name in known.keys() - content.keys():
            _set_default(value, known[name])
        return value

    return Forms(encode, decode)


def _set_default(value: Any, field: Field[Any]) -> None:
    """Set ``field``, which was not stored, to its default; leave one unset that ``__init__`` does not set either."""
    if field.default is not MISSING:
        object.__setattr__(value, field.name, field.default)
    elif field.default_factory is not MISSING:
        object.__setattr__(value, field.name, field.default_factory())
    elif field.init:
        raise ValueError(f"the field {field.name!r} was not stored, and has no default")


def _named_tuple_forms(kind: Any) -> Forms:
    names, defaults = kind._fields, kind._field_defaults

    def encode(value: Any) -> dict[str, Any]:
        _check_nothing_else(value, ())
        return dict(zip(names, tuple(value), strict=True))

    def decode(content: Any) -> Any:
        _check_names(content, names)
        return kind._make([content[name] if name in content else defaults[name] for name in names])

    return Forms(encode, decode)


def _check_layout(kind: type) -> None:
    for ancestor in kind.__mro__[:-1]:
        if not ancestor.__flags__ & _WRITTEN_IN_PYTHON:
            message = f"{type_name(kind)} is a {ancestor.__name__} besides, which its fields do not tell"
            raise CacheValueError(f"{message}: {_BY_HAND}")


def _check_nothing_else(value: Any, names: Collection[str]) -> None:
    """Refuse an instance with attributes beside ``names``; what a ``cached_property`` keeps can be had again."""
    kind = type(value)
    for name in getattr(value, "__dict__", ()):
        if name not in names and not isinstance(getattr(kind, name, None), cached_property):
            raise Refusal(value, f"has an attribute {name!r} that is no field", _BY_HAND)


def _check_names(content: Any, names: Collection[str]) -> None:
    if type(content) is not dict:
        raise ValueError("there are no fields")
    unknown = [name for name in content if name not in names]
    if unknown:
        raise ValueError(f"the class has no field {unknown[0]!r}")


# --- Models of pydantic, known by their methods.


def _model_forms(kind: Any) -> Forms:
    def encode(value: Any) -> Any:
        content = value.model_dump(by_alias=True, round_trip=True, warnings=False)
        if kind.model_validate(content) != value:
            raise Refusal(value, "is another after model_dump and model_validate", _BY_HAND)
        return content

    return Forms(encode, kind.model_validate)
