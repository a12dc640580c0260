"""What replication asks of the cache of its own site: entries with their stamps, and what is not to be seen there."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from cachery.cache import Cache
from cachery.exceptions import CacheValueError
from cachery.model.entry import Entry
from cachery.ports.backend import Backend
from cachery.replication.log import Position
from cachery.replication.wire import Message
from cachery.step import step
from cachery.stored import StoredCache

__all__ = ["POSITION", "Local"]

POSITION = "\0cachery:replication:position"
"""The key under which a cache that outlives the process keeps its position."""


class Local:
    """The cache ``cache``, and the store beneath it."""

    def __init__(self, cache: Cache) -> None:
        self.cache = cache
        self.engine = cache.engine
        self.backend: Backend[Any] = self.engine.core.backend
        self.survives = isinstance(cache, StoredCache)
        if self.engine.core.loading.prefix:
            raise CacheValueError("replicate the whole cache, and make namespaces of what is replicated")

    def position(self) -> Position | None:
        """Return the position that the cache kept, if it kept one."""
        entry = step(self.backend.read_entry(POSITION)) if self.survives else None
        return None if entry is None else Position.parse(entry.value)

    def keep_position(self, position: Position) -> None:
        """Keep ``position`` with the entries that it speaks about."""
        if self.survives:
            self.cache.set(POSITION, str(position), math.inf)

    def keys(self) -> Iterator[str]:
        """Return an iterator over the live keys, but for that of the position."""
        found = self.cache.keys()
        return (key for key in found if key != POSITION)

    def delete_pattern(self, pattern: str) -> int:
        """Remove every key that matches ``pattern``; return how many there were, but for that of the position."""
        has_position = self.survives and self.cache.exists(POSITION)
        count = self.cache.delete_pattern(pattern)
        return count - (has_position and not self.cache.exists(POSITION))

    def fresh_entry(self, key: str) -> tuple[Entry, float] | None:
        """Return the entry of ``key`` and the time, if the plain verbs see it."""
        entry, now = step(self.backend.read_entry(key)), self.backend.read_clock()
        return None if entry is None or entry.fresh_until <= now else (entry, now)

    def put(self, message: Message, value: Any, age: float) -> None:
        """Store what ``message`` says, which was appended ``age`` seconds ago; what is over by now goes."""
        now = self.backend.read_clock()
        fresh, stale = _moment(message.life, age, now), _moment(message.stale, age, now, none=-math.inf)
        if max(fresh, stale) <= now:
            self.cache.delete(message.target)
            return
        entry = Entry(value, fresh, _moment(message.refresh, age, now), stale, message.tags, message.cost)
        step(self.backend.write_entry(message.target, entry))

    def clear_but(self, keys: Iterable[str]) -> None:
        """Remove every entry but those of ``keys``; do nothing where there is no other."""
        spared = set(keys)
        if any(key not in spared for key in self.keys()):
            self.sparing(spared, self.cache.clear)

    def sparing(self, keys: Iterable[str], sweep: Callable[[], object]) -> None:
        """Call ``sweep``, which removes entries; those of ``keys`` stay."""
        kept = [(key, found[0]) for key in keys if (found := self.fresh_entry(key)) is not None]
        sweep()
        for key, entry in kept:
            step(self.backend.write_entry(key, entry))


def _moment(span: float | None, age: float, now: float, none: float = math.inf) -> float:
    return none if span is None else now + span - age
