"""Code of a user that runs inside a call, and calls back: nothing is ever seen half changed."""

from __future__ import annotations

import contextlib
import gc
import random
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from cachery import InMemoryCache
from cachery.events import Event
from cachery.exceptions import CacheClosedError, CacheValueError
from cachery.policies import POLICIES
from cachery.testing import FakeClock, check_invariants


class Finalized:
    """A value that uses the cache when it is let go."""

    def __init__(self, action: Callable[[], object]) -> None:
        self.action = action

    def __del__(self) -> None:
        self.action()


@pytest.fixture(params=POLICIES)
def policy(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def actions_on(cache: InMemoryCache, chance: random.Random) -> Callable[[], object]:
    """Return a function that does something to ``cache``, chosen by ``chance``."""

    def act() -> object:
        key = str(chance.randrange(12))
        verbs: list[Callable[[], object]] = [
            lambda: cache.set(key, 1),
            lambda: cache.set(key, 1, ttl=5, tags=["red"]),
            lambda: cache.get(key),
            lambda: cache.delete(key),
            lambda: cache.add(key, 2),
            lambda: cache.touch(key, 3),
            lambda: cache.invalidate_tags("red"),
            lambda: len(cache),
            lambda: list(cache.keys()),
        ]
        return chance.choice(verbs)()

    return act


def test_values_that_call_back_when_they_are_let_go(policy: str) -> None:
    cache = InMemoryCache(5, policy=policy)
    chance = random.Random(1)
    act = actions_on(cache, chance)
    for turn in range(300):
        cache.set(str(turn % 9), Finalized(act), ttl=chance.choice([None, 5]))
        act()
        if turn % 50 == 0:
            cache.clear()
        check_invariants(cache)
        assert len(cache) <= 5


@pytest.fixture
def eager_collector() -> Iterator[None]:
    """Let the garbage collector run at every chance it has."""
    before = gc.get_threshold()
    gc.set_threshold(1, 1, 1)
    yield
    gc.set_threshold(*before)


@pytest.mark.parametrize("action", ["clear", "close", "delete"])
def test_garbage_that_empties_the_cache_while_it_is_read(action: str) -> None:
    before = gc.get_threshold()
    try:
        for turn in range(300):
            cache = InMemoryCache()
            cache.set_many({"a": 1, "b": 2})
            actions: dict[str, Callable[[], object]] = {
                "clear": cache.clear,
                "close": cache.close,
                "delete": partial(cache.delete, "a"),
            }
            knot: list[Any] = [Finalized(actions[action])]
            knot.append(knot)
            del knot
            readers: list[Callable[[], object]] = [
                partial(cache.delete_pattern, "*"),
                cache.stats.hottest_keys,
                cache.cleanup_expired,
                cache.clear,
            ]
            gc.set_threshold(1 + turn % 5)
            with contextlib.suppress(CacheClosedError):
                readers[turn % 4]()
            gc.set_threshold(*before)
    finally:
        gc.set_threshold(*before)


def test_a_cache_is_made_once() -> None:
    cache = InMemoryCache()
    cache.set("a", 1)
    with pytest.raises(CacheValueError, match="made already"):
        cache.__init__()  # type: ignore[misc]
    assert cache.get("a") == 1


@pytest.mark.usefixtures("eager_collector")
def test_garbage_collected_in_the_middle_of_a_call(policy: str) -> None:
    cache = InMemoryCache(5, policy=policy)
    act = actions_on(cache, random.Random(2))

    def litter() -> None:
        knot: list[Any] = [Finalized(act)]
        knot.append(knot)  # only the collector can free it

    for turn in range(150):
        litter()
        cache.set(str(turn % 9), turn, tags=["red"] if turn % 3 else ())
        litter()
        cache.get(str(turn % 7))
        check_invariants(cache)
    assert len(cache) <= 5


def test_a_clock_that_calls_back(policy: str) -> None:
    time = FakeClock()
    chance = random.Random(3)
    depth = 0

    def clock() -> float:
        nonlocal depth
        if depth == 0 and ready:
            depth = 1
            act()
            time.advance(chance.choice([0, 0, 1]))
            depth = 0
        return time()

    ready = False
    cache = InMemoryCache(5, policy=policy, clock=clock)
    act = actions_on(cache, chance)
    ready = True
    for turn in range(500):
        act()
        cache.set(str(turn % 9), turn, ttl=2)
        cache.get(str(turn % 7))
        cache.cleanup_expired()
    ready = False
    assert len(cache) <= 5
    check_invariants(cache)


def test_a_clock_that_fails_leaves_the_cache_as_it_was(policy: str) -> None:
    is_broken = False

    def clock() -> float:
        if is_broken:
            raise OSError("the clock stands still")
        return 1000.0

    cache = InMemoryCache(2, policy=policy, clock=clock)
    cache.set("a", 1, ttl=10)
    is_broken = True
    for call in (lambda: cache.get("a"), lambda: cache.set("b", 1, ttl=5), cache.cleanup_expired):
        with pytest.raises(OSError, match="stands still"):
            call()
    is_broken = False
    assert list(cache.keys()) == ["a"]
    check_invariants(cache)


def test_a_listener_that_calls_back_at_every_event(policy: str) -> None:
    cache = InMemoryCache(5, policy=policy)
    act = actions_on(cache, random.Random(4))
    depth = 0

    def hear(_: Event) -> None:
        nonlocal depth
        if depth == 0:
            depth = 1
            act()
            depth = 0

    cache.subscribe(hear)
    for turn in range(300):
        cache.set(str(turn % 9), turn)
        cache.get(str(turn % 7))
        check_invariants(cache)


def test_a_value_that_holds_its_own_cache_is_collected() -> None:
    freed = []

    class Service:
        def __init__(self) -> None:
            self.cache = InMemoryCache()
            self.cache.set("self", self)

        def __del__(self) -> None:
            freed.append(1)

    Service()
    gc.collect()
    assert freed == [1]


def test_values_are_let_go_with_the_cache_and_without_the_collector() -> None:
    freed = []
    cache = InMemoryCache(10)
    cache.set("a", Finalized(lambda: freed.append("a")))
    cache.set("b", Finalized(lambda: freed.append("b")))
    cache.delete("a")
    assert freed == ["a"]
    cache.clear()
    assert freed == ["a", "b"]


def test_deep_copies_keep_caller_and_cache_apart() -> None:
    cache = InMemoryCache(copy="deep")
    mine = {"list": [1]}
    cache.set("a", mine)
    mine["list"].append(2)
    yours = cache.get("a")
    assert yours == {"list": [1]}
    yours["list"].append(3)
    assert cache.get("a") == {"list": [1]}
    shared = InMemoryCache()
    shared.set("a", mine)
    assert shared.get("a") is mine


def test_a_value_that_cannot_be_copied_is_not_stored() -> None:
    class Stubborn:
        def __deepcopy__(self, memo: object) -> None:
            raise RuntimeError("one of a kind")

    cache = InMemoryCache(copy="deep")
    cache.set("a", 1)
    with pytest.raises(RuntimeError, match="one of a kind"):
        cache.set("a", Stubborn())
    assert cache.get("a") == 1


def test_an_object_made_without_init_is_a_closed_cache_not_a_crash() -> None:
    raw = InMemoryCache.__new__(InMemoryCache)
    for call in (lambda: raw.get("a"), lambda: raw.set("a", 1), lambda: raw.delete("a"), raw.clear):
        with pytest.raises(Exception):  # noqa: B017, PT011 - compiled a CacheClosedError, interpreted an AttributeError
            call()


class Leaver:
    """A value that writes what is coming in its place, when it is let go."""

    def __init__(self, cache: InMemoryCache) -> None:
        self.cache = cache

    def __del__(self) -> None:
        self.cache.set("new", "from the finalizer")


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("options", [{}, {"ttl": 100}, {"tags": ["red"]}, {"cost": 1}])
def test_who_leaves_for_an_entry_finds_it_stored(policy: str, options: dict[str, Any]) -> None:
    cache = InMemoryCache(1, policy=policy)
    cache.set("old", Leaver(cache), **options)
    cache.set("new", "from set")
    gc.collect()
    assert (cache.get("new"), cache.stats.evictions, len(cache)) == ("from the finalizer", 1, 1)
    check_invariants(cache)
