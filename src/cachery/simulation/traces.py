"""Reads access traces: the keys of a workload, in the order they were asked for.

A trace is a file, plain or packed with gzip or xz, of one of two kinds, told apart by what is in it:

- text in UTF-8, a key a line; blank lines and lines that are just ``*`` are no keys;
- big-endian unsigned 32-bit integers, a key each, as cache2k publishes them.

Text has no control characters but white space; integers hardly ever go without. What is neither is refused, not
guessed.
"""

from __future__ import annotations

import codecs
import gzip
import lzma
import os
import struct
import zlib
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TypeAlias

from cachery.exceptions import CacheValueError

__all__ = ["Source", "read_trace", "shipped_traces"]

Source: TypeAlias = str | os.PathLike[str] | Traversable
"""Where a trace is: a path, or a resource of a package."""

_GZIP, _XZ = b"\x1f\x8b", b"\xfd7zXZ\x00"
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_CONTROLS = bytes(code for code in (*range(0x20), 0x7F) if code not in b"\t\n\v\f\r")
_INTEGER_BYTES = 4


def read_trace(source: Source) -> list[str]:
    """Return the keys of the trace at ``source``, integers as text.

    Raises ``CacheValueError``, naming the file, when it cannot be read, is cut short, is no trace or holds no key.

    >>> read_trace(shipped_traces()["web07"])[:5]
    ['0', '1', '2', '0', '1']
    """
    place = Path(source) if isinstance(source, str | os.PathLike) else source
    try:
        keys = _keys(_unpacked(place.read_bytes(), place.name))
    except (OSError, EOFError, ValueError, lzma.LZMAError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise CacheValueError(f"cannot read the trace {str(place)!r}: {reason}", path=str(place)) from error
    if not keys:
        raise CacheValueError(f"there is no key in the trace {str(place)!r}", path=str(place))
    return keys


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


def _keys(data: bytes) -> list[str]:
    if data.startswith(_UTF_16):
        raise CacheValueError("it is text in UTF-16, not UTF-8")
    if len(data.translate(None, _CONTROLS)) < len(data):
        return _integer_keys(data)
    return _text_keys(data.removeprefix(codecs.BOM_UTF8))


def _integer_keys(data: bytes) -> list[str]:
    if len(data) % _INTEGER_BYTES:
        raise CacheValueError(f"it is not text, and {len(data)} bytes are no row of 32-bit integers")
    return [str(key) for key in struct.unpack(f">{len(data) // _INTEGER_BYTES}I", data)]


def _text_keys(data: bytes) -> list[str]:
    stripped = (line.strip() for line in data.splitlines())
    return [line.decode() for line in stripped if line not in {b"", b"*"}]
