"""Reads a trace that is a table: a request a row, with a column of keys and perhaps one of sizes."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from io import StringIO

from cachery.exceptions import CacheValueError
from cachery.recording.headers import KEY_NAMES, SIZE_NAMES, separator_of
from cachery.simulation.workload import Trace

__all__ = ["parse_table"]

_MOST_COLUMNS = 2

_Row = tuple[int, list[str]]
"""A row with the line that it ends in."""


def parse_table(text: str, columns: Sequence[str]) -> Trace:
    """Return the requests in ``text``. ``columns``: the column of keys and perhaps that of sizes.

    They are names of the header or, where there is none, numbers from 1 on; none are given where the header says it.
    Raises ``CacheValueError`` with the line where something is wrong.

    >>> parse_table("12:00 a 10", columns=["2", "3"])
    Trace(keys=['a'], sizes=[10])
    """
    if len(columns) > _MOST_COLUMNS:
        raise CacheValueError(f"name the column of keys and that of sizes, not {len(columns)}")
    rows = _rows(text)
    places = _places(rows, columns)
    keys: list[str] = []
    sizes: list[int] = []
    for line, row in rows:
        if len(row) <= max(places):
            raise CacheValueError(f"line {line}: column {max(places) + 1} is not there, only {len(row)}")
        keys.append(_key(row[places[0]], line))
        if len(places) > 1:
            sizes.append(_size(row[places[1]], line))
    return Trace(keys, sizes if len(places) > 1 else None)


def _rows(text: str) -> Iterator[_Row]:
    """Yield the rows that are not blank."""
    first = text.lstrip("\r\n").partition("\n")[0]
    reader = csv.reader(StringIO(text, newline=""), delimiter=separator_of(first), strict=True)
    try:
        for row in reader:
            if any(field.strip() for field in row):
                yield reader.line_num, row
    except csv.Error as error:
        raise CacheValueError(f"line {reader.line_num}: {error}") from error


def _places(rows: Iterator[_Row], columns: Sequence[str]) -> list[int]:
    """Return where keys, and perhaps sizes, stand in a row; the header, where there is one, is taken from ``rows``."""
    if columns and all(column.strip().isdecimal() for column in columns):
        return [_numbered(int(column)) for column in columns]
    line, header = next(rows, (1, []))
    names = [name.strip().lower() for name in header]
    if columns:
        return [_place_of(column.strip().lower(), names, line) for column in columns]
    if names and set(names).isdisjoint(KEY_NAMES):
        raise CacheValueError(
            f"line {line}: no column is called {', '.join(KEY_NAMES[:-1])} or {KEY_NAMES[-1]}: "
            "name the columns, or number them where there is no header"
        )
    found = (next((name for name in known if name in names), None) for known in (KEY_NAMES, SIZE_NAMES))
    return [names.index(name) for name in found if name is not None]


def _numbered(column: int) -> int:
    if column < 1:
        raise CacheValueError("columns are numbered from 1 on")
    return column - 1


def _place_of(column: str, names: list[str], line: int) -> int:
    if column not in names:
        raise CacheValueError(f"line {line}: there is no column {column!r}; there are {', '.join(names)}")
    return names.index(column)


def _key(field: str, line: int) -> str:
    if key := field.strip():
        return key
    raise CacheValueError(f"line {line}: the key is empty")


def _size(field: str, line: int) -> int:
    size = field.strip()
    if size.isdecimal() and size.isascii():
        return int(size)
    raise CacheValueError(f"line {line}: {size!r} is no size in bytes")
