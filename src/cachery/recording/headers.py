"""What makes a trace a table: how its name ends, or what its first line says. Who writes text keeps clear of both."""

from __future__ import annotations

import csv

__all__ = ["KEY_NAMES", "SIZE_NAMES", "TABLES", "has_known_header", "separator_of"]

TABLES = (".csv", ".tsv")
"""How the name of a table ends, but for its packing."""

KEY_NAMES = ("key", "id", "object", "object_id", "obj_id", "url")
SIZE_NAMES = ("size", "bytes", "object_size", "obj_size", "size_bytes")
_SEPARATORS = ",;\t"


def has_known_header(line: str) -> bool:
    """Tell whether ``line`` names a column of keys and one of sizes, so that a table must follow.

    >>> has_known_header("time,key,size"), has_known_header("key")
    (True, False)
    """
    fields = next(csv.reader([line.rstrip("\r\n")], delimiter=separator_of(line)), [])
    names = {field.strip().lower() for field in fields}
    return not names.isdisjoint(KEY_NAMES) and not names.isdisjoint(SIZE_NAMES)


def separator_of(line: str) -> str:
    """Return what stands between the columns: the first of those that are in ``line``, or else a space."""
    return next((sign for sign in line if sign in _SEPARATORS), " " if " " in line.strip() else ",")
