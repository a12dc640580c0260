"""The form of what sites tell one another: a head in JSON, the value beside it, and a signature over both.

::

    head       JSON: kind, site, writer, number; by kind: target, tags, lives in seconds, nonce, position, codes
    value      what the codec made of the value
    key_id     whose signature it is
    signature  over the length of the head, the head and the value; only where sites share a secret
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from typing import Any

from cachery.model.entry import Entry
from cachery.replication.log import Record, order_of
from cachery.serializers.envelope import Body, Unreadable
from cachery.serializers.pipeline import Codec, key_bytes

__all__ = ["CLEAR", "DELETE", "OFFER", "PATTERN", "SET", "TAG", "Message", "Wire", "with_stamps"]

SET, DELETE, CLEAR, PATTERN, TAG, OFFER = "set", "delete", "clear", "pattern", "tag", "offer"


@dataclass(frozen=True, slots=True)
class Message:
    """What one site tells the others.

    ``writer``: the process, and ``number``: which of its messages this is. ``target``: a key, a glob or a tag.
    ``life``, ``refresh`` and ``stale``: seconds until then from the moment of appending; ``None`` is never.
    ``nonce``: which snapshot it belongs to, ``as_of``: the id up to which the sender had read.
    """

    kind: str
    site: str
    writer: str
    number: int
    target: str = ""
    tags: tuple[str, ...] = ()
    life: float | None = None
    refresh: float | None = None
    stale: float | None = None
    cost: float | None = None
    nonce: str = ""
    as_of: str = ""
    is_last: bool = False
    body: Body | None = None


_PLAIN = [name for name in Message.__slots__ if name not in {"body", "tags"}]


class Wire:
    """Writes messages as records and reads them, by ``codec``."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec

    def body_of(self, key: str, value: Any) -> Body:
        """Return ``value`` as it travels. Raises ``CacheSerializationError`` and ``TooLarge``."""
        return self._codec.body_of(key_bytes(key), value)

    def value_of(self, message: Message) -> Any:
        """Return the value of ``message``. Raises ``Unreadable``."""
        if message.body is None:
            raise Unreadable("damaged")
        return self._codec.value_of(key_bytes(message.target), message.body)

    def record_of(self, message: Message) -> Record:
        """Return the record of ``message``, signed if there is a secret."""
        head = {name: value for name in _PLAIN if (value := getattr(message, name)) not in {"", None}}
        body = message.body
        if message.tags:
            head["tags"] = list(message.tags)
        if body is not None:
            head["codes"] = [body.serializer, body.compression, body.flags]
        record = {"head": json.dumps(head).encode(), "value": b"" if body is None else body.data}
        keyring = self._codec.keyring
        if keyring is not None:
            record |= {"key_id": keyring.key_id, "signature": keyring.sign(_signed(record))}
        return record

    def message_of(self, record: Record) -> Message:
        """Return what ``record`` says. Raises ``Unreadable``."""
        if "head" not in record or "value" not in record:
            raise Unreadable("format")
        keyring = self._codec.keyring
        if keyring is not None:
            keyring.check_apart(_signed(record), record.get("signature", b""), record.get("key_id", b""))
        try:
            return _message(json.loads(record["head"]), record["value"])
        except (ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            raise Unreadable("damaged") from error


def with_stamps(message: Message, entry: Entry, now: float) -> Message:
    """Return ``message`` with the stamps of ``entry`` as they are at ``now``."""
    return replace(
        message,
        tags=tuple(entry.tags),
        life=_span(entry.fresh_until, now),
        refresh=_span(entry.refresh_at, now),
        stale=_span(entry.stale_until, now),
        cost=entry.cost,
    )


def _span(moment: float, now: float) -> float | None:
    """Return the seconds until ``moment``; ``None`` for one that never comes, or was never to come."""
    return moment - now if math.isfinite(moment) else None


_TEXTS = ("kind", "site", "writer", "target", "nonce", "as_of")
_SPANS = ("life", "refresh", "stale", "cost")


def _message(head: dict[str, Any], value: bytes) -> Message:
    """Return what ``head`` says. Raises ``ValueError`` and the like for what no site writes."""
    codes, tags = head.pop("codes", None), tuple(head.pop("tags", ()))
    message = Message(**{name: head[name] for name in _PLAIN if name in head}, tags=tags)
    texts = [getattr(message, name) for name in _TEXTS] + list(tags)
    spans = [span for name in _SPANS if (span := getattr(message, name)) is not None]
    if not all(isinstance(text, str) for text in texts) or not all(map(math.isfinite, spans)):
        raise ValueError("a field of another type")
    if not isinstance(message.number, int) or not isinstance(message.is_last, bool):
        raise ValueError("a field of another type")  # noqa: TRY004 - as the others
    if message.as_of or message.kind == OFFER:
        order_of(message.as_of)
    return message if codes is None else replace(message, body=Body(value, *bytes(codes)))


def _signed(record: Record) -> bytes:
    return len(record["head"]).to_bytes(8, "little") + record["head"] + record["value"]
