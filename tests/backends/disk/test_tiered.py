"""Memory before a store: whatever process changes something, the next read of each process sees it."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.backends.disk import tiers
from tests.backends.disk.actors import PATIENCE, SECRET, Actor, carry_out, serving, tiered_cache

from cachery import CacheClosedError, CacheValueError, DiskCache, InMemoryCache, TieredCache
from cachery.events import Event, Stored
from cachery.testing import FakeClock

POSIX = pytest.mark.skipif(os.name != "posix", reason="needs signals")


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[TieredCache]:
    with tiered_cache(tmp_path) as cache:
        yield cache


@pytest.fixture
def other(cache: TieredCache, tmp_path: Path) -> Iterator[Actor]:
    assert len(cache) == 0
    with serving(tiered_cache, tmp_path) as actor:
        yield actor


def near_hits(cache: TieredCache) -> int:
    hits: int = cache.tiers[0].stats.hits
    return hits


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        (("set", "a", "new"), "new"),
        (("set_many", {"a": "new", "c": 1}), "new"),
        (("delete", "a"), None),
        (("delete_many", ["a", "b"]), None),
        (("invalidate_tags", "red"), None),
        (("delete_pattern", "[a]"), None),
        (("clear",), None),
        (("touch", "a", 0), None),
    ],
)
def test_the_next_read_sees_what_another_process_did(
    cache: TieredCache, other: Actor, change: tuple[Any, ...], seen: object
) -> None:
    cache.set("a", "old", tags=["red"])
    cache.set("b", "beside")
    assert [cache.get("a"), cache.get("a"), cache.get("b")] == ["old", "old", "beside"]
    assert near_hits(cache) == 1, "it was at hand in memory"
    other.ask(*change)
    assert cache.get("a") == seen
    assert cache.get_many(["a"]) == ({} if seen is None else {"a": seen})
    assert other.ask("get", "a") == seen


def test_what_nobody_changed_stays_at_hand(cache: TieredCache, other: Actor) -> None:
    cache.set("a", 1, tags=["red"])
    cache.get("a")
    for number in range(50):
        other.ask("set", f"other {number}", 1)
    other.ask("invalidate_tags", "blue")
    before = near_hits(cache)
    assert cache.get("a") == 1
    assert near_hits(cache) == before + 1


def test_two_processes_taking_turns_agree_with_a_model(cache: TieredCache, other: Actor, stress: float) -> None:
    chance = random.Random(3)
    model: dict[str, tuple[int, str]] = {}

    def ask_here(*message: Any) -> Any:
        return carry_out(cache, *message)

    asks: list[Callable[..., Any]] = [ask_here, other.ask]
    for number in range(1, int(1500 + 200_000 * stress)):
        tiers.change(chance.choice(asks), model, chance, number)
        for key in chance.sample(tiers.KEYS, 3):
            expected = model[key][0] if key in model else None
            assert ask_here("get", key) == expected
            assert other.ask("get", key) == expected
    assert ask_here("get_many", tiers.KEYS) == {key: value for key, (value, _) in model.items()}
    assert near_hits(cache) > 100


class Reader:
    """A thread that reads ``right``. ``wrong``: where it went back."""

    def __init__(self, cache: TieredCache) -> None:
        self.wrong: list[str] = []
        self._cache = cache
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def stop(self) -> None:
        self._end.set()
        self._thread.join(PATIENCE)

    def _run(self) -> None:
        newest = 0
        while not self._end.is_set():
            value = self._cache.get("right", 0)
            if value < newest:
                self.wrong.append(f"{value} after {newest}")
            newest = value


def numbers_of_a_killed_writer(place: Path, first: int, chance: random.Random) -> tuple[int, int]:
    """Let a process write numbers from ``first`` on, and kill it; return the last that was written, and begun."""
    actor = Actor(tiers.write_pairs, place, first)
    assert actor.receive() == "ready"
    said = [actor.receive() for _ in range(chance.randint(1, 50))]
    actor.process.kill()
    try:
        while True:
            said.append(actor.connection.recv())
    except EOFError:
        actor.process.join()
    begun = max(number for number in said if number is not None)
    return (begun if said[-1] is None else begun - 1), begun


@POSIX
def test_a_writer_that_is_killed_leaves_no_copy_that_is_stale(tmp_path: Path, stress: float) -> None:
    chance = random.Random(4)
    with tiered_cache(tmp_path) as cache:
        cache.set_many({"left": 0, "right": 0})
        number = 1
        reader = Reader(cache)
        for _ in range(int(10 + 500 * stress)):
            done, begun = numbers_of_a_killed_writer(tmp_path, number, chance)
            assert cache.get("right") in {done, begun}
            cache.cleanup_expired()  # a commit that was all but done is seen by the next writer at the latest
            beneath = cache.tiers[1].get_many(["left", "right"])
            assert beneath["right"] in {done, begun}
            assert cache.get_many(["left", "right"]) == cache.get_many(["left", "right"]) == beneath
            number = begun + 1
            cache.set_many({"left": number, "right": number})
            assert cache.get_many(["left", "right"]) == {"left": number, "right": number}
            number += 1
        reader.stop()
        assert reader.wrong == []


# Time


def test_a_copy_lives_no_longer_than_what_is_left_of_its_entry(tmp_path: Path) -> None:
    clock = FakeClock()
    disk = DiskCache(tmp_path, clock=clock, secret=SECRET)
    with TieredCache(InMemoryCache(default_ttl=30, clock=clock), disk) as cache:
        cache.set("short", 1, ttl=10)
        cache.set("long", 1, ttl=1000)
        cache.set("for ever", 1)
        clock.advance(4)
        assert cache.get_many(["short", "long", "for ever"]) == {"short": 1, "long": 1, "for ever": 1}
        near = cache.tiers[0]
        assert [near.ttl(key) for key in ("short", "long", "for ever")] == [6, 30, 30]
        clock.advance(6)
        assert cache.get("short") is None
        assert cache.ttl("short") is None
        clock.advance(30)
        assert not near.exists("long")
        assert cache.get("long") == 1
        assert cache.ttl("long") == pytest.approx(960)


def test_touching_moves_the_end_of_a_copy_too(tmp_path: Path) -> None:
    clock = FakeClock()
    disk = DiskCache(tmp_path, clock=clock, secret=SECRET)
    with TieredCache(InMemoryCache(clock=clock), disk) as cache:
        cache.set("a", 1, ttl=10)
        assert cache.get("a") == 1
        cache.touch("a", 100)
        clock.advance(50)
        assert cache.get("a") == 1
        cache.touch("a", 5)
        clock.advance(5)
        assert cache.get("a") is None


def test_a_refresh_is_due_for_what_is_in_memory_too(tmp_path: Path) -> None:
    clock = FakeClock()
    disk = DiskCache(tmp_path, clock=clock, secret=SECRET)
    with TieredCache(InMemoryCache(clock=clock), disk) as cache:
        options: Any = {"ttl": 100, "refresh_ahead": 0.5}
        assert cache.get_or_set("a", lambda: "old", **options) == "old"
        assert cache.get("a") == "old"
        clock.advance(60)
        assert cache.get_or_set("a", lambda: "new", **options) == "old"
        assert cache.drain(PATIENCE)
        assert cache.get("a") == "new"


# Transactions, numbers, the end


def test_what_is_not_committed_is_in_no_memory(cache: TieredCache, other: Actor) -> None:
    cache.set("a", "old")
    cache.get("a")
    of_thread: list[Any] = []

    def fail() -> None:
        with cache.transaction():
            cache.set("a", "new")
            assert cache.get("a") == cache.get("a") == "new"
            thread = threading.Thread(target=lambda: of_thread.append(cache.get("a")))
            thread.start()
            thread.join(PATIENCE)
            assert other.ask("get", "a") == "old"
            raise OSError("no more")

    with pytest.raises(OSError, match="no more"):
        fail()
    assert of_thread == ["old"]
    assert cache.get("a") == "old"
    with cache.transaction():
        cache.set("a", "newer")
    assert cache.get("a") == other.ask("get", "a") == "newer"


def test_numbers_count_what_is_asked_of_the_whole(cache: TieredCache) -> None:
    cache.set("a", 1)
    for _ in range(3):
        cache.get("a")
    cache.get("absent")
    cache.delete("a")
    stats = cache.stats
    assert (stats.hits, stats.misses, stats.writes, stats.deletes, stats.size) == (3, 1, 1, 1, 0)
    assert near_hits(cache) == 2
    assert cache.tiers[1].stats.writes == 1


def test_events_are_told_once(cache: TieredCache) -> None:
    seen: list[Event] = []
    cache.subscribe(seen.append)
    cache.set("a", 1)
    cache.get_or_set("b", lambda: 2)
    assert [event.key for event in seen if isinstance(event, Stored)] == ["a", "b"]


def test_closing_closes_both(tmp_path: Path) -> None:
    cache = tiered_cache(tmp_path)
    cache.set("a", 1)
    cache.get("a")
    cache.close()
    cache.close()
    for one in (cache, *cache.tiers):
        with pytest.raises(CacheClosedError):
            one.get("a")
    with tiered_cache(tmp_path) as cache:
        assert cache.get("a") == 1


def test_values_are_given_by_reference_unless_memory_copies(tmp_path: Path) -> None:
    with tiered_cache(tmp_path / "first") as cache:
        cache.set("a", [1])
        cache.get("a")
        assert cache.get("a") is cache.get("a")
    disk = DiskCache(tmp_path / "second", secret=SECRET)
    with TieredCache(InMemoryCache(copy="deep"), disk) as cache:
        cache.set("a", [1])
        for _ in range(3):
            cache.get("a").append(2)
        assert cache.get("a") == [1]


def test_other_tiers_are_refused(tmp_path: Path) -> None:
    with DiskCache(tmp_path, secret=SECRET) as disk:
        for tiers_given in ((), (disk,), (InMemoryCache(),), (disk, InMemoryCache()), (InMemoryCache(), disk, disk)):
            with pytest.raises(CacheValueError, match="InMemoryCache and a DiskCache"):
                TieredCache(*tiers_given)
