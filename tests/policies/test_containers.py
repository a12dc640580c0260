"""The containers for use on their own."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from datetime import timedelta
from typing import Any, ClassVar

import pytest

from cachery.exceptions import CacheValueError
from cachery.policies import EvictionPolicy, FIFOPolicy, LFUPolicy, LRUPolicy, TTLPolicy, create_policy
from cachery.testing import FakeClock

KINDS: list[type[Any]] = [LRUPolicy, LFUPolicy, FIFOPolicy, TTLPolicy]


@pytest.fixture(params=KINDS)
def container(request: pytest.FixtureRequest) -> EvictionPolicy:
    made: EvictionPolicy = request.param(3, clock=FakeClock())
    return made


def test_putting_getting_removing(container: EvictionPolicy) -> None:
    container.put("a", 1)
    container.put("a", 2)
    assert container.get("a") == 2
    assert container.get("b") is None
    assert container.contains("a")
    assert container.size() == 1
    assert container.remove("a") == 2
    assert container.remove("a") is None
    assert not container.contains("a")


def test_any_hashable_is_a_key_and_none_a_value(container: EvictionPolicy) -> None:
    keys: list[Hashable] = [("tuple", 1), 7, None]
    for key in keys:
        container.put(key, None)
    assert all(container.contains(key) for key in keys)
    assert container.size() == 3
    container.clear()
    assert container.size() == 0
    assert container.audit() == []


def test_the_bound_holds(container: EvictionPolicy) -> None:
    for number in range(10):
        container.put(number, number)
        assert container.size() <= 3
    assert container.audit() == []


def test_entries_expire(container: EvictionPolicy) -> None:
    clock = container.clock
    assert isinstance(clock, FakeClock)
    container.put("a", 1, ttl=timedelta(seconds=10))
    container.put("b", 1, ttl=timedelta(seconds=20))
    clock.advance(10)
    assert container.size() == 1
    assert container.get("a") is None
    container.put("b", 2, ttl=timedelta(seconds=20))
    clock.advance(19)
    assert container.get("b") == 2
    container.put("b", 3, ttl=timedelta(0))
    assert not container.contains("b")


def test_asking_for_presence_changes_nothing() -> None:
    recent = LRUPolicy(2)
    recent.put("a", 1)
    recent.put("b", 2)
    assert recent.contains("a")
    recent.put("c", 3)
    assert not recent.contains("a")


def test_lru_evicts_the_one_unused_for_longest() -> None:
    recent = LRUPolicy(2)
    recent.put("a", 1)
    recent.put("b", 2)
    recent.get("a")
    recent.put("c", 3)
    assert [recent.contains(key) for key in "abc"] == [True, False, True]


def test_lfu_evicts_the_one_used_least() -> None:
    frequent = LFUPolicy(2)
    frequent.put("read once", 1)
    frequent.get("read once")
    frequent.put("never read", 2)
    frequent.put("new", 3)
    assert frequent.contains("read once")
    assert not frequent.contains("never read")


def test_fifo_evicts_the_first_that_came() -> None:
    queue = FIFOPolicy(2)
    queue.put("a", 1)
    queue.put("b", 2)
    queue.get("a")
    queue.put("a", 10)
    queue.put("c", 3)
    assert not queue.contains("a")


def test_ttl_evicts_the_one_that_expires_soonest() -> None:
    by_end = TTLPolicy(2, clock=FakeClock())
    by_end.put("late", 1, ttl=timedelta(hours=2))
    by_end.put("soon", 2, ttl=timedelta(minutes=1))
    by_end.put("default", 3)
    assert not by_end.contains("soon")
    assert by_end.contains("late")


def test_ttl_has_an_hour_by_default() -> None:
    clock = FakeClock()
    by_end = TTLPolicy(2, clock=clock)
    by_end.put("a", 1)
    clock.advance(3599)
    assert by_end.contains("a")
    clock.advance(1)
    assert by_end.size() == 0


@pytest.mark.parametrize("name", ["lru", "LFU", "Fifo", "ttl"])
def test_a_policy_by_its_name(name: str) -> None:
    assert type(create_policy(name, max_size=5)).__name__ == f"{name.upper()}Policy"


def test_options_reach_the_container() -> None:
    clock = FakeClock()
    by_end = create_policy("ttl", 5, default_ttl=timedelta(seconds=5), clock=clock)
    by_end.put("a", 1)
    clock.advance(5)
    assert by_end.get("a") is None


@pytest.mark.parametrize("name", ["", "mru", None, 5])
def test_an_unknown_policy_is_refused_with_the_list(name: str) -> None:
    with pytest.raises(ValueError, match=r"Unknown policy: .*fifo, lfu, lru, tinylfu, ttl"):
        create_policy(name, 5)


@pytest.mark.parametrize("max_size", [0, -1, True, 1.5, "5", None])
def test_a_container_has_a_bound(max_size: int) -> None:
    for kind in KINDS:
        with pytest.raises(CacheValueError):
            kind(max_size)


class Grudging:
    """A key whose comparison uses the container it is in."""

    comparisons: ClassVar[int] = 0

    def __init__(self, name: str, container: EvictionPolicy) -> None:
        self.name = name
        self.container = container

    def __hash__(self) -> int:
        return 7  # all meet in one slot

    def __eq__(self, other: object) -> bool:
        Grudging.comparisons += 1
        if Grudging.comparisons % 5 == 0:  # a dictionary that changes at every comparison would look for ever
            self.container.put("intruder", self.name)
            self.container.remove(3)
        return isinstance(other, Grudging) and self.name == other.name


@pytest.mark.parametrize("kind", KINDS)
def test_keys_that_call_back_while_they_are_compared_break_nothing(kind: type[Any]) -> None:
    container = kind(3)
    for turn in range(30):
        container.put(Grudging(str(turn % 5), container), turn)
        container.get(Grudging(str(turn % 3), container))
        container.put(turn % 4, turn)
        container.remove(Grudging(str(turn % 2), container))
        assert container.audit() == []


class Unequal:
    """A key that fails when it is compared."""

    def __hash__(self) -> int:
        return 7

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("these two cannot be compared")


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_that_fails_to_compare_leaves_all_as_it_was(kind: type[Any]) -> None:
    container = kind(2)
    first = Unequal()
    container.put(first, 1)
    attempts: list[Callable[[], object]] = [lambda: container.put(Unequal(), 2), lambda: container.get(Unequal())]
    for attempt in attempts:
        with pytest.raises(RuntimeError, match="cannot be compared"):
            attempt()
    assert container.size() == 1
    assert container.get(first) == 1
    assert container.audit() == []
    with pytest.raises(TypeError):
        container.put([], 1)


class Restless:
    """A key whose hash is another one each time."""

    hashes: ClassVar[int] = 0

    def __hash__(self) -> int:
        Restless.hashes += 1
        return Restless.hashes


@pytest.mark.parametrize("kind", KINDS)
def test_keys_that_change_their_hash_leave_in_their_turn(kind: type[Any]) -> None:
    container = kind(3)
    for turn in range(20):
        container.put(Restless(), turn)
        assert container.size() <= 3
    container.put("plain", 1)
    assert container.get("plain") == 1
    container.clear()
    assert container.size() == 0
    assert container.audit() == []
