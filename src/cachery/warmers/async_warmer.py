"""``AsyncCacheWarmer``: fills a cache of ``cachery.aio`` before it is asked, in a few tasks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from inspect import isawaitable
from random import random as chance
from types import TracebackType
from typing import Any, Self

from cachery.aio.cache import Cache
from cachery.exceptions import CacheClosedError
from cachery.forks import reset_in_child
from cachery.model.sentinels import MISSING
from cachery.ports.clock import Clock, wall
from cachery.ports.clock import stopwatch as perf_counter
from cachery.warmers.batch import Job, ask_loop
from cachery.warmers.choice import check_parts, in_demand, load_arguments, loading_of, target_of, tracker_of
from cachery.warmers.config import WarmingConfig, WarmingStrategy, as_seconds
from cachery.warmers.loaders import ValueLoader
from cachery.warmers.loop_run import LoopRun
from cachery.warmers.naming import warmer_shown
from cachery.warmers.providers import AdaptiveKeyProvider, KeyProvider, listed, provider_failed
from cachery.warmers.record import Record
from cachery.warmers.retrying import retrier
from cachery.warmers.run import Progress, batched
from cachery.warmers.stats import Result, WarmingStats
from cachery.warmers.targets import reason_of
from cachery.warmers.tracker import AccessTracker
from cachery.warmers.turn import Turn

__all__ = ["AsyncCacheWarmer"]

_log = logging.getLogger("cachery")


class AsyncCacheWarmer:
    """As ``CacheWarmer``, over a cache of ``cachery.aio`` or a dictionary: its verbs are awaited.

    Functions of providers and loaders may be coroutine functions. Plain ones are called on the thread of the event
    loop, so they must not block: ``asyncio.to_thread`` helps. ``max_workers`` is the number of tasks.

    >>> import asyncio
    >>> from cachery.aio import InMemoryCache
    >>> from cachery.warmers import CallableValueLoader, StaticKeyProvider
    >>> async def load(key):
    ...     return key.upper()
    >>> async def main():
    ...     config = WarmingConfig(retry_on_failure=False)
    ...     cache = InMemoryCache()
    ...     warmer = AsyncCacheWarmer(cache, StaticKeyProvider(["a", "b"]), CallableValueLoader(load), config)
    ...     stats = await warmer.warm()
    ...     return stats.keys_warmed, await cache.get("a")
    >>> asyncio.run(main())
    (2, 'A')
    """

    def __init__(  # noqa: PLR0913 - as CacheWarmer
        self,
        cache: MutableMapping[Any, Any] | Cache,
        key_provider: KeyProvider,
        value_loader: ValueLoader,
        config: WarmingConfig | None = None,
        *,
        tracker: AccessTracker | None = None,
        progress: Progress | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        random: Callable[[], float] = chance,
        clock: Clock = wall,
        stopwatch: Clock = perf_counter,
    ) -> None:
        self.config = WarmingConfig() if config is None else config
        check_parts(key_provider, value_loader, self.config, progress)
        self._target = target_of(
            cache, Cache, self.config, random, "a cache of cachery.aio, cachery.aio.InMemoryCache() for instance"
        )
        self._retry = retrier(self.config, random)
        self._cache, self._provider, self._loader = cache, key_provider, value_loader
        self.tracker = tracker_of(tracker, key_provider, self.config, cache)
        self._progress, self._sleep = progress, sleep
        self._record = Record(clock, stopwatch)
        self.reset_after_fork()
        reset_in_child(self)

    def __repr__(self) -> str:
        return warmer_shown(self, self._cache, self.config.strategy.value, self._provider, self._loader)

    def reset_after_fork(self) -> None:
        """Forget the tasks of the parent."""
        self._record.reset_after_fork()
        self._scheduler: asyncio.Task[None] | None = None

    @property
    def stats(self) -> WarmingStats:
        """The numbers of the last run that came to its end; those of single keys since are added."""
        return self._record.stats

    @property
    def is_warming(self) -> bool:
        """Whether a run is under way."""
        return self._record.turn is not None

    async def warm(self, keys: Sequence[Any] | None = None) -> WarmingStats:
        """Load and store all keys of the provider, or those that are given, as ``CacheWarmer.warm``.

        A caller who is cancelled ends the run; who waits for it then begins one of their own.
        """
        while True:
            turn, is_ours = self._record.take_turn(asyncio.current_task(), is_full=keys is None)
            if is_ours:
                return await self._lead(turn, keys)
            await asyncio.wrap_future(turn.over)
            if keys is None and turn.is_full and (stats := turn.outcome()) is not None:
                return stats

    async def _lead(self, turn: Turn, keys: Sequence[Any] | None) -> WarmingStats:
        try:
            stats = await self._warm(turn, keys)
        except BaseException as error:
            self._record.fail(turn, error)
            raise
        return self._record.end(turn, stats)

    async def _warm(self, turn: Turn, keys: Sequence[Any] | None) -> WarmingStats:
        began = self._record.stopwatch()
        wanted = self._target.checked(await self._keys() if keys is None else listed(keys))
        run = LoopRun(batched(wanted, self.config.batch_size))
        run.workers = turn.workers
        result = await self._carry_out(run, self._progress)
        return self._record.numbers(result, len(wanted), began)

    async def _carry_out(self, run: LoopRun, progress: Progress | None) -> Result:
        job = Job(self._target, self._loader, ask_loop, self._retry, self._sleep, run.is_over)
        timeout = as_seconds(self.config.warmup_timeout_s)
        return await run.carry_out(job, self.config.max_workers, timeout, progress)

    async def _keys(self) -> Sequence[Any]:
        """Return what is to be warmed, as the strategy has it."""
        try:
            keys = listed(await ask_loop(self._provider.get_keys))
        except Exception as error:
            raise provider_failed(self._provider, error) from error
        if self.config.strategy is WarmingStrategy.ADAPTIVE and not isinstance(self._provider, AdaptiveKeyProvider):
            return in_demand(keys, self.tracker, self._cache)
        return keys

    async def warm_key(self, key: Any) -> bool:
        """Load and store ``key`` alone, with retries; True when it is stored, or somebody's newer value is."""
        began = self._record.stopwatch()
        result = await self._carry_out(LoopRun([self._target.checked([key])]), None)
        self._record.add(result, began)
        return result.done == 1 and not result.failed

    async def get(self, key: Any) -> Any:
        """Return the value of ``key``; where it is absent, load and store it first, as ``CacheWarmer.get``."""
        if self.tracker is not None:
            self.tracker.record_access(key)
        if isinstance(self._cache, MutableMapping):
            value = self._cache.get(key, MISSING)
            return self._cache.setdefault(key, await self._load(key)) if value is MISSING else value
        return await self._cache.get_or_set(
            key, loading_of(self.config, key, self._load), **load_arguments(self.config, key)
        )

    async def _load(self, key: Any) -> Any:
        began = self._record.stopwatch()
        try:
            value = self._loader.load(key)
            value = await value if isawaitable(value) else value
        except Exception as error:
            self._record.add(Result(failed={key: reason_of(error)}), began)
            raise
        self._record.add(Result(1), began)
        return value

    async def start(self) -> WarmingStats | None:
        """Begin what the strategy says, as ``CacheWarmer.start``."""
        if self.config.strategy is WarmingStrategy.EAGER:
            return await self.warm()
        if self.config.strategy is not WarmingStrategy.LAZY:
            self.start_scheduler()
        return None

    def start_scheduler(self) -> None:
        """Warm now, and again ``refresh_interval_s`` after each run, in a task of the running loop.

        A run that fails is logged, and the next one follows. Twice does nothing.
        """
        if self._scheduler is None or self._scheduler.done():
            self._scheduler = asyncio.get_running_loop().create_task(self._repeat())

    async def _repeat(self) -> None:
        while True:
            try:
                await self.warm()
            except CacheClosedError:
                _log.info("%r is closed, so nothing is warmed", self._cache)
            except Exception:  # noqa: BLE001 - logged; the next run may succeed
                _log.exception("a scheduled run of %r failed", self)
            await asyncio.sleep(as_seconds(self.config.refresh_interval_s))

    async def stop_scheduler(self) -> None:
        """End the task, and the run that it has begun."""
        scheduler, self._scheduler = self._scheduler, None
        if scheduler is not None:
            scheduler.cancel()
            await asyncio.wait([scheduler])

    async def close(self) -> None:
        """Stop the scheduler; the cache stays open."""
        await self.stop_scheduler()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()
