"""How many hits a cache bounded in bytes can have at most.

Which values of different sizes had best been kept is a hard problem, so this is a bound that nobody reaches for sure:
PFOO-L of D. S. Berger, N. Beckmann and M. Harchol-Balter, "Practical bounds on optimal caching with variable object
sizes", Proceedings of the ACM on Measurement and Analysis of Computing Systems 2 (2), 2018. A hit takes the size of its
value from the request before to this one; the cache has its size for as long as the trace is. The cheapest hits are
bought until nothing is left, as if memory that lies idle at one time could be used at another.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate

from cachery.model.sizes import Size, bytes_of
from cachery.simulation.belady import next_uses
from cachery.simulation.workload import Workload, bytes_in, keys_of

__all__ = ["hits_at_most"]


def hits_at_most(trace: Workload, size: Size) -> int:
    """Return how many hits no cache of ``size`` in bytes exceeds on ``trace``, which has sizes.

    A key whose size changes counts with the least. Takes O(n log n) for n requests. Raises ``CacheValueError`` for a
    trace without sizes, and for a size that no cache can have.

    >>> from cachery.simulation import Trace
    >>> hits_at_most(Trace(["a", "b", "a", "b"], sizes=[10, 90, 10, 90]), 50)
    1
    """
    room, keys = bytes_of(size, "size"), keys_of(trace)
    least: dict[str, int] = {}
    for key, its_size in zip(keys, bytes_in(trace), strict=True):
        least[key] = min(its_size, least.get(key, its_size))
    prices = (
        least[key] * (next_use - place)
        for place, (key, next_use) in enumerate(zip(keys, next_uses(keys), strict=True))
        if next_use < len(keys) and least[key] <= room
    )
    return bisect_right(list(accumulate(sorted(prices))), room * len(keys))
