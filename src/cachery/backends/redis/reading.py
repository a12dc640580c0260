"""From what a server answered to a value: what every hit goes through, so it is compiled."""

from __future__ import annotations

from typing import Any

try:
    import cython

    if not cython.compiled:
        raise ImportError
except ImportError:
    from cachery import _cython as cython  # type: ignore[no-redef]

from cachery.backends.redis.records import ENVELOPE_AT, STAMP_SIZE, Row, aged, birth_of, is_record
from cachery.model.sentinels import FOREVER, MISSING
from cachery.serializers.envelope import Unreadable
from cachery.serializers.pipeline import Codec

if not cython.compiled:
    from cachery.serializers.envelope import plain_body

__all__ = ["fresh_value", "plain_values"]

UNDECIDED = object()
"""In the place of a value of which more has to be known."""


def fresh_value(codec: Codec, name: bytes, row: Row, now: Any) -> Any:
    """Return the value in ``row`` if it is fresh by the clock ``now``, else ``MISSING``. Raises ``Unreadable``."""
    if row.is_undone:
        if not is_record(row.record):
            raise Unreadable("format")
        return MISSING
    envelope = codec.opened(name, row.record[ENVELOPE_AT:])
    if envelope.fresh_until != FOREVER:
        moment = now()
        if aged(envelope, birth_of(envelope, row.left, moment)).fresh_until <= moment:
            return MISSING
    return codec.value_of(name, envelope.body)


def plain_values(
    codec: Codec, keys: Any, names: Any, records: Any, state: bytes, unreadable: Any
) -> tuple[dict[str, Any], list[str]]:
    """Return the fresh values among ``records``, which were there before ``state`` was read, and the undecided keys.

    An entry that is never served stale is fresh as long as the server has it; for one that is, and for one that carries
    tags, more has to be known. What cannot be read is told to ``unreadable``.
    """
    era, cleared = state[:8], state[16:24]
    head, deserialize = codec.plain_head, codec.recipe.serializer.deserialize
    found: dict[str, Any] = {}
    undecided: list[str] = []
    for key, name, record in zip(keys, names, records):  # noqa: B905 - they are of one length, and this is quicker
        if record is None:
            continue
        if not record.startswith(era) or record[8:STAMP_SIZE] < cleared:
            if not is_record(record):
                unreadable(key, "format")
            continue
        body = None if head is None else plain_body(record, ENVELOPE_AT, name, head)
        value = MISSING if body is None else _plain(deserialize, body)
        if value is MISSING:
            value = _value(codec, key, name, record[ENVELOPE_AT:], unreadable)
        if value is UNDECIDED:
            undecided.append(key)
        elif value is not MISSING:
            found[key] = value
    return found, undecided


def _plain(deserialize: Any, body: Any) -> Any:
    """Return the value of ``body``; ``MISSING`` where it cannot be read: the long way says what is wrong."""
    try:
        return deserialize(body)
    except Exception:  # noqa: BLE001
        return MISSING


def _value(codec: Codec, key: Any, name: bytes, record: bytes, unreadable: Any) -> Any:
    try:
        envelope = codec.opened(name, record)
        if envelope.tags or envelope.stale_until > envelope.fresh_until:
            return UNDECIDED
        return codec.value_of(name, envelope.body)
    except Unreadable as error:
        unreadable(key, error.reason)
        return MISSING
