"""Of all processes over a store one loads a key, and what was invalidated meanwhile is not stored."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.backends.disk.actors import PATIENCE, Actor, _context, disk_cache, serving
from tests.backends.disk.loading import Loader, load, load_each, load_in_loop, load_many_each, loads_in

from cachery import CacheValueError, DiskCache

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs signals and locks of the system")

INVALIDATIONS: dict[str, Callable[[Actor], object]] = {
    "delete": lambda actor: actor.send(("delete", "a")),
    "delete_many": lambda actor: actor.send(("delete_many", ["a", "b"])),
    "tag": lambda actor: actor.send(("invalidate_tags", "red")),
    "clear": lambda actor: actor.send(("clear",)),
    "pattern": lambda actor: actor.send(("delete_pattern", "[a]*")),
}
EITHER = pytest.mark.parametrize("part", [load, load_in_loop])


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def loader(place: Path, log: Path) -> Iterator[Callable[..., Loader]]:
    made: list[Loader] = []

    def make(part: Callable[..., None] = load, **options: Any) -> Loader:
        made.append(Loader(place, log, part, **options))
        return made[-1]

    yield make
    for one in made:
        one.end()


def all_done(actors: list[Actor]) -> bool:
    said = [actor.receive() for actor in actors]
    for actor in actors:
        actor.end()
    return said == ["done"] * len(actors)


def test_six_processes_load_a_cold_key_once(place: Path, log: Path, stress: float) -> None:
    keys = [f"key {number}" for number in range(int(15 + 500 * stress))]
    barrier = _context.Barrier(6)
    assert all_done([Actor(load_each, place, log, barrier, keys) for _ in range(6)])
    assert sorted(loads_in(log)) == sorted(keys)


@EITHER
def test_who_asks_while_another_process_loads_gets_what_it_loads(
    loader: Callable[..., Loader], log: Path, part: Callable[..., None]
) -> None:
    first, others = loader(part), [loader(load), loader(load_in_loop), loader(load)]
    first.hold()
    for other in others:
        other.begin()
    assert first.give("the value") == "the value"
    assert [other.answer() for other in others] == ["the value"] * 3
    assert loads_in(log) == ["a"]


def test_a_holder_that_is_killed_is_followed_at_once(loader: Callable[..., Loader], log: Path) -> None:
    first, second = loader(), loader()
    first.hold()
    second.begin()
    began = time.perf_counter()
    first.kill()
    assert second.receive() == "loading"
    assert time.perf_counter() - began < 5
    assert second.give("of the second") == "of the second"
    assert loads_in(log) == ["a", "a"]


def test_a_holder_that_hangs_is_left_behind(loader: Callable[..., Loader]) -> None:
    first, second = loader(), loader(lease_timeout=0.2)
    first.hold()
    first.stop()
    second.begin()
    assert second.receive() == "loading"
    assert second.give("of the second") == "of the second"
    first.go_on()
    assert first.give("too late") == "too late"
    assert second.ask("get", "a") == ("answer", "of the second")


def test_a_loader_that_fails_lets_the_next_process_try(loader: Callable[..., Loader], place: Path, log: Path) -> None:
    second = loader()
    with disk_cache(place) as cache:

        def fail() -> None:
            second.begin()
            raise OSError("the source is down")

        with pytest.raises(OSError, match="down"):
            cache.get_or_set("a", fail)
        assert second.receive() == "loading"
        assert second.give("of the second") == "of the second"
    assert loads_in(log) == ["a"]


@EITHER
@pytest.mark.parametrize("name", INVALIDATIONS)
def test_what_another_process_invalidates_while_it_is_loaded_is_not_stored(
    loader: Callable[..., Loader], place: Path, part: Callable[..., None], name: str
) -> None:
    first = loader(part)
    with serving(disk_cache, place) as second:
        first.hold(tags=("red",))
        INVALIDATIONS[name](second)
        second.receive()
        assert first.give("old") == "old"
        assert second.ask("get", "a") is None
        assert second.ask("get_many", ["a"]) == {}


def test_what_another_process_stores_while_it_is_loaded_stays(loader: Callable[..., Loader], place: Path) -> None:
    first = loader()
    with serving(disk_cache, place) as second:
        first.hold()
        assert second.ask("set", "a", "newer") is True
        assert first.give("old") == "old"
        assert second.ask("get", "a") == "newer"


def test_other_keys_and_tags_do_not_matter(loader: Callable[..., Loader], place: Path) -> None:
    first = loader()
    with serving(disk_cache, place) as second:
        first.hold(tags=("red",))
        second.ask("delete", "b")
        second.ask("set", "c", 1)
        second.ask("invalidate_tags", "blue")
        assert first.give("value") == "value"
        assert second.ask("get", "a") == "value"


@pytest.mark.parametrize("name", ["delete", "delete_many", "clear", "pattern"])
def test_who_asks_after_an_invalidation_does_not_wait_for_the_load_before_it(
    loader: Callable[..., Loader], name: str
) -> None:
    first, second = loader(), loader()
    first.hold()
    INVALIDATIONS[name](second)
    second.answer()
    second.hold()
    assert second.give("new") == "new"
    assert first.give("old") == "old"
    assert second.ask("get", "a") == ("answer", "new")


def test_who_waits_when_it_is_invalidated_waits_no_longer(loader: Callable[..., Loader], place: Path) -> None:
    first, second = loader(), loader()
    first.hold()
    second.begin()
    with disk_cache(place) as third:
        third.delete("a")
    assert second.receive() == "loading"
    assert second.give("new") == "new"
    assert first.give("old") == "old"
    assert first.ask("get", "a") == ("answer", "new")


def test_many_keys_are_loaded_once_each_and_nobody_waits_for_ever(place: Path, log: Path, stress: float) -> None:
    chance = random.Random(5)
    rounds = int(12 + 400 * stress)
    names = [[f"{number} {letter}" for letter in "abcdefgh"] for number in range(rounds)]
    barrier = _context.Barrier(4)
    actors = []
    for _ in range(4):
        groups = [chance.sample(keys, 5) for keys in names]
        actors.append(Actor(load_many_each, place, log, barrier, groups))
    assert all_done(actors)
    loaded = loads_in(log)
    assert len(loaded) == len(set(loaded)) > rounds


def test_a_refresh_waits_for_the_load_of_another_process_and_loads_anew(
    loader: Callable[..., Loader], log: Path
) -> None:
    first, second = loader(), loader()
    first.hold()
    second.send(("refresh",))
    assert not second.connection.poll(0.05)
    assert first.give("loaded") == "loaded"
    assert second.receive() == "loading"
    assert second.give("refreshed") == "refreshed"
    assert first.ask("get", "a") == ("answer", "refreshed")
    assert loads_in(log) == ["a", "a"]


# Transactions


@pytest.fixture
def cache(place: Path) -> Iterator[DiskCache]:
    with disk_cache(place) as cache:
        yield cache


@pytest.fixture
def other(place: Path) -> Iterator[Actor]:
    with serving(disk_cache, place) as actor:
        yield actor


def test_a_transaction_is_one_write_for_others(cache: DiskCache, other: Actor) -> None:
    cache.set_many({"from": 10, "to": 0, "gone": 1})
    of_thread: list[Any] = []
    with cache.transaction():
        cache.decr("from", 3)
        assert other.ask("get_many", ["from", "to"]) == {"from": 10, "to": 0}
        cache.incr("to", 3)
        cache.delete("gone")
        cache.set("big", bytes(2**20))
        assert cache.get_many(["from", "to", "gone"]) == {"from": 7, "to": 3}
        assert cache.get("big") == bytes(2**20)
        assert other.ask("get_many", ["from", "to", "gone", "big"]) == {"from": 10, "to": 0, "gone": 1}
        thread = threading.Thread(target=lambda: of_thread.append(cache.get_many(["from", "to"])))
        thread.start()
        thread.join(PATIENCE)
    assert of_thread == [{"from": 10, "to": 0}]
    assert other.ask("get_many", ["from", "to", "gone"]) == {"from": 7, "to": 3}
    assert other.ask("get", "big") == bytes(2**20)


def test_a_transaction_that_fails_leaves_everything_as_it_was(cache: DiskCache, other: Actor) -> None:
    cache.set("a", "old", tags=["red"])
    cache.set("big", b"o" * 2**20)
    seen: list[object] = []
    cache.subscribe(seen.append)
    bytes_before = cache.total_bytes

    def fail() -> None:
        with cache.transaction():
            cache.set("a", "new")
            cache.set("big", b"n" * 2**20)
            cache.set("b", 1)
            cache.invalidate_tags("red")
            cache.clear()
            cache.set("c", 1)
            raise OSError("no more")

    with pytest.raises(OSError, match="no more"):
        fail()
    for ask in (other.ask, lambda verb, *args: getattr(cache, verb)(*args)):
        assert ask("get_many", ["a", "b", "c"]) == {"a": "old"}
        assert ask("get", "big") == b"o" * 2**20
    assert cache.total_bytes == bytes_before
    assert not [event for event in seen if type(event).__name__ == "Stored"]
    cache.cleanup_expired()
    assert cache.store.audit() == []
    assert len(list((cache.path / "values").iterdir())) == 1


def test_a_transaction_within_another_is_part_of_it(cache: DiskCache, other: Actor) -> None:
    def fail() -> None:
        with cache.transaction():
            cache.set("a", 1)
            with cache.transaction():
                cache.set("b", 2)
            assert other.ask("get", "b") is None
            raise OSError("no more")

    with pytest.raises(OSError, match="no more"):
        fail()
    assert cache.get_many(["a", "b"]) == {}
    with cache.transaction(), cache.transaction():
        cache.set("a", 1)
    assert other.ask("get", "a") == 1


def test_two_caches_of_a_process_share_a_transaction(cache: DiskCache, place: Path, other: Actor) -> None:
    with disk_cache(place) as second:
        with cache.transaction():
            second.set("a", 1)
            assert cache.get("a") == 1
            assert other.ask("get", "a") is None
        assert other.ask("get", "a") == 1


def test_nothing_is_loaded_within_a_transaction(cache: DiskCache) -> None:
    calls: list[object] = []
    cache.set("there", 1)
    with cache.transaction():
        with pytest.raises(CacheValueError, match="before the transaction"):
            cache.get_or_set("a", lambda: calls.append(1))
        with pytest.raises(CacheValueError, match="before the transaction"):
            cache.get_many_or_set(["a", "b"], lambda keys: calls.append(keys) or {})
        assert cache.get_or_set("there", lambda: calls.append(1)) == 1
    assert calls == []
    assert cache.get_or_set("a", lambda: "value") == "value"


def test_what_another_process_loads_is_not_waited_for_within_a_transaction(
    cache: DiskCache, loader: Callable[..., Loader]
) -> None:
    first = loader()
    first.hold()
    began = time.perf_counter()
    with cache.transaction(), pytest.raises(CacheValueError, match="before the transaction"):
        cache.get_or_set("a", lambda: "value")
    assert time.perf_counter() - began < 5
    assert first.give("loaded") == "loaded"
    assert cache.get("a") == "loaded"
