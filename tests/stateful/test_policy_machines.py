"""Each policy against a model that is slow and plain: who leaves, and when."""

from __future__ import annotations

from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from cachery import InMemoryCache
from cachery.events import Event, Evicted
from cachery.testing import FakeClock, check_invariants

KEYS = st.sampled_from([f"key {number}" for number in range(8)])


class PolicyMachine(RuleBasedStateMachine):
    """A full cache; the model is told of every use and asked who may leave."""

    policy: ClassVar[str]

    @initialize(max_size=st.integers(1, 5))
    def begin(self, max_size: int) -> None:
        self.clock = FakeClock()
        self.max_size = max_size
        self.cache = InMemoryCache(max_size, policy=self.policy, clock=self.clock)
        self.evicted: list[str] = []
        self.cache.subscribe(self.note)
        self.uses: dict[str, int] = {}  # in the order of last use
        self.births: dict[str, None] = {}  # in the order of arrival
        self.ends: dict[str, float] = {}

    def note(self, event: Event) -> None:
        if isinstance(event, Evicted):
            self.evicted.append(event.key)

    def may_leave(self) -> set[str]:
        """Return the keys of which the policy must choose one."""
        raise NotImplementedError

    def use(self, key: str) -> None:
        self.uses[key] = self.uses.pop(key, 0) + 1

    def note_end(self, key: str, ttl: float) -> None:
        self.ends.pop(key, None)
        self.ends[key] = self.clock() + ttl

    def forget(self, key: str) -> None:
        for record in (self.uses, self.births, self.ends):
            record.pop(key, None)

    @rule(key=KEYS, ttl=st.integers(1000, 1003))
    def set(self, key: str, ttl: int) -> None:
        self.evicted.clear()
        needs_room = key not in self.uses and len(self.uses) == self.max_size
        candidates = self.may_leave() if needs_room else set()
        self.cache.set(key, 0, ttl)
        assert len(self.evicted) == needs_room
        if needs_room:
            assert self.evicted[0] in candidates
            self.forget(self.evicted[0])
        self.use(key)
        self.births.setdefault(key)
        self.note_end(key, ttl)

    @rule(key=KEYS)
    def get(self, key: str) -> None:
        if self.cache.get(key) is not None:
            self.use(key)

    @rule(key=KEYS)
    def delete(self, key: str) -> None:
        self.cache.delete(key)
        self.forget(key)

    @rule(key=KEYS, ttl=st.integers(1000, 1003))
    def touch(self, key: str, ttl: int) -> None:
        if self.cache.touch(key, ttl):
            self.use(key)
            self.note_end(key, ttl)

    @rule()
    def wait(self) -> None:
        self.clock.advance(0.001)

    @invariant()
    def agrees(self) -> None:
        if hasattr(self, "cache"):
            check_invariants(self.cache)
            assert set(self.cache.keys()) == set(self.uses)


class LruMachine(PolicyMachine):
    policy = "lru"

    def may_leave(self) -> set[str]:
        return {next(iter(self.uses))}


class FifoMachine(PolicyMachine):
    policy = "fifo"

    def may_leave(self) -> set[str]:
        return {next(iter(self.births))}


class LfuMachine(PolicyMachine):
    policy = "lfu"

    def may_leave(self) -> set[str]:
        return {min(self.uses, key=self.uses.__getitem__)}  # of equals the first, the one unused for longest


class TtlMachine(PolicyMachine):
    policy = "ttl"

    def may_leave(self) -> set[str]:
        return {min(self.ends, key=self.ends.__getitem__)}  # of equals the first, the one written first


class TinyLfuMachine(PolicyMachine):
    """Who leaves, the sketch decides among the last of two segments: anybody may. That all agree is what is asked."""

    policy = "tinylfu"

    def may_leave(self) -> set[str]:
        return set(self.uses)


TestLru = LruMachine.TestCase
TestFifo = FifoMachine.TestCase
TestLfu = LfuMachine.TestCase
TestTtl = TtlMachine.TestCase
TestTinyLfu = TinyLfuMachine.TestCase
