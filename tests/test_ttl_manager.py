"""The background sweep."""

from __future__ import annotations

import gc
import logging
import os
import weakref
from collections.abc import Iterator
from threading import Event
from threading import enumerate as all_threads

import pytest

from cachery import InMemoryCache, TTLManager
from cachery.exceptions import CacheValueError
from cachery.testing import FakeClock

WAIT = 10.0


class Swept:
    """Something to sweep that says when it was."""

    def __init__(self, error: Exception | None = None) -> None:
        self.was_swept = Event()
        self.error = error

    def cleanup_expired(self) -> int:
        self.was_swept.set()
        if self.error is not None:
            raise self.error
        return 1


@pytest.fixture
def manager() -> Iterator[TTLManager]:
    made = TTLManager(cleanup_interval="1ms")
    yield made
    made.stop()
    assert not made.is_running


def sweepers() -> int:
    return sum(thread.name == "cachery-sweep" for thread in all_threads())


def test_registering_starts_the_sweep(manager: TTLManager) -> None:
    assert not manager.is_running
    swept = Swept()
    manager.register_cache(swept)
    assert manager.is_running
    assert swept.was_swept.wait(WAIT)


def test_expired_entries_are_removed_without_being_asked_for(manager: TTLManager) -> None:
    clock = FakeClock()
    cache = InMemoryCache(clock=clock)
    cache.set("a", 1, ttl=5)
    expired = Event()
    cache.subscribe(lambda _: expired.set())
    clock.advance(5)
    manager.register_cache(cache)
    assert expired.wait(WAIT)
    assert cache.stats.expirations == 1


def test_stopping_is_at_once_and_for_good() -> None:
    manager = TTLManager(cleanup_interval=3600)
    manager.register_cache(swept := Swept())
    assert sweepers() == 1
    manager.stop()
    assert sweepers() == 0
    manager.stop()
    assert not swept.was_swept.is_set()


def test_it_starts_again_after_a_stop(manager: TTLManager) -> None:
    manager.register_cache(swept := Swept())
    manager.stop()
    swept.was_swept.clear()
    manager.start()
    manager.start()
    assert sweepers() == 1
    assert swept.was_swept.wait(WAIT)
    manager.stop()
    manager.register_cache(swept)
    assert manager.is_running


def test_caches_are_held_weakly() -> None:
    manager = TTLManager(cleanup_interval=3600)
    cache = InMemoryCache()
    watch = weakref.ref(cache)
    manager.register_cache(cache)
    del cache
    gc.collect()
    assert watch() is None
    assert manager.cleanup() == 0
    manager.stop()


def test_a_manager_that_nobody_holds_ends_its_thread() -> None:
    manager = TTLManager(cleanup_interval=3600)
    manager.start()
    (thread,) = (thread for thread in all_threads() if thread.name == "cachery-sweep")
    del manager
    gc.collect()
    thread.join(WAIT)
    assert not thread.is_alive()


def test_one_that_fails_is_logged_and_the_others_are_swept(caplog: pytest.LogCaptureFixture) -> None:
    manager = TTLManager(cleanup_interval=3600)
    bad, good = Swept(RuntimeError("stuck")), Swept()
    for cache in (bad, good, good):
        manager.register_cache(cache)
    with caplog.at_level(logging.ERROR, logger="cachery"):
        assert manager.cleanup() == 1
    assert "stuck" in caplog.text
    manager.stop()


def test_a_closed_cache_is_passed_over(caplog: pytest.LogCaptureFixture) -> None:
    manager = TTLManager(cleanup_interval=3600)
    cache = InMemoryCache()
    manager.register_cache(cache)
    cache.close()
    assert manager.cleanup() == 0
    assert not caplog.records
    manager.stop()


@pytest.mark.parametrize("interval", [0, -1, "soon", float("inf"), float("nan"), None, True])
def test_an_interval_is_a_span_above_nothing(interval: float) -> None:
    with pytest.raises(CacheValueError, match="cleanup_interval"):
        TTLManager(cleanup_interval=interval)


def test_what_cannot_be_swept_is_refused() -> None:
    manager = TTLManager()

    class Unheld:
        __slots__ = ()

        def cleanup_expired(self) -> int:
            return 0

    with pytest.raises(CacheValueError, match="no cleanup_expired"):
        manager.register_cache({})  # type: ignore[arg-type]
    with pytest.raises(CacheValueError, match="held weakly"):
        manager.register_cache(Unheld())
    assert not manager.is_running


@pytest.mark.no_cover  # the tracer has locks of its own, which another thread may hold at the fork
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_child_starts_its_own_thread(manager: TTLManager) -> None:
    manager.register_cache(Swept())
    child = os.fork()
    if child == 0:
        started = not manager.is_running
        swept = Swept()
        manager.register_cache(swept)
        os._exit(0 if started and manager.is_running and swept.was_swept.wait(WAIT) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
