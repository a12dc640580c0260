"""A record as an operator sees it: everything but the value."""

from __future__ import annotations

from cachery.model.entry import Entry
from cachery.ports.store import Description
from cachery.serializers.compression import METHODS
from cachery.serializers.envelope import ENCRYPTED, REFERENCE, Body
from cachery.serializers.pipeline import INTEGER, Codec

__all__ = ["described", "serializer_name", "unreadable"]

_SERIALIZERS = {1: "pickle", 2: "json", 3: "msgpack", 4: "string", 5: "typed", INTEGER: "whole number"}


def serializer_name(code: int) -> str:
    """Return the name of the serializer whose ``code`` stands in a record; ``"custom"`` for one of a user's.

    >>> serializer_name(3), serializer_name(255)
    ('msgpack', 'custom')
    """
    return _SERIALIZERS.get(code, "custom")


def described(
    codec: Codec, entry: Entry, body: Body, *, size: int, is_invalidated: bool, written_at: float | None = None
) -> Description:
    """Return what is known of a record of ``size`` bytes that ``codec`` has opened, its value not looked at."""
    return Description(
        size=size,
        entry=entry,
        written_at=written_at,
        serializer=serializer_name(body.serializer),
        compression=METHODS[body.compression - 1] if 0 < body.compression <= len(METHODS) else None,
        is_encrypted=bool(body.flags & ENCRYPTED),
        is_signed=codec.keyring is not None,
        is_invalidated=is_invalidated,
        fault=_fault_of(codec, body),
    )


def unreadable(size: int, fault: str) -> Description:
    """Return what is known of a record that cannot be read."""
    return Description(size=size, fault=fault)


def _fault_of(codec: Codec, body: Body) -> str | None:
    """Return why ``codec`` would refuse ``body`` before it looks into it; ``None`` when it would not."""
    compression = codec.recipe.compression
    if body.serializer not in {codec.code, INTEGER}:
        return "serializer"
    if bool(body.flags & ENCRYPTED) != (codec.recipe.encryption is not None) or body.flags & ~(ENCRYPTED | REFERENCE):
        return "encryption"
    if body.compression and (compression is None or compression.code != body.compression):
        return "compression"
    return None
