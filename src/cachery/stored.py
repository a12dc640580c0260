"""``StoredCache``: the verbs over a store that is not memory: what every durable or shared cache is."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from cachery.events import (
    Hit,
    Invalidated,
    Miss,
)
from cachery.exceptions import CacheValueError
from cachery.keys.glob import glob_matcher
from cachery.keys.text import check_whole, checked_cost, exact_key, exact_keys, exact_tags
from cachery.model.durations import Duration, seconds
from cachery.model.entry import Entry
from cachery.model.keys import Count, Key, Tags
from cachery.model.sentinels import MISSING
from cachery.model.values import check_value
from cachery.ports.store import Store
from cachery.reporting import ReportingCache
from cachery.sources.source import exact_sources

if TYPE_CHECKING:  # loaded when something is loaded through a cache for the first time
    from cachery.loading import BlockingEngine
    from cachery.statistics.recorder import Recorder

__all__ = ["StoredCache"]

_FOREVER = float("inf")


class StoredCache(ReportingCache):
    """A cache over ``store``, which a subclass makes, and whose ``Observer`` it is."""

    store: Store[Any]

    # Reading

    def get(self, key: Key, default: Any = None) -> Any:
        """Return the value of ``key``, or ``default`` when it is absent, expired or cannot be read."""
        if type(key) is not str or self._is_closed:
            key = self.checked(key)
        look = self._look
        if look is not None:
            value = look(key)
            if value is not MISSING:
                self._counters.hit()
                self._uses.note(key)
                if self._listeners:
                    self._report(Hit(self.name, key))
                return value
        return self.answer(key, self.store.fetch(key), default)

    def peek(self, key: Key) -> Any:
        """Return the value of ``key`` if it is fresh and no refresh is due, else ``MISSING``, which counts nothing."""
        if type(key) is not str:
            key = exact_key(key)
        if self._is_awaited:  # what is not at hand the engine asks for, stale values and all
            return self.glance(key)
        return self.counted(key, self.store.fetch(key, is_first_look=True))

    def glance(self, key: Key) -> Any:
        """Return the value of ``key`` if it is fresh and at hand in memory, else ``MISSING``, which counts nothing."""
        if type(key) is not str:
            key = exact_key(key)
        return self.counted(key, self.store.glance(key))

    def answer(self, key: Key, value: Any, default: Any) -> Any:
        """Count what ``key`` was answered with; return it, or ``default`` for ``MISSING``."""
        if value is MISSING:
            self._counters.miss()
            if self._listeners:
                self._report(Miss(self.name, key))
            return default
        self._counters.hit()
        self._uses.note(key)
        if self._listeners:
            self._report(Hit(self.name, key))
        return value

    def counted(self, key: Key, value: Any) -> Any:
        """Count ``value``, if it is one, as a hit of ``key``; return it."""
        return value if value is MISSING else self.answer(key, value, value)

    def get_many(self, keys: Iterable[str]) -> dict[str, Any]:
        """Return the values of those of ``keys`` that are there."""
        self.check_open()
        wanted = exact_keys(keys)
        return self.answered(wanted, self.store.fetch_many(wanted))

    def answered(self, keys: list[str], found: dict[str, Any]) -> dict[str, Any]:
        """Count what was ``found`` of ``keys``, and return it."""
        for key in keys:
            self.answer(key, found.get(key, MISSING), MISSING)
        return found

    def exists(self, key: Key) -> bool:
        """Tell whether ``key`` is there. Neither recency nor counters change."""
        return self.store.expiry(self.checked(key)) is not None

    def ttl(self, key: Key) -> float | None:
        """Return the seconds that ``key`` has left: ``None`` when it is absent, ``inf`` when it never expires."""
        return self.time_left(self.store.expiry(self.checked(key)))

    def time_left(self, expiry: float | None) -> float | None:
        """Return the seconds until ``expiry``, as ``ttl`` does."""
        return expiry if expiry is None or expiry == _FOREVER else expiry - self.store.read_clock()

    def keys(self, pattern: Key = "*") -> Iterator[str]:
        """Return an iterator over the live keys that match the glob ``pattern``, those of this moment."""
        matches = self.matcher(pattern)
        return (key for key in self.store.live_keys() if matches(key))

    def __len__(self) -> int:
        """Return how many entries are live. Those dead by a tag may count until they are touched or swept."""
        self.check_open()
        return self.store.count()

    # Writing

    def set(
        self,
        key: Key,
        value: Any,
        ttl: Duration | None = None,
        *,
        tags: Iterable[str] = (),
        cost: object = None,
        depends_on: Iterable[Any] = (),
    ) -> bool:
        """Store ``value``; True when stored, False when it is too large or its ``ttl`` is over: then ``key`` is gone.

        Raises ``CacheSerializationError`` for a value that the serializer cannot carry. Whatever is raised, the old
        value stays.
        """
        key = self.checked(key)
        bonds = () if depends_on == () else self.store.observe((key,), exact_sources(depends_on))
        entry = self.entry_of(value, ttl, tags, cost, bonds)
        if entry is None:
            self.delete(key)
            return False
        return self.store.put(key, entry)

    def add(self, key: Key, value: Any, ttl: Duration | None = None) -> bool:
        """Store ``value`` only if ``key`` is absent, in one step among all processes; True when stored."""
        key = self.checked(key)
        entry = self.entry_of(value, ttl)
        return entry is not None and self.store.put_new(key, entry)

    def set_many(self, mapping: Mapping[str, Any], ttl: Duration | None = None) -> bool:
        """Store every value of ``mapping`` at once; True when all were stored. A bad key, value or TTL stores none."""
        entries = self.entries_of(mapping, ttl)
        if entries is None:
            self.delete_many(mapping)
            return False
        return self.store.put_many(entries)

    def incr(self, key: Key, by: Count = 1, *, initial: Count = 0, ttl: Duration | None = None) -> int:
        """Add ``by`` to the whole number under ``key``, in one step among all processes, and return the sum."""
        key = self.checked(key)
        return self.store.increment(key, by, self.first_number(by, initial, ttl))

    def touch(self, key: Key, ttl: Duration | None = None) -> bool:
        """Let ``key`` live for ``ttl`` from now on, ``None`` being the default; True if it was there."""
        key = self.checked(key)
        life = self.life(ttl)
        return self.store.prolong(key, life) if life > 0 else self.delete(key)

    def life(self, ttl: Duration | None) -> float:
        """Return ``ttl`` in seconds, ``None`` being the default."""
        return self.store.default_life if ttl is None else seconds(ttl)

    def entry_of(
        self,
        value: Any,
        ttl: Duration | None,
        tags: Iterable[str] = (),
        cost: object = None,
        bonds: Tags = (),
    ) -> Entry | None:
        """Return the entry of ``value``, which begins now; ``None`` when it would be over at once. All is checked.

        ``bonds``: what ties it to its sources.
        """
        check_value(value)
        checked_tags = exact_tags(tags) if tags != () else ()
        if bonds != ():
            checked_tags = tuple(dict.fromkeys((*checked_tags, *bonds)))
        price = None if cost is None else checked_cost(cost)
        life = self.life(ttl)
        if life <= 0:
            return None
        end = life if life == _FOREVER else self.store.read_clock() + life
        # in half the time of Entry()
        return tuple.__new__(Entry, (value, end, _FOREVER, -_FOREVER, checked_tags, price))

    def entries_of(self, mapping: Mapping[str, Any], ttl: Duration | None) -> dict[str, Entry] | None:
        """Return the entries of all values of ``mapping``; ``None`` when they would be over at once. All is checked."""
        if not isinstance(mapping, Mapping):
            raise CacheValueError(f"mapping maps keys to values; {type(mapping).__name__} does not")
        self.check_open()
        checked = {exact_key(key): value for key, value in mapping.items()}
        entries = {key: self.entry_of(value, ttl) for key, value in checked.items()}
        if None in entries.values():
            return None
        return {key: entry for key, entry in entries.items() if entry is not None}

    def first_number(self, by: Count, initial: Count, ttl: Duration | None) -> Entry:
        """Return the entry with which a number begins that is counted up ``by`` from ``initial``."""
        check_whole(by=by, initial=initial)
        entry = self.entry_of(initial + by, ttl)
        return Entry(initial + by, -_FOREVER) if entry is None else entry

    # Removing

    def delete(self, key: Key) -> bool:
        """Remove ``key``; True if it was there."""
        key = self.checked(key)
        return self.note_deleted(key, self.store.remove(key))

    def note_deleted(self, key: Key, was_there: Any) -> bool:
        """Count and report a removal; return ``was_there``."""
        if was_there:
            self._counters.count("deletes")
            self._report(Invalidated(self.name, "delete", key))
        return bool(was_there)

    def delete_many(self, keys: Iterable[str]) -> int:
        """Remove ``keys`` at once; return how many were there. A bad key removes none."""
        self.check_open()
        wanted = exact_keys(keys)
        return self.note_invalidated("delete", wanted, self.store.remove_many(wanted))

    def delete_pattern(self, pattern: Key) -> int:
        """Remove every key that matches the glob ``pattern``, stale ones too; return how many live ones there were.

        Every load that is under way, of whatever key, is then not stored.
        """
        matches = self.matcher(pattern)
        return self.note_invalidated("pattern", (pattern,), self.store.remove_matching(matches))

    def clear(self) -> bool:
        """Remove every entry; True, also when there was none."""
        self.check_open()
        self.note_invalidated("clear", ("",), self.store.clear())
        return True

    def invalidate_tags(self, *tags: str) -> None:
        """Make every entry that carries one of ``tags`` unreadable, in a time that does not depend on their number."""
        checked = exact_tags(tags)
        self.check_open()
        self.store.hit_tags(checked)
        self.note_invalidated("tag", checked)

    def note_invalidated(self, cause: Any, targets: Iterable[str], count: Count = 0) -> int:
        """Count ``count`` entries as removed, and report the ``targets``; return ``count``."""
        self._counters.count("deletes", count)
        for target in targets if self._listeners else ():
            self._report(Invalidated(self.name, cause, target))
        return count

    def cleanup_expired(self) -> int:
        """Remove what is expired or dead by a tag, and what a crash left behind; return how many entries that were."""
        self.check_open()
        return self.store.sweep()

    # Loading and closing

    def build_engine(self) -> BlockingEngine:
        """Return a new engine that loads through this cache."""
        from cachery.loading import blocking_engine, stepped_engine  # noqa: PLC0415 - loaded when something is loaded

        if self._is_awaited:
            stepped: Any = self.store
            return stepped_engine(stepped.awaited, self.build_recorder())
        return blocking_engine(self.store, self.build_recorder())

    def carry_on(self, work: Callable[[], Coroutine[Any, Any, object]]) -> None:
        """Have what ``work`` returns carried out in the background; ``drain`` waits for it."""
        from cachery.loading import drain_at_exit, go_on_without  # noqa: PLC0415 - loaded when something is loaded

        drain_at_exit(self.engine)
        go_on_without(self.engine, work)

    def build_recorder(self) -> Recorder:
        """Return what counts and reports what an engine does for this cache."""
        from cachery.statistics.recorder import Recorder  # noqa: PLC0415 - loaded when something is loaded first

        return Recorder(self._counters, self.name, lambda: self._listeners, note_use=self._note_use)

    def _note_use(self, key: Key) -> None:
        self._uses.note(key)
        self.store.note_use(key)

    def close(self) -> None:
        """Let what is loaded in the background end, then let go of everything. The entries stay where they are."""
        if not self._is_closed:
            self.drain()
            self._is_closed = True
            self.store.close()

    def matcher(self, pattern: Key) -> Callable[[str], object]:
        """Return a function that tells whether a key matches the glob ``pattern``, if the cache is open."""
        matches = glob_matcher(pattern)
        self.check_open()
        return matches

    def checked(self, key: Key) -> str:
        """Return ``key`` as plain text, if the cache is open."""
        if self._is_closed:
            self.check_open()
        return key if type(key) is str else exact_key(key)
