"""``CacheWarmer``: fills a cache, or a dictionary, before it is asked, on a few threads."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, MutableMapping, Sequence
from concurrent.futures import Future, wait
from contextvars import copy_context
from random import random as chance
from types import TracebackType
from typing import Any, Self

from cachery.cache import Cache
from cachery.exceptions import CacheClosedError
from cachery.forks import reset_in_child
from cachery.locks import make_lock
from cachery.model.sentinels import MISSING
from cachery.ports.clock import Clock, wall
from cachery.ports.clock import stopwatch as perf_counter
from cachery.warmers.batch import Job, ask_here
from cachery.warmers.choice import check_parts, in_demand, load_arguments, loading_of, target_of, tracker_of
from cachery.warmers.config import WarmingConfig, WarmingStrategy, as_seconds
from cachery.warmers.loaders import ValueLoader
from cachery.warmers.naming import warmer_shown
from cachery.warmers.providers import AdaptiveKeyProvider, KeyProvider, listed, provider_failed
from cachery.warmers.record import Record
from cachery.warmers.retrying import retrier
from cachery.warmers.run import Progress, Run, batched
from cachery.warmers.scheduler import Scheduler
from cachery.warmers.stats import Result, WarmingStats
from cachery.warmers.targets import reason_of
from cachery.warmers.tracker import AccessTracker
from cachery.warmers.turn import Turn

__all__ = ["CacheWarmer"]

_log = logging.getLogger("cachery")


class CacheWarmer:
    """Fills ``cache``, a dictionary or a cache of ``cachery``, with the keys of ``key_provider``.

    What somebody sets, deletes or invalidates in a cache while its key is being loaded is newer, and stays.
    ``progress(done, total)`` is called now and then on the thread of ``warm``. ``tracker``: where ``get`` counts what
    it is asked for. ``sleep``, ``random``, ``clock`` and ``stopwatch`` are for tests. Thread-safe.

    ``start``, or ``with``, begins what the strategy says; ``close`` ends it.

    Raises ``CacheValueError`` for parts that do not fit, ``ImportError`` when retries are wanted and their extra is
    missing.

    >>> config = WarmingConfig(WarmingStrategy.EAGER, retry_on_failure=False)
    >>> from cachery.warmers import CallableValueLoader, StaticKeyProvider
    >>> squares = {}
    >>> with CacheWarmer(squares, StaticKeyProvider([1, 2, 3]), CallableValueLoader(lambda n: n * n), config) as warmer:
    ...     squares, warmer.stats.keys_warmed
    ({1: 1, 2: 4, 3: 9}, 3)
    """

    def __init__(  # noqa: PLR0913 - what it is made of, and by name what a test puts in its place
        self,
        cache: MutableMapping[Any, Any] | Cache,
        key_provider: KeyProvider,
        value_loader: ValueLoader,
        config: WarmingConfig | None = None,
        *,
        tracker: AccessTracker | None = None,
        progress: Progress | None = None,
        sleep: Callable[[float], object] | None = None,
        random: Callable[[], float] = chance,
        clock: Clock = wall,
        stopwatch: Clock = perf_counter,
    ) -> None:
        self.config = WarmingConfig() if config is None else config
        check_parts(key_provider, value_loader, self.config, progress)
        self._target = target_of(
            cache, Cache, self.config, random, "a cache of cachery, cachery.InMemoryCache() for instance"
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
        """Forget the threads of the parent."""
        self._record.reset_after_fork()
        self._lock = make_lock()
        self._scheduler: Scheduler | None = None

    @property
    def stats(self) -> WarmingStats:
        """The numbers of the last run that came to its end; those of single keys since are added."""
        return self._record.stats

    @property
    def is_warming(self) -> bool:
        """Whether a run is under way."""
        return self._record.turn is not None

    def warm(self, keys: Sequence[Any] | None = None) -> WarmingStats:
        """Load and store all keys of the provider, or those that are given; return what became of them.

        Loads anew what is there already. Comes back after ``warmup_timeout_s`` at the latest, without those that hang.
        While a run over all keys is under way, a second such call waits for it and returns its numbers; a call with
        ``keys`` waits for its turn.

        Raises ``CacheError`` when the provider fails, ``CacheKeyError`` for a key that the cache cannot have, both
        before anything is loaded; ``CacheRecursionError`` when called by a loader, the provider or ``progress``;
        ``CacheClosedError``.
        """
        while True:
            turn, is_ours = self._record.take_turn(threading.get_ident(), is_full=keys is None)
            if is_ours:
                return self._lead(turn, keys)
            wait([turn.over])
            if keys is None and turn.is_full and (stats := turn.outcome()) is not None:
                return stats

    def _lead(self, turn: Turn, keys: Sequence[Any] | None) -> WarmingStats:
        """Warm ``keys``; tell those who wait for ``turn``."""
        try:
            stats = self._warm(turn, keys)
        except BaseException as error:
            self._record.fail(turn, error)
            raise
        return self._record.end(turn, stats)

    def _warm(self, turn: Turn, keys: Sequence[Any] | None) -> WarmingStats:
        began = self._record.stopwatch()
        wanted = self._target.checked(self._keys() if keys is None else listed(keys))
        run = Run(batched(wanted, self.config.batch_size), self._record.stopwatch)
        run.workers = turn.workers
        result = self._carry_out(run, self._progress)
        return self._record.numbers(result, len(wanted), began)

    def _carry_out(self, run: Run, progress: Progress | None) -> Result:
        sleep = self._sleep

        async def pause(seconds: float) -> None:
            if sleep is not None:
                sleep(seconds)
            else:
                run.pause(seconds)

        job = Job(self._target, self._loader, ask_here, self._retry, pause, run.is_over)
        return run.carry_out(job, self.config.max_workers, as_seconds(self.config.warmup_timeout_s), progress)

    def _keys(self) -> Sequence[Any]:
        """Return what is to be warmed, as the strategy has it."""
        try:
            keys = listed(self._provider.get_keys())
        except Exception as error:
            raise provider_failed(self._provider, error) from error
        if self.config.strategy is WarmingStrategy.ADAPTIVE and not isinstance(self._provider, AdaptiveKeyProvider):
            return in_demand(keys, self.tracker, self._cache)
        return keys

    def warm_async(self, keys: Sequence[Any] | None = None) -> Future[WarmingStats]:
        """Begin ``warm`` on a thread of its own; return a future of what it returns or raises.

        >>> from cachery.warmers import CallableValueLoader, StaticKeyProvider
        >>> config = WarmingConfig(retry_on_failure=False)
        >>> warmer = CacheWarmer({}, StaticKeyProvider(["a", "b"]), CallableValueLoader(str.upper), config)
        >>> warmer.warm_async().result(timeout=10).success_rate
        1.0
        """
        future: Future[WarmingStats] = Future()
        future.set_running_or_notify_cancel()
        arguments = (_resolve, future, self.warm, keys)
        threading.Thread(target=copy_context().run, args=arguments, name="cachery-warm-all", daemon=True).start()
        return future

    def warm_key(self, key: Any) -> bool:
        """Load and store ``key`` alone, with retries; True when it is stored, or somebody's newer value is."""
        began = self._record.stopwatch()
        result = self._carry_out(Run([self._target.checked([key])], self._record.stopwatch), None)
        self._record.add(result, began)
        return result.done == 1 and not result.failed

    def get(self, key: Any) -> Any:
        """Return the value of ``key``; where it is absent, load and store it first, without retries.

        Over a cache this is its ``get_or_set``: however many ask at once, the loader runs once. Raises what the loader
        raises.
        """
        if self.tracker is not None:
            self.tracker.record_access(key)
        if isinstance(self._cache, MutableMapping):
            value = self._cache.get(key, MISSING)
            return self._cache.setdefault(key, self._load(key)) if value is MISSING else value
        return self._cache.get_or_set(key, loading_of(self.config, key, self._load), **load_arguments(self.config, key))

    def _load(self, key: Any) -> Any:
        began = self._record.stopwatch()
        try:
            value = self._loader.load(key)
        except Exception as error:
            self._record.add(Result(failed={key: reason_of(error)}), began)
            raise
        self._record.add(Result(1), began)
        return value

    def start(self) -> WarmingStats | None:
        """Begin what the strategy says. ``EAGER`` warms now and returns the numbers; ``LAZY`` waits to be asked.

        ``SCHEDULED`` and ``ADAPTIVE`` begin as ``start_scheduler``.
        """
        if self.config.strategy is WarmingStrategy.EAGER:
            return self.warm()
        if self.config.strategy is not WarmingStrategy.LAZY:
            self.start_scheduler()
        return None

    def start_scheduler(self) -> None:
        """Warm now, and again ``refresh_interval_s`` after each run, on a daemon thread; twice does nothing.

        A run that fails is logged, and the next one follows. A warmer that nobody holds ends its thread.
        """
        with self._lock:
            if self._scheduler is None or not self._scheduler.is_alive:
                self._scheduler = Scheduler(self, _warm_and_log, as_seconds(self.config.refresh_interval_s))

    def stop_scheduler(self) -> None:
        """End the thread; wait for a run that it has begun, at most five seconds."""
        with self._lock:
            scheduler, self._scheduler = self._scheduler, None
        if scheduler is not None:
            scheduler.finish()

    def close(self) -> None:
        """Stop the scheduler; the cache stays open."""
        self.stop_scheduler()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def _warm_and_log(warmer: CacheWarmer) -> None:
    try:
        warmer.warm()
    except CacheClosedError:
        _log.info("%r is closed, so nothing is warmed", warmer)
    except Exception:  # noqa: BLE001 - logged; the next run may succeed
        _log.exception("a scheduled run of %r failed", warmer)


def _resolve(future: Future[WarmingStats], warm: Callable[..., WarmingStats], keys: Sequence[Any] | None) -> None:
    try:
        future.set_result(warm(keys))
    except BaseException as error:  # noqa: BLE001 - it belongs to who asks the future
        future.set_exception(error)
