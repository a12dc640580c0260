"""Values as JSON carries them, and how large one may be in an answer."""

from __future__ import annotations

import json
from typing import Any

from cachery.exceptions import CacheSerializationError, CacheValueError

__all__ = ["MOST_BYTES", "checked_value", "shown"]

MOST_BYTES = 256 * 1024
"""How large a value may be, in bytes of its JSON. A larger one is refused, never cut."""


def checked_value(value: Any) -> Any:
    """Return ``value``, which is to be stored. Raises ``CacheValueError`` unless JSON carries it, and as it is.

    >>> checked_value({"answer": [42, None]})
    {'answer': [42, None]}
    """
    text = _text(value)
    if json.loads(text) != value:
        raise CacheValueError("the value would not be the same after JSON: tuples and keys that are no text are not")
    _check_size(text, "store")
    return value


def shown(value: Any) -> Any:
    """Return ``value``, which was stored, as an answer has it. Raises as ``checked_value``.

    >>> shown((1, 2))
    [1, 2]
    """
    text = _text(value)
    _check_size(text, "answer with")
    return json.loads(text)


def _text(value: Any) -> str:
    try:
        return json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        message = f"a tool carries JSON, and this {type(value).__name__} is none: {error}"
        raise CacheSerializationError(message, value_type=type(value).__name__) from error


def _check_size(text: str, action: str) -> None:
    if len(text) > MOST_BYTES:
        message = f"the value is too large to {action}: {len(text)} bytes as JSON, where {MOST_BYTES} is the most"
        raise CacheValueError(message, size_bytes=len(text), limit_bytes=MOST_BYTES)
