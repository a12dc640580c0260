"""The most hits that any policy could have had.

L. A. Belady, "A study of replacement algorithms for a virtual-storage computer", IBM Systems Journal 5 (2), 1966: evict
what is asked for again furthest in the future. Only who knows the whole trace can, so it is a bound for all others.

This is the variant that may bypass: a key just asked for need not be kept when all that is held is wanted sooner. It
has at least the hits of the variant that must store each miss.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush

from cachery.policies.table import capacity_of

__all__ = ["next_uses", "optimal_hits"]


def optimal_hits(trace: Sequence[str], size: int | None) -> int:
    """Return the most hits that a cache of ``size`` entries, ``None`` for no bound, can have on ``trace``.

    Takes O(n log n) for n requests. Raises ``CacheValueError`` for a size that no cache can have.

    >>> optimal_hits(["a", "b", "a"], size=1)  # b is never kept
    1
    """
    room = capacity_of(size) or len(trace)
    hits = 0
    held: set[str] = set()
    # What an earlier use of a key left here lies in the past, behind the next uses of all that is held: never first.
    furthest_first: list[tuple[int, str]] = []
    for key, next_use in zip(trace, next_uses(trace), strict=True):
        hits += key in held
        held.add(key)
        heappush(furthest_first, (-next_use, key))
        if len(held) > room:
            held.remove(heappop(furthest_first)[1])
    return hits


def next_uses(trace: Sequence[str]) -> list[int]:
    """Return for each request where the same key is asked for next, the end of the trace when it is not."""
    end = len(trace)
    next_uses = [end] * end
    seen_at: dict[str, int] = {}
    for place in range(end - 1, -1, -1):
        next_uses[place] = seen_at.get(trace[place], end)
        seen_at[trace[place]] = place
    return next_uses
