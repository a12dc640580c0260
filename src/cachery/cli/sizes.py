"""Bytes, as people read them."""

from __future__ import annotations

__all__ = ["size_text"]

_STEP = 1024


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
    return f"{size:,.0f} {unit}" if unit == "bytes" else f"{size:,.1f} {unit}"
