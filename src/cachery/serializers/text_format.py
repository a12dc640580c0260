"""Values as bare text, and values with the name of their type beside them."""

from __future__ import annotations

from typing import Any

from cachery.exceptions import CacheSerializationError, CacheValueError
from cachery.serializers.json_format import JSONSerializer
from cachery.serializers.refusals import damaged, type_name
from cachery.serializers.serializer import CacheSerializer

__all__ = ["StringSerializer", "TypedSerializer"]

_RESTORED = {kind.__name__: kind for kind in (type(None), bool, int, float, str, list, dict)}


class StringSerializer(CacheSerializer):
    r"""Text, encoded. What is no ``str`` is written as ``str`` shows it, and comes back as that text.

    Raises ``CacheValueError`` if there is no such ``encoding``.

    >>> serializer = StringSerializer()
    >>> serializer.serialize("Zoë"), serializer.deserialize(serializer.serialize(42))
    (b'Zo\xc3\xab', '42')
    """

    name = "string"

    def __init__(self, encoding: str = "utf-8") -> None:
        try:
            "".encode(encoding)
        except (LookupError, TypeError, ValueError) as error:
            raise CacheValueError(f"encoding={encoding!r} is no encoding of text: {error}") from error
        self.encoding = encoding

    def serialize(self, value: Any) -> bytes:
        """Return ``str(value)``, encoded. Raises ``CacheSerializationError`` for letters that the encoding lacks."""
        try:
            return str(value).encode(self.encoding)
        except Exception as error:
            name = type_name(type(value))
            message = f"a value of type {name} cannot be written as {self.encoding} text: {error}"
            raise CacheSerializationError(message, value_type=name) from error

    def deserialize(self, data: bytes) -> str:
        """Return the text. Raises ``CacheSerializationError`` for what is no text in this encoding."""
        try:
            return str(data, self.encoding)
        except Exception as error:
            raise damaged(f"{self.encoding} text", error) from error


class TypedSerializer(CacheSerializer):
    """A value with its type, as ``{"_type": ..., "_value": ...}``, written by ``base_serializer`` (JSON if not given).

    For ``None``, ``bool``, ``int``, ``float``, ``str``, ``list`` and ``dict``, so that readers in other languages see
    which it was. What a list or a dict may hold is up to the serializer beneath; it stands in ``base``.

    >>> serializer = TypedSerializer()
    >>> serializer.serialize(7.0)
    b'{"_type":"float","_value":7.0}'
    >>> serializer.deserialize(b'{"_type": "float", "_value": 7}')
    7.0
    """

    name = "typed"

    def __init__(self, base_serializer: CacheSerializer | None = None) -> None:
        base = JSONSerializer() if base_serializer is None else base_serializer
        if not isinstance(base, CacheSerializer):
            raise CacheValueError(f"base_serializer is a CacheSerializer, not {type(base).__name__}")
        self.base = base
        self.can_run_code = base.can_run_code

    def serialize(self, value: Any) -> bytes:
        """Return ``value`` with its type. Raises ``CacheSerializationError`` for another type."""
        name = type(value).__name__
        if _RESTORED.get(name) is not type(value):
            name = type_name(type(value))
            message = f'a value of type {name} has no typed form: write serializer="msgpack" or serializer="pickle"'
            raise CacheSerializationError(message, value_type=name)
        return self.base.serialize({"_type": name, "_value": value})

    def deserialize(self, data: bytes) -> Any:
        """Return the value. Raises ``CacheSerializationError`` for what is no value with its type."""
        found = self.base.deserialize(data)
        try:
            return _restored(found)
        except Exception as error:
            raise damaged("a value with its type", error) from error


def _restored(found: Any) -> Any:
    if type(found) is not dict or found.keys() != {"_type", "_value"}:
        raise ValueError("there is no _type, or no _value, or more than these")
    name, value = found["_type"], found["_value"]
    kind = _RESTORED[name]
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise ValueError(f"what is called {name} is of type {type(value).__name__}")
    return value
