"""The one way from what a caller writes for a size to bytes, and back to what people read."""

from __future__ import annotations

import re
from math import inf, isfinite
from typing import TypeAlias

from cachery.exceptions import CacheValueError

__all__ = ["Size", "bytes_of", "size_text"]

Size: TypeAlias = int | str
"""Bytes, or text such as ``"64MiB"`` or ``"1GB"``."""

_UNITS = {"b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}
_UNITS |= {"kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40}
_STEP = 1024
_TEXT = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?i?b)?", re.ASCII | re.IGNORECASE)


def bytes_of(size: Size, name: str) -> int:
    """Return ``size`` in bytes. Raises ``CacheValueError``, naming the argument ``name``, for what is no size above 0.

    >>> bytes_of("64MiB", "max_bytes"), bytes_of(1000, "max_bytes")
    (67108864, 1000)
    """
    number = _read(size) if isinstance(size, str) else size
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise CacheValueError(
            f"{name} is a number of bytes above 0, or text such as '64MiB', not {size!r}", **{name: repr(size)}
        )
    return number


def size_text(count: int) -> str:
    """Return ``count`` bytes in the unit that suits them.

    >>> size_text(512), size_text(1536)
    ('512 bytes', '1.5 KiB')
    """
    size = float(count)
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if size < _STEP or unit == "GiB":
            break
        size /= _STEP
    if count == 1:
        return "1 byte"
    return f"{size:,.0f} {unit}" if unit == "bytes" else f"{size:,.1f} {unit}"


def _read(text: str) -> int | None:
    parts = _TEXT.fullmatch(text.strip())
    number = inf if parts is None else float(parts[1]) * _UNITS[(parts[2] or "b").lower()]
    return int(number) if isfinite(number) else None
