"""What a site did that is not in the log yet, or not yet seen there: changes that nothing older may undo."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from heapq import nsmallest
from itertools import count
from typing import NamedTuple

from cachery.keys.glob import glob_matcher
from cachery.replication.wire import CLEAR, PATTERN, TAG

__all__ = ["KEY", "Change", "Outbox"]

KEY = "key"
"""The kind of change that says: look what is under this key now."""

_SWEEPS = {CLEAR, PATTERN, TAG}


class Change(NamedTuple):
    """The ``number``-th thing that this process has to tell."""

    number: int
    kind: str
    target: str = ""
    nonce: str = ""
    is_last: bool = False


class Outbox:
    """Changes in their order: unsent, or sent and not yet seen by who reads the log here. Guarded by its owner's lock.

    Of a key only the newest unsent change is kept, and values are not kept at all: what is sent is what the cache then
    holds. Beyond ``capacity`` unsent changes all is forgotten but that it was: ``is_overflowed``.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.is_overflowed = False
        self._numbers = count(1)
        self._outstanding: dict[int, Change] = {}
        self._newest: dict[str, int] = {}
        self._sweeps: dict[int, tuple[Change, Callable[[str], object]]] = {}
        self._unsent: set[int] = set()

    def __len__(self) -> int:
        return len(self._outstanding)

    @property
    def pending(self) -> int:
        """How many changes are not sent."""
        return len(self._unsent)

    def reserve(self) -> int:
        """Return the number of a change that begins now."""
        return next(self._numbers)

    def add(self, change: Change) -> None:
        """Note ``change``. Numbers may come out of order: a listener may have changed something in between."""
        if self.is_overflowed:
            return
        if len(self._unsent) >= self.capacity:
            self.forget()
            self.is_overflowed = True
            return
        if change.kind == KEY:
            self._supersede(change)
        elif change.kind == CLEAR:
            self._drop(number for number in list(self._unsent) if number < change.number and self._is_change(number))
        self._outstanding[change.number] = change
        self._unsent.add(change.number)
        if change.kind in _SWEEPS:
            self._sweeps[change.number] = (change, _reach(change))

    def take(self, limit: int) -> list[Change]:
        """Return the ``limit`` first unsent changes, which count as sent from now on."""
        numbers = nsmallest(limit, self._unsent)
        self._unsent.difference_update(numbers)
        return [self._outstanding[number] for number in numbers]

    def restore(self, changes: Iterable[Change]) -> None:
        """Let ``changes``, which were taken, be unsent again, but for those that were seen meanwhile."""
        self._unsent.update(change.number for change in changes if change.number in self._outstanding)

    def resend(self) -> None:
        """Let all be unsent again: nobody will see what was sent."""
        self._unsent.update(self._outstanding)

    def seen(self, number: int) -> bool:
        """Forget the change ``number``; True if it was outstanding."""
        is_known = number in self._outstanding
        self._drop([number])
        return is_known

    def has_up_to(self, number: int) -> bool:
        """Tell whether a change up to ``number`` is outstanding."""
        return self.is_overflowed or any(one <= number for one in self._outstanding)

    def keys(self) -> list[str]:
        """Return the keys with a change of their own."""
        return list(self._newest)

    def hides(self, key: str) -> bool:
        """Tell whether something of ours, newer than all that was read, decides what is under ``key``."""
        return self.is_overflowed or key in self._newest or any(reach(key) for _, reach in self._sweeps.values())

    def hits(self, tags: Iterable[str]) -> bool:
        """Tell whether one of ``tags`` was invalidated by us, later than all that was read."""
        own = {change.target for change, _ in self._sweeps.values() if change.kind == TAG}
        return not own.isdisjoint(tags)

    def forget(self) -> None:
        """Forget everything."""
        self.is_overflowed = False
        for kept in (self._outstanding, self._newest, self._sweeps, self._unsent):
            kept.clear()

    def _supersede(self, change: Change) -> None:
        before = self._newest.get(change.target, 0)
        if before in self._unsent and before < change.number:
            self._drop([before])
        self._newest[change.target] = max(before, change.number)

    def _is_change(self, number: int) -> bool:
        kind = self._outstanding[number].kind
        return kind == KEY or kind in _SWEEPS

    def _drop(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            change = self._outstanding.pop(number, None)
            self._unsent.discard(number)
            self._sweeps.pop(number, None)
            if change is not None and change.kind == KEY and self._newest.get(change.target) == number:
                del self._newest[change.target]


def _reach(change: Change) -> Callable[[str], object]:
    """Return what tells whether a key is gone by ``change``, whatever its tags."""
    if change.kind == PATTERN:
        return glob_matcher(change.target)
    return lambda _: change.kind == CLEAR
