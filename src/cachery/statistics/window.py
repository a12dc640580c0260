"""How hits and misses stood at past moments, in bounded memory.

Moments are kept in order of time. When there are too many, those go that stand closer to the one before than a
twentieth of their age: a span of any length is known to about 5 %, and a month fits in as well as a minute.
"""

from __future__ import annotations

from bisect import bisect_right
from operator import itemgetter

from cachery.locks import make_lock

__all__ = ["RateWindow"]

_CAPACITY = 512
_START = (float("-inf"), 0, 0)
_TIME = itemgetter(0)
_FINENESS = 20


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
            self._moments.append((time, hits, misses))
            if len(self._moments) >= _CAPACITY:
                self._moments = _thinned(self._moments)

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


def _thinned(moments: list[tuple[float, int, int]]) -> list[tuple[float, int, int]]:
    """Return the first two and the last of ``moments``, and of the others those that stand far enough apart."""
    newest = moments[-1]
    kept = moments[:2]
    for moment in moments[2:-1]:
        if moment[0] - kept[-1][0] >= (newest[0] - moment[0]) / _FINENESS:
            kept.append(moment)
    return [kept[0], *kept[1 - _CAPACITY * 3 // 4 :], newest]
