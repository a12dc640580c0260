"""Warming in tasks of an event loop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from functools import wraps
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from tests.servers.redis_servers import flush

import cachery
from cachery import CacheError, CacheValueError
from cachery.aio import Cache, DiskCache, InMemoryCache, RedisCache
from cachery.exceptions import CacheRecursionError
from cachery.warmers import (
    AsyncCacheWarmer,
    BatchValueLoader,
    CallableKeyProvider,
    CallableValueLoader,
    StaticKeyProvider,
    WarmingConfig,
    WarmingStrategy,
)

KEYS = [f"key:{number}" for number in range(250)]


def on_a_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    @wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        asyncio.run(test(*args, **kwargs))

    return run


async def upper(key: str) -> str:
    return key.upper()


def warmer_of(
    cache: Any, load: Callable[[Any], Any] = upper, keys: list[str] = KEYS, **options: Any
) -> AsyncCacheWarmer:
    named = {name: options.pop(name) for name in ("progress", "sleep", "random") if name in options}
    config = WarmingConfig(**{"retry_on_failure": False, **options})
    return AsyncCacheWarmer(cache, StaticKeyProvider(keys), CallableValueLoader(load), config, **named)


@pytest.fixture(params=["memory", "disk", "redis"])
def cache(request: pytest.FixtureRequest, tmp_path: Path) -> Cache:
    if request.param == "memory":
        return InMemoryCache()
    if request.param == "disk":
        pytest.importorskip("lmdb")
        return DiskCache(tmp_path / "cache")
    port = request.getfixturevalue("redis_port")
    flush(port)
    return RedisCache(f"redis://localhost:{port}")


@on_a_loop
async def test_every_key_is_warmed(cache: Cache) -> None:
    seen: list[tuple[int, int]] = []
    async with cache:
        stats = await warmer_of(cache, progress=lambda *numbers: seen.append(numbers)).warm()
        assert (stats.keys_warmed, stats.is_complete) == (250, True)
        assert await cache.get_many(KEYS) == {key: key.upper() for key in KEYS}
    assert seen[-1] == (250, 250)


@on_a_loop
async def test_what_somebody_invalidates_meanwhile_stays_invalidated(cache: Cache) -> None:
    async def load(_: str) -> str:
        await cache.delete("a")
        return "outdated"

    async with cache:
        stats = await warmer_of(cache, load, ["a"]).warm()
        assert await cache.get("a") is None
        assert (stats.keys_warmed, stats.keys_superseded) == (0, 1)


@on_a_loop
async def test_a_dictionary_and_plain_functions() -> None:
    target: dict[str, str] = {}
    assert (await warmer_of(target, str.upper).warm()).keys_warmed == 250
    assert target["key:7"] == "KEY:7"


@on_a_loop
async def test_no_more_tasks_than_allowed() -> None:
    inside, most = 0, 0

    async def load(key: str) -> str:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        await asyncio.sleep(0)
        inside -= 1
        return key

    await warmer_of(InMemoryCache(), load, batch_size=5, max_workers=3).warm()
    assert most == 3


@on_a_loop
async def test_failures_are_counted_and_tried_again() -> None:
    pytest.importorskip("tenacity")
    pauses: list[float] = []
    calls = count()

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    async def load(keys: list[str]) -> dict[str, int]:
        if next(calls) < 4:
            raise ConnectionError("not yet")
        return dict.fromkeys(keys, 1)

    config = WarmingConfig(backoff_s=1)
    loader = BatchValueLoader(load)
    cache = InMemoryCache()
    keys = StaticKeyProvider(["a", "b"])
    stats = await AsyncCacheWarmer(cache, keys, loader, config, sleep=sleep, random=lambda: 0.0).warm()
    assert (stats.keys_warmed, pauses) == (2, [1.0, 2.0])
    assert await loader.load("c") == 1


@on_a_loop
async def test_a_run_does_not_wait_for_what_hangs() -> None:
    cancelled = asyncio.Event()

    async def load(key: str) -> str:
        if key == "stuck":
            try:
                await asyncio.Event().wait()
            finally:
                cancelled.set()
        return key

    cache = InMemoryCache()
    stats = await warmer_of(cache, load, ["a", "stuck"], batch_size=1, warmup_timeout_s="50ms").warm()
    assert (stats.keys_warmed, stats.keys_pending, stats.timed_out) == (1, 1, True)
    assert cancelled.is_set()
    assert not await cache.exists("stuck")


@on_a_loop
async def test_a_second_call_joins_and_survives_the_end_of_the_first() -> None:
    began, released, calls = asyncio.Event(), asyncio.Event(), count()

    async def load(_: str) -> int:
        began.set()
        await released.wait()
        return next(calls)

    warmer = warmer_of(InMemoryCache(), load, ["a"])
    first = asyncio.create_task(warmer.warm())
    await began.wait()
    joined, alone = asyncio.create_task(warmer.warm()), asyncio.create_task(warmer.warm(["b", "c"]))
    await asyncio.sleep(0)
    assert warmer.is_warming
    released.set()
    assert await first is await joined
    assert (await alone).keys_warmed == 2

    released.clear()
    began.clear()
    first = asyncio.create_task(warmer.warm())
    await began.wait()
    joined = asyncio.create_task(warmer.warm())
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait([first])
    released.set()
    assert (await joined).keys_warmed == 1


@on_a_loop
async def test_a_loader_cannot_warm_what_it_loads_for() -> None:
    async def load(_: str) -> Any:
        return await warmer.warm()

    warmer = warmer_of({}, load, ["a"])
    assert CacheRecursionError.__name__ in (await warmer.warm()).failed["a"]


@on_a_loop
async def test_providers_may_be_asynchronous_and_may_fail() -> None:
    async def keys() -> list[str]:
        return ["a"]

    async def no_keys() -> list[str]:
        raise OSError("gone")

    config = WarmingConfig(retry_on_failure=False)
    cache = InMemoryCache()
    loader = CallableValueLoader(upper)
    assert (await AsyncCacheWarmer(cache, CallableKeyProvider(keys), loader, config).warm()).keys_warmed == 1
    with pytest.raises(CacheError, match=r"no_keys.*gone"):
        await AsyncCacheWarmer(cache, CallableKeyProvider(no_keys), loader, config).warm()


@on_a_loop
async def test_what_progress_raises_ends_the_run() -> None:
    def progress(done: int, _: int) -> None:
        raise LookupError(done)

    warmer = warmer_of({}, progress=progress)
    with pytest.raises(LookupError):
        await warmer.warm()
    assert not warmer.is_warming


@on_a_loop
async def test_one_key_and_lazy(cache: Cache) -> None:
    async with cache, warmer_of(cache) as warmer:
        assert warmer.stats.keys_warmed == 0
        assert await warmer.get("z") == "Z"
        assert await warmer.warm_key("y")
        assert await cache.get_many(["y", "z"]) == {"y": "Y", "z": "Z"}
        assert warmer.stats.keys_warmed == 2


@on_a_loop
async def test_lazy_over_a_dictionary() -> None:
    warmer = warmer_of({}, lambda key: {"a": 1}[key], strategy=WarmingStrategy.ADAPTIVE)
    assert [await warmer.get("a"), await warmer.get("a")] == [1, 1]
    with pytest.raises(KeyError):
        await warmer.get("b")
    assert (warmer.stats.keys_warmed, warmer.stats.keys_failed) == (1, 1)
    assert not await warmer.warm_key("c")
    assert (await warmer.warm()).keys_failed == 250


@on_a_loop
async def test_a_ttl_by_value_for_what_is_loaded_lazily() -> None:
    cache = InMemoryCache(clock=lambda: 0.0)
    warmer = warmer_of(cache, ttl=lambda _, value: len(value))
    await warmer.get("abc")
    assert await cache.ttl("abc") == 3


@on_a_loop
async def test_eager_and_scheduled(caplog: pytest.LogCaptureFixture) -> None:
    async with warmer_of(InMemoryCache(), strategy=WarmingStrategy.EAGER) as eager:
        assert eager.stats.keys_warmed == 250

    twice, failures = asyncio.Event(), iter([None, OSError("not yet")])
    loads = count()

    def keys() -> list[str]:
        if (error := next(failures, None)) is not None:
            raise error
        return ["a"]

    async def load(key: str) -> str:
        if next(loads):
            twice.set()
        return key

    config = WarmingConfig(WarmingStrategy.SCHEDULED, retry_on_failure=False, refresh_interval_s="1ms")
    with caplog.at_level(logging.ERROR, logger="cachery"):
        async with AsyncCacheWarmer({}, CallableKeyProvider(keys), CallableValueLoader(load), config) as warmer:
            warmer.start_scheduler()
            await twice.wait()
    assert "not yet" in caplog.text
    await warmer.stop_scheduler()


def test_a_blocking_cache_belongs_to_the_other_warmer() -> None:
    with pytest.raises(CacheValueError, match=r"cachery\.aio"):
        warmer_of(cachery.InMemoryCache())
