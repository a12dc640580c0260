"""An entry as it passes between an engine and a backend: the value and the stamps that decide what it is worth."""

from __future__ import annotations

import math
from enum import Enum
from typing import Any, NamedTuple

__all__ = ["Entry", "Freshness", "classify"]


class Entry(NamedTuple):
    """A value with its stamps, all in seconds of the clock of the store that holds it; ``inf`` is never.

    ``refresh_at``: from then on a refresh ahead of time is due. ``fresh_until``: the plain verbs see the value before
    it. ``stale_until``: until then a loading verb may still serve it. ``cost``: seconds or money to compute it again.

    A named tuple, because one is made a load: a frozen dataclass takes twice the time.
    """

    value: Any
    fresh_until: float = math.inf
    refresh_at: float = math.inf
    stale_until: float = -math.inf
    tags: tuple[str, ...] = ()
    cost: float | None = None


class Freshness(Enum):
    """What an entry is worth at a moment."""

    FRESH = "fresh"
    REFRESH_DUE = "refresh due"
    STALE = "stale"
    DEAD = "dead"


def classify(entry: Entry, now: float) -> Freshness:
    """Tell what ``entry`` is worth at ``now``.

    >>> entry = Entry("answer", fresh_until=10.0, refresh_at=8.0, stale_until=30.0)
    >>> [classify(entry, now).value for now in (0.0, 9.0, 20.0, 30.0)]
    ['fresh', 'refresh due', 'stale', 'dead']
    """
    if now < entry.fresh_until:
        return Freshness.FRESH if now < entry.refresh_at else Freshness.REFRESH_DUE
    return Freshness.STALE if now < entry.stale_until else Freshness.DEAD
