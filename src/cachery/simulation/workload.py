"""What is replayed: keys in the order they were asked for, with their sizes where those are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import index
from typing import Literal, TypeAlias

from cachery.exceptions import CacheValueError
from cachery.model.sizes import size_text

__all__ = [
    "Trace",
    "Unit",
    "Workload",
    "bytes_in",
    "is_in_bytes",
    "keys_of",
    "said_size",
    "size_labels",
    "sizes_of",
    "weight_of",
]

Unit: TypeAlias = Literal["entries", "bytes"]
"""In what a cache is bounded, and its size is counted."""


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


def is_in_bytes(unit: Unit) -> bool:
    """Tell whether ``unit`` is bytes, not entries. Raises ``CacheValueError`` when it is neither."""
    if unit not in ("entries", "bytes"):
        raise CacheValueError(f"a cache is bounded in entries or bytes, not in {unit!r}")
    return unit == "bytes"


def bytes_in(workload: Workload) -> Sequence[int]:
    """Return the bytes of each request of ``workload``. Raises ``CacheValueError`` where there are none."""
    sizes = sizes_of(workload)
    if sizes is None:
        raise CacheValueError("the trace has no sizes, so caches cannot be bounded in bytes")
    try:
        whole = [index(size) for size in sizes]
    except TypeError as error:
        raise CacheValueError(f"the sizes of a trace are numbers of bytes: {error}") from None
    if min(whole, default=0) < 0:
        raise CacheValueError(f"the sizes of a trace are numbers of bytes, 0 or more, not {min(whole)}")
    return whole


def sizes_of(workload: Workload) -> Sequence[int] | None:
    """Return the bytes of each request of ``workload``, ``None`` when they are not known."""
    return workload.sizes if isinstance(workload, Trace) else None


def weight_of(workload: Workload, unit: Unit) -> int:
    """Return how much there is to keep of ``workload``: its distinct keys, or their bytes, each with its largest size.

    Raises ``CacheValueError`` for bytes of a trace without sizes, and for another unit.

    >>> trace = Trace(["a", "b", "a"], sizes=[10, 2000, 30])
    >>> weight_of(trace, "entries"), weight_of(trace, "bytes")
    (2, 2030)
    """
    keys = keys_of(workload)
    if not is_in_bytes(unit):
        return len(set(keys))
    largest: dict[str, int] = {}
    for key, size in zip(keys, bytes_in(workload), strict=True):
        largest[key] = max(size, largest.get(key, 0))
    return sum(largest.values())


def said_size(size: int, unit: Unit) -> str:
    """Return ``size`` as people read it.

    >>> said_size(1, "entries"), said_size(1421, "entries"), said_size(3 * 2**20, "bytes")
    ('1 entry', '1,421 entries', '3.0 MiB')
    """
    if unit == "bytes":
        return size_text(size)
    return f"{size:,} {'entry' if size == 1 else 'entries'}"


def size_labels(sizes: Sequence[int], unit: Unit) -> list[str]:
    """Return ``sizes`` as they stand over columns: no two alike.

    >>> size_labels([1024, 4096], "bytes"), size_labels([10_000, 10_001], "bytes")
    (['1.0 KiB', '4.0 KiB'], ['10,000', '10,001'])
    """
    labels = [size_text(size) for size in sizes] if unit == "bytes" else []
    return labels if len(set(labels)) == len(sizes) else [f"{size:,}" for size in sizes]
