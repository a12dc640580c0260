"""The serializers by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cachery.exceptions import CacheValueError
from cachery.serializers.json_format import JSONSerializer
from cachery.serializers.msgpack_format import MsgpackSerializer
from cachery.serializers.pickle_format import PickleSerializer
from cachery.serializers.serializer import CacheSerializer
from cachery.serializers.text_format import StringSerializer, TypedSerializer
from cachery.serializers.wrappers import CompressedSerializer

__all__ = ["SERIALIZERS", "create_serializer"]

_SERIALIZERS: dict[str, Callable[..., CacheSerializer]] = {
    "json": JSONSerializer,
    "msgpack": MsgpackSerializer,
    "pickle": PickleSerializer,
    "string": StringSerializer,
    "typed": TypedSerializer,
}

SERIALIZERS = tuple(_SERIALIZERS)
"""The names, sorted."""

_OF_COMPRESSION = ("compression_level", "limit")


def create_serializer(
    serializer_type: str | CacheSerializer = "json",
    compress: bool = False,  # noqa: FBT001, FBT002 - callers of old write it as the second
    **kwargs: Any,
) -> CacheSerializer:
    """Return a serializer by its name: ``json``, ``msgpack``, ``pickle``, ``string`` or ``typed``.

    ``kwargs`` are the options of its class and, with ``compress``, those of ``CompressedSerializer``, which is put
    around it. A serializer that is given instead of a name is taken as it is.

    Raises ``CacheValueError`` for another name or option, ``ImportError`` if its extra is not installed.

    >>> create_serializer("json", indent=2).indent
    2
    >>> create_serializer("pickle", compress=True, compression_level=9).level
    9
    """
    around = {name: kwargs.pop(name) for name in _OF_COMPRESSION if compress and name in kwargs}
    if not isinstance(serializer_type, CacheSerializer):
        serializer = _created(serializer_type, kwargs)
    elif kwargs:
        raise CacheValueError(f"a serializer that is given takes no options: {', '.join(kwargs)}")
    else:
        serializer = serializer_type
    return CompressedSerializer(serializer, **around) if compress else serializer


def _created(name: object, options: dict[str, Any]) -> CacheSerializer:
    if not isinstance(name, str) or name not in _SERIALIZERS:
        raise CacheValueError(f"Unknown serializer: {name!r}; there are {', '.join(SERIALIZERS)}")
    try:
        return _SERIALIZERS[name](**options)
    except TypeError as error:
        raise CacheValueError(f"the options of serializer {name!r} are wrong: {error}") from error
