"""What happens while a cache is restored, or its snapshot taken, wins over what comes from before."""

from __future__ import annotations

import gc
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from tests.backends.in_memory.ground import Closing, live

from cachery import CacheClosedError, InMemoryCache, NamespacedCache
from cachery.invalidation import Key
from cachery.policies.registry import POLICIES
from cachery.testing import check_invariants


class Meddler:
    """A value that does something else when it is read."""

    action: Any = staticmethod(lambda: None)

    def __init__(self, name: str) -> None:
        self.name = name

    def __reduce__(self) -> tuple[Any, ...]:
        return _meddle, (self.name,)


def _meddle(name: str) -> str:
    Meddler.action()
    return name


@pytest.fixture
def meddled(place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Return a function that restores a snapshot of one entry, and does something just before that is stored."""
    old = InMemoryCache()
    old.set("old", Meddler("value"), tags=["red"])
    old.snapshot(place)

    def restore(cache: InMemoryCache, action: Any) -> int:
        monkeypatch.setattr(Meddler, "action", staticmethod(action))
        return cache.restore(place)

    yield restore
    gc.collect()


@pytest.mark.parametrize(
    "action",
    [
        lambda cache: cache.set("old", "new"),
        lambda cache: cache.set("old", "new") and cache.delete("old"),
        lambda cache: cache.delete("old"),
        lambda cache: cache.delete_many(["old"]),
        lambda cache: cache.delete_pattern("o*"),
        lambda cache: cache.clear(),
        lambda cache: cache.invalidate_tags("red"),
        lambda cache: cache.open_token("old"),
        lambda cache: cache.get_or_set("old", lambda: "new"),
        lambda cache: NamespacedCache(cache, "part").delete("x") or cache.delete_pattern("*ld"),
    ],
)
def test_what_happens_meanwhile_is_newer(meddled: Any, action: Any) -> None:
    cache = InMemoryCache()
    assert meddled(cache, lambda: action(cache)) == 0
    assert cache.get("old") in {None, "new"}
    assert cache.set("old", 1)
    check_invariants(cache)
    assert meddled(InMemoryCache(), lambda: None) == 1


@pytest.mark.parametrize(
    "action",
    [
        lambda cache: cache.set("other", "new"),
        lambda cache: cache.delete("other"),
        lambda cache: cache.delete_pattern("x*"),
        lambda cache: cache.invalidate_tags("blue"),
        lambda cache: cache.get("old"),
    ],
)
def test_what_happens_elsewhere_is_not_in_the_way(meddled: Any, action: Any) -> None:
    cache = InMemoryCache()
    assert meddled(cache, lambda: action(cache)) == 1
    assert cache.get("old") == "value"
    cache.delete("old")
    assert meddled(cache, lambda: None) == 1, "what happened before the call is over"


def test_a_load_under_way_wins(place: Path) -> None:
    old, cache = InMemoryCache(), InMemoryCache()
    old.set("a", "old")
    old.snapshot(place)
    begun, restored = Event(), Event()

    def load() -> str:
        begun.set()
        assert restored.wait(10)
        return "new"

    with ThreadPoolExecutor(1) as pool:
        loaded = pool.submit(cache.get_or_set, "a", load)
        assert begun.wait(10)
        assert cache.restore(place) == 0
        restored.set()
        assert loaded.result() == "new"
    assert cache.get("a") == "new"


def test_a_cache_that_is_closed_meanwhile(meddled: Any, place: Path) -> None:
    cache = InMemoryCache()
    with pytest.raises(CacheClosedError):
        meddled(cache, cache.close)
    for verb in (cache.restore, cache.snapshot):
        with pytest.raises(CacheClosedError):
            verb(place)
    other = InMemoryCache()
    other.set("a", Closing(other))
    other.set("b", Closing(other))
    before = place.read_bytes()
    with pytest.raises(CacheClosedError):
        other.snapshot(place)
    assert place.read_bytes() == before
    assert list(place.parent.iterdir()) == [place]


class Binding:
    """A value that, when it is written, lets one entry depend on another."""

    def __init__(self, cache: InMemoryCache) -> None:
        self.cache = cache

    def __reduce__(self) -> tuple[Any, ...]:
        self.cache.set("late", 2, depends_on=[Key("a")])
        return int, (7,)


def test_what_depends_on_another_only_since_it_was_begun_is_left_out(place: Path) -> None:
    cache, new = InMemoryCache(), InMemoryCache()
    cache.set_many({"a": 1, "late": 1})
    cache.set("last", Binding(cache))
    assert cache.snapshot(place) == new.restore(place) == 2
    assert new.get_many(["a", "late", "last"]) == {"a": 1, "last": 7}
    assert cache.get("late") == 2


class Last:
    """A value that meddles with its cache when it is collected."""

    def __init__(self, cache: InMemoryCache, chance: random.Random) -> None:
        self.cache, self.chance, self.itself = cache, chance, self

    def __del__(self) -> None:
        for verb in (self.cache.get, self.cache.delete, self.cache.get):
            verb(f"{self.chance.randrange(200)}")
        self.cache.set(f"{self.chance.randrange(200)}", 7, self.chance.randrange(50, 60))

    def __reduce__(self) -> tuple[Any, ...]:
        return int, (7,)


@pytest.mark.parametrize("policy", POLICIES)
def test_finalizers_may_run_at_any_moment(policy: str, place: Path) -> None:
    chance = random.Random(5)
    cache, before = InMemoryCache(150, policy=policy), gc.get_threshold()
    try:
        for round_ in range(20):
            for number in range(100):
                cache.set(
                    f"{chance.randrange(200)}", Last(cache, chance) if number % 2 else 7, tags=["red"] * (number % 3)
                )
            gc.set_threshold(3)
            cache.snapshot(place)
            if round_ % 4 == 3:
                cache.clear()
            cache.restore(place)
            gc.set_threshold(*before)
            check_invariants(cache)
        for key in list(cache.keys()):
            cache.set(key, 7)
        gc.collect()
        cache.snapshot(place)
        new = InMemoryCache()
        assert new.restore(place) == len(cache)
        assert set(live(new).values()) == {7}
    finally:
        gc.set_threshold(*before)
        cache.close()
        gc.collect()


def test_other_threads_go_on_while_it_is_taken_and_restored(place: Path) -> None:
    cache = InMemoryCache(500, policy="lfu")
    stop = Event()

    def write(thread: int) -> None:
        chance = random.Random(thread)
        while not stop.is_set():
            number = chance.randrange(1000)
            cache.set(f"{number}", (number, number), tags=[f"tag {number % 7}"])
            cache.get(f"{chance.randrange(1000)}")
            if chance.random() < 0.01:
                cache.invalidate_tags(f"tag {number % 7}")
                cache.delete(f"{number}")

    with ThreadPoolExecutor(3) as pool:
        writing = [pool.submit(write, thread) for thread in range(3)]
        try:
            for _ in range(10):
                assert cache.snapshot(place) <= 500
                new = InMemoryCache(None)
                assert new.restore(place) == len(new)
                assert all(value == (int(key), int(key)) for key, value in live(new).items())
                cache.restore(place)
        finally:
            stop.set()
        for done in writing:
            done.result()
    check_invariants(cache)
    assert all(value == (int(key), int(key)) for key, value in live(cache).items())
