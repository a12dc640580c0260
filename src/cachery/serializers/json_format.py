"""Values as JSON: what JSON can carry, and nothing that it would change."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterable
from typing import Any, NoReturn

from cachery.exceptions import CacheSerializationError, CacheValueError
from cachery.serializers.plain import is_plain
from cachery.serializers.refusals import DEEPEST, Refusal, damaged, step_to, too_deep, type_name
from cachery.serializers.serializer import CacheSerializer

__all__ = ["JSONSerializer"]

_ADVICE = 'write serializer="msgpack" or serializer="pickle"'
_LEAVES = frozenset({type(None), bool, int, float, str})
"""Some of these values cannot be carried either: the encoder finds those out."""

_KEYS = frozenset({str})


class JSONSerializer(CacheSerializer):
    r"""JSON in UTF-8: ``None``, ``bool``, ``int``, finite ``float``, ``str``, ``list``, and ``dict`` with ``str`` keys.

    All else raises ``CacheSerializationError``: a tuple would come back as a list, the key 1 as ``"1"``. The message
    says where the value stands. ``indent`` is that of ``json.dumps``; without it there is no space between the parts.

    >>> serializer = JSONSerializer()
    >>> serializer.serialize({"name": "Zoë", "scores": [1, 2.5]})
    b'{"name":"Zo\xc3\xab","scores":[1,2.5]}'
    >>> serializer.serialize({"tags": ["a", {"b"}]})
    Traceback (most recent call last):
        ...
    cachery.exceptions.CacheSerializationError: value["tags"][1] is of type set, which JSON cannot carry: write serializer="msgpack" or serializer="pickle"
    """  # noqa: E501 - a message is one line

    name = "json"

    def __init__(self, indent: int | str | None = None) -> None:
        if isinstance(indent, bool) or not isinstance(indent, int | str | None):
            raise CacheValueError(f"indent is a number of spaces, text or None, not {type(indent).__name__}")
        self.indent = indent
        separators = (",", ":") if indent is None else (",", ": ")
        self._encode = json.JSONEncoder(
            ensure_ascii=False, check_circular=False, allow_nan=False, indent=indent, separators=separators
        ).encode
        self._decode = json.JSONDecoder(parse_constant=_refuse_constant).decode

    def serialize(self, value: Any) -> bytes:
        """Return ``value`` as JSON. Raises ``CacheSerializationError`` for what JSON cannot carry."""
        try:
            if is_plain(value, _LEAVES, _KEYS):
                return self._encode(value).encode()
        except Exception as error:
            raise _refused(value) from error
        raise _refused(value)

    def deserialize(self, data: bytes) -> Any:
        """Return the value. Raises ``CacheSerializationError`` for what is no JSON in UTF-8."""
        try:
            return self._decode(str(data, "utf-8"))
        except Exception as error:
            raise damaged("JSON", error) from error


def _refused(value: object) -> CacheSerializationError:
    """Return the error that says what in ``value`` cannot be carried, and where it stands."""
    try:
        _check(value, DEEPEST)
    except Refusal as refusal:
        return refusal.error()
    except RecursionError:
        return too_deep(value).error()
    message = "the value cannot be written as JSON: it changed meanwhile, or there was no room"
    return CacheSerializationError(message, value_type=type_name(type(value)))


def _check(value: Any, depth: int) -> None:
    """Raise ``Refusal`` for the first thing in ``value`` that JSON cannot carry."""
    if type(value) is dict:
        _check_keys(value)
        _check_members(value.values(), depth)
    elif type(value) is list:
        _check_members(value, depth)
    else:
        _check_leaf(value)


def _check_members(members: Collection[Any], depth: int) -> None:
    if not depth:
        raise too_deep(members)
    member = None
    try:
        for member in members:
            _check(member, depth - 1)
    except Refusal as refusal:
        refusal.within(step_to(member, members))
        raise


def _check_keys(keys: Iterable[object]) -> None:
    for key in keys:
        if type(key) is not str:
            claim = f"has a key of type {type_name(type(key))}, where JSON can carry only str"
            raise Refusal(key, claim, _ADVICE)
        if not _is_utf8(key):
            raise Refusal(key, "has a key with a lone surrogate, which JSON cannot carry", _ADVICE)


def _check_leaf(value: Any) -> None:
    kind = type(value)
    if kind not in _LEAVES:
        raise Refusal(value, f"is of type {type_name(kind)}, which JSON cannot carry", _ADVICE)
    if kind is float and not math.isfinite(value):
        raise Refusal(value, f"is {value}, which JSON cannot carry", _ADVICE)
    if kind is str and not _is_utf8(value):
        raise Refusal(value, "is a str with a lone surrogate, which JSON cannot carry", _ADVICE)
    if kind is int and not _is_writable(value):
        raise Refusal(value, "is an int of more digits than Python converts to text", _ADVICE)


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_writable(number: int) -> bool:
    try:
        str(number)
    except ValueError:
        return False
    return True


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
