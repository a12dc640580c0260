"""``StoredCache``: the verbs over a store that is not memory: what every durable or shared cache is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from cachery.cache import Cache
from cachery.events import (
    Event,
    Evicted,
    Expired,
    Hit,
    Invalidated,
    Listener,
    Miss,
    Stored,
    Unreadable,
    listening,
    notify,
)
from cachery.exceptions import CacheClosedError, CacheValueError
from cachery.keys.glob import glob_matcher
from cachery.keys.text import check_whole, checked_cost, exact_key, exact_keys, exact_tags
from cachery.model.durations import Duration, seconds
from cachery.model.entry import Entry
from cachery.model.keys import Count, Key
from cachery.model.sentinels import MISSING
from cachery.model.values import check_value
from cachery.ports.clock import Clock
from cachery.ports.store import Cause, Store
from cachery.statistics.counters import Counters
from cachery.statistics.stats import CacheStats
from cachery.statistics.uses import Uses

if TYPE_CHECKING:  # loaded when something is loaded through a cache for the first time
    from cachery.loading import BlockingEngine

__all__ = ["StoredCache"]

_FOREVER = float("inf")
_FOREIGN_SIGNATURE = (
    "%s holds values that another secret signed, and so counts as not holding them: give all who share it the same "
    "secret= or CACHERY_SECRET"
)


class StoredCache(Cache):
    """A cache over ``store``, which a subclass makes, and whose ``Observer`` it is.

    ``stats`` are those of this object: what other processes do with the store, their own count.
    """

    store: Store[Any]

    def __init__(
        self, default_ttl: Duration | None, *, clock: Clock | None, name: str | None, max_size: int | None
    ) -> None:
        if name is not None and not isinstance(name, str):
            raise CacheValueError(f"name is a str, not {type(name).__name__}")
        if clock is not None and not callable(clock):
            raise CacheValueError(f"clock is a function that returns seconds, not {type(clock).__name__}")
        self.name = name
        self.max_size = max_size
        self._default_ttl = default_ttl
        self.clock = clock
        self._counters = Counters(clock)
        self._uses = Uses()
        self._stats = CacheStats.of(self._counters, self)
        self._listeners: tuple[Listener, ...] = ()
        self._is_closed = False
        self._is_warned = False

    @property
    def default_ttl(self) -> Duration | None:
        """The TTL of an entry stored without one, as it was given."""
        return self._default_ttl

    # Reading

    def get(self, key: Key, default: Any = None) -> Any:
        """Return the value of ``key``, or ``default`` when it is absent, expired or cannot be read."""
        if type(key) is not str:
            key = exact_key(key)
        value = self.store.fetch(key)
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

    def peek(self, key: Key) -> Any:
        """Return the value of ``key`` if it is fresh and no refresh is due, else ``MISSING``, which counts nothing."""
        if type(key) is not str:
            key = exact_key(key)
        return self._answered(key, self.store.fetch(key, is_first_look=True))

    def glance(self, key: Key) -> Any:
        """Return the value of ``key`` if it is fresh and at hand in memory, else ``MISSING``, which counts nothing."""
        if type(key) is not str:
            key = exact_key(key)
        return self._answered(key, self.store.glance(key))

    def _answered(self, key: Key, value: Any) -> Any:
        """Count ``value``, if it is one, as a hit of ``key``; return it."""
        if value is not MISSING:
            self._counters.hit()
            self._uses.note(key)
            if self._listeners:
                self._report(Hit(self.name, key))
        return value

    def get_many(self, keys: Iterable[str]) -> dict[str, Any]:
        """Return the values of those of ``keys`` that are there."""
        self.check_open()
        wanted = exact_keys(keys)
        found = self.store.fetch_many(wanted)
        for key in wanted:
            if key in found:
                self._answered(key, found[key])
            else:
                self._counters.miss()
                self._report(Miss(self.name, key))
        return found

    def exists(self, key: Key) -> bool:
        """Tell whether ``key`` is there. Neither recency nor counters change."""
        return self.store.expiry(self._checked(key)) is not None

    def ttl(self, key: Key) -> float | None:
        """Return the seconds that ``key`` has left: ``None`` when it is absent, ``inf`` when it never expires."""
        expiry = self.store.expiry(self._checked(key))
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
        self, key: Key, value: Any, ttl: Duration | None = None, *, tags: Iterable[str] = (), cost: object = None
    ) -> bool:
        """Store ``value``; True when stored, False when it is too large or its ``ttl`` is over: then ``key`` is gone.

        Raises ``CacheSerializationError`` for a value that the serializer cannot carry. Whatever is raised, the old
        value stays.
        """
        key = self._checked(key)
        check_value(value)
        entry = self._entry(
            value, ttl, exact_tags(tags) if tags != () else (), None if cost is None else checked_cost(cost)
        )
        if entry is None:
            self.delete(key)
            return False
        return self.store.put(key, entry)

    def add(self, key: Key, value: Any, ttl: Duration | None = None) -> bool:
        """Store ``value`` only if ``key`` is absent, in one step among all processes; True when stored."""
        key = self._checked(key)
        check_value(value)
        entry = self._entry(value, ttl)
        return entry is not None and self.store.put_new(key, entry)

    def set_many(self, mapping: Mapping[str, Any], ttl: Duration | None = None) -> bool:
        """Store every value of ``mapping`` at once; True when all were stored. A bad key, value or TTL stores none."""
        if not isinstance(mapping, Mapping):
            raise CacheValueError(f"mapping maps keys to values; {type(mapping).__name__} does not")
        self.check_open()
        checked = {exact_key(key): value for key, value in mapping.items()}
        for value in checked.values():
            check_value(value)
        entries = {key: self._entry(value, ttl) for key, value in checked.items()}
        if None in entries.values():
            self.delete_many(checked)
            return False
        return self.store.put_many({key: entry for key, entry in entries.items() if entry is not None})

    def incr(self, key: Key, by: Count = 1, *, initial: Count = 0, ttl: Duration | None = None) -> int:
        """Add ``by`` to the whole number under ``key``, in one step among all processes, and return the sum."""
        key = self._checked(key)
        check_whole(by=by, initial=initial)
        absent = self._entry(initial + by, ttl)
        return self.store.increment(key, by, Entry(initial + by, -_FOREVER) if absent is None else absent)

    def touch(self, key: Key, ttl: Duration | None = None) -> bool:
        """Let ``key`` live for ``ttl`` from now on, ``None`` being the default; True if it was there."""
        key = self._checked(key)
        life = self.store.default_life if ttl is None else seconds(ttl)
        return self.store.prolong(key, life) if life > 0 else self.delete(key)

    def _entry(self, value: Any, ttl: Duration | None, tags: tuple[str, ...] = (), cost: Any = None) -> Entry | None:
        """Return the entry of ``value``, which begins now; ``None`` when it would be over at once."""
        life = self.store.default_life if ttl is None else seconds(ttl)
        if life <= 0:
            return None
        end = life if life == _FOREVER else self.store.read_clock() + life
        return tuple.__new__(Entry, (value, end, _FOREVER, -_FOREVER, tags, cost))  # in half the time of Entry()

    # Removing

    def delete(self, key: Key) -> bool:
        """Remove ``key``; True if it was there."""
        key = self._checked(key)
        was_there = self.store.remove(key)
        if was_there:
            self._counters.count("deletes")
            self._report(Invalidated(self.name, "delete", key))
        return was_there

    def delete_many(self, keys: Iterable[str]) -> int:
        """Remove ``keys`` at once; return how many were there. A bad key removes none."""
        self.check_open()
        wanted = exact_keys(keys)
        count = self.store.remove_many(wanted)
        self._counters.count("deletes", count)
        for key in wanted if self._listeners else ():
            self._report(Invalidated(self.name, "delete", key))
        return count

    def delete_pattern(self, pattern: Key) -> int:
        """Remove every key that matches the glob ``pattern``, stale ones too; return how many live ones there were.

        Every load that is under way, of whatever key, is then not stored.
        """
        matches = self.matcher(pattern)
        count = self.store.remove_matching(matches)
        self._counters.count("deletes", count)
        self._report(Invalidated(self.name, "pattern", pattern))
        return count

    def clear(self) -> bool:
        """Remove every entry; True, also when there was none."""
        self.check_open()
        self._counters.count("deletes", self.store.clear())
        self._report(Invalidated(self.name, "clear", ""))
        return True

    def invalidate_tags(self, *tags: str) -> None:
        """Make every entry that carries one of ``tags`` unreadable, in a time that does not depend on their number."""
        checked = exact_tags(tags)
        self.check_open()
        self.store.hit_tags(checked)
        for tag in checked:
            self._report(Invalidated(self.name, "tag", tag))

    def cleanup_expired(self) -> int:
        """Remove what is expired or dead by a tag, and what a crash left behind; return how many entries that were."""
        self.check_open()
        return self.store.sweep()

    # Numbers and events

    @property
    def stats(self) -> CacheStats:
        """The numbers of this object, live. Called, it returns itself."""
        return self._stats

    def hottest_keys(self, n: Count) -> list[tuple[str, int]]:
        """Return the ``n`` keys most read through this object, each with about how often it was read."""
        return self._uses.hottest(n)

    def forget_hits(self) -> None:
        """Let the counts behind ``hottest_keys`` begin again."""
        self._uses.reset()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` with each event of this object from now on; return a function that ends it."""
        end = listening(listener, self._unsubscribe)
        self.check_open()
        self._listeners = (*self._listeners, listener)
        return end

    def _unsubscribe(self, listener: Listener) -> None:
        kept = list(self._listeners)
        if listener in kept:
            kept.remove(listener)
        self._listeners = tuple(kept)

    def _report(self, event: Event) -> None:
        notify(self._listeners, event)

    # What the store reports (``ports.store.Observer``)

    def stored(self, key: Key) -> None:
        """Count a value that was written."""
        self._counters.count("writes")
        if self._listeners:
            self._report(Stored(self.name, key))

    def evicted(self, key: Key, cause: Cause) -> None:
        """Count an entry that left."""
        self._counters.count("evictions")
        self._report(Evicted(self.name, key, cause))

    def expired(self, key: Key) -> None:
        """Count an entry whose time is over."""
        self._counters.count("expirations")
        self._report(Expired(self.name, key))

    def removed(self, count: Count) -> None:
        """Count entries that were dead by a tag."""
        self._counters.count("deletes", count)

    def unreadable(self, key: Key, reason: Key) -> None:
        """Report what cannot be read; say once what to do about another's signature."""
        if reason == "secret" and not self._is_warned:
            import logging  # noqa: PLC0415 - loaded only when something is wrong

            self._is_warned = True
            logging.getLogger("cachery").warning(_FOREIGN_SIGNATURE, self)
        self._report(Unreadable(self.name, key, reason))

    # Loading and closing

    def build_engine(self) -> BlockingEngine:
        """Return a new engine that loads through this cache."""
        from cachery.loading import blocking_engine  # noqa: PLC0415 - loaded when something is loaded first
        from cachery.statistics.recorder import Recorder  # noqa: PLC0415

        recorder = Recorder(self._counters, self.name, lambda: self._listeners, note_use=self._note_use)
        return blocking_engine(self.store, recorder)

    def _note_use(self, key: Key) -> None:
        self._uses.note(key)
        self.store.note_use(key)

    def check_open(self) -> None:
        """Raise ``CacheClosedError`` on a closed cache."""
        if self._is_closed:
            raise CacheClosedError("the cache was closed", cache_name=self.name)

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

    def _checked(self, key: Key) -> str:
        """Return ``key`` as plain text, if the cache is open."""
        if self._is_closed:
            self.check_open()
        return key if type(key) is str else exact_key(key)
