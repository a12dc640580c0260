"""Reads access traces: the keys of a workload, in the order they were asked for.

A trace is a file, plain or packed with gzip or xz, of one of three kinds, told apart by what is in it:

- text in UTF-8, a key a line; blank lines and lines that are just ``*`` are no keys;
- a table in UTF-8, a request a row, separated by commas, semicolons, tabs or spaces: a file named ``.csv`` or ``.tsv``,
  or whose first line names a column of keys and one of sizes, or of which the columns are named;
- big-endian unsigned 32-bit integers, a key each, as cache2k publishes them.

Text has no control characters but white space; integers hardly ever go without. What is neither is refused, not
guessed.
"""

from __future__ import annotations

import gzip
import lzma
import os
import zlib
from collections.abc import Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import BinaryIO, TypeAlias

from cachery.exceptions import CacheValueError
from cachery.simulation.formats import parse_trace
from cachery.simulation.workload import Trace

__all__ = ["Source", "read_sized_trace", "read_trace", "shipped_traces"]

Source: TypeAlias = str | os.PathLike[str] | Traversable | BinaryIO
"""Where a trace is: a path, a resource of a package, or an open file of bytes."""

_GZIP, _XZ = b"\x1f\x8b", b"\xfd7zXZ\x00"


def read_trace(source: Source, *, columns: Sequence[str] = ()) -> list[str]:
    """Return the keys of the trace at ``source``, integers as text. ``columns``: as in ``read_sized_trace``.

    Raises ``CacheValueError``, naming the file and where there are lines the line, when it cannot be read, is cut
    short, is no trace or holds no key.

    >>> read_trace(shipped_traces()["web07"])[:5]
    ['0', '1', '2', '0', '1']
    """
    return list(read_sized_trace(source, columns=columns).keys)


def read_sized_trace(source: Source, *, columns: Sequence[str] = ()) -> Trace:
    r"""Return the trace at ``source`` with the bytes of each request, where a column has them.

    ``columns``: the column of keys and, if there is one, that of sizes, by their names in the first line or, where that
    is no header, by numbers from 1 on. Without them the header says it: ``key``, ``id``, ``object``, ``object_id``,
    ``obj_id`` or ``url``, and ``size``, ``bytes``, ``object_size``, ``obj_size`` or ``size_bytes``.

    Raises ``CacheValueError`` as ``read_trace`` does.

    >>> from io import BytesIO
    >>> read_sized_trace(BytesIO(b"time,page,length\n1,home,512"), columns=["page", "length"])
    Trace(keys=['home'], sizes=[512])
    """
    place = Path(source) if isinstance(source, str | os.PathLike) else source
    path, name = _names_of(place)
    try:
        data = place.read_bytes() if isinstance(place, Traversable) else place.read()
        trace = parse_trace(_unpacked(data, name), name, [columns] if isinstance(columns, str) else columns)
    except (OSError, EOFError, ValueError, lzma.LZMAError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise CacheValueError(f"cannot read the trace {path!r}: {reason}", path=path) from error
    if not trace.keys:
        raise CacheValueError(f"there is no key in the trace {path!r}", path=path)
    return trace


def _names_of(place: Traversable | BinaryIO) -> tuple[str, str]:
    """Return what to call ``place``, and the name whose ending may say what is in it."""
    if isinstance(place, Traversable):
        return str(place), place.name
    name = str(getattr(place, "name", "<stream>"))
    return name, name


def shipped_traces() -> dict[str, Traversable]:
    """Return the traces that come with the package, by name, for ``read_trace``; their README tells their origin.

    >>> sorted(shipped_traces())
    ['multi2', 'web07']
    """
    folder = files("cachery.simulation") / "traces"
    return {place.name.partition(".")[0]: place for place in folder.iterdir() if ".trace." in place.name}


def _unpacked(data: bytes, name: str) -> bytes:
    """Return ``data`` unpacked. A name that promises a packing is held to it: the stub of a file is no trace."""
    if data.startswith(_GZIP) or name.endswith(".gz"):
        return gzip.decompress(data)
    if data.startswith(_XZ) or name.endswith(".xz"):
        return lzma.decompress(data, format=lzma.FORMAT_XZ)
    return data
