"""Tells what the bytes of a trace are, text, integers or CSV, and takes keys and sizes from them."""

from __future__ import annotations

import codecs
import struct
from collections.abc import Sequence

from cachery.exceptions import CacheValueError
from cachery.recording.headers import TABLES, has_known_header
from cachery.simulation.tables import parse_table
from cachery.simulation.workload import Trace

__all__ = ["PACKINGS", "parse_trace"]

PACKINGS = (".gz", ".xz")
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_CONTROLS = bytes(code for code in (*range(0x20), 0x7F) if code not in b"\t\n\v\f\r")
_INTEGER_BYTES = 4


def parse_trace(data: bytes, name: str, columns: Sequence[str]) -> Trace:
    r"""Return what is in ``data``, the unpacked content of the file ``name``.

    It is a table if ``columns`` are named, or ``name`` or the first line says so. Raises ``CacheValueError`` with the
    line where something is wrong.

    >>> parse_trace(b"key,size\na,10\n", "some.csv", ())
    Trace(keys=['a'], sizes=[10])
    """
    if data.startswith(_UTF_16):
        raise CacheValueError("it is text in UTF-16, not UTF-8")
    text = data.removeprefix(codecs.BOM_UTF8)
    if columns or _is_table(name):
        return parse_table(_decoded(text), columns)
    if len(data.translate(None, _CONTROLS)) < len(data):
        return Trace(_integer_keys(data))
    if has_known_header(text.lstrip().partition(b"\n")[0].decode(errors="replace")):
        return parse_table(_decoded(text), columns)
    return Trace(_text_keys(text))


def _is_table(name: str) -> bool:
    for packing in PACKINGS:
        name = name.lower().removesuffix(packing)
    return name.endswith(TABLES)


def _decoded(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = 1 + data.count(b"\n", 0, error.start)
        raise CacheValueError(f"line {line}: it is no text in utf-8") from error


def _integer_keys(data: bytes) -> list[str]:
    if len(data) % _INTEGER_BYTES:
        raise CacheValueError(f"it is not text, and {len(data)} bytes are no row of 32-bit integers")
    return [str(key) for key in struct.unpack(f">{len(data) // _INTEGER_BYTES}I", data)]


def _text_keys(data: bytes) -> list[str]:
    lines = [line.strip() for line in data.splitlines()]
    try:
        return [line.decode() for line in lines if line not in {b"", b"*"}]
    except UnicodeDecodeError as error:
        raise CacheValueError(f"line {1 + lines.index(error.object)}: it is no text in utf-8") from error
