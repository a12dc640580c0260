"""Plain data of anything, as JSON can carry it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from math import isfinite
from typing import Any

__all__ = ["as_plain", "record_as_plain"]

_DEPTH = 20


def record_as_plain(record: Any) -> dict[str, Any]:
    """Return the fields of a dataclass by name, as plain data."""
    return {field.name: as_plain(getattr(record, field.name)) for field in fields(record)}


def as_plain(value: object, depth: int = _DEPTH) -> Any:
    """Return a copy of ``value`` of dictionaries, lists, text, finite numbers, booleans and ``None``.

    Of something else, and of what is nested very deep, the name of its class remains.

    >>> as_plain({"a": (1, float("inf")), 2: b"x"})
    {'a': [1, 'inf'], '2': '<bytes>'}
    """
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if isfinite(value) else str(value)
    if depth and isinstance(value, Mapping):
        return {str(key): as_plain(each, depth - 1) for key, each in value.items()}
    if depth and isinstance(value, list | tuple | set | frozenset):
        return [as_plain(each, depth - 1) for each in value]
    return f"<{type(value).__name__}>"
