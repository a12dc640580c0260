"""``InvalidationManager``: a cache of its own, or another one, with tags, patterns, versions and a policy."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from cachery.cache import Cache
from cachery.events import Event, Invalidated
from cachery.exceptions import CacheValueError
from cachery.in_memory import InMemoryCache
from cachery.invalidation.policies import CacheEntry, InvalidationPolicy, InvalidationStrategy, TTLPolicy
from cachery.keys.text import exact_key, exact_tags
from cachery.locks import make_lock
from cachery.model.durations import Duration
from cachery.policies.table import capacity_of
from cachery.ports.clock import Clock, monotonic

__all__ = ["InvalidationManager"]


class InvalidationManager:
    """Keeps entries, and lets go of them by key, tag, pattern, version, or by ``policy``.

    ``policy``: ``TTLPolicy(300)`` if not given; of ``LRUPolicy``, ``LFUPolicy`` and ``FIFOPolicy`` the compiled
    counterparts are used, one of your own is asked. ``max_size``: the most entries, ``None`` for no bound. ``cache``:
    keep them in that one, which then has the say over size and policy. ``clock``: a function that returns seconds, for
    tests.

    What stands before the first colon of a key is its namespace; another version of that makes its entries misses. The
    versions are those of this object, and begin at 1.

    >>> manager = InvalidationManager()
    >>> manager.set("users:42", "Ada", tags={"people"})
    >>> manager.set("users:43", "Bob")
    >>> manager.invalidate_by_tag("people"), manager.get("users:42"), manager.get("users:43")
    (1, None, 'Bob')
    >>> manager.increment_version("users"), manager.get("users:43")
    (2, None)
    """

    def __init__(
        self,
        policy: InvalidationPolicy | None = None,
        max_size: int | None = 1000,
        *,
        cache: Cache | None = None,
        clock: Clock | None = None,
    ) -> None:
        if policy is not None and not isinstance(policy, InvalidationPolicy):
            raise CacheValueError(f"policy is an InvalidationPolicy, not {policy!r}")
        if cache is not None and not isinstance(cache, Cache):
            raise CacheValueError(f"cache is a blocking cache of cachery, not {cache!r}")
        self.policy = TTLPolicy() if policy is None else policy
        self.max_size = max_size
        self.cache = _cache_for(self.policy, max_size, clock) if cache is None else cache
        self._own = _Chosen(self.policy, self.cache, max_size, clock) if self.policy.strategy is None else None
        self._versions: dict[str, int] = {}
        self._lock = make_lock()

    def set(self, key: str, value: Any, ttl: Duration | None = None, tags: Iterable[str] | None = None) -> None:
        """Store ``value``. ``ttl``: ``None`` for that of the policy, if it has one."""
        key, own = exact_key(key), exact_tags(() if tags is None else tags)
        victims = [] if self._own is None else self._own.victims(key)
        is_stored = self.cache.set(key, value, ttl, tags=(*own, _namespace_tag(key)))
        if self._own is not None:
            self._own.settle(key, value, own, victims, is_stored=is_stored)

    def get(self, key: str) -> Any:
        """Return the value of ``key``, or ``None``."""
        if self._own is not None and self._own.is_refused(exact_key(key)):
            self.cache.delete(key)
        return self.cache.get(key)

    def invalidate(self, key: str) -> bool:
        """Remove ``key``; True if it was there."""
        return self.cache.delete(key)

    def invalidate_by_tag(self, tag: str) -> int:
        """Remove every entry with ``tag``; return how many there were, which takes a look at all."""
        self.cache.cleanup_expired()
        self.cache.invalidate_tags(tag)
        return self.cache.cleanup_expired()

    def invalidate_by_pattern(self, pattern: str) -> list[str]:
        """Remove every key that matches the glob ``pattern``; return those there were."""
        keys = list(self.cache.keys(pattern))
        self.cache.delete_pattern(pattern)
        return keys

    def invalidate_all(self) -> int:
        """Remove everything; return how many entries there were."""
        count = len(self.cache)
        self.cache.clear()
        return count

    def set_version(self, namespace: str, version: int) -> None:
        """Give ``namespace`` a ``version``; when it is another one, all entries of it are misses from now on."""
        if type(version) is not int:
            raise CacheValueError(f"a version is an int, not {type(version).__name__}")
        tag = _namespace_tag(namespace)
        with self._lock:
            is_other = self._versions.get(namespace, 1) != version
            self._versions[namespace] = version
        if is_other:
            self.cache.invalidate_tags(tag)

    def get_version(self, namespace: str) -> int:
        """Return the version of ``namespace``, 1 if it was never set."""
        return self._versions.get(namespace, 1)

    def increment_version(self, namespace: str) -> int:
        """Give ``namespace`` the next version, which makes its entries misses; return that."""
        tag = _namespace_tag(namespace)
        with self._lock:
            version = self._versions[namespace] = self._versions.get(namespace, 1) + 1
        self.cache.invalidate_tags(tag)
        return version

    def on_invalidation(self, callback: Callable[[Invalidated], object]) -> Callable[[], None]:
        """Call ``callback`` with each invalidation from now on; return a function that ends it."""

        def hear(event: Event) -> None:
            if isinstance(event, Invalidated):
                callback(event)

        return self.cache.subscribe(hear)

    @property
    def size(self) -> int:
        """How many entries are live."""
        return len(self.cache)

    def stats(self) -> dict[str, Any]:
        """Return ``size``, ``max_size``, the policy, and the versions that were set."""
        return {
            "size": self.size,
            "max_size": self.max_size,
            "policy": type(self.policy).__name__,
            "namespaces": dict(self._versions),
        }


class _Chosen:
    """A policy of a user's own, and what it sees of each entry. It is asked while no lock is held."""

    def __init__(self, policy: InvalidationPolicy, cache: Cache, max_size: int | None, clock: Clock | None) -> None:
        self._policy = policy
        self._cache = cache
        self._capacity = capacity_of(max_size)
        self._clock = monotonic if clock is None else clock
        self._entries: dict[str, CacheEntry] = {}
        self._lock = make_lock()

    def victims(self, key: str) -> list[str]:
        """Return the keys of those who leave for ``key``, those that are gone by themselves not counted."""
        with self._lock:
            known = dict(self._entries)
        if not self._capacity or len(known) < self._capacity:
            return []
        here = {each: entry for each, entry in known.items() if each in self._cache and each != key}
        victims: list[str] = []
        while len(here) >= self._capacity:
            chosen = self._policy.select_for_eviction(dict(here))
            victims.append(chosen if chosen in here else next(iter(here)))
            del here[victims[-1]]
        return victims

    def settle(self, key: str, value: Any, tags: Iterable[str], victims: list[str], *, is_stored: bool) -> None:
        """Note that ``value`` was stored under ``key``, or that nothing is there, and let ``victims`` go."""
        if not is_stored:
            with self._lock:
                self._entries.pop(key, None)
            return
        left = self._cache.ttl(key)
        life = None if left is None or left == float("inf") else left
        with self._lock:
            for gone in (key, *victims):
                self._entries.pop(gone, None)
            self._entries[key] = CacheEntry(key, value, ttl_seconds=life, tags=set(tags), clock=self._clock)
            if self._capacity and len(self._entries) > 2 * self._capacity:  # most were invalidated
                self._entries = {each: entry for each, entry in self._entries.items() if each in self._cache}
        self._cache.delete_many(victims)

    def is_refused(self, key: str) -> bool:
        """Tell whether the policy lets ``key`` go; what it keeps was read."""
        entry = self._entries.get(key)
        if entry is None:
            return False
        if not self._policy.should_evict(entry):
            entry.touch()
            return False
        with self._lock:
            self._entries.pop(key, None)
        return True


def _cache_for(policy: InvalidationPolicy, max_size: int | None, clock: Clock | None) -> InMemoryCache:
    life = policy.default_ttl if isinstance(policy, TTLPolicy) else None
    strategy = InvalidationStrategy.LRU if policy.strategy is None else policy.strategy
    room = max_size
    if policy.strategy is None and capacity_of(max_size):
        room = capacity_of(max_size) + 1  # for the newcomer, until those whom the policy chose have left
    return InMemoryCache(room, life, policy=strategy.value, clock=clock)


def _namespace_tag(key: str) -> str:
    return "namespace:" + exact_key(key).partition(":")[0]
