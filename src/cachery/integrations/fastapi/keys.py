"""API keys: which there are, and whether one of them is shown. None is ever written to a log or a message."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from hmac import compare_digest
from inspect import isawaitable, iscoroutinefunction
from typing import Self

from cachery.exceptions import CacheValueError

__all__ = ["ApiKeys", "KeyRing", "KeySource", "keys_shown"]

Written = str | Iterable[str] | None
ApiKeys = Written | Callable[[], Written | Awaitable[Written]]
"""One key, several, ``None`` for none, or a function that returns these at each request."""


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The keys that are right, as digests, which all have the same length."""

    digests: tuple[bytes, ...] = field(repr=False)

    @classmethod
    def of(cls, written: Written) -> Self:
        """Return the ring of ``written``; space around a key does not count, and an empty key is none.

        Raises ``CacheValueError`` for what is no text, or no single line of it.
        """
        keys = [written] if isinstance(written, str) else () if written is None else written
        if isinstance(keys, bytes | Mapping) or not isinstance(keys, Iterable):
            raise CacheValueError(f"API keys are texts, not {type(keys).__name__}")
        stripped = [_checked(key) for key in keys]
        return cls(tuple(_digest(key.encode("utf-8", "surrogateescape")) for key in stripped if key))

    def __bool__(self) -> bool:
        """Tell whether there is any key."""
        return bool(self.digests)

    def has_any(self, shown: Iterable[bytes]) -> bool:
        """Tell whether one of ``shown`` is a key, in a time that does not depend on which, nor on how much is right."""
        is_right = False
        for digest in map(_digest, shown):
            for known in self.digests:
                is_right |= compare_digest(digest, known)
        return is_right


class KeySource:
    """Where the keys are: fixed, or asked for at each request."""

    def __init__(self, keys: ApiKeys) -> None:
        self._read = keys if callable(keys) else None
        self._fixed = KeyRing(()) if callable(keys) else KeyRing.of(keys)

    async def ring(self) -> KeyRing:
        """Return the keys of this moment; a function that may block is called on a thread. Raises what it raises."""
        if self._read is None:
            return self._fixed
        answer = self._read() if iscoroutinefunction(self._read) else await asyncio.to_thread(self._read)
        return KeyRing.of(await answer if isawaitable(answer) else answer)


def keys_shown(headers: Iterable[tuple[bytes, bytes]]) -> list[bytes]:
    """Return the keys in the headers of a request. A credential of another kind counts as an empty key: a wrong one.

    >>> keys_shown([(b"authorization", b"Bearer one"), (b"x-api-key", b"two"), (b"authorization", b"Basic abc")])
    [b'one', b'two', b'']
    """
    shown = []
    for name, value in headers:
        if name.lower() == b"authorization":
            scheme, _, key = value.strip().partition(b" ")
            shown.append(key.strip() if scheme.lower() == b"bearer" else b"")
        elif name.lower() == b"x-api-key":
            shown.append(value.strip())
    return shown


def _checked(key: str) -> str:
    if not isinstance(key, str):
        raise CacheValueError(f"an API key is text, not {type(key).__name__}")
    stripped = key.strip()
    if any(character < " " or character == "\x7f" for character in stripped):
        raise CacheValueError("an API key is one line of text, which a header can carry")
    return stripped


def _digest(key: bytes) -> bytes:
    return sha256(key).digest()
