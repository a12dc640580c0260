"""The form in which a value leaves the process: one record, everything that decides what it is worth beside it.

::

    offset  field
    0       magic           2 bytes, 0xCA 0xC8
    2       version         1 byte, 1
    3       serializer      1 byte, what the body was written with (``pipeline``)
    4       compression     1 byte, 0 for none
    5       flags           1 byte: 1 encrypted, 2 the body is a reference to what stands elsewhere
    6       key id          8 bytes, whose signature this is; zeros when there is none
    14      fresh_until     float, seconds of the store's clock; inf is never
    22      refresh_at      float
    30      stale_until     float; -inf when the value is never served stale
    38      cost            float; nan when it is not known
    46      epoch           8 bytes, the number of the store's last invalidation when the value was born
    54      lengths         4 + 4 + 8 bytes: key, tags, body
    70      key, tags, body
    ...     signature       32 bytes, over the name of the cache and all of the above

Numbers are little-endian. The key is UTF-8, lone surrogates as they are. Each tag is its length in 4 bytes, its text,
and 8 bytes, the number of its last invalidation as far as the writer knew. A length is compared with what is there
before anything is taken out.
"""

from __future__ import annotations

try:
    import cython

    if not cython.compiled:
        raise ImportError
except ImportError:
    from cachery import _cython as cython  # type: ignore[no-redef]

import math
from collections.abc import Iterable
from struct import Struct
from typing import Any

from cachery.model.entry import Entry

__all__ = [
    "ENCRYPTED",
    "REFERENCE",
    "SIGNATURE",
    "VERSION",
    "Body",
    "Envelope",
    "Unreadable",
    "key_of",
    "pack",
    "plain_body",
    "plain_head",
    "unpack",
]

MAGIC = b"\xca\xc8"
VERSION = 1
ENCRYPTED = 1
REFERENCE = 2
SIGNATURE = 32
NO_KEY = b"\0" * 8

_HEADER = Struct("<2sBBBB8sddddQIIQ")
_NEVER_STALE = Struct("<d").pack(-math.inf)
HEADER_SIZE = 70
STALE_AT = 30
LENGTHS_AT = 54
_KEY_SIZE = 11  # where it stands in the header
_LENGTH = Struct("<I")
_NUMBER = Struct("<Q")
_NEVER = -math.inf


class Unreadable(Exception):  # noqa: N818 - not an error of the caller's: it becomes a miss and an event
    """A record that cannot be used. ``reason`` is one word: what ``events.Unreadable`` says."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@cython.final
@cython.cclass
class Body:
    """What a value became, and how: the codes of serializer and compression, and flags."""

    data: bytes
    serializer: int
    compression: int
    flags: int

    def __init__(self, data: bytes, serializer: Any, compression: Any = 0, flags: Any = 0) -> None:
        self.data = data
        self.serializer = serializer
        self.compression = compression
        self.flags = flags


@cython.final
@cython.cclass
class Envelope:
    """A record taken apart. ``tags`` are pairs of a tag and a number; ``body`` is still encoded."""

    key: bytes
    body: Body
    fresh_until: float
    refresh_at: float
    stale_until: float
    cost: float | None
    epoch: int
    tags: tuple[tuple[str, int], ...]
    key_id: bytes

    @property
    def tag_names(self) -> tuple[str, ...]:
        """The tags without their numbers."""
        return tuple([name for name, _ in self.tags])

    def entry(self, value: object) -> Entry:
        """Return the entry of ``value``, with the stamps that stand here."""
        return Entry(value, self.fresh_until, self.refresh_at, self.stale_until, self.tag_names, self.cost)


def pack(key: bytes, body: Body, entry: Entry, epoch: int, key_id: bytes = NO_KEY) -> bytes:
    """Return the record of ``body`` under ``key``, with the stamps of ``entry``, but for its signature.

    >>> record = pack(b"a", Body(b"1", 2), Entry(None, fresh_until=10.0), epoch=7)
    >>> unpack(record, 0).fresh_until, len(record)
    (10.0, 72)
    """
    tags = b"".join(_packed_tags(entry.tags, epoch)) if entry.tags else b""
    cost = math.nan if entry.cost is None else entry.cost
    header = _HEADER.pack(
        MAGIC,
        VERSION,
        body.serializer,
        body.compression,
        body.flags,
        key_id,
        entry.fresh_until,
        entry.refresh_at,
        entry.stale_until,
        cost,
        epoch,
        len(key),
        len(tags),
        len(body.data),
    )
    return b"".join((header, key, tags, body.data))


def unpack(record: bytes, signature: int = SIGNATURE, *, is_head: bool = False) -> Envelope:
    """Return the parts of ``record``, whose last ``signature`` bytes are its signature.

    ``is_head``: body and signature were left out.

    Raises ``Unreadable``: ``"format"`` for what is no record of this version, ``"damaged"`` for wrong lengths.
    """
    if len(record) < _HEADER.size or not record.startswith(MAGIC):
        raise Unreadable("format")
    found = Envelope()
    (
        _,
        version,
        serializer,
        compression,
        flags,
        found.key_id,
        found.fresh_until,
        found.refresh_at,
        found.stale_until,
        cost,
        found.epoch,
        key_size,
        tags_size,
        size,
    ) = _HEADER.unpack_from(record)
    if version != VERSION:
        raise Unreadable("format")
    tags_at = HEADER_SIZE + key_size
    body_at = tags_at + tags_size
    end = body_at if is_head else body_at + size + signature
    if end != len(record):
        is_signed = found.key_id != NO_KEY
        raise Unreadable("damaged" if is_signed == bool(signature) or is_head else "secret")
    found.key = record[HEADER_SIZE:tags_at]
    found.tags = _unpacked_tags(record[tags_at:body_at]) if tags_size else ()
    found.body = Body(record[body_at : end - signature], serializer, compression, flags)
    found.cost = None if cost != cost else cost  # noqa: PLR0124 - nan is the one number that differs from itself
    return found


def plain_head(serializer: Any) -> bytes:
    """Return how a plain record begins: written by ``serializer``, and neither compressed, encrypted nor signed."""
    return MAGIC + bytes((VERSION, serializer, 0, 0)) + NO_KEY


@cython.cfunc
@cython.exceptval(check=False)
def little(data: bytes, at: cython.Py_ssize_t, size: cython.Py_ssize_t) -> cython.longlong:
    """Return the little-endian number of ``size`` bytes at ``at``, where there are as many."""
    number: cython.longlong = 0
    for place in range(at + size - 1, at - 1, -1):
        number = (number << 8) | data[place]
    return number


@cython.ccall
def plain_body(record: bytes, start: cython.Py_ssize_t, key: bytes, head: bytes) -> Any:
    """Return the body of the record that begins at ``start`` if it is plain and nothing else is to be looked at.

    That is: it begins with ``head``, ``key`` stands in it, it has no tags and is never served stale. ``None`` where
    something else is so, or the record is damaged.
    """
    body_at: cython.Py_ssize_t = start + HEADER_SIZE + len(key)
    if (
        not record.startswith(head, start)
        or not record.startswith(_NEVER_STALE, start + STALE_AT)
        or not record.startswith(key, start + HEADER_SIZE)
        or little(record, start + LENGTHS_AT, 4) != len(key)
        or little(record, start + LENGTHS_AT + 4, 4) != 0
        or little(record, start + LENGTHS_AT + 8, 8) != len(record) - body_at
    ):
        return None
    return record[body_at:]


def key_of(record: bytes) -> str:
    """Return the key that stands in ``record``, unchecked, for a report; empty when there is none.

    >>> key_of(pack("user:42".encode(), Body(b"", 1), Entry(None), epoch=0))
    'user:42'
    """
    if len(record) < _HEADER.size:
        return ""
    size = _HEADER.unpack_from(record)[_KEY_SIZE]
    try:
        return record[_HEADER.size : _HEADER.size + size].decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return ""


def _packed_tags(tags: Iterable[str], number: int) -> Iterable[bytes]:
    for tag in tags:
        text = tag.encode("utf-8", "surrogatepass")
        yield _LENGTH.pack(len(text))
        yield text
        yield _NUMBER.pack(number)


def _unpacked_tags(data: bytes) -> tuple[tuple[str, int], ...]:
    tags: list[tuple[str, int]] = []
    at = 0
    try:
        while at < len(data):
            (size,) = _LENGTH.unpack_from(data, at)
            end = at + _LENGTH.size + size
            (number,) = _NUMBER.unpack_from(data, end)
            tags.append((data[at + _LENGTH.size : end].decode("utf-8", "surrogatepass"), number))
            at = end + _NUMBER.size
    except Exception:  # noqa: BLE001 - a length beyond the end, or text that is none
        raise Unreadable("damaged") from None
    return tuple(tags)
