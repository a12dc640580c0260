"""Values on a command line: JSON where they can be, else text on the way in and ``repr`` on the way out."""

from __future__ import annotations

import json
import math
import sys
from typing import Any

from cachery.cli.printing import writable
from cachery.exceptions import CacheValueError
from cachery.model.durations import Duration, seconds
from cachery.model.sentinels import FOREVER

__all__ = ["field_of", "read_life", "read_value", "text_of"]


def read_value(text: str, *, is_text: bool = False) -> Any:
    """Return the value that ``text`` stands for: what it says as JSON, if it is that, else itself.

    ``-`` is what standard input says, up to a newline at its very end. ``is_text``: never JSON.

    >>> read_value('{"a": 1}'), read_value("tea"), read_value("12", is_text=True)
    ({'a': 1}, 'tea', '12')
    """
    if text == "-":
        text = sys.stdin.read().removesuffix("\n")
    if is_text:
        return text
    try:
        return json.loads(text, parse_constant=_refuse)
    except RecursionError as error:
        raise CacheValueError("the value is nested too deep") from error
    except ValueError:
        return text


def read_life(text: str | None) -> Duration | None:
    """Return how long ``--ttl`` says that an entry lives; ``None`` when it says nothing.

    Raises ``CacheValueError`` for what is no time span, and for one that is over at once.

    >>> read_life("5m"), read_life("forever")
    (300.0, inf)
    """
    if text is None or text.strip().lower() in {"forever", "inf"}:
        return None if text is None else FOREVER
    life = 0.0 if text.strip().startswith("-") else seconds(text, "--ttl")
    if life <= 0:
        raise CacheValueError(f"--ttl {text} is over at once: write a time span above 0, or forever")
    return life


def _refuse(constant: str) -> Any:
    """Refuse ``NaN`` and the like, which are no JSON."""
    raise ValueError(constant)


def text_of(value: Any) -> str:
    """Return ``value`` as JSON if that says all of it, else as ``repr`` does.

    >>> text_of({"a": [1, None]}), text_of((1, 2)), text_of({1: 2})
    ('{"a": [1, null]}', '(1, 2)', '{1: 2}')
    """
    if not _is_json(value):
        return repr(value)
    text = json.dumps(value, ensure_ascii=False)
    return text if writable(text) else json.dumps(value)


def field_of(value: Any) -> dict[str, Any]:
    """Return ``value`` as a field of a JSON object: ``value`` if JSON says all of it, else ``repr``.

    >>> field_of([1]), field_of({1})
    ({'value': [1]}, {'repr': '{1}'})
    """
    return {"value": value} if _is_json(value) else {"repr": repr(value)}


def _is_json(value: Any, depth: int = 100) -> bool:
    """Tell whether ``value`` comes back from JSON as it is."""
    if value is None or type(value) in (str, int, bool):
        return True
    if type(value) is float:
        return math.isfinite(value)
    if depth == 0:
        return False
    if type(value) is list:
        return all(_is_json(each, depth - 1) for each in value)
    return type(value) is dict and all(type(key) is str and _is_json(each, depth - 1) for key, each in value.items())
