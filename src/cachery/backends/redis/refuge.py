"""What a process does while the server is away, and has to tell it when it is back.

Values stand in a cache in memory; here stands which keys were changed and when, which tags and patterns were
invalidated, and whether everything was. Nothing grows without bound: when more has changed than is remembered, all is
taken to be invalidated, for nobody knows any more which entries of the server are old.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import count
from typing import Any, NamedTuple, Protocol

from cachery.locks import make_lock
from cachery.model.entry import Entry
from cachery.model.sentinels import MISSING

__all__ = ["Memory", "Refuge", "Told"]

Matcher = Callable[[str], object]

_MOST_PATTERNS = 100


class Memory(Protocol):
    """The cache in memory, as far as it is needed here."""

    def delete(self, key: str) -> bool:
        """Remove ``key``."""

    def keys(self, pattern: str = "*") -> Iterable[str]:
        """Return the keys."""

    def clear(self) -> bool:
        """Remove everything."""

    def invalidate_tags(self, *tags: str) -> None:
        """Remove what carries one of ``tags``."""

    def observe(self, keys: Sequence[str], sources: Any) -> tuple[str, ...]:
        """Return the tags of entries under ``keys`` that depend on ``sources`` as they are now."""

    def read_entry(self, key: str) -> Entry | None:
        """Return what stands under ``key``, stale or fresh."""

    def write_entry(self, key: str, entry: Entry, token: Any = None) -> bool:
        """Store ``entry``."""


class Told(NamedTuple):
    """What the server is to be told at once, as it stood at a moment, so that what comes later is not lost.

    ``cleared``: the number of the last clearing, 0 for none; ``tags`` have the numbers of their invalidations.
    """

    cleared: int
    tags: dict[str, int]
    patterns: tuple[Matcher, ...]
    changed: dict[str, float]


class Refuge:
    """``memory``, and what was changed there. ``limit``: the most keys, and the most tags, that are remembered.

    ``longest``: the most seconds that what is loaded here is served, since others may change it and nobody hears.
    """

    def __init__(self, memory: Memory, limit: int = 10_000, *, longest: float = float("inf")) -> None:
        self.memory = memory
        self._longest = longest
        self._limit = limit
        self._lock = make_lock()
        self._numbers = count(1)
        self.is_behind = False
        """Whether the server does not know of an invalidation, so that what it holds may be long dead."""
        self._forget()

    def _forget(self) -> None:
        self._cleared = 0
        self._tags: dict[str, int] = {}
        self._patterns: list[Matcher] = []
        self._changed: dict[str, float] = {}

    @property
    def is_dirty(self) -> bool:
        """Whether there is anything that the server has to be told."""
        return bool(self._changed or self.is_behind)

    def holds(self, key: str) -> bool:
        """Tell whether the server may not know what became of ``key``, so that this here counts."""
        return self.is_behind or key in self._changed

    def has_changed(self, key: str, at: float | None = None) -> bool:
        """Tell whether ``key`` was changed here, ``at`` that time if one is given, and the server does not know."""
        return key in self._changed if at is None else self._changed.get(key) == at

    def held(self, key: str, now: float) -> Entry | None:
        """Return what is live under ``key`` here."""
        entry = self.memory.read_entry(key)
        return entry if entry is not None and entry.fresh_until > now else None

    def value(self, key: str, now: float) -> Any:
        """Return the live value under ``key`` here, else ``MISSING``."""
        entry = self.held(key, now)
        return MISSING if entry is None else entry.value

    def change(self, key: str, entry: Entry | None, now: float) -> None:
        """Note that ``key`` was written or, with no ``entry``, removed."""
        if entry is None:
            self.memory.delete(key)
        else:
            self.memory.write_entry(key, entry)
        with self._lock:
            self._changed.pop(key, None)
            self._changed[key] = now
            if len(self._changed) > self._limit:
                del self._changed[next(iter(self._changed))]
                self._note_clearing()

    def _note_clearing(self) -> None:
        self._cleared = next(self._numbers)
        self.is_behind = True

    def keep_loaded(self, key: str, entry: Entry, born: float, is_current: Callable[[], bool]) -> bool:
        """Keep what a load brought that began at ``born``, if it ``is_current``; the server is not told."""
        until = born + self._longest
        entry = entry._replace(fresh_until=min(entry.fresh_until, until), stale_until=min(entry.stale_until, until))
        with self._lock:  # so that what overtakes it meanwhile finds it in memory
            if key in self._changed or not is_current():
                return False
            self.memory.write_entry(key, entry)
        return True

    def hit_tags(self, tags: tuple[str, ...]) -> None:
        """Note that ``tags`` were invalidated."""
        self.memory.invalidate_tags(*tags)
        with self._lock:
            self._tags |= dict.fromkeys(tags, next(self._numbers))
            self.is_behind = True
            if len(self._tags) > self._limit:
                self._tags.clear()
                self._note_clearing()

    def remove_matching(self, matches: Matcher, now: float) -> int:
        """Remove the keys that match, and note it; return how many were live here."""
        chosen = list(filter(matches, self.memory.keys()))
        for key in chosen:
            self.change(key, None, now)
        with self._lock:
            self._patterns.append(matches)
            self.is_behind = True
            if len(self._patterns) > _MOST_PATTERNS:
                self._patterns.clear()
                self._note_clearing()
        return len(chosen)

    def clear(self) -> None:
        """Note that everything was invalidated: what was noted before says no more."""
        self.memory.clear()
        with self._lock:
            self._forget()
            self._note_clearing()

    def wrote_elsewhere(self, key: str) -> None:
        """Note that the server knows of a later change of ``key``."""
        with self._lock:
            self._changed.pop(key, None)
            self.memory.delete(key)

    def take(self) -> Told:
        """Return what the server is to be told; it stays until ``settle``."""
        with self._lock:
            return Told(self._cleared, dict(self._tags), tuple(self._patterns), dict(self._changed))

    def settle_invalidations(self, told: Told) -> None:
        """Forget the invalidations in ``told``."""
        with self._lock:
            if self._cleared == told.cleared:
                self._cleared = 0
            self._tags = {tag: number for tag, number in self._tags.items() if told.tags.get(tag) != number}
            self._patterns = [one for one in self._patterns if one not in told.patterns]
            self.is_behind = bool(self._cleared or self._tags or self._patterns)

    def settle(self, key: str, at: float) -> None:
        """Forget that ``key`` was changed ``at`` that time, unless it was changed again."""
        with self._lock:
            if self._changed.get(key) == at:
                del self._changed[key]

    def leave(self) -> None:
        """Forget what memory holds: the server is back, and knows all."""
        with self._lock:
            if not self.is_dirty:
                self.memory.clear()
