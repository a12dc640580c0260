"""Disks that are full, directories that are not what they should be, machines that fall, clocks that jump, forks."""

from __future__ import annotations

import json
import logging
import os
import random
import shutil
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.backends.disk import faults
from tests.backends.disk.actors import PATIENCE, Actor, disk_cache, serving

from cachery import (
    CacheClosedError,
    CacheConnectionError,
    CacheError,
    CacheTimeoutError,
    CacheValueError,
    DiskCache,
)

IS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0
POSIX = pytest.mark.skipif(os.name != "posix", reason="needs signals and permissions as POSIX has them")
MACHINE, ANOTHER = b"\1" * 16, b"\2" * 16


# Disks and directories


@POSIX
def test_a_full_disk_is_an_error_and_harms_nothing(tmp_path: Path) -> None:
    with Actor(faults.fill_the_disk, tmp_path) as actor:
        small, big, held, size = actor.receive()
        assert small[0] in {"CacheFullError", "CacheConnectionError"}, "LMDB takes a short write for a broken disk"
        assert big[0] == "CacheFullError"
        assert str(tmp_path) in small[1]
        assert str(tmp_path) in big[1]
        assert (held, size) == (1, 2**20)
        assert actor.receive() == ((True, True), 2, 2**22, [], 1)


@pytest.mark.skipif(not IS_ROOT, reason="only root may become somebody else")
def test_a_directory_that_may_not_be_used_is_an_error(tmp_path: Path) -> None:
    with disk_cache(tmp_path / "store") as cache:
        cache.set("a", 1)
    with Actor(faults.use_as_nobody, tmp_path / "store") as actor:
        assert actor.receive()[0] == "CacheConnectionError"
    with Actor(faults.use_as_nobody, tmp_path / "another") as actor:
        kind, words = actor.receive()
    assert kind == "CacheConnectionError"
    assert str(tmp_path / "another") in words or str(tmp_path) in words


def test_a_directory_that_is_removed_under_us_raises_nothing_worse_than_cache_errors(tmp_path: Path) -> None:
    place = tmp_path / "store"
    cache = disk_cache(place)
    cache.set_many({"a": 1, "big": bytes(2**20)})
    shutil.rmtree(place)
    for use in (
        lambda: cache.get("a"),
        lambda: cache.get("big"),
        lambda: cache.set("b", 1),
        lambda: cache.set("big", bytes(2**20)),
        lambda: cache.get_or_set("c", lambda: 1),
        lambda: cache.delete("a"),
        cache.clear,
        cache.cleanup_expired,
    ):
        try:
            use()
        except CacheError as error:
            assert str(place) in str(error)  # noqa: PT017 - it may also work
    cache.close()
    with disk_cache(place) as cache:
        assert cache.get("a") is None
        assert cache.set("a", 2)


def test_a_path_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text")
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(CacheConnectionError, match="file"):
            disk_cache(place)
    assert (tmp_path / "file").read_text() == "text"


@pytest.mark.parametrize("place", ["", None, 5, b"bytes", "nul\0byte"])
def test_a_path_that_is_none_is_refused(place: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    if place is None:
        with disk_cache(place) as cache:
            assert cache.path == tmp_path / "cachery" / "disk" / "default"
        return
    with pytest.raises((CacheValueError, CacheConnectionError)):
        disk_cache(place)


def said(place: Path, **changes: Any) -> None:
    """Change what ``place`` says that it is."""
    file = place / "cachery.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


def test_a_directory_of_another_kind_format_or_name_is_refused(tmp_path: Path) -> None:
    with disk_cache(tmp_path, name="mine") as cache:
        cache.set("a", 1)
    with pytest.raises(CacheValueError, match="name='mine', not 'other'"):
        disk_cache(tmp_path, name="other")
    with disk_cache(tmp_path) as cache:
        assert cache.get("a") == 1, "without a name, that of the directory counts"
    said(tmp_path, format=99)
    with pytest.raises(CacheConnectionError, match=r"format 99.*upgrade"):
        disk_cache(tmp_path)
    said(tmp_path, format=1, kind="file_based")
    with pytest.raises(CacheConnectionError, match="kind 'file_based', not 'disk'"):
        disk_cache(tmp_path)
    for text in ("", "{}", "[1]", "no json", '{"kind": 1}', "[" * 70_000):
        (tmp_path / "cachery.json").write_text(text)
        with pytest.raises(CacheConnectionError, match=r"cachery\.json"):
            disk_cache(tmp_path)


@pytest.mark.parametrize("damage", ["garbage", "header", "cut off", "text"])
def test_a_database_that_is_damaged_is_an_error_that_says_what_and_where(tmp_path: Path, damage: str) -> None:
    with disk_cache(tmp_path) as cache:
        cache.set_many({f"key {number}": bytes(2000) for number in range(100)})
    file = tmp_path / "data.mdb"
    data = bytearray(file.read_bytes())
    if damage == "garbage":
        data[:8192] = random.Random(1).randbytes(8192)
    elif damage == "header":
        data[16:24] = b"\xff" * 8
        data[4096 + 16 : 4096 + 24] = b"\xff" * 8
    elif damage == "cut off":
        del data[5000:]
    else:
        data = bytearray(b"this is a text, and no database\n" * 1000)
    file.write_bytes(data)
    with pytest.raises(CacheConnectionError) as caught:
        disk_cache(tmp_path)
    assert str(tmp_path) in str(caught.value)
    assert "store" in str(caught.value)


def test_a_state_that_is_none_is_refused_and_one_that_is_lost_is_counted_anew(tmp_path: Path) -> None:
    with disk_cache(tmp_path) as cache:
        cache.set("a", 1, tags=["red"])
        cache.set("b", 1, ttl=1000)
        cache.invalidate_tags("red")
        total = cache.total_bytes
    (tmp_path / "state").unlink()
    with disk_cache(tmp_path) as cache:
        assert cache.total_bytes == total
        assert cache.store.audit() == []
        assert cache.get_many(["a", "b"]) == {"b": 1}
        cache.set("a", 2, tags=["red"])
        cache.invalidate_tags("red")
        assert cache.get("a") is None
        assert cache.ttl("b") == pytest.approx(1000, abs=60)
    (tmp_path / "state").write_bytes(b"something else" * 1000)
    with pytest.raises(CacheConnectionError, match="state"):
        disk_cache(tmp_path)


# Writers that stand still


@POSIX
def test_a_writer_that_is_stopped_holds_up_writers_for_a_while_and_readers_never(tmp_path: Path) -> None:
    with disk_cache(tmp_path, write_timeout=0.2) as cache:
        cache.set("a", "old")
        with Actor(faults.transact, tmp_path) as actor:
            assert actor.receive() == "within"
            actor.stop()
            began = time.perf_counter()
            writes: list[Callable[[], object]] = [
                lambda: cache.set("a", "mine"),
                lambda: cache.set("big", bytes(2**20)),
                lambda: cache.delete("a"),
                lambda: cache.incr("n"),
                cache.clear,
            ]
            for write in writes:
                with pytest.raises(CacheTimeoutError, match="stopped"):
                    write()
            with pytest.raises(CacheTimeoutError), cache.transaction():
                raise AssertionError("nobody comes here")
            assert 1.2 <= time.perf_counter() - began < 20
            assert cache.get("a") == "old"
            assert cache.get_or_set("b", lambda: "loaded") == "loaded", "what cannot be stored is returned"
            assert list(cache.keys()) == ["a"]
            actor.go_on()
            actor.send("end")
            assert actor.receive() == "done"
        assert cache.get("a") == "new"
        assert cache.set("a", "mine")
        assert not (tmp_path / "values").exists() or list((tmp_path / "values").iterdir()) == []
        assert cache.store.audit() == []


@POSIX
def test_an_interrupt_while_waiting_for_a_writer_leaves_the_door_free(tmp_path: Path) -> None:
    with Actor(faults.interrupted_at_the_door, tmp_path) as actor:
        assert actor.receive() == "ready"
        with Actor(faults.transact, tmp_path) as writer:
            assert writer.receive() == "within"
            actor.send("go on")
            assert actor.receive() == "interrupted"
            writer.send("end")
            assert writer.receive() == "done"
            actor.send("go on")
            assert actor.receive() is True


@POSIX
def test_opening_a_cache_waits_for_a_writer_no_longer_than_writing(tmp_path: Path) -> None:
    with Actor(faults.transact, tmp_path) as actor:
        assert actor.receive() == "within"
        actor.stop()
        with pytest.raises(CacheTimeoutError, match="stopped"):
            disk_cache(tmp_path, write_timeout=0.2)
        actor.go_on()
        actor.send("end")
        assert actor.receive() == "done"
    with disk_cache(tmp_path, write_timeout=0.2) as cache:
        assert cache.get("a") == "new"


@POSIX
def test_a_writer_that_is_killed_in_a_transaction_leaves_the_door_free(tmp_path: Path) -> None:
    with disk_cache(tmp_path) as cache:
        cache.set("a", "old")
        actor = Actor(faults.transact, tmp_path)
        assert actor.receive() == "within"
        actor.kill()
        assert cache.get("a") == "old"
        assert cache.set("b", 1)
        assert cache.get_many(["a", "b"]) == {"a": "old", "b": 1}
        assert cache.store.audit() == []


# Machines that fall, and clocks


def booted(place: Path, boot: bytes, work: str = "", shift: float = 0.0, up: float = 100.0) -> Actor:
    return Actor(faults.in_another_boot, place, faults.Boot(boot, shift, up), work)


def ended(actor: Actor, how: str) -> None:
    """End ``actor``: by a fall of the machine, or closing the cache first."""
    actor.send(how)
    if how == "close":
        assert actor.receive() == "closed"
    actor.end()


def test_a_store_that_the_machine_fell_with_is_moved_aside(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for number in (1, 2):
        actor = booted(tmp_path, MACHINE, "set")
        actor.receive()
        ended(actor, "fall")
        with caplog.at_level(logging.WARNING, logger="cachery"), disk_cache(tmp_path) as cache:
            assert len(cache) == 0
            assert cache.set("c", 1)
        (warning,) = caplog.records
        assert f"damaged-{number}" in warning.getMessage()
        assert str(tmp_path) in warning.getMessage()
        assert {"data.mdb", "state"} <= {file.name for file in (tmp_path / f"damaged-{number}").iterdir()}
        caplog.clear()
        shutil.rmtree(tmp_path / "values", ignore_errors=True)


def test_a_store_that_was_closed_before_the_machine_went_down_is_kept(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    actor = booted(tmp_path, MACHINE, "set")
    actor.receive()
    ended(actor, "close")
    with caplog.at_level(logging.WARNING, logger="cachery"):
        actor = booted(tmp_path, ANOTHER)
        life, value, _ = actor.receive()
        ended(actor, "close")
    assert value == "value"
    assert 900 < life <= 1000
    assert not caplog.records
    assert not list(tmp_path.glob("damaged*"))


def test_what_no_process_has_closed_is_kept_as_long_as_the_machine_is_up(tmp_path: Path) -> None:
    actor = booted(tmp_path, MACHINE, "set")
    actor.receive()
    ended(actor, "fall")
    actor = booted(tmp_path, MACHINE, up=200)
    life, value, _ = actor.receive()
    ended(actor, "close")
    assert value == "value"
    assert 800 < life <= 901


def test_a_store_that_is_synced_is_kept_when_the_machine_falls(tmp_path: Path) -> None:
    with disk_cache(tmp_path, durability="commit") as cache:
        cache.set("a", 1)
        assert not cache.store.volume.state.is_unsafe
    with disk_cache(tmp_path) as cache:
        assert cache.get("a") == 1
        cache.set("b", 1)
        assert cache.store.volume.state.is_unsafe


def test_setting_the_clock_of_the_machine_moves_no_end(tmp_path: Path) -> None:
    actor = booted(tmp_path, MACHINE, "jump")
    assert actor.receive() == [pytest.approx(1000, abs=60)] * 2
    actor.receive()
    ended(actor, "close")


@pytest.mark.parametrize("shift", [-1e7, 0.0, 500.0])
def test_time_does_not_run_backwards_over_a_restart(tmp_path: Path, shift: float) -> None:
    actor = booted(tmp_path, MACHINE, "set", up=5000)
    _, _, before = actor.receive()
    ended(actor, "close")
    actor = booted(tmp_path, ANOTHER, shift=shift, up=1)
    life, value, now = actor.receive()
    ended(actor, "close")
    assert now > before - 5, "it goes on from where the last write was"
    assert life == pytest.approx(1000 - max(shift, 0), abs=60)
    assert value == "value"


# Forks


@pytest.mark.no_cover
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_children_use_the_cache_of_their_parent_and_harm_it_not(tmp_path: Path, stress: float) -> None:
    with Actor(faults.fork_often, tmp_path, int(10 + 300 * stress)) as actor:
        assert actor.receive(600) == []


@pytest.mark.no_cover
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_child_born_in_a_transaction_is_not_in_it(tmp_path: Path) -> None:
    with Actor(faults.fork_within_a_transaction, tmp_path) as actor:
        assert actor.receive() == (0, "new", True, [])


@pytest.mark.no_cover
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_child_disturbs_no_reader_of_its_parent(tmp_path: Path) -> None:
    with disk_cache(tmp_path) as cache, serving(disk_cache, tmp_path) as other:
        keys = {f"key {number}": f"old {number}" for number in range(200)}
        cache.set_many(keys)
        table = cache.store.volume.environment.records
        with cache.store.reading() as transaction:
            before = dict(transaction.cursor(table))
            child = os.fork()
            if child == 0:
                os._exit(0 if faults.reads_or_is_refused(cache, "key 1", "old 1") else 1)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
            for number in range(20):
                other.ask("set_many", dict.fromkeys(keys, number))
            assert dict(transaction.cursor(table)) == before


@POSIX
def test_the_places_of_dead_readers_are_used_again(tmp_path: Path, stress: float) -> None:
    with disk_cache(tmp_path) as cache:
        cache.set("a", 1)
        for _ in range(int(20 + 2500 * stress)):
            actor = Actor(faults.read_once, tmp_path)
            assert actor.receive() == 1
            actor.end()
        database = cache.store.volume.environment._database
        assert database.info()["num_readers"] < 10
        assert cache.get("a") == 1


# Several caches, many threads


def test_two_caches_on_one_path_are_independent_of_each_other(tmp_path: Path) -> None:
    first, second = disk_cache(tmp_path), disk_cache(tmp_path / ".." / tmp_path.name)
    first.set("a", 1)
    assert second.get("a") == 1
    first.close()
    first.close()
    with pytest.raises(CacheClosedError):
        first.get("a")
    assert second.get("a") == 1
    assert second.set("a", 2)
    with pytest.raises(CacheConnectionError, match="durability"):
        disk_cache(tmp_path, durability="commit")
    second.close()
    with disk_cache(tmp_path, durability="commit") as third:
        assert third.get("a") == 2


def _set(waited: threading.Event, _: object) -> None:
    waited.set()


def test_closing_while_others_use_it_raises_nothing_but_that_it_is_closed(tmp_path: Path, stress: float) -> None:
    def use(cache: DiskCache, seed: int) -> set[str]:
        chance, raised = random.Random(seed), set[str]()
        for number in range(10**6):
            key = f"key {chance.randint(0, 9)}"
            try:
                value = cache.get(key)
                assert value is None or value["key"] == key
                cache.set(key, {"key": key, "size": bytes(2**20 if number % 50 == 0 else 10)})
                cache.get_or_set(f"loaded {key}", lambda key=key: {"key": key})
                cache.delete(f"loaded {key}")
                list(cache.keys())
                if number % 30 == 0:
                    cache.cleanup_expired()
            except CacheClosedError:
                return raised
            except Exception as error:  # noqa: BLE001 - it is reported
                raised.add(repr(error))
        return raised

    with ThreadPoolExecutor(4) as pool:
        for number in range(int(5 + 100 * stress)):
            cache = disk_cache(tmp_path)
            users = [pool.submit(use, cache, seed) for seed in range(4)]
            waited = threading.Event()
            cache.subscribe(partial(_set, waited))
            assert waited.wait(PATIENCE)
            for _ in range(20 + number % 50):
                cache.exists("key 1")
            cache.close()
            assert [user.result(PATIENCE) for user in users] == [set()] * 4
    with disk_cache(tmp_path) as cache:
        cache.cleanup_expired()
        assert cache.store.audit() == []
