"""The side table: a row of 33 bytes for each record, for who decides what stays.

One table for expiry, last use and size costs a write 2 µs; an ordered index for each would cost 7. So nothing is
ordered here: who is to leave is found by looking at a few rows from a random place on, as Redis does it (digests are
random themselves, so neighbours have nothing in common), and taking the one that was used longest ago.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain, islice
from struct import Struct
from typing import Any, NamedTuple

__all__ = [
    "BIG",
    "ROW_SIZE",
    "TAGGED",
    "Row",
    "is_nearly",
    "pack_row",
    "rows_from",
    "size_and_flags",
    "unpack_row",
    "worst_of",
]

TAGGED = 1
BIG = 2

_ROW = Struct("<dddQB")
_SIZE_AND_FLAGS = Struct("<QB")
_USED = Struct("<d")
_USED_AT, _SIZE_AT = 16, 24
_MINUTE = 60.0
ROW_SIZE = _ROW.size
_SAMPLE = 16


class Row(NamedTuple):
    """One record: until when it is fresh, when it is over for good, its last use, its bytes, and flags."""

    fresh_until: float
    dead_at: float
    used: float
    size: int
    flags: int


pack_row: Callable[..., bytes] = _ROW.pack


def unpack_row(data: bytes) -> Row:
    """Return the row that ``data`` holds."""
    return Row._make(_ROW.unpack(data))


def is_nearly(old: bytes, new: bytes) -> bool:
    """Tell whether the row ``new`` says no more than ``old`` but a use less than a minute later.

    Then it need not be written, which is a third of what overwriting a small value costs.
    """
    if old[:_USED_AT] != new[:_USED_AT] or old[_SIZE_AT:] != new[_SIZE_AT:]:
        return False
    (before,), (now,) = _USED.unpack_from(old, _USED_AT), _USED.unpack_from(new, _USED_AT)
    return bool(now - before < _MINUTE)


def size_and_flags(data: bytes) -> tuple[int, int]:
    """Return the bytes and the flags that the row ``data`` speaks of: all that an overwriting needs."""
    size, flags = _SIZE_AND_FLAGS.unpack_from(data, _SIZE_AT)
    return size, flags


def rows_from(cursor: Any, start: bytes) -> Iterator[tuple[bytes, Row]]:
    """Return an iterator over all rows with their digests, from ``start`` on and around to it again."""
    there = cursor.set_range(start)
    for digest, data in cursor if there else ():
        yield digest, unpack_row(data)
    for digest, data in cursor if cursor.first() else ():
        if digest >= start:
            return
        yield digest, unpack_row(data)


def worst_of(cursor: Any, start: bytes, now: float, spared: bytes) -> tuple[bytes, Row] | None:
    """Return, of 16 rows from ``start`` on, one that is over, or the one used longest ago; never ``spared``.

    ``None`` when there is no other row.
    """
    sample = islice((found for found in rows_from(cursor, start) if found[0] != spared), _SAMPLE)
    first = next(sample, None)
    if first is None:
        return None
    return min(chain([first], sample), key=lambda found: (found[1].dead_at > now, found[1].used))
