"""What a request is made of, as values that have canonical bytes: nothing is left out, nothing is taken for another.

An object counts by its class and its fields, all of them and as they are, defaults too: what a library would write for
it may leave out the very thing that tells it from others. A class, a form that an answer is to have, counts by its
schema, a function by name, signature and docstring, which is what a model is told of it.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from types import FunctionType, MethodType
from typing import Any

from cachery.exceptions import CacheKeyError
from cachery.keys.fields import field_names

__all__ = ["fields_of", "is_left_out", "plain"]

_DEEPEST = 100
_LEFT_OUT = {"NotGiven", "Omit"}
_LEAVES = (str, int, float, bytes)
_EXACT = frozenset({str, int, float, bool, bytes, type(None)})


def plain(value: Any, depth: int = _DEEPEST) -> Any:
    """Return ``value`` as lists, dicts and leaves, objects as tuples that no list can be taken for.

    What is none of these stays as it is. Raises ``CacheKeyError`` for what is nested deeper than 100 levels.

    >>> plain({"messages": ({"role": "user"},), "limit": 5})
    {'messages': [{'role': 'user'}], 'limit': 5}
    """
    if type(value) in _EXACT:
        return value
    if not depth:
        raise CacheKeyError(f"a request is nested deeper than {_DEEPEST} levels", reason="nested too deeply")
    for kind, simplify in _KINDS:
        if isinstance(value, kind):
            return simplify(value, depth - 1)
    if typing.get_origin(value) is not None:
        return "annotation", str(typing.get_origin(value)), [plain(each, depth - 1) for each in typing.get_args(value)]
    found = fields_of(value)
    return value if found is None else _object(type(value), found, depth - 1)


def fields_of(value: Any) -> dict[str, Any] | None:
    """Return the fields of an object by name, as they are; ``None`` for one that does not tell them."""
    if isinstance(value, Mapping):
        return {name: member for name, member in value.items() if not is_left_out(member)}
    names = _names_of(value, type(value))
    if names is None:
        return None
    found = {name: getattr(value, name) for name in names if hasattr(value, name)}
    return {name: member for name, member in found.items() if not is_left_out(member)}


def is_left_out(value: Any) -> bool:
    """Tell whether ``value`` is what a client writes for a field that is not sent: false, and called so."""
    return type(value).__name__ in _LEFT_OUT and not value


def _names_of(value: Any, kind: Any) -> list[str] | None:
    if hasattr(kind, "_fields") and isinstance(value, tuple):
        return list(kind._fields)
    if hasattr(kind, "__struct_fields__"):
        return list(kind.__struct_fields__)
    return field_names(value, kind)


def _name_of(kind: Any) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _object(kind: type, found: Mapping[str, Any], depth: int) -> Any:
    return "object", _name_of(kind), {name: plain(member, depth) for name, member in found.items()}


def _mapping(value: Mapping[Any, Any], depth: int) -> Any:
    return {_key(name): plain(member, depth) for name, member in value.items() if not is_left_out(member)}


def _key(name: Any) -> Any:
    """Return the key of a mapping as a leaf, if it is one in other clothes."""
    return plain(name) if isinstance(name, Enum | str | int | float) else name


def _sequence(value: Any, depth: int) -> Any:
    if hasattr(type(value), "_fields"):
        return _object(type(value), fields_of(value) or {}, depth)
    return [plain(member, depth) for member in value]


def _leaf(value: Any, depth: int) -> Any:
    """Return an instance of a subclass of ``str``, ``int``, ``float`` or ``bytes`` as one of that."""
    del depth
    base: Any = next(kind for kind in _LEAVES if isinstance(value, kind))
    return base.__new__(base, value) if base is not str else str.__str__(value)


def _class(value: type, depth: int) -> Any:
    describe = getattr(value, "model_json_schema", None)
    if describe is not None:
        return "schema", _name_of(value), plain(describe(), depth)
    return "schema", _name_of(value), {name: plain(kind, depth) for name, kind in _annotations(value)}


def _annotations(kind: type) -> Iterator[tuple[str, Any]]:
    try:
        yield from typing.get_type_hints(kind).items()
    except Exception:  # noqa: BLE001 - names in annotations may be unknown; as they are written, they tell as much
        yield from getattr(kind, "__annotations__", {}).items()


def _function(value: Callable[..., Any], depth: int) -> Any:
    del depth
    if "<" in value.__qualname__:
        message = f"{value.__qualname__} cannot be part of a request, as another may have its name"
        raise CacheKeyError(message, reason="a function has no name of its own")
    return "function", _name_of(value), str(inspect.signature(value)), inspect.getdoc(value)


_KINDS: tuple[tuple[Any, Callable[[Any, int], Any]], ...] = (
    (Enum, lambda value, depth: plain(value.value, depth)),
    (_LEAVES, _leaf),
    (Mapping, _mapping),
    (list | tuple, _sequence),
    (type, _class),
    ((FunctionType, MethodType), _function),
)
