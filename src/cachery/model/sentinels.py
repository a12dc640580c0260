"""Values that stand for "nothing was found" and "no end"."""

from __future__ import annotations

from enum import Enum
from typing import Final, Literal, TypeAlias

__all__ = ["FOREVER", "MISSING", "Missing"]


class _Missing(Enum):
    MISSING = "MISSING"

    def __repr__(self) -> str:
        return self.value

    def __bool__(self) -> bool:
        return False


MISSING: Final = _Missing.MISSING
"""What ``get(key, MISSING)`` returns for an absent key, to tell it from a stored ``None``."""

Missing: TypeAlias = Literal[_Missing.MISSING]

FOREVER: Final = float("inf")
"""A TTL without an end, in spite of a default."""
