"""``NamespacedCache``: a part of a cache that looks like a whole one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from cachery.cache import Cache
from cachery.events import Event, Listener, check_listener
from cachery.exceptions import CacheClosedError, CacheValueError
from cachery.keys.namespace import Namespace
from cachery.keys.text import exact_key, exact_keys
from cachery.model.durations import Duration
from cachery.model.keys import Count, Key
from cachery.model.sentinels import MISSING
from cachery.statistics.counters import Counters
from cachery.statistics.stats import CacheStats, PartStats

if TYPE_CHECKING:  # loaded when something is loaded through a cache for the first time
    from cachery.loading import BlockingEngine

__all__ = ["NamespacedCache"]


class NamespacedCache(Cache):
    """The entries of ``cache`` whose key begins with ``namespace:``, under what follows.

    Keys and tags of different namespaces never meet. A colon, a glob character or a percent sign in ``namespace`` is
    written as ``%3A`` and the like, so ``"a:b"`` is not ``"b"`` inside ``"a"``. Namespaces nest by concatenation.

    ``stats`` counts the requests, writes and deletes made through this object; the size is that of the namespace, while
    ``max_size``, evictions and expirations are those of the cache beneath, which all its namespaces share.

    Closing it leaves the cache beneath open.

    >>> from cachery import InMemoryCache
    >>> base = InMemoryCache()
    >>> llm, rag = NamespacedCache(base, "llm"), NamespacedCache(base, "rag")
    >>> llm.set("query", 1) and rag.set("query", 2)
    True
    >>> sorted(base.keys())
    ['llm:query', 'rag:query']
    >>> llm.clear(), list(base.keys())
    (True, ['rag:query'])
    """

    def __init__(self, cache: Cache, namespace: Key) -> None:
        if not isinstance(cache, Cache):
            raise CacheValueError(f"cache is a Cache, not {type(cache).__name__}")
        self.cache = cache
        self.namespace = namespace
        self._space = Namespace(namespace)
        self._prefix = self._space.prefix
        self._is_closed = False
        self._counters = Counters(getattr(cache, "clock", None))
        self._get, self._hit = cache.get, self._counters.hit  # looked up once: a get is to cost little more than theirs
        self._stats = PartStats.within(cache.stats, self._counters, self)

    @property
    def max_size(self) -> int | None:
        """The bound of the cache beneath, in entries; ``None`` when it has none."""
        return self.cache.stats.max_size or None

    def __repr__(self) -> str:
        return f"<NamespacedCache {self.namespace!r} of {self.cache!r}>"

    def get(self, key: Key, default: Any = None) -> Any:
        """Return the value of ``key``, or ``default`` when it is absent or expired."""
        if type(key) is not str or self._is_closed:
            key = self._checked(key)
        value = self._get(self._prefix + key, MISSING)
        if value is MISSING:
            self._counters.miss()
            return default
        self._hit()
        return value

    def peek(self, key: Key) -> Any:
        """Return the value of ``key`` if it is fresh and no refresh is due, else ``MISSING``."""
        value = self.cache.peek(self.stored(key))
        if value is not MISSING:
            self._counters.hit()
        return value

    def glance(self, key: Key) -> Any:
        """Return the value of ``key`` if it is fresh and at hand in memory, else ``MISSING``.

        Of a part of a cache that has this: one over a store that may have to wait.
        """
        beneath: Any = self.cache
        value = beneath.glance(self.stored(key))
        if value is not MISSING:
            self._counters.hit()
        return value

    def build_engine(self) -> BlockingEngine:
        """Return the engine of the cache beneath, for the keys and tags of this namespace."""
        return self.cache.engine.within(self._prefix, self._counters)

    def get_many(self, keys: Iterable[str]) -> dict[str, Any]:
        """Return the values of those of ``keys`` that are there, as the cache beneath finds them together."""
        stored = self.stored_many(keys)
        return self.answered(stored, self.cache.get_many(stored.values()))

    def set_many(self, mapping: Mapping[str, Any], ttl: Duration | None = None) -> bool:
        """Store every value of ``mapping``, as the cache beneath does."""
        stored = self.stored_values(mapping)
        return self.wrote_all(self.cache.set_many(stored, ttl), len(stored))

    def delete_many(self, keys: Iterable[str]) -> int:
        """Remove ``keys``, as the cache beneath does; return how many were there."""
        return self.deleted(self.cache.delete_many(self.stored_many(keys).values()))

    def set(  # noqa: PLR0913 - what may be said of an entry, all by name
        self,
        key: Key,
        value: Any,
        ttl: Duration | None = None,
        *,
        tags: Iterable[str] = (),
        cost: Any = None,
        depends_on: Iterable[Any] = (),
        idle_ttl: Duration | None = None,
    ) -> bool:
        """Store ``value``, as the cache beneath does; ``idle_ttl`` is for one in memory."""
        own = () if tags == () else self.stored_tags(tags)
        sources = () if depends_on == () else self.stored_sources(depends_on)
        more: dict[str, Any] = {} if idle_ttl is None else {"idle_ttl": idle_ttl}
        return self.wrote(self.cache.set(self.stored(key), value, ttl, tags=own, cost=cost, depends_on=sources, **more))

    def add(self, key: Key, value: Any, ttl: Duration | None = None) -> bool:
        """Store ``value`` only if ``key`` is absent, in one step; True when stored."""
        return self.wrote(self.cache.add(self.stored(key), value, ttl))

    def delete(self, key: Key) -> bool:
        """Remove ``key``; True if it was there."""
        return bool(self.deleted(int(self.cache.delete(self.stored(key)))))

    def exists(self, key: Key) -> bool:
        """Tell whether ``key`` is there. Neither recency nor counters change."""
        return self.cache.exists(self.stored(key))

    def clear(self) -> bool:
        """Remove every entry of this namespace; True, also when there was none."""
        self.delete_pattern("*")
        return True

    def incr(self, key: Key, by: Count = 1, *, initial: Count = 0, ttl: Duration | None = None) -> int:
        """Add ``by`` to the whole number under ``key``, in one step, and return the sum."""
        total = self.cache.incr(self.stored(key), by, initial=initial, ttl=ttl)
        self.wrote(True)
        return total

    def touch(self, key: Key, ttl: Duration | None = None) -> bool:
        """Let ``key`` live for ``ttl`` from now on; True if it was there."""
        return self.cache.touch(self.stored(key), ttl)

    def ttl(self, key: Key) -> float | None:
        """Return the seconds that ``key`` has left: ``None`` when it is absent, ``inf`` when it never expires."""
        return self.cache.ttl(self.stored(key))

    def keys(self, pattern: Key = "*") -> Iterator[str]:
        """Return an iterator over the live keys of this namespace that match the glob ``pattern``."""
        own = self.own
        return (own(key) for key in self.cache.keys(self.stored_pattern(pattern)))

    def __len__(self) -> int:
        """Return how many live entries this namespace has, by counting them."""
        return sum(1 for _ in self.keys())

    def delete_pattern(self, pattern: Key) -> int:
        """Remove every key of this namespace that matches the glob ``pattern``; return how many there were."""
        return self.deleted(self.cache.delete_pattern(self.stored_pattern(pattern)))

    def invalidate_tags(self, *tags: str) -> None:
        """Make every entry of this namespace that carries one of ``tags`` unreadable."""
        self.cache.invalidate_tags(*self.stored_tags(tags))

    def cleanup_expired(self) -> int:
        """Sweep the cache beneath, all of it; return how many entries went."""
        self.check_open()
        return self.cache.cleanup_expired()

    @property
    def stats(self) -> CacheStats:
        """The numbers of this namespace; see the class for what is shared."""
        return self._stats

    def hottest_keys(self, n: Count) -> list[tuple[str, int]]:
        """Return the ``n`` most read keys of this namespace, each with how often it was read."""
        return self._space.hottest(self.cache.stats.hottest_keys(len(self.cache)), n)

    def forget_hits(self) -> None:
        """Do nothing: what each key counts belongs to the cache beneath."""

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` with each event of this namespace, its keys and tags without the prefix.

        The clearing of the cache beneath is reported too. Returns a function that ends it.
        """
        check_listener(listener)
        self.check_open()

        def hear(event: Event) -> None:
            own = self._space.event(event)
            if own is not None:
                listener(own)

        return self.cache.subscribe(hear)

    def close(self) -> None:
        """Refuse every verb from now on. The cache beneath stays open, with all its entries."""
        self._is_closed = True

    def check_open(self) -> None:
        """Raise ``CacheClosedError`` when this namespace was closed."""
        if self._is_closed:
            raise CacheClosedError("the namespace was closed", cache_name=self.namespace)

    # Between the keys of this namespace and those of the cache beneath, and what is counted here

    def stored(self, key: Key) -> str:
        """Return ``key`` as the cache beneath knows it."""
        return self._prefix + self._checked(key)

    def stored_many(self, keys: Iterable[str]) -> dict[str, str]:
        """Return ``keys``, each with what the cache beneath knows it by."""
        self.check_open()
        return {key: self._prefix + key for key in exact_keys(keys)}

    def stored_values(self, mapping: Mapping[str, Any]) -> dict[str, Any]:
        """Return ``mapping`` with the keys that the cache beneath knows."""
        if not isinstance(mapping, Mapping):
            raise CacheValueError(f"mapping maps keys to values; {type(mapping).__name__} does not")
        self.check_open()
        return {self._prefix + exact_key(key): value for key, value in mapping.items()}

    def own(self, stored: Key) -> str:
        """Return a key of the cache beneath as this namespace knows it."""
        return self._space.own(stored)

    def answered(self, stored: Mapping[str, str], found: Mapping[str, Any]) -> dict[str, Any]:
        """Count what was ``found`` of ``stored``; return it under the keys of this namespace."""
        own = {key: found[beneath] for key, beneath in stored.items() if beneath in found}
        for key in stored:
            self._counters.hit() if key in own else self._counters.miss()
        return own

    def counted(self, value: Any, default: Any) -> Any:
        """Count ``value`` as a hit and return it, or ``MISSING`` as a miss and return ``default``."""
        if value is MISSING:
            self._counters.miss()
            return default
        self._counters.hit()
        return value

    def wrote(self, is_stored: bool) -> bool:  # noqa: FBT001 - what a verb returned
        """Count a write if there was one."""
        self._counters.count("writes", int(is_stored))
        return is_stored

    def wrote_all(self, is_stored: bool, count: Count) -> bool:  # noqa: FBT001 - what a verb returned
        """Count ``count`` writes if all were stored."""
        self._counters.count("writes", count if is_stored else 0)
        return is_stored

    def deleted(self, count: Count) -> int:
        """Count ``count`` entries as deleted."""
        self._counters.count("deletes", count)
        return count

    def _checked(self, key: Key) -> str:
        """Return ``key`` as plain text, if this namespace is open."""
        self.check_open()
        return exact_key(key)

    def stored_tags(self, tags: Iterable[str]) -> tuple[str, ...]:
        """Return ``tags`` as the cache beneath knows them."""
        self.check_open()
        return self._space.tags(tags)

    def stored_sources(self, depends_on: Iterable[Any]) -> tuple[Any, ...]:
        """Return the sources in ``depends_on`` as the cache beneath knows them."""
        from cachery.sources.source import exact_sources  # noqa: PLC0415 - loaded when something depends on something

        return tuple(source.within(self._prefix) for source in exact_sources(depends_on))

    def stored_pattern(self, pattern: Key) -> str:
        """Return the glob that matches in the cache beneath what ``pattern`` matches here."""
        self.check_open()
        return self._space.pattern(pattern)
