"""Who signs what is stored, and whose signatures count.

A signature is keyed BLAKE2b (RFC 7693, section 2.9: a MAC by itself) of 256 bits. Which algorithm that is stands here,
never in what is read. The secret is the one given; else the variable ``CACHERY_SECRET``; else a key of this user, made
when it is first needed, in a file that nobody else can read.
"""

from __future__ import annotations

try:
    import cython

    if not cython.compiled:
        raise ImportError
except ImportError:
    from cachery import _cython as cython  # type: ignore[no-redef]

import os
import secrets
import sys
from collections.abc import Sequence
from contextlib import suppress
from hashlib import blake2b
from hmac import compare_digest
from pathlib import Path
from typing import Any, TypeAlias

from cachery.exceptions import CacheConnectionError, CacheValueError
from cachery.model.keys import Key
from cachery.serializers.envelope import SIGNATURE, Unreadable

__all__ = ["Keyring", "Secret", "user_secret"]

Secret: TypeAlias = str | bytes | Sequence[str | bytes]
"""One secret of 16 bytes or more, or several, the newest first: that one signs, all are believed."""

_SHORTEST = 16


@cython.cclass
class Keyring:
    """Signs and checks the records of the cache ``name`` with ``secret``.

    >>> keyring = Keyring("correct horse battery", "answers")
    >>> record = keyring.signed(b"record")
    >>> keyring.check(record, keyring.key_id)
    """

    states: dict[bytes, Any]
    newest: Any
    key_id: bytes

    def __init__(self, secret: Secret, name: Key) -> None:
        keys = [_key_of(one) for one in _each(secret)]
        self.states = {_id_of(key): _state_of(key, name) for key in keys}
        self.key_id = _id_of(keys[0])
        self.newest = self.states[self.key_id]

    def __repr__(self) -> str:
        return f"<Keyring of {len(self.states)} secrets>"

    @cython.ccall
    def sign(self, data: bytes) -> bytes:
        """Return the signature of ``data``, 32 bytes."""
        state = self.newest.copy()
        state.update(data)
        signature: bytes = state.digest()
        return signature

    def signed(self, data: bytes) -> bytes:
        """Return ``data`` with its signature."""
        return data + self.sign(data)

    @cython.ccall
    def check(self, record: bytes, key_id: bytes) -> None:
        """Raise ``Unreadable`` unless ``record`` ends with a signature, of the rest, by the key ``key_id``.

        ``"secret"``: a key that is not among ours; ``"signature"``: one that is, and the record was changed.
        """
        end = len(record) - SIGNATURE
        self.check_apart(record[:end], record[end:], key_id)

    @cython.ccall
    def check_apart(self, data: bytes, signature: bytes, key_id: bytes) -> None:
        """Raise ``Unreadable`` unless ``signature`` is that of ``data`` by the key ``key_id``."""
        known = self.states.get(key_id)
        if known is None:
            raise Unreadable("secret")
        state = known.copy()
        state.update(data)
        if not compare_digest(state.digest(), signature):
            raise Unreadable("signature")


def _each(secret: object) -> Sequence[str | bytes]:
    if isinstance(secret, str | bytes):
        return [secret]
    if not isinstance(secret, Sequence) or not secret:
        raise CacheValueError("secret is text or bytes, or a list of them, the newest first")
    return secret


def _key_of(secret: str | bytes) -> bytes:
    data = secret.encode("utf-8", "surrogatepass") if isinstance(secret, str) else secret
    if not isinstance(data, bytes) or len(data) < _SHORTEST:
        raise CacheValueError(
            f"a secret is text or bytes, {_SHORTEST} bytes or more: write for instance secrets.token_hex(32)"
        )
    return blake2b(data, digest_size=32, person=b"cachery sign 1").digest()


def _id_of(key: bytes) -> bytes:
    """Return 8 bytes that name ``key`` and tell nothing about it."""
    return blake2b(b"id", key=key, digest_size=8, person=b"cachery sign 1").digest()


def _state_of(key: bytes, name: str) -> blake2b:
    """Return a signature that is begun, with the name of the cache, its length before it."""
    text = name.encode("utf-8", "surrogatepass")
    state = blake2b(key=key, digest_size=SIGNATURE, person=b"cachery sign 1")
    state.update(len(text).to_bytes(8, "little"))
    state.update(text)
    return state


def user_secret(place: Path | None = None) -> bytes:
    """Return the key of this user, made now if there is none yet. ``place`` is its file.

    Raises ``CacheConnectionError``, saying what to do, when it cannot be read or written, or when others can.
    """
    place = _place() if place is None else place
    try:
        return _read(place) if place.exists() else _made(place)
    except OSError as error:
        raise CacheConnectionError(
            f"the key that signs cached values cannot be kept in {place} ({error.strerror}): "
            "set CACHERY_SECRET, or give the cache a secret="
        ) from error


def _place() -> Path:
    if sys.platform == "win32":
        home = Path(os.environ.get("LOCALAPPDATA") or Path.home())
    else:
        home = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return home / "cachery" / "secret.key"


def _read(place: Path) -> bytes:
    descriptor = os.open(place, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    try:
        state = os.fstat(descriptor)
        if hasattr(os, "geteuid") and (state.st_uid != os.geteuid() or state.st_mode & 0o077):
            raise CacheConnectionError(
                f"{place} signs cached values and must be this user's alone: chown and chmod 600 it, or remove it"
            )
        key = os.read(descriptor, 1024).strip()
    finally:
        os.close(descriptor)
    if len(key) < _SHORTEST:
        raise CacheConnectionError(f"{place} holds no key: remove it, and another is made")
    return key


def _made(place: Path) -> bytes:
    """Write a new key beside ``place`` and link it there: of two who do so at once, one wins and both read the same."""
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = place.with_name(f"{place.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_hex(32).encode())
        with suppress(FileExistsError):
            os.link(fresh, place)
    finally:
        fresh.unlink()
    return _read(place)
