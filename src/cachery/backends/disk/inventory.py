"""What there is, for an operator: every record, in steps, so that no reader holds on to old pages for long."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from cachery.backends.disk.big_files import Reference
from cachery.backends.disk.index import Row, unpack_row
from cachery.backends.disk.shelf import Shelf
from cachery.backends.disk.writing import digest_of, is_outdated
from cachery.ports.store import Description, Summary
from cachery.serializers.describing import described, unreadable
from cachery.serializers.envelope import REFERENCE, Unreadable, key_of, unpack
from cachery.serializers.pipeline import key_bytes

__all__ = ["describe", "summaries", "verified"]

_STEP = 1000


def summaries(shelf: Shelf) -> Iterator[Summary]:
    """Return an iterator over all entries, the dead among them."""
    for row, _, record in _records(shelf):
        yield Summary(key_of(record), row.size, row.fresh_until, row.dead_at)


def describe(shelf: Shelf, key: str) -> Description | None:
    """Return what is known of what stands under ``key``, dead or alive; ``None`` when nothing does."""
    name = key_bytes(key)
    digest = digest_of(name)
    environment = shelf.volume.environment
    with shelf.reading() as transaction:
        record, row = (
            transaction.get(digest, None, environment.records),
            transaction.get(digest, None, environment.index),
        )
        if record is None:
            return None
        size = len(record) if row is None else unpack_row(row).size
        try:
            envelope = shelf.codec.opened(name, record)
        except Unreadable as error:
            return unreadable(size, error.reason)
        is_dead = is_outdated(transaction, environment, envelope, shelf.read_clock)
    return described(shelf.codec, envelope.entry(None), envelope.body, size=size, is_invalidated=is_dead)


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
