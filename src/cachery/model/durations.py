"""The one way from what a caller writes for a time span to seconds.

A span is a number of seconds, a ``timedelta``, or text: ``"250ms"``, ``"5m"``, ``"1h30m"``, ``"1.5h"``; bare digits are
seconds. Units: ms, s, m, h, d, w.
"""

from __future__ import annotations

import math
import re
from datetime import timedelta
from typing import TypeAlias

from cachery.exceptions import CacheValueError

__all__ = ["HUNDRED_YEARS", "Duration", "life_of", "seconds"]

Duration: TypeAlias = float | timedelta | str
"""Seconds, a ``timedelta``, or text such as ``"1h30m"``."""

HUNDRED_YEARS = 100 * 365.25 * 86400.0
"""The longest finite span, in seconds; anything longer is cut to it."""

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhdw])")
_WHOLE = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|[smhdw])\s*)+", re.ASCII)
_NUMBER = re.compile(r"\d+(?:\.\d+)?", re.ASCII)


def seconds(span: Duration, name: str = "ttl") -> float:
    """Return ``span`` in seconds: ``inf`` without an end, 0.0 or less when it is over already.

    Raises ``CacheValueError``, naming the argument ``name``, for ``nan``, ``bool``, text that is no time span, and
    other types.

    >>> seconds("1h30m"), seconds(timedelta(minutes=5)), seconds("250ms")
    (5400.0, 300.0, 0.25)
    """
    if isinstance(span, str):
        number = _seconds_of_text(span, name)
    elif isinstance(span, timedelta):
        number = span.total_seconds()
    elif isinstance(span, int | float) and not isinstance(span, bool):
        number = span
    else:
        message = f"{name} must be seconds, a timedelta or text such as '5m', not {type(span).__name__}"
        raise CacheValueError(message, **{name: repr(span)})
    if number != number:  # noqa: PLR0124 - nan is the one number that differs from itself
        raise CacheValueError(f"{name} must be a number of seconds, not nan")
    if number == math.inf:
        return math.inf
    return float(max(min(number, HUNDRED_YEARS), -HUNDRED_YEARS))


def idle_of(idle_ttl: Duration | None) -> float:
    """Return an idle time in seconds, ``None`` being one without an end.

    Raises ``CacheValueError`` for 0 or less: such an entry would be over before it is read.
    """
    idle = math.inf if idle_ttl is None else seconds(idle_ttl, "idle_ttl")
    if idle <= 0:
        raise CacheValueError(f"idle_ttl={idle_ttl!r} is no time: an entry would be over before it is read")
    return idle


def life_of(default_ttl: Duration | None, name: str = "default_ttl") -> float:
    """Return a default TTL in seconds, ``None`` being one without an end.

    Raises ``CacheValueError`` for what ``seconds`` refuses, and for 0 or less: such a cache could hold nothing.

    >>> life_of(None), life_of("5m")
    (inf, 300.0)
    """
    if default_ttl is None:
        return math.inf
    life = seconds(default_ttl, name)
    if life <= 0:
        hint = " (NullCache() switches caching off)" if name == "default_ttl" else ""
        raise CacheValueError(f"{name} must be above 0{hint}", **{name: repr(default_ttl)})
    return life


def _seconds_of_text(text: str, name: str) -> float:
    bare = text.strip().lower()
    if _NUMBER.fullmatch(bare):
        return min(float(bare), HUNDRED_YEARS)
    if not _WHOLE.fullmatch(bare):
        raise CacheValueError(f"{name}={text!r} is no time span: write it as '250ms', '90s', '5m' or '1h30m'")
    return min(sum(float(count) * _UNITS[unit] for count, unit in _PART.findall(bare)), HUNDRED_YEARS)
