"""Many threads on one cache, and a fork in the middle."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event, Thread

import pytest

from cachery import CacheStats, InMemoryCache
from cachery.locks import make_lock
from cachery.policies import POLICIES, create_policy
from cachery.testing import check_invariants

THREADS = 4


@pytest.fixture(autouse=True)
def _switch_often() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def in_threads(work: Callable[[int], object]) -> None:
    """Run ``work`` in several threads that begin together; raise what any of them raised."""
    start = Barrier(THREADS)

    def begin(number: int) -> object:
        start.wait()
        return work(number)

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(begin, range(THREADS)))


@pytest.mark.parametrize("policy", POLICIES)
def test_every_verb_from_every_thread(policy: str, stress: float) -> None:
    cache = InMemoryCache(50, policy=policy)
    turns = int(200 + 100_000 * stress)

    def work(number: int) -> None:
        for turn in range(turns):
            key = str((turn * 7 + number) % 90)
            cache.set(key, turn, ttl=None if turn % 3 else 1000, tags=() if turn % 5 else ("red",))
            cache.get(key)
            cache.get(str(turn % 90))
            cache.delete(str((turn + number) % 90))
            cache.add(key, turn)
            assert len(cache) <= 50
            if turn % 100 == 0:
                cache.invalidate_tags("red")
                cache.delete_pattern("1*")
                cache.cleanup_expired()
                list(cache.keys())
                cache.clear()

    in_threads(work)
    check_invariants(cache)


def test_no_count_is_lost(stress: float) -> None:
    cache = InMemoryCache()
    cache.set("there", 1)
    turns = int(2000 + 500_000 * stress)

    def work(_: int) -> None:
        for _ in range(turns):
            cache.get("there")
            cache.get("absent")
            cache.incr("number")

    in_threads(work)
    assert cache.stats.hits == cache.stats.misses == THREADS * turns
    assert cache.get("number") == THREADS * turns
    assert cache.stats.hottest_keys(1) == [("there", THREADS * turns)]


def test_no_count_of_a_record_is_lost() -> None:
    stats = CacheStats()

    def work(_: int) -> None:
        for _ in range(2000):
            stats.record_hit("a")
            stats.record_miss()
            stats.record_write()

    in_threads(work)
    assert (stats.hits, stats.misses, stats.writes) == (8000, 8000, 8000)
    assert stats.hottest_keys(1) == [("a", 8000)]


def test_add_lets_exactly_one_in() -> None:
    cache = InMemoryCache()
    for turn in range(200):
        winners: list[int] = []

        def work(number: int, turn: int = turn, winners: list[int] = winners) -> None:
            if cache.add(str(turn), number):
                winners.append(number)

        if turn % 50 == 0:
            in_threads(work)
            assert len(winners) == 1


@pytest.mark.parametrize("policy", [name for name in POLICIES if name != "tinylfu"])
def test_a_container_from_every_thread(policy: str) -> None:
    container = create_policy(policy, 20)

    def work(number: int) -> None:
        for turn in range(1000):
            container.put((turn + number) % 30, turn)
            container.get(turn % 30)
            container.remove(turn % 7)
            assert container.size() <= 20

    in_threads(work)
    assert container.audit() == []


def exit_status_of_child(work: Callable[[], bool]) -> int:
    """Fork; return 0 when ``work`` is true in the child."""
    child = os.fork()
    if child == 0:
        os._exit(0 if work() else 1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.no_cover  # the tracer has locks of its own, which another thread may hold at the fork
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_fork_while_threads_hammer() -> None:
    cache = InMemoryCache(100)
    stop = Event()

    def hammer() -> None:
        turn = 0
        while not stop.is_set():
            turn += 1
            cache.set(str(turn % 150), turn)
            cache.get(str(turn % 130))

    threads = [Thread(target=hammer) for _ in range(2)]
    for thread in threads:
        thread.start()

    def use_in_child() -> bool:
        check_invariants(cache)
        cache.set("child", 1)
        return cache.get("child") == 1 and len(cache) <= 100

    try:
        assert [exit_status_of_child(use_in_child) for _ in range(10)] == [0] * 10
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    check_invariants(cache)


@pytest.mark.no_cover  # the tracer has locks of its own, which another thread may hold at the fork
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_lock_held_by_another_thread_is_free_in_the_child() -> None:
    outer, inner = make_lock(), make_lock()
    stop = Event()

    def hold_both_in_turn() -> None:
        while not stop.is_set():
            with outer, inner:
                pass
            with inner, outer:
                pass

    thread = Thread(target=hold_both_in_turn)
    thread.start()

    def take_both() -> bool:
        return outer.acquire(blocking=False) and inner.acquire(blocking=False)

    try:
        assert [exit_status_of_child(take_both) for _ in range(20)] == [0] * 20
    finally:
        stop.set()
        thread.join()
