"""What is replayed: keys in the order they were asked for, with their sizes where those are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from cachery.exceptions import CacheValueError

__all__ = ["Trace", "Workload", "keys_of", "sizes_of"]


@dataclass(frozen=True, slots=True)
class Trace:
    """The ``keys`` of requests in their order and, of each request, the size of its value in bytes, or ``None``.

    Raises ``CacheValueError`` when there are not as many ``sizes`` as ``keys``.

    >>> len(Trace(["a", "b", "a"], sizes=[10, 2000, 10]))
    3
    """

    keys: Sequence[str]
    sizes: Sequence[int] | None = None

    def __post_init__(self) -> None:
        if self.sizes is not None and len(self.sizes) != len(self.keys):
            raise CacheValueError(f"a trace of {len(self.keys)} keys has as many sizes, not {len(self.sizes)}")

    def __len__(self) -> int:
        """Return how many requests there are."""
        return len(self.keys)


Workload: TypeAlias = Trace | Sequence[str]
"""A trace with sizes, or just the keys."""


def keys_of(workload: Workload) -> Sequence[str]:
    """Return the keys of ``workload``, in their order."""
    return workload.keys if isinstance(workload, Trace) else workload


def sizes_of(workload: Workload) -> Sequence[int] | None:
    """Return the bytes of each request of ``workload``, ``None`` when they are not known."""
    return workload.sizes if isinstance(workload, Trace) else None
