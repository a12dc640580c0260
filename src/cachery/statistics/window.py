"""How hits and misses stood at past moments, in bounded memory.

Moments are kept in order of time. When there are too many, every other one of the older half goes: what is long ago is
known less finely, but never forgotten.
"""

from __future__ import annotations

from bisect import bisect_right
from operator import itemgetter

from cachery.locks import make_lock

__all__ = ["RateWindow"]

_CAPACITY = 512
_START = (float("-inf"), 0, 0)
_TIME = itemgetter(0)


class RateWindow:
    """A bounded list of (time, hits, misses).

    >>> window = RateWindow()
    >>> window.note(10.0, 3, 1)
    >>> window.before(5.0), window.before(10.0)
    ((0, 0), (3, 1))
    """

    def __init__(self) -> None:
        self._moments = [_START]
        self._lock = make_lock()

    def note(self, time: float, hits: int, misses: int) -> None:
        """Remember how the counters stood at ``time``, which is not before any time noted so far."""
        with self._lock:
            if len(self._moments) >= _CAPACITY:
                half = _CAPACITY // 2
                self._moments[1:half] = self._moments[2:half:2]
            self._moments.append((time, hits, misses))

    def before(self, time: float) -> tuple[int, int]:
        """Return hits and misses as they stood at the last moment noted up to ``time``."""
        with self._lock:
            _, hits, misses = self._moments[bisect_right(self._moments, time, key=_TIME) - 1]
        return hits, misses

    def copy(self) -> RateWindow:
        """Return a window that remembers the same moments."""
        twin = RateWindow()
        with self._lock:
            twin._moments = list(self._moments)
        return twin

    def __len__(self) -> int:
        """Return how many moments are kept, the beginning included."""
        return len(self._moments)
