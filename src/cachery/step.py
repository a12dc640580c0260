"""Carrying a coroutine through that never suspends."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

__all__ = ["step"]

T = TypeVar("T")


def step(work: Coroutine[Any, Any, T]) -> T:
    """Run ``work`` to its end and return its result. Raises ``RuntimeError`` when it suspends.

    >>> async def answer():
    ...     return 42
    >>> step(answer())
    42
    """
    try:
        work.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    work.close()
    raise RuntimeError("blocking code awaited something that suspends")
