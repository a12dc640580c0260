"""An answer as it is stored: a head of fixed size with what is known of it, then its bytes.

The head: version, by what the rest is compressed, when it was stored, the length of the text it answers, the seconds it
took, the tokens it took. Another version counts as no answer.
"""

from __future__ import annotations

from math import isfinite
from struct import Struct
from typing import Any, NamedTuple

from cachery.serializers.compression import METHODS, Compression
from cachery.serializers.serializer import CacheSerializer

__all__ = ["Answer", "Facts", "Recipe", "Unreadable", "opened", "packed"]

_VERSION = 1
_HEAD = Struct("<BBdQfII")
_MOST_TOKENS = 2**32 - 1
_LATEST = 250_000_000_000.0
"""Seconds since 1970 until the years have five digits, about."""


class Unreadable(Exception):  # noqa: N818 - not an error of the caller's: it counts as no answer
    """What is stored is no answer of this version."""


class Facts(NamedTuple):
    """What is known of an answer: ``cached_at`` in seconds since 1970, ``seconds`` that it took to make."""

    cached_at: float
    text_length: int
    seconds: float = 0.0
    input_tokens: int = 0
    output_tokens: int = 0


class Answer(NamedTuple):
    """What is stored: the response, what is known of it, and whether it is stored in fewer bytes than it has."""

    response: Any
    facts: Facts
    is_compressed: bool


class Recipe(NamedTuple):
    """How responses become bytes. ``threshold``: the bytes from which on compressing is tried."""

    serializer: CacheSerializer
    compression: Compression
    threshold: int


def packed(body: bytes, facts: Facts, compression: int = 0) -> bytes:
    """Return what is stored. ``compression``: the code of what ``body`` is compressed by, 0 for nothing."""
    tokens = min(facts.input_tokens, _MOST_TOKENS), min(facts.output_tokens, _MOST_TOKENS)
    head = _HEAD.pack(_VERSION, compression, facts.cached_at, facts.text_length, facts.seconds, *tokens)
    return head + body


def opened(record: object, recipe: Recipe) -> Answer:
    """Return the answer in ``record``, a new one each time. Raises ``Unreadable``."""
    if type(record) is not bytes or len(record) < _HEAD.size:
        raise Unreadable
    version, compression, *rest = _HEAD.unpack_from(record)
    facts, body = Facts(*rest), record[_HEAD.size :]
    if version != _VERSION or not (0 <= facts.cached_at < _LATEST and isfinite(facts.seconds)):
        raise Unreadable
    try:
        data = _inflated(body, compression, recipe.compression) if compression else body
        return Answer(recipe.serializer.deserialize(data), facts, bool(compression))
    except Exception as error:  # whatever a serializer makes of bytes that are not its own
        raise Unreadable from error


def _inflated(body: bytes, code: int, own: Compression) -> bytes:
    """Return what ``body`` was compressed from, also by another method than one's ``own``."""
    if code == own.code:
        return own.decompress(body)
    return Compression(METHODS[code - 1], limit=own.limit).decompress(body)
