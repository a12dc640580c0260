"""How often each key was used lately, for a cache whose store does not count uses itself.

A hit costs one step in a dictionary; the sketch behind ``hottest`` is fed when somebody asks, or when the dictionary
holds eight thousand keys.
"""

from __future__ import annotations

from cachery.statistics.hot_keys import HotKeys

__all__ = ["Uses"]

_MOST = 8192


class Uses:
    """Counts uses by key, in bounded memory.

    >>> uses = Uses()
    >>> for key in "aab":
    ...     uses.note(key)
    >>> uses.hottest(1)
    [('a', 2)]
    """

    def __init__(self) -> None:
        self._lately: dict[str, int] = {}
        self._hot = HotKeys()

    def note(self, key: str) -> None:
        """Count one use of ``key``."""
        lately = self._lately
        lately[key] = lately.get(key, 0) + 1
        if len(lately) > _MOST:
            self._fold()

    def hottest(self, n: int) -> list[tuple[str, int]]:
        """Return the ``n`` most used keys with their counts, the most used first."""
        self._fold()
        return self._hot.hottest(n)

    def reset(self) -> None:
        """Forget all."""
        self._lately = {}
        self._hot.reset()

    def _fold(self) -> None:
        lately, self._lately = self._lately, {}
        for key, count in list(lately.items()):
            self._hot.use(key, count)
