"""Several processes, caches and threads over one directory."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from tests.backends.file_based.children import (
    Gate,
    begin,
    faults_of,
    file_cache,
    fork_warning,
    kill,
    names_in,
    needs_fork,
    run,
    status_of,
)

from cachery.backends.file_based.layout import hash_of
from cachery.backends.file_based.site import place_of
from cachery.exceptions import CacheTimeoutError
from cachery.file_based import FileBasedCache
from cachery.testing import check_invariants

pytestmark = [needs_fork, fork_warning, pytest.mark.no_cover]


def test_what_one_process_does_the_others_see(tmp_path: Path) -> None:
    with file_cache(tmp_path) as cache:
        cache.set("a", "old", tags=["red"])
        cache.set("b", "tagged", tags=["red"])
        assert run(lambda: cache.get("a") == "old" and cache.set("a", "of the child")) == 0
        assert cache.get("a") == "of the child"
        assert run(lambda: file_cache(tmp_path).delete("a")) == 0
        assert cache.get("a") is None
        assert run(lambda: file_cache(tmp_path).invalidate_tags("red")) == 0
        assert cache.get("b") is None
        assert run(lambda: file_cache(tmp_path).clear()) == 0
        assert len(cache) == 0


def test_numbers_that_four_processes_count_up_are_exact(tmp_path: Path) -> None:
    def count() -> bool:
        with file_cache(tmp_path) as cache:
            for turn in range(100):
                cache.incr("n")
                cache.incr(f"n {turn % 3}", 2)
        return True

    assert [status_of(child) for child in [begin(count) for _ in range(4)]] == [0] * 4
    with file_cache(tmp_path) as cache:
        assert cache.get("n") == 400
        assert sum(cache.get_many(["n 0", "n 1", "n 2"]).values()) == 800
        check_invariants(cache)


def test_numbers_that_threads_of_two_caches_count_up_are_exact(tmp_path: Path) -> None:
    caches = [file_cache(tmp_path), file_cache(tmp_path)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda turn: caches[turn % 2].incr("n"), range(200)))
    assert caches[0].get("n") == 200
    for cache in caches:
        cache.close()


def test_only_one_of_many_adds(tmp_path: Path) -> None:
    def add(number: int) -> int:
        with file_cache(tmp_path) as cache:
            os._exit(sum(cache.add(str(turn), number) for turn in range(30)))

    children = [begin(partial(add, number)) for number in range(4)]
    assert sum(status_of(child) for child in children) == 30


def test_readers_and_writers_of_one_key_never_see_a_mixture(tmp_path: Path) -> None:
    def write(number: int) -> None:
        with file_cache(tmp_path) as cache:
            for turn in range(300):
                cache.set("a", {"number": number, "turn": turn, "body": [number] * (1 + turn % 7 * 100)})

    def read() -> bool:
        with file_cache(tmp_path) as cache:
            faults = faults_of(cache)
            for _ in range(600):
                value = cache.get("a")
                if value is None or value["body"] != [value["number"]] * (1 + value["turn"] % 7 * 100):
                    return False
            return not faults

    with file_cache(tmp_path) as cache:
        cache.set("a", {"number": 9, "turn": 0, "body": [9]})
        children = [begin(partial(write, number)) for number in range(2)] + [begin(read) for _ in range(2)]
        assert [status_of(child) for child in children] == [0] * 4
        check_invariants(cache)
        assert {name.partition(".")[2] for name in names_in(tmp_path)} == {"cache", "meta"}


def hold_the_lock_of(cache: FileBasedCache, key: str, gate: Gate) -> None:
    """Hold the lock of ``key`` until this process is killed; open ``gate`` when it is held."""
    cache.store.site.acquire(place_of(hash_of(key.encode())), 30)
    gate.open()
    Gate().wait()


def test_who_waits_too_long_for_another_process_is_told(tmp_path: Path) -> None:
    gate = Gate()
    with file_cache(tmp_path, write_timeout="50ms") as cache:
        cache.set("a", "old")
        child = begin(lambda: hold_the_lock_of(cache, "a", gate))
        gate.wait()
        writes: list[Callable[[], object]] = [
            lambda: cache.set("a", "new"),
            lambda: cache.delete("a"),
            lambda: cache.touch("a", 5),
            lambda: cache.incr("a"),
            cache.clear,
        ]
        for write in writes:
            with pytest.raises(CacheTimeoutError, match=r"0\.05 seconds"):
                write()
        assert cache.get("a") == "old", "reading waits for nobody"
        assert cache.set("b", "another key") is True
        kill(child)
        assert cache.set("a", "new") is True
        assert cache.cleanup_expired() == 0
        assert cache.store.audit() == []
    gate.close()


def test_a_sweep_leaves_alone_what_is_being_written(tmp_path: Path) -> None:
    gate = Gate()
    with file_cache(tmp_path) as cache:
        cache.set("a", "old")
        child = begin(lambda: hold_the_lock_of(cache, "a", gate))
        gate.wait()
        body = next(tmp_path.glob("*.cache"))
        next(tmp_path.glob("*.meta")).unlink()
        cache.cleanup_expired()
        assert body.exists()
        kill(child)
        cache.cleanup_expired()
        assert not body.exists()
    gate.close()


def test_closing_one_of_two_caches_lets_no_lock_go(tmp_path: Path) -> None:
    with file_cache(tmp_path) as cache:
        other = file_cache(tmp_path)
        assert other.store.site is cache.store.site
        place = place_of(hash_of(b"a"))
        cache.store.site.acquire(place, 1)
        try:
            other.close()

            def is_kept_out() -> bool:
                with file_cache(tmp_path, write_timeout="20ms") as third:
                    try:
                        third.set("a", 1)
                    except CacheTimeoutError:
                        return True
                    return False

            assert run(is_kept_out) == 0
        finally:
            cache.store.site.release(place)
        assert cache.set("a", 2) is True


def test_a_link_to_the_directory_is_the_directory(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with file_cache(tmp_path / "real") as cache, file_cache(tmp_path / "link") as other:
        assert other.store.site is cache.store.site


def test_a_forked_child_holds_none_of_its_parents_locks(tmp_path: Path) -> None:
    with file_cache(tmp_path, write_timeout="100ms") as cache:
        place = place_of(hash_of(b"a"))
        cache.store.site.acquire(place, 1)

        def is_kept_out() -> bool:
            try:
                cache.set("a", "of the child")
            except CacheTimeoutError:
                return cache.set("another", "of the child")
            return False

        assert run(is_kept_out) == 0
        cache.store.site.release(place)
        assert cache.get("another") == "of the child"
        assert cache.set("a", "of the parent") is True


def test_a_child_that_closes_the_cache_of_its_parent_harms_nothing(tmp_path: Path) -> None:
    with file_cache(tmp_path) as cache:
        token = cache.store.open_token("a")
        place = place_of(hash_of(b"b"))
        cache.store.site.acquire(place, 1)
        assert run(cache.close) == 0
        assert cache.store.is_current(token)
        assert run(lambda: not cache.store.site.try_acquire(place)) == 0
        cache.store.site.release(place)
        cache.store.close_token(token)


def test_a_fork_while_threads_write(tmp_path: Path) -> None:
    stop = Event()
    with file_cache(tmp_path, max_size=2000) as cache:

        def hammer(number: int) -> None:
            turn = 0
            while not stop.is_set():
                turn += 1
                cache.set(f"{number} {turn % 150}", turn)
                cache.get_or_set(f"loaded {turn % 20}", lambda: 1)
                cache.get(str(turn % 130))

        threads = [Thread(target=hammer, args=(number,)) for number in range(2)]
        for thread in threads:
            thread.start()

        def use_in_child() -> bool:
            cache.set("child", 1)
            return cache.get("child") == 1 and cache.incr("children") > 0

        try:
            assert [run(use_in_child) for _ in range(10)] == [0] * 10
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        assert cache.get("children") == 10
        cache.cleanup_expired()
        assert cache.store.audit() == []


def test_many_threads_and_verbs(tmp_path: Path) -> None:
    with file_cache(tmp_path, max_size=20, max_bytes="1MiB") as cache:
        faults = faults_of(cache)

        def work(number: int) -> None:
            for turn in range(60):
                key = str((turn * 7 + number) % 30)
                cache.set(key, {"key": key, "body": "x" * (turn * 10)}, ttl=100, tags=["red"] * (turn % 2))
                found = cache.get(str(turn % 30))
                assert found is None or found["key"] == str(turn % 30)
                cache.incr("n")
                cache.delete(str(turn % 11))
                if turn % 20 == number:
                    cache.invalidate_tags("red")
                    cache.cleanup_expired()
                assert len(cache) <= 20

        with ThreadPoolExecutor(4) as pool:
            for done in [pool.submit(work, number) for number in range(4)]:
                done.result()
        assert faults == []
        check_invariants(cache)


def test_one_process_loads_and_the_others_wait(tmp_path: Path) -> None:
    calls = tmp_path / "calls"

    def load() -> str:
        with calls.open("a") as file:
            file.write("x")
        return "loaded"

    def ask() -> bool:
        with file_cache(tmp_path / "cache") as cache:
            return all(cache.get_or_set(f"key {turn}", load) == "loaded" for turn in range(20))

    file_cache(tmp_path / "cache").close()
    assert [status_of(child) for child in [begin(ask) for _ in range(4)]] == [0] * 4
    assert len(calls.read_text()) == 20
    with file_cache(tmp_path / "cache") as cache:
        check_invariants(cache)
        assert not list(cache.cache_dir.glob("*.fence"))


def test_a_lease_is_held_by_one_process_until_it_ends(tmp_path: Path) -> None:
    gate = Gate()
    with file_cache(tmp_path) as cache:

        def lead() -> None:
            assert cache.store.take_lease("a") is not None
            gate.open()
            Gate().wait()

        child = begin(lead)
        gate.wait()
        assert cache.store.take_lease("a") is None
        other: Any = cache.store.take_lease("b")
        cache.store.drop_lease(other)
        cache.store.remove("a")
        after: Any = cache.store.take_lease("a")
        assert after is not None, "nobody wants any more what is being loaded"
        cache.delete_pattern("nothing")
        assert cache.store.take_lease("a") is not None
        cache.store.drop_lease(after)
        assert not list(tmp_path.glob("*.fence"))
        kill(child)
    gate.close()


def test_a_lease_ends_with_its_process(tmp_path: Path) -> None:
    gate = Gate()
    with file_cache(tmp_path) as cache:

        def lead() -> None:
            assert cache.store.take_lease("a") is not None
            gate.open()
            Gate().wait()

        child = begin(lead)
        gate.wait()
        assert cache.store.take_lease("a") is None
        kill(child)
        lease: Any = cache.store.take_lease("a")
        assert lease is not None
        cache.store.drop_lease(lease)
        cache.store.drop_lease(lease)
        assert cache.store.audit() == []
    gate.close()


def test_a_load_of_one_process_is_refused_when_another_invalidates(tmp_path: Path) -> None:
    with file_cache(tmp_path) as cache:
        for invalidate in ("delete", "clear", "pattern", "tags", "set"):
            verbs = {
                "delete": lambda: file_cache(tmp_path).delete("a") or True,
                "clear": lambda: file_cache(tmp_path).clear(),
                "pattern": lambda: file_cache(tmp_path).delete_pattern("nothing") or True,
                "tags": lambda: file_cache(tmp_path).invalidate_tags("red"),
                "set": lambda: file_cache(tmp_path).set("a", "newer"),
            }

            def load(work: Any = verbs[invalidate]) -> str:
                assert run(work) == 0
                return "old"

            assert cache.get_or_set("a", load, tags=["red"]) == "old"
            assert cache.get("a") == ("newer" if invalidate == "set" else None)
        check_invariants(cache)
