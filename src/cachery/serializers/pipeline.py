"""From a value to the record that is stored, and back: serialize, compress, encrypt, sign.

Whole numbers are written as themselves whatever the serializer is, so that ``incr`` needs no code of a user while it
holds a lock. What is read must be what this cache would have written: another serializer, compression or cipher than
its own makes a record unreadable, so that nobody chooses by stored bytes how they are read.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from cachery.exceptions import CacheSerializationError, CacheValueError
from cachery.model.entry import Entry
from cachery.serializers.compression import Compression
from cachery.serializers.encryption import Encryption
from cachery.serializers.envelope import (
    ENCRYPTED,
    NO_KEY,
    REFERENCE,
    SIGNATURE,
    Body,
    Envelope,
    Unreadable,
    pack,
    plain_head,
    unpack,
)
from cachery.serializers.keyring import Keyring
from cachery.serializers.serializer import CacheSerializer

__all__ = ["INTEGER", "Codec", "Recipe", "TooLarge", "key_bytes"]

INTEGER = 0
_CODES = {"pickle": 1, "json": 2, "msgpack": 3, "string": 4, "typed": 5}
_CUSTOM = 255


class TooLarge(Exception):  # noqa: N818 - not an error of the caller's: the value is not stored, and that is reported
    """A value of more bytes than one may have."""


class Recipe(NamedTuple):
    """How values are written. ``threshold``: the least bytes that are worth compressing; ``limit``: the most of one."""

    serializer: CacheSerializer
    compression: Compression | None = None
    threshold: int = 1024
    encryption: Encryption | None = None
    limit: int = 2**28


class Codec:
    """Writes and reads records by ``recipe``, signed by ``keyring``; ``None`` leaves them without a signature."""

    def __init__(self, recipe: Recipe, keyring: Keyring | None) -> None:
        if keyring is None and recipe.serializer.can_run_code:
            raise CacheValueError(f"{recipe.serializer.name} is read only when it is signed: give the cache a secret=")
        self.recipe = recipe
        self.keyring = keyring
        self.code = _CODES.get(recipe.serializer.name, _CUSTOM)
        self._key_id = NO_KEY if keyring is None else keyring.key_id
        self._signature = 0 if keyring is None else SIGNATURE
        self._deserialize = recipe.serializer.deserialize
        self._is_plain = recipe.compression is None and recipe.encryption is None
        self.plain_head = plain_head(self.code) if self._is_plain and keyring is None else None

    def body_of(self, key: bytes, value: Any) -> Body:
        """Return ``value`` as bytes that may be stored under ``key``, and nowhere else if they are encrypted.

        Raises ``CacheSerializationError`` for what the serializer cannot carry, ``TooLarge`` beyond the limit.
        """
        if type(value) is int:
            data, code = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True), INTEGER
        else:
            data, code = self._serialized(value), self.code
        if len(data) > self.recipe.limit:
            raise TooLarge
        return Body(data, code) if self._is_plain else self._packed(key, data, code)

    def value_of(self, key: bytes, body: Body) -> Any:
        """Return the value of ``body``, which stood under ``key``. Raises ``Unreadable``."""
        code = body.serializer
        if code != self.code and code != INTEGER:  # noqa: PLR1714 - a set would be made for it
            raise Unreadable("serializer")
        data = body.data if self._is_plain and not body.compression and not body.flags else self._unpacked(key, body)
        try:
            return self._deserialize(data) if code != INTEGER else int.from_bytes(data, "little", signed=True)
        except Exception as error:  # whatever a serializer, or what it calls, makes of it
            raise Unreadable("value") from error

    def record_of(self, key: bytes, body: Body, entry: Entry, epoch: int) -> bytes:
        """Return the record of ``body`` with the stamps of ``entry``, signed."""
        record = pack(key, body, entry, epoch, self._key_id)
        return record if self.keyring is None else record + self.keyring.sign(record)

    def opened(self, key: bytes, record: bytes) -> Envelope:
        """Return the parts of ``record``, which was found under ``key``. Raises ``Unreadable``."""
        envelope = unpack(record, self._signature)
        if self.keyring is not None:
            self.keyring.check(record, envelope.key_id)
        if envelope.key != key:
            raise Unreadable("key")
        return envelope

    def _serialized(self, value: Any) -> bytes:
        try:
            data = self.recipe.serializer.serialize(value)
        except CacheSerializationError:
            raise
        except Exception as error:
            raise CacheSerializationError(
                f"the serializer failed on a {type(value).__name__}: {error}", value_type=type(value).__name__
            ) from error
        if not isinstance(data, bytes):
            raise CacheSerializationError(f"the serializer returned {type(data).__name__}, not bytes")
        return data

    def _packed(self, key: bytes, data: bytes, code: int) -> Body:
        compression, encryption = self.recipe.compression, self.recipe.encryption
        method = flags = 0
        if compression is not None and len(data) >= self.recipe.threshold:
            smaller = compression.compress(data)
            if len(smaller) < len(data):
                data, method = smaller, compression.code
        if encryption is not None:
            data, flags = encryption.encrypt(data, key), ENCRYPTED
        return Body(data, code, method, flags)

    def _unpacked(self, key: bytes, body: Body) -> bytes:
        data, compression, encryption = body.data, self.recipe.compression, self.recipe.encryption
        if bool(body.flags & ENCRYPTED) != (encryption is not None) or body.flags & ~(ENCRYPTED | REFERENCE):
            raise Unreadable("encryption")
        if body.compression and (compression is None or compression.code != body.compression):
            raise Unreadable("compression")
        try:
            if encryption is not None:
                data = encryption.decrypt(data, key)
            return compression.decompress(data) if compression is not None and body.compression else data
        except ValueError as error:
            raise Unreadable("encryption" if encryption is not None else "compression") from error


def key_bytes(key: str) -> bytes:
    """Return ``key`` as it is stored: UTF-8, lone surrogates as they are."""
    return key.encode("utf-8", "surrogatepass")
