"""What a monitor is told, checked: numbers, names, thresholds. What is wrong is named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, SupportsFloat

from cachery.exceptions import CacheValueError

__all__ = ["LARGEST", "Threshold", "exact_count", "exact_data", "exact_name", "exact_number"]

LARGEST = 2.0**63
"""What a number lies below: many of them can be added up, and none is endless."""


def exact_number(value: object, name: str) -> float:
    """Return ``value`` as a ``float``. Raises ``CacheValueError`` for what is no number, 0 or more.

    >>> exact_number(2, "duration")
    2.0
    """
    number = value if value.__class__ is float else _as_float(value)
    if not (isinstance(number, float) and 0.0 <= number < LARGEST):
        raise CacheValueError(f"{name} is a number, 0 or more, not {value!r}")
    return number


def exact_count(value: object, name: str, *, least: int = 0) -> int:
    """Return ``value`` as an ``int``. Raises ``CacheValueError`` for what is no whole number of ``least`` or more."""
    if value.__class__ is int and least <= value < LARGEST:
        return value
    number = _as_float(value)
    if number is None or not least <= number < LARGEST or number != int(number):
        raise CacheValueError(f"{name} is a whole number, {least} or more, not {value!r}")
    return value if isinstance(value, int) else int(number)


def exact_name(value: object, name: str) -> str:
    """Return ``value`` as a plain ``str``. Raises ``CacheValueError`` for what is no text."""
    if not isinstance(value, str):
        raise CacheValueError(f"{name} is text, not {value!r}")
    return str.__str__(value)


def exact_data(value: object, name: str = "additional_data") -> dict[str, Any]:
    """Return a copy of the mapping ``value``, empty for ``None``. Raises ``CacheValueError`` for anything else."""
    if value is None:
        return {}
    if value.__class__ is dict:
        return value.copy()
    if not isinstance(value, Mapping):
        raise CacheValueError(f"{name} is a mapping or None, not {value!r}")
    return dict(value)


class Threshold:
    """An attribute that may be set to a number above 0, and with ``is_optional`` to ``None``: to nothing else."""

    def __init__(self, *, is_optional: bool = False) -> None:
        self._is_optional = is_optional
        self._name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, owner: Any, kind: type) -> Any:
        return self if owner is None else owner.__dict__[self._name]

    def __set__(self, owner: Any, value: object) -> None:
        if value is None and self._is_optional:
            owner.__dict__[self._name] = None
            return
        number = exact_number(value, self._name)
        if not number > 0:
            raise CacheValueError(f"{self._name} is a number above 0, not {value!r}")
        owner.__dict__[self._name] = value if isinstance(value, int) else number


def _as_float(value: object) -> float | None:
    if isinstance(value, float | int) and not isinstance(value, bool):
        return _converted(value)
    return None if isinstance(value, bool) or not isinstance(value, SupportsFloat) else _converted(value)


def _converted(value: SupportsFloat) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None
