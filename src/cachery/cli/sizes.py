"""Bytes and numbers, as people read them."""

from __future__ import annotations

__all__ = ["counted", "size_text"]

_STEP = 1024


def counted(count: int, one: str, many: str) -> str:
    """Return ``count`` with what is counted.

    >>> counted(1, "entry", "entries"), counted(1200, "entry", "entries")
    ('1 entry', '1,200 entries')
    """
    return f"{count:,} {one if count == 1 else many}"


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
