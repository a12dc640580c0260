"""What a program reads: JSON, keys and values on standard output, complaints on the other; nothing is loaded for it."""

from __future__ import annotations

import json
import math
import sys
from typing import Any

__all__ = ["complain", "finite", "print_json", "print_line", "shown", "writable"]


def print_json(data: Any, *, indent: int | None = 2) -> None:
    """Print ``data`` as JSON; ``indent``: ``None`` for one line."""
    sys.stdout.write(json.dumps(data, indent=indent, allow_nan=False) + "\n")
    sys.stdout.flush()


def print_line(text: str = "") -> None:
    """Print a line."""
    sys.stdout.write(text + "\n")


def complain(text: str) -> None:
    """Print a line on standard error."""
    sys.stderr.write(f"cachery: {text}\n")


def finite(seconds: float) -> float | None:
    """Return ``seconds`` as JSON can carry them, ``None`` for without end."""
    return None if math.isinf(seconds) else round(seconds, 3)


def shown(text: str) -> str:
    r"""Return ``text`` as it is if a line of a terminal can be trusted with it, else quoted as JSON.

    >>> shown("user:42"), shown(chr(7))
    ('user:42', '"\\u0007"')
    """
    return text if text.isprintable() and writable(text) else json.dumps(text)


def writable(text: str) -> bool:
    """Tell whether standard output can carry ``text``."""
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True
