"""An answer as it is stored: a head of fixed size with what is known of it, then its bytes.

The head: version, whether the rest is compressed, when it was stored, the length of the text it answers, the seconds it
took, the tokens it took. Another version counts as no answer.
"""

from __future__ import annotations

from struct import Struct
from typing import Any, NamedTuple

from cachery.serializers.compression import Compression
from cachery.serializers.serializer import CacheSerializer

__all__ = ["Answer", "Facts", "Recipe", "Unreadable", "opened", "packed"]

_VERSION = 1
_HEAD = Struct("<BBdQfII")
_MOST_TOKENS = 2**32 - 1


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


def packed(body: bytes, facts: Facts, *, is_compressed: bool) -> bytes:
    """Return what is stored."""
    tokens = min(facts.input_tokens, _MOST_TOKENS), min(facts.output_tokens, _MOST_TOKENS)
    head = _HEAD.pack(_VERSION, is_compressed, facts.cached_at, facts.text_length, facts.seconds, *tokens)
    return head + body


def opened(record: object, recipe: Recipe) -> Answer:
    """Return the answer in ``record``, a new one each time. Raises ``Unreadable``."""
    if type(record) is not bytes or len(record) < _HEAD.size:
        raise Unreadable
    version, is_compressed, *facts = _HEAD.unpack_from(record)
    if version != _VERSION:
        raise Unreadable
    body = record[_HEAD.size :]
    try:
        data = recipe.compression.decompress(body) if is_compressed else body
        return Answer(recipe.serializer.deserialize(data), Facts(*facts), bool(is_compressed))
    except Exception as error:  # whatever a serializer makes of bytes that are not its own
        raise Unreadable from error
