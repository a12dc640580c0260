"""What few entries have, kept beside their node: tags, a cost, an idle time, and the stamps of a loading cache."""

from __future__ import annotations

from typing import Any

try:
    import cython

    if not cython.compiled:
        raise ImportError
except ImportError:
    from cachery import _cython as cython  # type: ignore[no-redef]


@cython.final
@cython.cclass
class Extra:
    """Rare fields of an entry.

    ``born``: the number of the last invalidation when the entry, or the load that brought it, began; below 0 until the
    entry is stored. ``is_lapsed``: the store has seen that the entry is past its time and keeps it as a stale one.
    ``marks``: what ``tags`` say was seen of sources, to be looked at again; ``None`` for nothing. ``serial``: a number
    of its own, above 0, once something depends on it. ``idle``: for how many seconds the entry lives unread, and
    ``ends``: when it is over even so.
    """

    tags: tuple[str, ...]
    cost: float | None
    born: int
    refresh_at: float
    stale_until: float
    idle: float
    ends: float
    is_lapsed: bool
    marks: Any
    serial: int

    def __init__(self, tags: Any, cost: Any, born: cython.longlong = -1) -> None:
        self.tags = tags
        self.cost = cost
        self.born = born
        self.refresh_at = float("inf")
        self.stale_until = float("-inf")
        self.idle = float("inf")
        self.ends = float("inf")
        self.is_lapsed = False
        self.marks = None
        self.serial = 0
