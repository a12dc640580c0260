"""Parts of a key as short names: a digest for each, of its own kind, taken piece by piece.

BLAKE2b (RFC 7693) of 160 bits, keyed where there is a secret: two parts share a name with a chance of 1 in 2**160, and
nobody knows how to find two that do in fewer than 2**80 tries. What kind of part it is (a text, options, a scope) goes
into the digest first, so a text that looks like options is not taken for them. The format has a version.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from hashlib import blake2b
from typing import Any, Protocol

from cachery.exceptions import CacheValueError

__all__ = ["PARTS", "HashAlgorithm", "PartHasher"]

PARTS = ("text", "options", "question", "scope", "request")

_VERSION = b"cachery ai 1"
_DIGEST_SIZE = 20
_PIECE = 1 << 16
_BROKEN = {"md5", "sha1"}
_SMALLEST = 16
_LONGEST_KEY = 64
_MOST_SCOPES = 1000


class _Hash(Protocol):
    def update(self, data: bytes, /) -> None: ...

    def copy(self) -> Any: ...

    def hexdigest(self) -> str: ...


HashAlgorithm = Callable[..., Any]
"""What makes a hash, as ``hashlib.sha256`` does."""


class PartHasher:
    """Names the parts of keys. ``algorithm``: ``None`` for BLAKE2b; ``secret``: what only those know who may guess.

    Raises ``CacheValueError`` for an algorithm of fewer than 128 bits or one with known collisions, and for an empty
    secret.

    >>> PartHasher().name("text", "a document")
    'f5939c1fb6e529886f52e773b22ba8781e8f8c7c'
    """

    __slots__ = ("_begun", "_known_scopes")

    def __init__(self, algorithm: HashAlgorithm | None = None, secret: str | bytes | None = None) -> None:
        key = b"" if secret is None else _checked_secret(secret)
        self._begun: dict[str, _Hash] = {part: _begin(part, algorithm, key) for part in PARTS}
        self._known_scopes: dict[str, str] = {}

    def name(self, part: str, content: str) -> str:
        """Return 40 hexadecimal letters for ``content``. A long one is read piece by piece, so it is never copied."""
        state = self._begun[part].copy()
        if len(content) <= _PIECE:
            state.update(content.encode("utf-8", "surrogatepass"))
        else:
            for start in range(0, len(content), _PIECE):
                state.update(content[start : start + _PIECE].encode("utf-8", "surrogatepass"))
        return str(state.hexdigest()[: 2 * _DIGEST_SIZE])

    def name_of_scope(self, scope: str) -> str:
        """Return 40 hexadecimal letters for ``scope``; those of a thousand scopes are remembered."""
        name = self._known_scopes.get(scope)
        if name is None:
            name = self.name("scope", scope)
            if len(self._known_scopes) < _MOST_SCOPES:
                self._known_scopes[scope] = name
        return name

    def name_of_bytes(self, part: str, content: bytes) -> str:
        """Return 40 hexadecimal letters for ``content``."""
        state = self._begun[part].copy()
        state.update(content)
        return str(state.hexdigest()[: 2 * _DIGEST_SIZE])


def _begin(part: str, algorithm: HashAlgorithm | None, key: bytes) -> _Hash:
    """Return the hash of nothing yet. Copying it costs half of making one."""
    if algorithm is None:
        return blake2b(part.encode(), digest_size=_DIGEST_SIZE, key=key, person=_VERSION)
    _check_algorithm(algorithm)
    state: _Hash = hmac.new(key, digestmod=algorithm) if key else algorithm()
    state.update(b"%b %b\0" % (_VERSION, part.encode()))
    return state


def _check_algorithm(algorithm: HashAlgorithm) -> None:
    try:
        made = algorithm()
        name, size = str(made.name), int(made.digest_size)
    except Exception as error:
        message = f"hash_algorithm makes a hash, as hashlib.sha256 does; {algorithm!r} does not"
        raise CacheValueError(message) from error
    if size < _SMALLEST or name in _BROKEN:
        raise CacheValueError(
            f"{name} has {8 * size} bits or known collisions: answers would meet; take hashlib.sha256"
        )


def _checked_secret(secret: object) -> bytes:
    data = secret.encode() if isinstance(secret, str) else secret
    if not isinstance(data, bytes) or not data:
        raise CacheValueError("key_secret is text or bytes, and not empty")
    return data if len(data) <= _LONGEST_KEY else blake2b(data).digest()
