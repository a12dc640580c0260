"""Serializers around another: smaller, or as letters."""

from __future__ import annotations

import base64
from typing import Any

from cachery.exceptions import CacheSerializationError, CacheValueError
from cachery.serializers.compression import Compression
from cachery.serializers.refusals import damaged, type_name
from cachery.serializers.serializer import CacheSerializer

__all__ = ["Base64Serializer", "CompressedSerializer"]


class CompressedSerializer(CacheSerializer):
    """What ``base_serializer`` writes, compressed by zlib.

    ``compression_level`` is 0 (none) to 9 (smallest), or -1 for the default of zlib. Bytes that would inflate to more
    than ``limit`` bytes are not read. The attributes are ``base`` and ``level``. Raises ``CacheValueError`` for a level
    or a limit that there is not.

    >>> from cachery.serializers import JSONSerializer
    >>> serializer = CompressedSerializer(JSONSerializer())
    >>> data = serializer.serialize(["tea"] * 1000)
    >>> len(data) < 100, len(serializer.deserialize(data))
    (True, 1000)
    """

    def __init__(
        self, base_serializer: CacheSerializer, compression_level: int = 6, *, limit: int = 256 * 2**20
    ) -> None:
        self.base = _checked(base_serializer)
        self.level = compression_level
        self.name = f"{self.base.name}+zlib"
        self.can_run_code = self.base.can_run_code
        self._compression = Compression("zlib", compression_level, limit=limit)

    def serialize(self, value: Any) -> bytes:
        """Return the smaller bytes. Raises ``CacheSerializationError`` for what could not be read again."""
        data, limit = self.base.serialize(value), self._compression.limit
        if len(data) > limit:
            message = f"the value is {len(data)} bytes, more than are read again: write limit=, now {limit}"
            raise CacheSerializationError(message, value_type=type_name(type(value)))
        return self._compression.compress(data)

    def deserialize(self, data: bytes) -> Any:
        """Return the value. Raises ``CacheSerializationError`` for bytes that are damaged or too many when inflated."""
        try:
            inflated = self._compression.decompress(data)
        except Exception as error:
            raise damaged("zlib data", error) from error
        return self.base.deserialize(inflated)


class Base64Serializer(CacheSerializer):
    """What ``base_serializer`` writes, as letters of base 64, for a store that takes text. The attribute is ``base``.

    >>> from cachery.serializers import JSONSerializer
    >>> Base64Serializer(JSONSerializer()).serialize([1, 2])
    b'WzEsMl0='
    """

    def __init__(self, base_serializer: CacheSerializer) -> None:
        self.base = _checked(base_serializer)
        self.name = f"{self.base.name}+base64"
        self.can_run_code = self.base.can_run_code

    def serialize(self, value: Any) -> bytes:
        """Return the letters. Raises what the serializer beneath raises."""
        return base64.b64encode(self.base.serialize(value))

    def deserialize(self, data: bytes) -> Any:
        """Return the value. Raises ``CacheSerializationError`` for other letters than those of base 64."""
        try:
            decoded = base64.b64decode(data, validate=True)
        except Exception as error:
            raise damaged("base 64", error) from error
        return self.base.deserialize(decoded)


def _checked(serializer: CacheSerializer) -> CacheSerializer:
    if not isinstance(serializer, CacheSerializer):
        raise CacheValueError(f"base_serializer is a CacheSerializer, not {type(serializer).__name__}")
    return serializer
