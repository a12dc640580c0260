"""The fields of objects: of dataclasses, attrs classes and pydantic models."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

__all__ = ["field_names"]


def field_names(value: Any, kind: Any) -> list[str] | None:
    """Return what the fields of ``value``, an instance of ``kind``, are called; ``None`` where its class does not tell.

    Of a pydantic model all, extra ones too: not what ``model_dump`` writes, which leaves out fields, and the classes of
    models in fields.

    >>> from dataclasses import make_dataclass
    >>> point = make_dataclass("Point", ["x", "y"])
    >>> field_names(point(1, 2), point), field_names(5, int)
    (['x', 'y'], None)
    """
    if is_dataclass(kind):
        return [field.name for field in fields(kind)]
    if hasattr(kind, "__attrs_attrs__"):
        return [attribute.name for attribute in kind.__attrs_attrs__]
    if hasattr(kind, "model_fields"):
        return [*kind.model_fields, *(getattr(value, "model_extra", None) or ())]
    return None
