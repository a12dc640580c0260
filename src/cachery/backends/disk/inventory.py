"""What there is, for an operator: every record, in steps, so that no reader holds on to old pages for long."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from cachery.backends.disk.big_files import Reference
from cachery.backends.disk.index import Row, unpack_row
from cachery.backends.disk.shelf import Shelf, digest_of
from cachery.ports.store import Summary
from cachery.serializers.envelope import REFERENCE, Unreadable, key_of, unpack

__all__ = ["summaries", "verified"]

_STEP = 1000


def summaries(shelf: Shelf) -> Iterator[Summary]:
    """Return an iterator over all entries, the dead among them."""
    for row, _, record in _records(shelf):
        yield Summary(key_of(record), row.size, row.fresh_until, row.dead_at)


def verified(shelf: Shelf) -> Iterator[tuple[str, str]]:
    """Return an iterator over all keys, each with what is wrong with its record, empty when nothing is."""
    for _, digest, record in _records(shelf):
        yield key_of(record), _fault_of(shelf, digest, record)


def _fault_of(shelf: Shelf, digest: bytes, record: bytes) -> str:
    try:
        name = unpack(record).key
        body = shelf.codec.opened(name, record).body
    except Unreadable as unreadable:
        return unreadable.reason
    if digest_of(name) != digest:
        return "key"
    if body.flags & REFERENCE:
        reference = Reference.unpack(body.data)
        if reference is None or shelf.files.read(reference) is None:
            return "file"
    return ""


def _records(shelf: Shelf) -> Iterator[tuple[Row, bytes, bytes]]:
    """Return an iterator over rows, digests and records."""
    environment = shelf.volume.environment
    start: bytes | None = b""
    while start is not None:
        with shelf.reading() as transaction, transaction.cursor(environment.index) as cursor:
            rows = list(islice(cursor, _STEP)) if cursor.set_range(start) else []
            found = [
                (unpack_row(data), digest, transaction.get(digest, b"", environment.records)) for digest, data in rows
            ]
        yield from found
        start = rows[len(rows) - 1][0] + b"\0" if len(rows) == _STEP else None
