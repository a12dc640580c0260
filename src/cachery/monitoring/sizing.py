"""How many bytes the entries of a mapping take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cachery.weighing import weigh_unseen

__all__ = ["size_of_entries"]


def size_of_entries(entries: Mapping[Any, Any]) -> int:
    """Return the bytes of all keys and values of ``entries``: of bytes their length, of other objects all they hold.

    What several entries share is counted once.

    >>> size_of_entries({})
    0
    >>> size_of_entries({b"key": b"x" * 1000})
    1003
    """
    seen: set[int] = set()
    return sum(_size_of(part, seen) for pair in list(entries.items()) for part in pair)


def _size_of(part: object, seen: set[int]) -> int:
    """Return the bytes of a key or value; bytes that stand there alone are data, of which the length counts."""
    if not isinstance(part, bytes | bytearray):
        return weigh_unseen(part, seen)
    if id(part) in seen:
        return 0
    seen.add(id(part))
    return len(part)
