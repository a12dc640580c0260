"""What other processes do to show what happens when something is wrong."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.backends.disk.actors import PATIENCE, Pipe, disk_cache

import cachery.ports.clock
from cachery import CacheError, DiskCache


def outcome_of(work: Callable[[], object]) -> object:
    """Return what ``work`` returns, or the kind of error that it raises and its words."""
    try:
        return work()
    except CacheError as error:
        return type(error).__name__, str(error)


def fill_the_disk(pipe: Pipe, place: Path) -> None:
    """Write until files may not grow any more; then read, and write when they may again."""
    import resource  # noqa: PLC0415 - not everywhere

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    with disk_cache(place) as cache:
        cache.set_many({"small": 1, "big": bytes(2**20)})
        size = (place / "data.mdb").stat().st_size
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 2**16, before[1]))
        small = outcome_of(lambda: [cache.set(f"key {number}", bytes(50_000)) for number in range(100)])
        big = outcome_of(lambda: cache.set("big", bytes(2**22)))
        pipe.send((small, big, cache.get("small"), len(cache.get("big"))))
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        written = cache.set("big", bytes(2**22)), cache.set("small", 2)
        cache.cleanup_expired()
        files = len(list((place / "values").iterdir()))
        pipe.send((written, cache.get("small"), len(cache.get("big")), cache.store.audit(), files))


def use_as_nobody(pipe: Pipe, place: Path) -> None:
    """Open a cache as a user who may not."""
    os.setgid(65534)
    os.setuid(65534)
    pipe.send(outcome_of(lambda: disk_cache(place)))


def transact(pipe: Pipe, place: Path) -> None:
    """Begin a transaction; end it when the pipe says something."""
    with disk_cache(place) as cache:
        with cache.transaction():
            cache.set("a", "new")
            pipe.send("within")
            pipe.connection.recv()
        pipe.send("done")


def interrupted_at_the_door(pipe: Pipe, place: Path) -> None:
    """Wait for another writer, and be interrupted meanwhile; then write."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGALRM, interrupt)
    with disk_cache(place, write_timeout=PATIENCE) as cache:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        try:
            cache.set("b", 1)
        except KeyboardInterrupt:
            pipe.send("interrupted")
        pipe.connection.recv()
        pipe.send(cache.set("b", 2))


def in_another_boot(pipe: Pipe, place: Path, boot: bytes, shift: float, up: float, work: str) -> None:
    """Use a cache after a start of the machine: ``up`` seconds ago, with the clock of the machine off by ``shift``."""
    import cachery.backends.disk.state as state  # noqa: PLC0415 - before the cache is opened
    import cachery.backends.disk.volume as volume  # noqa: PLC0415

    began, wall = time.monotonic(), time.time
    state.wall = cachery.ports.clock.wall = lambda: wall() + shift  # type: ignore[attr-defined]
    state.since_boot = cachery.ports.clock.since_boot = lambda: time.monotonic() - began + up  # type: ignore[attr-defined]
    state.boot_id = volume.boot_id = lambda: boot  # type: ignore[attr-defined]
    cache = disk_cache(place)
    if work == "set":
        cache.set("a", "value", ttl=1000)
        cache.set("b", "value")
    elif work == "jump":
        cache.set("a", "value", ttl=1000)
        lives = []
        for by in (1e6, -1e6):
            state.wall = cachery.ports.clock.wall = lambda by=by: wall() + by  # type: ignore[attr-defined,misc]
            lives.append(cache.ttl("a"))
        pipe.send(lives)
    pipe.send((cache.ttl("a"), cache.get("b"), cache.store.read_clock()))
    if pipe.connection.recv() == "close":
        cache.close()
        pipe.send("closed")
    else:
        os._exit(0)


def hammer(place: Path, seconds: float, forks: int) -> list[str]:
    """Use a cache from several threads, and fork meanwhile; children use it too. Return what was wrong."""
    wrong: list[str] = []
    cache = disk_cache(place)
    cache.set_many({f"key {number}": f"value {number}" for number in range(20)})
    go_on = True

    def use() -> None:
        number = 0
        while go_on:
            number += 1
            key = number % 20
            try:
                if cache.get(f"key {key}") != f"value {key}":
                    wrong.append(f"key {key} is gone")
                if number % 5 == 0:
                    cache.set(f"key {key}", f"value {key}")
                if number % 50 == 0 and len(list(cache.keys("key *"))) != 20:
                    wrong.append("keys are gone")
            except Exception as error:  # noqa: BLE001 - it is reported
                wrong.append(repr(error))

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(forks):
        child = os.fork()
        if child == 0:
            _be_a_child(cache, number)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if status != 0:
            wrong.append(f"the child ended with {status}")
        if cache.get(f"of child {number}") != number:
            wrong.append(f"what child {number} wrote is not there")
    go_on = False
    for thread in threads:
        thread.join(seconds)
        if thread.is_alive():
            wrong.append("a thread is stuck")
    wrong += cache.store.audit()
    cache.close()
    return wrong


def _be_a_child(cache: DiskCache, number: int) -> None:
    """Use ``cache``, which was made by the parent, and end."""
    is_well = False
    with suppress(BaseException):
        is_well = all(cache.get(f"key {key}") == f"value {key}" for key in range(20))
        is_well &= cache.set(f"of child {number}", number)
        is_well &= cache.get_or_set(f"loaded {number}", lambda: number) == number
        if number % 2:
            cache.close()
    os._exit(0 if is_well else 1)


def hammer_and_tell(pipe: Pipe, place: Path, forks: int) -> None:
    pipe.send(hammer(place, PATIENCE, forks))


def fork_within_a_transaction(pipe: Pipe, place: Path) -> None:
    """Fork while a transaction is open; the child sees what stood before, and writes when it is over."""
    with disk_cache(place) as cache:
        cache.set("a", "old")
        ours, theirs = os.pipe()
        with cache.transaction():
            cache.set("a", "new")
            child = os.fork()
            if child == 0:
                seen: Any = cache.get("a")
                os.write(theirs, str(seen).encode())
                is_well = cache.set("b", 1) and cache.get("a") == "new"
                os._exit(0 if is_well else 1)
            seen_there = os.read(ours, 100)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        pipe.send((seen_there, status, cache.get_many(["a", "b"]), cache.store.audit()))


def read_once(pipe: Pipe, place: Path) -> None:
    """Read, and end without closing anything."""
    cache = disk_cache(place)
    pipe.send(cache.get("a"))
    os._exit(0)
