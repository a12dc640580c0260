"""The sweep of what has expired, as a task."""

from __future__ import annotations

import asyncio
import gc
import logging
import weakref

import pytest

from cachery import CacheValueError, aio
from cachery.events import Expired
from cachery.testing import FakeClock

WAIT = 10.0


class Swept:
    """Something to sweep that says when it was."""

    def __init__(self, error: Exception | None = None) -> None:
        self.was_swept = asyncio.Event()
        self.error = error

    async def cleanup_expired(self) -> int:
        self.was_swept.set()
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        return 1


def test_expired_entries_are_removed_without_being_asked_for() -> None:
    async def main() -> None:
        clock = FakeClock()
        cache = aio.InMemoryCache(clock=clock)
        expired = asyncio.Event()
        cache.subscribe(lambda event: expired.set() if isinstance(event, Expired) else None)
        await cache.set("a", 1, ttl=5)
        clock.advance(5)
        async with aio.TTLManager(cleanup_interval="1ms") as manager:
            manager.register_cache(cache)
            assert manager.is_running
            await asyncio.wait_for(expired.wait(), WAIT)
        assert not manager.is_running
        assert cache.stats.expirations == 1
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())


def test_starting_and_stopping_again_and_again() -> None:
    async def main() -> None:
        manager = aio.TTLManager(cleanup_interval="1ms")
        swept = Swept()
        manager.register_cache(swept)
        assert not manager.is_running
        await manager.stop()
        for _ in range(3):
            manager.start()
            manager.start()
            assert len(asyncio.all_tasks()) == 2
            await asyncio.wait_for(swept.was_swept.wait(), WAIT)
            swept.was_swept.clear()
            await manager.stop()
            await manager.stop()
            assert not manager.is_running
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(main())


def test_stopping_does_not_wait_for_the_interval() -> None:
    async def main() -> None:
        manager = aio.TTLManager(cleanup_interval=3600)
        manager.register_cache(swept := Swept())
        manager.start()
        await asyncio.sleep(0)
        await asyncio.wait_for(manager.stop(), WAIT)
        assert not swept.was_swept.is_set()

    asyncio.run(main())


def test_it_starts_in_a_loop_only() -> None:
    manager = aio.TTLManager()
    with pytest.raises(RuntimeError, match="no running event loop"):
        manager.start()
    assert not manager.is_running


def test_it_starts_again_in_another_loop() -> None:
    manager = aio.TTLManager(cleanup_interval="1ms")

    async def main() -> None:
        swept = Swept()
        manager.register_cache(swept)
        manager.start()
        await asyncio.wait_for(swept.was_swept.wait(), WAIT)

    for _ in range(2):
        asyncio.run(main())
        assert not manager.is_running


def test_caches_are_held_weakly_and_once() -> None:
    async def main() -> None:
        manager = aio.TTLManager()
        kept, dropped = Swept(), Swept()
        for cache in (kept, kept, dropped):
            manager.register_cache(cache)
        assert await manager.cleanup() == 2
        watch = weakref.ref(dropped)
        del dropped, cache
        gc.collect()
        assert watch() is None
        assert await manager.cleanup() == 1

    asyncio.run(main())


def test_one_that_fails_is_logged_and_the_others_are_swept(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        manager = aio.TTLManager()
        bad, good, closed = Swept(RuntimeError("stuck")), Swept(), aio.InMemoryCache()
        for cache in (bad, good, closed):
            manager.register_cache(cache)
        await closed.close()
        assert await manager.cleanup() == 1

    with caplog.at_level(logging.ERROR, logger="cachery"):
        asyncio.run(main())
    assert len(caplog.records) == 1
    assert "stuck" in caplog.text


def test_the_task_goes_on_after_a_failure(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        bad, good = Swept(RuntimeError("stuck")), Swept()
        async with aio.TTLManager(cleanup_interval="1ms") as manager:
            manager.register_cache(bad)
            await asyncio.wait_for(bad.was_swept.wait(), WAIT)
            manager.register_cache(good)
            await asyncio.wait_for(good.was_swept.wait(), WAIT)

    asyncio.run(main())
    assert "stuck" in caplog.text


@pytest.mark.parametrize("interval", [0, -1, "soon", float("inf"), float("nan"), None, True])
def test_an_interval_is_a_span_above_nothing(interval: float) -> None:
    with pytest.raises(CacheValueError, match="cleanup_interval"):
        aio.TTLManager(cleanup_interval=interval)


def test_what_cannot_be_swept_is_refused() -> None:
    class Unheld:
        __slots__ = ()

        async def cleanup_expired(self) -> int:
            await asyncio.sleep(0)
            return 0

    manager = aio.TTLManager()
    with pytest.raises(CacheValueError, match="no cleanup_expired"):
        manager.register_cache({})  # type: ignore[arg-type]
    with pytest.raises(CacheValueError, match="held weakly"):
        manager.register_cache(Unheld())
