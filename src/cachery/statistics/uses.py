"""How often each key was used lately, for a cache whose store does not count uses itself.

A hit costs one step in a dictionary; the sketch behind ``hottest`` is fed when somebody asks, or when the dictionary
holds eight thousand keys.
"""

from __future__ import annotations

try:
    import cython

    if not cython.compiled:
        raise ImportError
except ImportError:
    from cachery import _cython as cython  # type: ignore[no-redef]

from typing import Any

from cachery.statistics.hot_keys import HotKeys

__all__ = ["Uses"]

_MOST = 8192


@cython.final
@cython.cclass
class Uses:
    """Counts uses by key, in bounded memory.

    >>> uses = Uses()
    >>> for key in "aab":
    ...     uses.note(key)
    >>> uses.hottest(1)
    [('a', 2)]
    """

    lately: dict[str, int]
    hot: Any

    def __init__(self) -> None:
        self.lately = {}
        self.hot = HotKeys()

    def note(self, key: Any) -> None:
        """Count one use of ``key``."""
        lately = self.lately
        lately[key] = lately.get(key, 0) + 1
        if len(lately) > _MOST:
            self.fold()

    def hottest(self, n: Any) -> list[tuple[str, int]]:
        """Return the ``n`` most used keys with their counts, the most used first."""
        self.fold()
        hottest: list[tuple[str, int]] = self.hot.hottest(n)
        return hottest

    def reset(self) -> None:
        """Forget all."""
        self.lately = {}
        self.hot.reset()

    @cython.cfunc
    def fold(self) -> None:
        """Hand what was counted lately to the sketch."""
        lately, self.lately = self.lately, {}
        for key, count in list(lately.items()):
            self.hot.use(key, count)
