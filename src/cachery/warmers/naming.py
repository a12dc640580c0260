"""What a part of a warmer is called in messages: its class or function, never where it stands in memory."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

__all__ = ["name_of", "warmer_shown"]


def name_of(part: object) -> str:
    """Return what to call ``part``: a function by its name, anything else as it shows itself, or by its class.

    >>> name_of(str.upper), name_of(object())
    ('str.upper', 'object')
    """
    name = getattr(part, "__qualname__", None)
    if isinstance(name, str):
        return name
    if type(part).__repr__ is object.__repr__:
        return type(part).__qualname__
    shown = repr(part)
    return type(part).__qualname__ if " at 0x" in shown else shown


def warmer_shown(warmer: object, cache: Any, strategy: str, *parts: object) -> str:
    """Return how ``warmer`` shows itself: what it fills, when, and by which ``parts``."""
    kept = f"a {type(cache).__name__}" if isinstance(cache, MutableMapping) else repr(cache)
    return f"<{type(warmer).__name__} of {kept}, {strategy}: {', '.join(map(repr, parts))}>"
