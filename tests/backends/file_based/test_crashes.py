"""Processes that end in the midst of what they do: the old value or the new one stays, and nothing is left behind."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.backends.file_based.children import (
    begin,
    dying_at,
    faults_of,
    file_cache,
    fork_warning,
    kill,
    names_in,
    needs_fork,
    run,
    status_of,
)

from cachery.file_based import FileBasedCache
from cachery.model.sentinels import MISSING
from cachery.testing import FakeClock

pytestmark = [needs_fork, fork_warning, pytest.mark.no_cover]

OLD, NEW = {"value": "old", "body": "x" * 100}, {"value": "new", "body": "y" * 100}
DIED = 42
Operation = Callable[[FileBasedCache], object]

OVER_OLD: dict[str, tuple[Operation, list[Any]]] = {
    "set": (lambda cache: cache.set("a", NEW), [OLD, NEW]),
    "set with tags": (lambda cache: cache.set("a", NEW, ttl=50, tags=["red"]), [OLD, NEW]),
    "set_many": (lambda cache: cache.set_many({"a": NEW, "b": NEW}), [OLD, NEW]),
    "delete": (lambda cache: cache.delete("a"), [OLD, MISSING]),
    "touch": (lambda cache: cache.touch("a", 100), [OLD]),
    "clear": (lambda cache: cache.clear(), [OLD, MISSING]),
    "delete_pattern": (lambda cache: cache.delete_pattern("*"), [OLD, MISSING]),
    "invalidate_tags": (lambda cache: cache.invalidate_tags("blue"), [OLD, MISSING]),
    "sweep": (lambda cache: cache.cleanup_expired(), [OLD]),
    "load": (lambda cache: cache.delete("a") and cache.get_or_set("a", lambda: NEW), [OLD, NEW, MISSING]),
}


def die(cache: FileBasedCache, operation: Operation, number: int) -> None:
    """Do ``operation`` until its call of the system of that number, and end there."""
    with dying_at(number):
        operation(cache)


def crashes(
    place: Path, prepare: Operation, operation: Operation, **options: Any
) -> Iterator[tuple[FileBasedCache, bool]]:
    """Give a cache after each way to end in the midst of ``operation``, and whether it came to its end: the last."""
    for number in range(1000):
        with file_cache(place / str(number), **options) as cache:
            prepare(cache)
            status = run(partial(die, cache, operation, number))
            assert status in {0, DIED}
            yield cache, status == 0
        if status == 0:
            assert number > 5
            return
    pytest.fail("it never came to its end")


def is_tidy(cache: FileBasedCache) -> bool:
    """Sweep, and tell whether nothing is left behind but fences, which are kept for a day."""
    cache.cleanup_expired()
    assert [text for text in cache.store.audit() if "fenced" not in text] == []
    return not [name for name in names_in(cache.cache_dir) if name.endswith(".tmp")]


@pytest.mark.parametrize("name", OVER_OLD)
def test_a_crash_at_any_call_leaves_the_old_value_or_the_new(tmp_path: Path, name: str) -> None:
    operation, allowed = OVER_OLD[name]
    seen: list[Any] = []
    for cache, _ in crashes(tmp_path, lambda cache: cache.set("a", OLD, tags=["blue"]), operation):
        faults = faults_of(cache)
        value = cache.get("a", MISSING)
        assert value in allowed
        assert cache.exists("a") is (value is not MISSING)
        assert len(list(cache.keys("a"))) == (value is not MISSING)
        assert is_tidy(cache)
        assert cache.get("a", MISSING) == value
        assert cache.set("a", "later") is True
        assert cache.get("a") == "later"
        assert faults == []
        seen.append(value)
    assert seen[0] == OLD
    assert seen[-1] == allowed[-1] or name == "load"


@pytest.mark.parametrize("value", [1, NEW])
def test_a_crash_while_a_new_key_is_written_leaves_nothing_or_the_value(tmp_path: Path, value: Any) -> None:
    for cache, is_whole in crashes(tmp_path, lambda _: True, lambda cache: cache.set("a", value)):
        found = cache.get("a", MISSING)
        assert found in [MISSING, value]
        assert found == value or not is_whole
        assert is_tidy(cache)
        assert len(names_in(cache.cache_dir)) == (0 if found is MISSING else 2)


def test_a_crash_while_counting_counts_once_or_not(tmp_path: Path) -> None:
    for cache, is_whole in crashes(tmp_path, lambda cache: cache.incr("n", 5), lambda cache: cache.incr("n")):
        before = cache.get("n")
        assert before in {5 + is_whole, 6}
        assert cache.incr("n") == before + 1


def test_a_crash_while_room_is_made_loses_only_what_was_to_leave(tmp_path: Path) -> None:
    def prepare(cache: FileBasedCache) -> None:
        cache.set_many({"a": "a", "b": "b"})

    for cache, _ in crashes(tmp_path, prepare, lambda cache: cache.set("c", "c"), max_size=2):
        for key in "abc":
            assert cache.get(key, key) == key
        assert is_tidy(cache)
        cache.set("d", "d")
        assert len(cache) <= 2
        assert cache.get("d") == "d"


@pytest.mark.parametrize("second", ["set", "touch", "sweep", "delete"])
def test_a_crash_after_a_crash_leaves_one_of_the_values_too(tmp_path: Path, second: str) -> None:
    chance = random.Random(second)
    again, others = OVER_OLD[second]
    for cache, is_whole in crashes(tmp_path, lambda cache: cache.set("a", OLD), lambda cache: cache.set("a", NEW)):
        value = cache.get("a")
        for _ in range(3):
            assert run(partial(die, cache, again, chance.randrange(30))) in {0, DIED}
            after = cache.get("a", MISSING)
            assert after in [value, *(other for other in others if other != OLD)]
            value = after
        assert is_tidy(cache)
        assert cache.get("a", MISSING) == value
        assert value != OLD or not is_whole


def test_an_old_value_that_a_crash_kept_keeps_its_stamps(tmp_path: Path) -> None:
    clock = FakeClock()
    met = set()
    prepare: Operation = lambda cache: cache.set("a", OLD, ttl=10, tags=["red"])  # noqa: E731 - one of two
    for cache, _ in crashes(tmp_path, prepare, lambda cache: cache.set("a", NEW, ttl=1000), clock=clock):
        left = cache.ttl("a")
        assert left == (10 if cache.get("a") == OLD else 1000)
        met.add(left)
        cache.invalidate_tags("red")
        assert cache.get("a") == (None if left == 10 else NEW)
        assert cache.exists("a") is (left == 1000)
    assert met == {10, 1000}


KEYS = ["a", "b", "c"]


def keep_writing(place: Path, size: int, seed: int) -> None:
    chance = random.Random(seed)
    with file_cache(place) as cache:
        while True:
            key, number = chance.choice(KEYS), chance.randrange(10**6)
            kind = chance.randrange(10)
            if kind == 0:
                cache.delete(key)
            elif kind == 1:
                cache.touch(key, 1000)
            else:
                cache.set(key, value_of(key, number, size))


def value_of(key: str, number: int, size: int) -> dict[str, Any]:
    return {"key": key, "number": number, "body": bytes([number % 251]) * size}


@pytest.mark.parametrize("size", [10, 100_000])
def test_readers_see_whole_values_while_writers_are_killed(tmp_path: Path, size: int, stress: float) -> None:
    chance = random.Random(size)
    with file_cache(tmp_path) as cache:
        faults = faults_of(cache)
        for turn in range(int(20 + 200 * stress)):
            writers = [begin(partial(keep_writing, tmp_path, size, turn * 2 + one)) for one in range(2)]
            wanted = chance.randrange(20, 200)
            while wanted:
                key = chance.choice(KEYS)
                value = cache.get(key)
                if value is not None:
                    wanted -= 1
                    assert value == value_of(key, value["number"], size)
            for writer in writers:
                kill(writer)
        assert is_tidy(cache)
        assert {name.partition(".")[2] for name in names_in(tmp_path)} <= {"cache", "meta"}
        assert faults == []


def test_a_lock_ends_with_its_holder(tmp_path: Path) -> None:
    with file_cache(tmp_path, write_timeout=20) as cache:
        child = begin(lambda: die(cache, lambda cache: cache.set("a", NEW), 8))
        assert status_of(child) == DIED
        assert cache.set("a", OLD) is True
