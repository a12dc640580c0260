"""Says what is wrong with a history: pure functions of what was recorded."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from statistics import quantiles
from typing import NamedTuple

from tests.distributed.history import NEVER, Change, History, Load, Read, Value


class Rules(NamedTuple):
    """What is promised. ``bound``: seconds after which other nodes serve nothing that was overtaken.

    ``takeovers``: how many loads may have lost their lease; ``None`` where loads are not counted. ``losses``: spans of
    time, each before the death of a primary: what a server acknowledged in one, it may have lost.
    """

    bound: float
    takeovers: int | None = None
    losses: tuple[tuple[float, float], ...] = ()


class Staleness(NamedTuple):
    """Of the values that were read after another node had overtaken them: how many, and for how many seconds so."""

    number: int
    p50: float
    p99: float
    longest: float


class Checker:
    """A history, ordered by key."""

    def __init__(self, history: History, rules: Rules) -> None:
        self._history = history
        self._rules = rules
        self._sets: dict[tuple[str, int], Change] = {}
        self._by_key: dict[str, list[Change]] = defaultdict(list)
        self._loaded = {(load.node, load.serial) for load in history.loads}
        self._ends: dict[tuple[Value, str], tuple[float, Change | None]] = {}
        for change in sorted(map(self._judged, history.changes), key=lambda change: change.version):
            if change.kind == "set":
                self._sets[change.node, change.serial] = change
            for key in change.keys:
                self._by_key[key].append(change)

    def _judged(self, change: Change) -> Change:
        """Return ``change``, as never finished if the server may have lost it."""
        is_lost = any(begin <= change.told <= end for begin, end in self._rules.losses)
        return change._replace(end=NEVER, told=NEVER) if is_lost else change

    def violations(self) -> list[str]:
        return [*self._misread(), *self._loaded_twice()]

    def _misread(self) -> Iterable[str]:
        for read in self._history.reads:
            wrong = None if read.seen is None else self._wrong_with(read, read.seen)
            if wrong is not None:
                yield wrong

    def _wrong_with(self, read: Read, seen: Value) -> str | None:
        if seen.key != read.key:
            return f"cross-talk: {read.key!r} was answered with a value of another key: {_told(read)}"
        made = self._loaded if seen.maker == "load" else self._sets
        if (seen.node, seen.serial) not in made:
            return f"out of nowhere: nobody made what was read: {_told(read)}"
        end, change = self._end_of(seen, read.node)
        if change is not None and read.start > end:
            late = read.start - (end if change.node == read.node else end - self._rules.bound)
            return f"stale: {_told(read)} began {late:.3f} s after it was overtaken by {change}"
        return None

    def _end_of(self, seen: Value, node: str) -> tuple[float, Change | None]:
        """Return the time from which on no read of ``node`` may begin that sees ``seen``, and what overtook it."""
        known = self._ends.get((seen, node))
        if known is None:
            known = self._ends[seen, node] = self._overtaken(seen, node, self._rules.bound, has_own=True)
        return known

    def _overtaken(self, seen: Value, node: str, bound: float, *, has_own: bool) -> tuple[float, Change | None]:
        first: tuple[float, Change | None] = (NEVER, None)
        changes = self._by_key[seen.key]
        for change in changes[_place_after(changes, seen.version) :]:
            if change.start > first[0]:  # those that follow took their versions, and ended, later still
                break
            if self._overtakes(change, seen):
                at = change.end if has_own and change.node == node else change.told + bound
                first = min(first, (at, change), key=lambda one: one[0])
        return first

    def _overtakes(self, change: Change, seen: Value) -> bool:
        """Tell whether ``change`` came after ``seen``: after the load had read the source, or the write was over."""
        if seen.maker == "load":
            return True
        made = self._sets[seen.node, seen.serial]
        return change.start > (made.end if change.node == made.node else made.told)

    def _loaded_twice(self) -> Iterable[str]:
        if self._rules.takeovers is None:
            return []
        by_key: dict[str, list[Load]] = defaultdict(list)
        for load in sorted(self._history.loads, key=lambda load: load.start):
            by_key[load.key].append(load)
        twice = [pair for loads in by_key.values() for pair in pairwise(loads) if not self._is_changed_between(*pair)]
        return [f"double load: {pair}" for pair in twice] if len(twice) > self._rules.takeovers else []

    def _is_changed_between(self, first: Load, second: Load) -> bool:
        """Tell whether a change was under way at any time since one load was asked for, until the other began."""
        changes = self._by_key[first.key]
        return any(
            change.start <= second.start and change.told >= first.asked
            for change in changes[max(_place_after(changes, first.version) - 50, 0) :]
        )

    def staleness(self) -> Staleness:
        """Return how long ago what was read had been overtaken elsewhere."""
        known: dict[Value, float] = {}
        ages: list[float] = []
        for read in self._history.reads:
            if read.seen is None or read.seen.key != read.key:
                continue
            if read.seen not in known:
                known[read.seen], _ = self._overtaken(read.seen, read.node, 0.0, has_own=False)
            if read.start > known[read.seen]:
                ages.append(read.start - known[read.seen])
        if len(ages) < 2:  # no quantiles of less
            return Staleness(len(ages), *[max(ages, default=0.0)] * 3)
        parts = quantiles(ages, n=100, method="inclusive")
        return Staleness(len(ages), parts[49], parts[98], max(ages))


def disagreements(finally_read: Mapping[str, Mapping[str, Value | None]]) -> list[str]:
    """Return the keys that the nodes, by name, read differently."""
    views = list(finally_read.items())
    (_, first), others = views[0], views[1:]
    return [
        f"no convergence: {key!r} is {value} on one node and {view[key]} on {node}"
        for node, view in others
        for key, value in first.items()
        if view[key] != value
    ]


def violations(history: History, rules: Rules) -> list[str]:
    """Return what in ``history`` breaks ``rules``."""
    return Checker(history, rules).violations()


def _place_after(changes: Sequence[Change], version: int) -> int:
    """Return where those with later versions begin."""
    low, high = 0, len(changes)
    while low < high:
        middle = (low + high) // 2
        if changes[middle].version > version:
            high = middle
        else:
            low = middle + 1
    return low


def _told(read: Read) -> str:
    return f"{read.seen} read by {read.node} from {read.start:.3f} to {read.end:.3f}"
