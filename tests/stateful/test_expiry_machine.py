"""Expiry against a plain dictionary of ends: the wheel knows all who are over, and nobody else, whatever was done."""

from __future__ import annotations

import math
from typing import ClassVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from cachery import InMemoryCache
from cachery.events import Event, Evicted, Expired
from cachery.policies import LRUPolicy
from cachery.testing import FakeClock, check_invariants

MOST_EXPIRED = 16
KEYS = st.sampled_from([f"key {number}" for number in range(60)])
SPANS = st.one_of(
    st.floats(0.001, 2.0),
    st.floats(0.001, 0.05),
    st.sampled_from([1 / 64, 1 / 32, 1.0, 63.984375, 64.0, 64.015625, 4096.0, 262_144.0]),
    st.floats(2.0, 1e7),
    st.sampled_from([1e8, 1e9]),
)
"""Seconds: less than a tick, at the edges of slots and levels, and far beyond."""


class ExpiryMachine(RuleBasedStateMachine):
    """Entries with and without an end, an idle time, a stale time; time moves by anything."""

    policy: ClassVar[str] = "lru"

    @initialize(start=st.sampled_from([0.0, -5.5, 12.34, 1e6, 1.7e9]), max_size=st.sampled_from([5, 20, None]))
    def begin(self, start: float, max_size: int | None) -> None:
        self.clock = FakeClock(start)
        self.max_size = max_size
        self.cache = InMemoryCache(max_size, policy=self.policy, clock=self.clock)
        self.ends: dict[str, float] = {}
        self.idle: dict[str, tuple[float, float]] = {}  # idle time, and the end in any case
        self.ends_ever: set[float] = set()
        self.left: list[Evicted | Expired] = []
        self.cache.subscribe(self.note)

    def note(self, event: Event) -> None:
        if isinstance(event, Evicted | Expired):
            self.left.append(event)

    def live(self) -> set[str]:
        return {key for key, end in self.ends.items() if end > self.clock()}

    def settle(self, *, stored: str | None = None) -> None:
        """Compare what left at the last call with what may leave."""
        live = self.live()
        expired = [event.key for event in self.left if isinstance(event, Expired)]
        evicted = [event.key for event in self.left if isinstance(event, Evicted)]
        assert len(expired) <= MOST_EXPIRED
        assert live.isdisjoint(expired)
        assert len(evicted) <= 1
        if evicted:
            assert stored is not None
            assert live >= set(evicted), "nobody whose time is over is evicted"
            assert len(live) == self.max_size, "nobody is evicted while another's time is over"
        for key in (*expired, *evicted):
            del self.ends[key]
            self.idle.pop(key, None)
        self.left.clear()

    @rule(key=KEYS, ttl=st.none() | SPANS, idle_ttl=st.none() | SPANS)
    def set(self, key: str, ttl: float | None, idle_ttl: float | None) -> None:
        was_there = key in self.ends
        self.cache.set(key, 0, ttl, idle_ttl=idle_ttl)
        self.settle(stored=key)
        assert was_there or key not in self.ends
        end = math.inf if ttl is None else self.clock() + ttl
        self.idle.pop(key, None)
        if idle_ttl is not None:
            self.idle[key] = idle_ttl, end
            end = min(end, self.clock() + idle_ttl)
        self.ends[key] = end
        self.ends_ever.add(end)

    @rule(key=KEYS)
    def get(self, key: str) -> None:
        is_live = key in self.live()
        assert (self.cache.get(key) is not None) == is_live
        self.settle()
        if is_live and key in self.idle:
            idle, end = self.idle[key]
            self.ends[key] = max(self.ends[key], min(end, self.clock() + idle))  # to be read shortens no life

    @rule(key=KEYS, ttl=SPANS)
    def touch(self, key: str, ttl: float) -> None:
        is_live = key in self.live()
        assert self.cache.touch(key, ttl) == is_live
        self.settle()
        if is_live:
            self.ends[key] = self.clock() + ttl
            if key in self.idle:
                idle, _ = self.idle[key]
                self.idle[key] = idle, self.ends[key]
                self.ends[key] = min(self.ends[key], self.clock() + idle)

    @rule(key=KEYS, ttl=SPANS)
    def incr(self, key: str, ttl: float) -> None:
        is_live = key in self.live()
        self.cache.incr(key, ttl=ttl)
        self.settle(stored=key)
        if not is_live:
            self.ends[key] = self.clock() + ttl
            self.idle.pop(key, None)

    @rule(key=KEYS)
    def delete(self, key: str) -> None:
        assert self.cache.delete(key) == (key in self.live())
        self.settle()
        self.ends.pop(key, None)
        self.idle.pop(key, None)

    @rule()
    def sweep(self) -> None:
        dead = self.ends.keys() - self.live()
        assert self.cache.cleanup_expired() == len(dead)
        assert {event.key for event in self.left} == dead
        self.left.clear()
        self.ends = {key: end for key, end in self.ends.items() if key not in dead}
        self.idle = {key: idle for key, idle in self.idle.items() if key not in dead}

    @rule()
    def clear(self) -> None:
        self.cache.clear()
        self.left.clear()
        self.ends.clear()
        self.idle.clear()

    @rule(seconds=SPANS)
    def wait(self, seconds: float) -> None:
        self.clock.advance(min(seconds, 1e9))

    @rule(more=st.sampled_from([0.0, 1e-4, 0.005]))
    def wait_for_the_next(self, more: float) -> None:
        """Come into the very tick in which somebody is, or was to be, over: only then is each looked at."""
        now = self.clock()
        self.clock.advance(min([end - now for end in self.ends_ever if now < end < math.inf], default=0.0) + more)

    @rule(seconds=SPANS)
    def jump_back(self, seconds: float) -> None:
        """What no monotonic clock does. Those who were found to be over stay so, and nobody is over too late."""
        self.cache.cleanup_expired()
        self.left.clear()
        live = self.live()
        self.ends = {key: end for key, end in self.ends.items() if key in live}
        self.idle = {key: idle for key, idle in self.idle.items() if key in live}
        self.clock.jump(self.clock() - min(seconds, 1e6))

    @rule(key=KEYS)
    def look(self, key: str) -> None:
        left = self.cache.ttl(key)
        assert left == (self.ends[key] - self.clock() if key in self.live() else None)

    @invariant()
    def agrees(self) -> None:
        if hasattr(self, "cache"):
            assert len(self.cache) == len(self.live())
            assert set(self.cache.keys()) == self.live()
            assert not self.left, "to count and to look removes nobody"
            check_invariants(self.cache)


class TtlExpiryMachine(ExpiryMachine):
    policy = "ttl"


class TinyLfuExpiryMachine(ExpiryMachine):
    policy = "tinylfu"


class ContainerMachine(RuleBasedStateMachine):
    """The containers of ``cachery.policies`` stand on the same table."""

    @initialize(max_size=st.integers(1, 20))
    def begin(self, max_size: int) -> None:
        self.clock = FakeClock()
        self.max_size = max_size
        self.container = LRUPolicy(max_size, clock=self.clock)
        self.ends: dict[str, float] = {}

    @rule(key=KEYS, ttl=st.none() | SPANS)
    def put(self, key: str, ttl: float | None) -> None:
        before = {each for each, end in self.ends.items() if end > self.clock()} - {key}
        self.container.put(key, 0, ttl)
        self.ends[key] = math.inf if ttl is None else self.clock() + ttl
        lost = {each for each in before if not self.container.contains(each)}
        assert len(lost) == max(0, len(before) + 1 - self.max_size), "only a live one too many leaves"
        for each in lost:
            del self.ends[each]

    @rule(seconds=SPANS)
    def wait(self, seconds: float) -> None:
        self.clock.advance(min(seconds, 1e9))

    @invariant()
    def agrees(self) -> None:
        if hasattr(self, "container"):
            assert self.container.size() == sum(end > self.clock() for end in self.ends.values())
            assert not self.container.audit()


TestExpiry = ExpiryMachine.TestCase
TestTtlExpiry = TtlExpiryMachine.TestCase
TestTinyLfuExpiry = TinyLfuExpiryMachine.TestCase
TestContainers = ContainerMachine.TestCase
for case in (TestExpiry, TestTtlExpiry, TestTinyLfuExpiry, TestContainers):
    case.settings = settings(stateful_step_count=50)
del case
