"""What other processes do to show what happens when something is wrong."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from tests.backends.disk.actors import PATIENCE, Pipe, disk_cache

import cachery.ports.clock
from cachery import CacheError, DiskCache
from cachery.backends.disk import state, volume


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
        pipe.send("ready")
        pipe.connection.recv()
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        try:
            cache.set("b", 1)
        except KeyboardInterrupt:
            pipe.send("interrupted")
        pipe.connection.recv()
        pipe.send(cache.set("b", 2))


class Boot(NamedTuple):
    """A start of the machine, ``up`` seconds ago, with its clock off by ``shift``."""

    number: bytes
    shift: float
    up: float


def in_another_boot(pipe: Pipe, place: Path, boot: Boot, work: str) -> None:
    """Use a cache after ``boot``."""
    shift = boot.shift
    began, wall = time.monotonic(), time.time
    state.wall = cachery.ports.clock.wall = lambda: wall() + shift  # type: ignore[attr-defined]
    state.since_boot = cachery.ports.clock.since_boot = lambda: time.monotonic() - began + boot.up  # type: ignore[attr-defined]
    state.boot_id = volume.boot_id = lambda: boot.number  # type: ignore[attr-defined]
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


class Hammer:
    """Threads that use ``cache`` until they are stopped. ``wrong``: what they found."""

    def __init__(self, cache: DiskCache) -> None:
        self.cache = cache
        self.wrong: list[str] = []
        self._end = threading.Event()
        cache.set_many({f"key {number}": f"value {number}" for number in range(20)})
        self._threads = [threading.Thread(target=self._run) for _ in range(4)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join(PATIENCE)
            if thread.is_alive():
                self.wrong.append("a thread is stuck")

    def _run(self) -> None:
        number = 0
        while not self._end.is_set():
            number += 1
            try:
                self._use(number)
            except Exception as error:  # noqa: BLE001 - it is reported
                self.wrong.append(repr(error))

    def _use(self, number: int) -> None:
        key = number % 20
        if self.cache.get(f"key {key}") != f"value {key}":
            self.wrong.append(f"key {key} is gone")
        if number % 5 == 0:
            self.cache.set(f"key {key}", f"value {key}")
        if number % 50 == 0 and len(list(self.cache.keys("key *"))) != 20:
            self.wrong.append("keys are gone")


def fork_often(pipe: Pipe, place: Path, forks: int) -> None:
    """Fork while threads use a cache; the children use it too. Tell what was wrong."""
    with disk_cache(place) as cache:
        hammer = Hammer(cache)
        for number in range(forks):
            child = os.fork()
            if child == 0:
                _be_a_child(cache, number)
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            if status != 0 or cache.get(f"of child {number}") != number:
                hammer.wrong.append(f"child {number} ended with {status}")
        hammer.stop()
        pipe.send(hammer.wrong + cache.store.audit())


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


def fork_within_a_transaction(pipe: Pipe, place: Path) -> None:
    """Fork while a transaction is open; the child uses the cache, or is told that it cannot."""
    with disk_cache(place) as cache:
        cache.set("a", "old")
        with cache.transaction():
            cache.set("a", "new")
            child = os.fork()
            if child == 0:
                os._exit(0 if reads_or_is_refused(cache, "a", "old", "new") else 1)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        pipe.send((status, cache.get("a"), cache.set("b", 1), cache.store.audit()))


def reads_or_is_refused(cache: DiskCache, key: str, *values: object) -> bool:
    """Tell whether ``key`` has one of ``values``, or a cache error says that it cannot be read."""
    try:
        return cache.get(key) in values
    except CacheError:
        return True
    except BaseException:  # noqa: BLE001 - the parent is to know
        return False


def read_once(pipe: Pipe, place: Path) -> None:
    """Read, and end without closing anything."""
    cache = disk_cache(place)
    pipe.send(cache.get("a"))
    os._exit(0)
