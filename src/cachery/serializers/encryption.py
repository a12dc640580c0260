"""Bytes that only those can read who have the secret, by AES-256-GCM."""

from __future__ import annotations

import os
from collections.abc import Sequence
from hashlib import blake2b

from cachery.exceptions import CacheValueError
from cachery.serializers.extras import import_extra

__all__ = ["Encryption"]

_SHORTEST = 16
_LABEL = b"cachery encrypt1"
_ID = 8
_NONCE = 12
_TAG = 16


class Encryption:
    """Encrypts by AES-256-GCM. ``keys`` is a secret or several, the newest first: that one encrypts, all decrypt.

    A secret is text or bytes, 16 bytes or more, random ones: it is not made any harder to guess. What comes out is the
    number of the key (8 bytes), a nonce (12 random bytes), the encrypted bytes and their tag (16 bytes). As nonces are
    random, give a key no more than some 2**32 messages.

    Raises ``CacheValueError`` for what is no secret, ``ImportError`` if the extra is not installed.

    >>> old, new = Encryption("first secret 123456"), Encryption(["second secret 45678", "first secret 123456"])
    >>> new.decrypt(old.encrypt(b"tea", b"key"), b"key")
    b'tea'
    """

    __slots__ = ("_ciphers", "_first", "_invalid")

    def __init__(self, keys: str | bytes | Sequence[str | bytes]) -> None:
        derived = [_derived(secret) for secret in _each(keys)]
        cipher = import_extra("cryptography.hazmat.primitives.ciphers.aead", "crypto").AESGCM
        self._invalid = import_extra("cryptography.exceptions", "crypto").InvalidTag
        self._ciphers = {_id_of(key): cipher(key) for key in derived}
        self._first = _id_of(derived[0])

    def __repr__(self) -> str:
        return f"<Encryption with {len(self._ciphers)} keys>"

    def encrypt(self, data: bytes, bound: bytes) -> bytes:
        """Return ``data``, encrypted. It can be decrypted only by who gives the same ``bound``, which is not hidden.

        >>> len(Encryption("a secret of mine").encrypt(b"tea", b"key"))
        39
        """
        nonce = os.urandom(_NONCE)
        encrypted: bytes = self._ciphers[self._first].encrypt(nonce, data, bound)
        return self._first + nonce + encrypted

    def decrypt(self, data: bytes, bound: bytes) -> bytes:
        """Return what was encrypted.

        Raises ``ValueError`` for a key that is not among ours, for bytes that were changed or cut off, and for another
        ``bound``.

        >>> encryption = Encryption("a secret of mine")
        >>> encryption.decrypt(encryption.encrypt(b"tea", b"key"), b"other")
        Traceback (most recent call last):
            ...
        ValueError: encrypted data was changed, or belongs elsewhere
        """
        if len(data) < _ID + _NONCE + _TAG:
            raise ValueError("encrypted data is cut off")
        cipher = self._ciphers.get(bytes(data[:_ID]))
        if cipher is None:
            raise ValueError("encrypted data is of a key that is not among ours")
        try:
            decrypted: bytes = cipher.decrypt(data[_ID : _ID + _NONCE], data[_ID + _NONCE :], bound)
        except self._invalid as error:
            raise ValueError("encrypted data was changed, or belongs elsewhere") from error
        return decrypted


def _each(keys: object) -> Sequence[object]:
    if isinstance(keys, str | bytes):
        return [keys]
    if not isinstance(keys, Sequence) or not keys:
        raise CacheValueError("an encryption key is text or bytes, or a list of them, the newest first")
    return keys


def _derived(secret: object) -> bytes:
    data = secret.encode("utf-8", "surrogatepass") if isinstance(secret, str) else secret
    if not isinstance(data, bytes) or len(data) < _SHORTEST:
        advice = "write for instance secrets.token_hex(32), once, and keep it"
        raise CacheValueError(f"an encryption key is text or bytes, {_SHORTEST} bytes or more: {advice}")
    return blake2b(data, digest_size=32, person=_LABEL).digest()


def _id_of(key: bytes) -> bytes:
    """Return 8 bytes that name ``key`` and tell nothing about it."""
    return blake2b(b"id", key=key, digest_size=_ID, person=_LABEL).digest()
