"""Caches against a plain dictionary: whatever the order of calls, the two agree."""

from __future__ import annotations

import math
from fnmatch import fnmatchcase
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from cachery import MISSING, Cache, InMemoryCache
from cachery.model.entry import Entry
from cachery.policies import POLICIES
from cachery.testing import FakeClock, check_invariants

KEYS = st.sampled_from(["a", "b", "c", "user:1", "user:2", "", "[x]"])
TAGS = st.lists(st.sampled_from(["red", "green", "blue"]), max_size=2, unique=True)
TTLS = st.sampled_from([None, 0, -1, 1, 2.5, "5s", 10, math.inf])
VALUES = st.one_of(st.none(), st.integers(-5, 5), st.text(max_size=2))


class CacheMachine(RuleBasedStateMachine):
    """Every verb, at any time; a cache without pressure, so that nothing is evicted."""

    @initialize(policy=st.sampled_from(POLICIES), default_ttl=st.sampled_from([None, 3, 100]))
    def begin(self, policy: str, default_ttl: float | None) -> None:
        self.clock = FakeClock()
        self.cache = self.make_cache(policy, default_ttl)
        self.default = math.inf if default_ttl is None else default_ttl
        self.model: dict[str, tuple[Any, float, frozenset[str]]] = {}
        self.hits = self.misses = 0

    def make_cache(self, policy: str, default_ttl: float | None) -> Cache:
        return InMemoryCache(100, default_ttl, policy=policy, clock=self.clock)

    def write(self, key: str, entry: Entry) -> bool:
        return self.cache.write_entry(key, entry)  # type: ignore[attr-defined, no-any-return]

    def live(self) -> dict[str, Any]:
        self.model = {key: entry for key, entry in self.model.items() if entry[1] > self.clock()}
        return {key: entry[0] for key, entry in self.model.items()}

    def life(self, ttl: float | str | None) -> float:
        return self.default if ttl is None else 5.0 if isinstance(ttl, str) else float(ttl)

    @rule(key=KEYS, value=VALUES, ttl=TTLS, tags=TAGS)
    def set(self, key: str, value: Any, ttl: float | str | None, tags: list[str]) -> None:
        life = self.life(ttl)
        assert self.cache.set(key, value, ttl, tags=tags) is (life > 0)
        self.model.pop(key, None)
        if life > 0:
            self.model[key] = (value, self.clock() + life, frozenset(tags))

    @rule(key=KEYS, value=VALUES, ttl=TTLS)
    def add(self, key: str, value: Any, ttl: float | str | None) -> None:
        life = self.life(ttl)
        is_new = key not in self.live() and life > 0
        assert self.cache.add(key, value, ttl) is is_new
        if is_new:
            self.model[key] = (value, self.clock() + life, frozenset())

    @rule(key=KEYS)
    def get(self, key: str) -> None:
        expected = self.live().get(key, MISSING)
        assert self.cache.get(key, MISSING) == expected
        self.hits += expected is not MISSING
        self.misses += expected is MISSING

    @rule(key=KEYS)
    def delete(self, key: str) -> None:
        assert self.cache.delete(key) is (key in self.live())
        self.model.pop(key, None)

    @rule(key=KEYS, by=st.integers(-3, 3), initial=st.integers(-3, 3), ttl=TTLS)
    def incr(self, key: str, by: int, initial: int, ttl: float | str | None) -> None:
        known = self.live().get(key, MISSING)
        if known is not MISSING and type(known) is not int:
            return
        expected = by + (initial if known is MISSING else known)
        assert self.cache.incr(key, by, initial=initial, ttl=ttl) == expected
        if known is not MISSING:
            self.model[key] = (expected, *self.model[key][1:])
        elif self.life(ttl) > 0:
            self.model[key] = (expected, self.clock() + self.life(ttl), frozenset())

    @rule(key=KEYS, ttl=TTLS)
    def touch(self, key: str, ttl: float | str | None) -> None:
        was_there = key in self.live()
        assert self.cache.touch(key, ttl) is was_there
        if was_there:
            value, _, tags = self.model.pop(key)
            if self.life(ttl) > 0:
                self.model[key] = (value, self.clock() + self.life(ttl), tags)

    @rule(tag=st.sampled_from(["red", "green", "blue"]))
    def invalidate(self, tag: str) -> None:
        self.cache.invalidate_tags(tag)
        self.model = {key: entry for key, entry in self.model.items() if tag not in entry[2]}

    @rule(pattern=st.sampled_from(["*", "user:*", "?", "[ab]", "[[]x]", "none"]))
    def delete_pattern(self, pattern: str) -> None:
        matching = [key for key in self.live() if fnmatchcase(key, pattern)]
        assert sorted(self.cache.keys(pattern)) == sorted(matching)
        assert self.cache.delete_pattern(pattern) == len(matching)
        for key in matching:
            del self.model[key]

    @rule()
    def clear(self) -> None:
        self.cache.clear()
        self.model.clear()

    @rule(key=KEYS, value=VALUES, fresh=st.integers(1, 5), stale=st.integers(0, 9))
    def write_entry(self, key: str, value: Any, fresh: int, stale: int) -> None:
        now = self.clock()
        assert self.write(key, Entry(value, now + fresh, now + fresh / 2, now + fresh + stale))
        self.model[key] = (value, now + fresh, frozenset())

    @rule(seconds=st.sampled_from([0.5, 1, 3, 10]))
    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule()
    def sweep(self) -> None:
        self.cache.cleanup_expired()

    @invariant()
    def agrees(self) -> None:
        if not hasattr(self, "cache"):
            return
        check_invariants(self.cache)
        live = self.live()
        assert set(self.cache.keys()) == set(live)
        assert all(self.cache.exists(key) for key in live)
        for key, (_, end, _) in self.model.items():
            assert self.cache.ttl(key) == end - self.clock()
        assert (self.cache.stats.hits, self.cache.stats.misses) == (self.hits, self.misses)

    @rule()
    def count(self) -> None:
        self.cache.cleanup_expired()
        assert len(self.cache) == len(self.live())


TestCacheMachine = CacheMachine.TestCase
