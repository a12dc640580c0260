"""The newest measurements of one kind, and how many there were, over any time, in bounded memory.

To record is to append to a queue, which needs no lock: threads lose nothing. From there measurements are settled, some
hundreds at a time or when somebody reads: counted, and put into a ring that forgets the oldest. How the counts stood is
noted now and then. So a window is counted exactly from the ring as long as the ring reaches back to its beginning, and
from the notes, right to the span of one of them, if more was recorded than the ring holds.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import Any, TypeAlias

from cachery.locks import make_lock

__all__ = ["Entry", "Journal", "Kind", "Tally", "Window"]

Kind: TypeAlias = tuple[Any, ...]
"""What is counted apart: the first item is a name."""

Entry: TypeAlias = tuple[Any, ...]
"""A measurement: its time, its ``Kind``, two numbers that are added up, and what else there is to know."""

Tally: TypeAlias = tuple[int, float, float]
"""How many measurements there were, and the sums of their two numbers."""

_NONE: Tally = (0, 0.0, 0.0)
_WAITING = 256
_KINDS = 200
_OTHER = "other"


@dataclass(frozen=True, slots=True)
class Window:
    """What was measured in a span of time: ``counts`` of all, and of the newest the ``entries``."""

    counts: dict[Kind, Tally]
    entries: list[Entry]

    @property
    def count(self) -> int:
        """How many measurements there were."""
        return sum(tally[0] for tally in self.counts.values())


class Journal:
    """Up to ``capacity`` measurements; counts noted each ``fineness`` seconds, ``notes`` times.

    >>> journal = Journal(capacity=2, fineness=30.0, notes=120)
    >>> for second in range(5):
    ...     journal.add((1000.0 + second, ("get",), 0.5, 0))
    >>> journal.totals()
    {('get',): (5, 2.5, 0)}
    >>> window = journal.since(0.0)
    >>> window.count, [entry[0] for entry in window.entries]
    (5, [1003.0, 1004.0])
    """

    def __init__(self, *, capacity: int, fineness: float, notes: int) -> None:
        self._lock = make_lock()
        self._queue: deque[Entry] = deque()
        self._ring: deque[Entry] = deque(maxlen=capacity)
        self._counts: dict[Kind, list[float]] = {}
        self._notes: deque[tuple[float, dict[Kind, Tally]]] = deque(maxlen=notes)
        self._fineness = fineness
        self._noted = float("inf")
        self._is_settling = False

    def add(self, entry: Entry) -> None:
        """Record ``entry``."""
        queue = self._queue
        queue.append(entry)
        if len(queue) >= _WAITING:
            self._settle()

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            left = [*self._queue, *self._ring]
            self._queue.clear()
            self._ring.clear()
            self._counts.clear()
            self._notes.clear()
            self._noted = float("inf")
        left.clear()

    def totals(self) -> dict[Kind, Tally]:
        """Return the counts of everything since the beginning."""
        self._settle()
        with self._lock:
            return self._standing()

    def since(self, cutoff: float) -> Window:
        """Return what was measured after ``cutoff``."""
        self._settle()
        with self._lock:
            entries = [entry for entry in self._ring if entry[0] > cutoff]
            is_whole = len(self._ring) < (self._ring.maxlen or 0) or len(entries) < len(self._ring)
            before = {} if is_whole else self._noted_before(cutoff)
            counts = _counted(entries) if is_whole else _difference(self._standing(), before)
        return Window(counts, entries)

    def newest(self, cutoff: float, most: int) -> list[Entry]:
        """Return the newest entries, the newest first: those after ``cutoff``, and ``most`` at most."""
        self._settle()
        with self._lock:
            chosen = islice(reversed(self._ring), most)
            return list(takewhile(lambda entry: bool(entry[0] > cutoff), chosen))

    def _settle(self) -> None:
        """Count what waits. What is recorded meanwhile, by a finalizer perhaps, waits until its turn comes.

        What leaves the ring is held until the lock is let go: its finalizers are code of others.
        """
        left: list[Entry] = []
        with self._lock:
            if not self._is_settling:
                self._is_settling = True
                try:
                    self._drain(left)
                finally:
                    self._is_settling = False
        left.clear()

    def _drain(self, left: list[Entry]) -> None:
        queue, ring, counts = self._queue, self._ring, self._counts
        capacity = ring.maxlen
        noted, over = self._noted, self._noted + self._fineness
        while queue:
            entry = queue.popleft()
            if not noted <= entry[0] < over:
                noted = self._note(entry[0])
                over = noted + self._fineness
            count = counts.get(entry[1])
            if count is None:
                entry, count = self._begin(entry)
            count[0] += 1
            count[1] += entry[2]
            count[2] += entry[3]
            if len(ring) == capacity:
                left.append(ring.popleft())
            ring.append(entry)

    def _begin(self, entry: Entry) -> tuple[Entry, list[float]]:
        """Return ``entry`` and where it is counted: of very many kinds, those that come late are counted as one."""
        kind = entry[1]
        if len(self._counts) >= _KINDS:
            kind = (_OTHER, *kind[1:])
        return (entry[0], kind, *entry[2:]), self._counts.setdefault(kind, [0, 0, 0])

    def _note(self, now: float) -> float:
        self._notes.append((now, self._standing()))
        self._noted = now
        return now

    def _standing(self) -> dict[Kind, Tally]:
        return {kind: (int(count[0]), count[1], count[2]) for kind, count in self._counts.items()}

    def _noted_before(self, cutoff: float) -> dict[Kind, Tally]:
        """Return how the counts stood when the span began that ``cutoff`` lies in."""
        return next((counts for noted, counts in self._notes if noted + self._fineness > cutoff), {})


def _counted(entries: list[Entry]) -> dict[Kind, Tally]:
    counts: dict[Kind, Tally] = {}
    for _, kind, first, second, *_ in entries:
        count = counts.get(kind, _NONE)
        counts[kind] = (count[0] + 1, count[1] + first, count[2] + second)
    return counts


def _difference(now: dict[Kind, Tally], then: dict[Kind, Tally]) -> dict[Kind, Tally]:
    parts = ((kind, tally, then.get(kind, _NONE)) for kind, tally in now.items())
    return {
        kind: (tally[0] - old[0], tally[1] - old[1], tally[2] - old[2])
        for kind, tally, old in parts
        if tally[0] > old[0]
    }
