"""The suite, spread over two processes: the plain verbs run in another one, loads in this.

Each process holds a cache of its own over one store, and time is a number in a file that both have in their memory. So
whatever a verb does, the other process has to see it. Left out are the tests that count, listen and close: numbers,
listeners and closing are those of one object, and so of one process. Where a test looks at a number beside other
things, it gets that of the process whose verbs it speaks about.
"""

from __future__ import annotations

import mmap
import os
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from struct import Struct
from typing import Any, cast

import pytest
from tests.backends.disk.actors import SECRET, Actor, Pipe

from cachery import Cache, DiskCache, NamespacedCache
from cachery.events import Listener
from cachery.file_based import FileBasedCache
from cachery.loading import BlockingEngine
from cachery.statistics.stats import CacheStats
from cachery.testing import FakeClock
from cachery.testing.conformance.arguments import ArgumentTests
from cachery.testing.conformance.expiry import ExpiryTests
from cachery.testing.conformance.ground import Ground
from cachery.testing.conformance.invalidation import InvalidationTests
from cachery.testing.conformance.loading import LoadingTests
from cachery.testing.conformance.numbers import NumberTests
from cachery.testing.conformance.verbs import VerbTests
from cachery.testing.delegation import DelegatingCache

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs a fork server and locks of the system")

_TIME = Struct("<d")


class SharedClock(FakeClock):
    """A clock that several processes read, from the file ``place``."""

    def __init__(self, place: Path) -> None:
        super().__init__()
        file = os.open(place, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            is_new = os.fstat(file).st_size == 0
            os.ftruncate(file, _TIME.size)
            self._map = mmap.mmap(file, _TIME.size)
        finally:
            os.close(file)
        if is_new:
            self.jump(1000.0)

    def __call__(self) -> float:
        time: float = _TIME.unpack_from(self._map)[0]
        return time

    def advance(self, seconds: float) -> None:
        self.jump(self() + seconds)

    def jump(self, to: float) -> None:
        _TIME.pack_into(self._map, 0, to)


def hold_caches(pipe: Pipe) -> None:
    """Hold a cache for each place that is named, and carry out verbs on it."""
    caches: dict[Path, Cache] = {}
    while True:
        verb, place, args, kwargs = pipe.connection.recv()
        try:
            if verb == "open":
                make, clock, options = args
                answer = caches.setdefault(place, make(place, SharedClock(clock), **options)) and None
            else:
                answer = _answer(caches[place], verb, args, kwargs)
        except Exception as error:  # noqa: BLE001 - it is the answer
            pipe.send((False, error))
        else:
            pipe.send((True, answer))


def _answer(cache: Cache, verb: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    if verb == "size":
        return len(cache)
    if verb == "stats":
        return cache.stats.to_dict()
    answer = getattr(cache, verb)(*args, **kwargs)
    return list(answer) if verb == "keys" else answer


class Numbers:
    """The numbers of a cache in another process, as they stood."""

    def __init__(self, numbers: dict[str, Any]) -> None:
        self.__dict__.update(numbers)


class Elsewhere(DelegatingCache):
    """Verbs go to the process ``actor``, loads to ``cache``, which is of this one."""

    def __init__(self, cache: Cache, actor: Actor, place: Path, *, counts_there: bool) -> None:
        self.cache = cache
        self._actor = actor
        self._place = place
        self._counts_there = counts_there

    def call(self, verb: str, *args: Any, **kwargs: Any) -> Any:
        try:
            pickle.dumps((args, kwargs))
        except Exception:  # noqa: BLE001 - what no pipe can carry is to be refused by any cache
            return getattr(self.cache, verb)(*args, **kwargs)
        return ask(self._actor, verb, self._place, *args, **kwargs)

    def get_or_set(self, *args: Any, **kwargs: Any) -> Any:
        return self.cache.get_or_set(*args, **kwargs)

    def get_many_or_set(self, *args: Any, **kwargs: Any) -> Any:
        return self.cache.get_many_or_set(*args, **kwargs)

    def drain(self, timeout: float = 5.0) -> bool:
        return self.cache.drain(timeout)

    def close(self) -> None:
        self.call("close")
        self.cache.close()

    def check_open(self) -> None:
        self.cache.check_open()

    def build_engine(self) -> BlockingEngine:
        return self.cache.engine

    @property
    def stats(self) -> CacheStats:
        there = Numbers(ask(self._actor, "stats", self._place))
        stats: CacheStats = cast("CacheStats", there) if self._counts_there else self.cache.stats
        return stats

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        return self.cache.subscribe(listener)


def ask(actor: Actor, verb: str, place: Path, *args: Any, **kwargs: Any) -> Any:
    actor.send((verb, place, args, kwargs))
    is_well, answer = actor.receive()
    if not is_well:
        raise answer
    return answer


class TwoProcesses(Ground):
    """What the parts of the suite stand on here. ``make``: how a process makes its cache."""

    make: Callable[..., Cache]
    counts_there = True
    actor: Actor
    place: Path
    made: int

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def _actor(cls) -> Iterator[None]:
        with Actor(hold_caches) as cls.actor:
            yield

    @pytest.fixture(autouse=True)
    def _fresh_clock(self, tmp_path: Path) -> None:
        self.place = tmp_path
        self.made = 0
        self.clock = SharedClock(tmp_path / "clock")

    def make_cache(self, **options: Any) -> Cache:
        self.made += 1
        place = self.place / str(self.made)
        make = type(self).make
        cache = make(place, self.clock, **options)
        ask(self.actor, "open", place, make, self.place / "clock", options)
        return Elsewhere(cache, self.actor, place, counts_there=self.counts_there)

    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)


def make_disk(place: Path, clock: SharedClock, **options: Any) -> Cache:
    return DiskCache(place, clock=clock, secret=SECRET, **options)


def make_file_based(place: Path, clock: SharedClock, **options: Any) -> Cache:
    return FileBasedCache(place, clock=clock, secret=SECRET, **options)


def make_namespaced(place: Path, clock: SharedClock, **options: Any) -> Cache:
    return NamespacedCache(make_disk(place, clock, **options), "part")


class TestDisk(VerbTests, ExpiryTests, InvalidationTests, NumberTests, ArgumentTests, TwoProcesses):
    make = staticmethod(make_disk)


class TestDiskLoads(LoadingTests, TwoProcesses):
    make = staticmethod(make_disk)
    counts_there = False


class TestNamespacedDisk(InvalidationTests, NumberTests, TwoProcesses):
    make = staticmethod(make_namespaced)


class TestNamespacedDiskLoads(LoadingTests, TwoProcesses):
    make = staticmethod(make_namespaced)
    counts_there = False


class TestFileBased(VerbTests, ExpiryTests, InvalidationTests, NumberTests, ArgumentTests, TwoProcesses):
    make = staticmethod(make_file_based)


class TestFileBasedLoads(LoadingTests, TwoProcesses):
    make = staticmethod(make_file_based)
    counts_there = False
