"""The most used of any number of keys, in bounded memory.

A space-saving sketch (Metwally, Agrawal & El Abbadi, "Efficient computation of frequent and top-k elements in data
streams", 2005): it counts a fixed number of keys, and a new key takes over the place and the count of the least used
one. A key used more than once in ``capacity`` uses is always kept, and no count is too high by more than ``uses /
capacity``.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from cachery.locks import make_lock

__all__ = ["HotKeys"]


class HotKeys:
    """Counts uses of at most ``capacity`` keys, each in constant time: keys of one count share a group.

    >>> hot = HotKeys(capacity=2)
    >>> for key in ["a", "a", "b", "c"]:
    ...     hot.use(key)
    >>> hot.hottest(2)
    [('a', 2), ('c', 2)]
    """

    def __init__(self, capacity: int = 1000) -> None:
        self._capacity = capacity
        self._counts: dict[str, int] = {}
        self._groups: dict[int, dict[str, None]] = {}
        self._least = 1
        self._lock = make_lock()

    @classmethod
    def holding(cls, counts: Iterable[tuple[str, int]]) -> HotKeys:
        """Return a sketch that has seen each key as often as ``counts`` says."""
        hot = cls()
        for key, count in counts:
            hot._counts[key] = count
            hot._groups.setdefault(count, {})[key] = None
        hot._least = min(hot._groups, default=1)
        return hot

    def use(self, key: str, times: int = 1) -> None:
        """Count one use of ``key``, or as many as ``times``."""
        with self._lock:
            if key in self._counts:
                count = self._leave_group(key)
            elif len(self._counts) < self._capacity:
                count = 0
            else:
                count = self._leave_group(next(iter(self._groups[self._least])))
            self._join_group(key, count + times)

    def hottest(self, n: int) -> list[tuple[str, int]]:
        """Return the ``n`` most used keys with their counts, the most used first."""
        with self._lock:
            falling = ((key, count) for count in sorted(self._groups, reverse=True) for key in self._groups[count])
            return list(islice(falling, n))

    def reset(self) -> None:
        """Forget all."""
        with self._lock:
            self._counts.clear()
            self._groups.clear()
            self._least = 1

    def _leave_group(self, key: str) -> int:
        """Forget ``key``; return the count it had."""
        count = self._counts.pop(key)
        group = self._groups[count]
        del group[key]
        if not group:
            del self._groups[count]
            if count == self._least:
                self._least = count + 1  # whoever left joins there at once
        return count

    def _join_group(self, key: str, count: int) -> None:
        self._counts[key] = count
        self._groups.setdefault(count, {})[key] = None
        self._least = min(self._least, count)
        if self._least not in self._groups:  # more than one use at once
            self._least = min(self._groups)
