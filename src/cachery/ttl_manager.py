"""``TTLManager``: a background sweep of what has expired."""

from __future__ import annotations

import logging
import os
from threading import Event, Thread
from typing import Any, Protocol
from weakref import ReferenceType, ref

from cachery.exceptions import CacheClosedError, CacheValueError
from cachery.locks import make_lock
from cachery.model.durations import Duration, seconds

__all__ = ["Sweepable", "TTLManager"]

_log = logging.getLogger("cachery")


class Sweepable(Protocol):
    """What can be swept: every cache."""

    def cleanup_expired(self) -> int:
        """Remove what is dead; return how many entries that were."""


class TTLManager:
    """Calls ``cleanup_expired`` on the registered caches every ``cleanup_interval`` seconds, in a daemon thread.

    The first registration starts the thread; after a fork, the next one in the child does. Caches are held weakly: one
    that nobody else uses is forgotten, and so is the manager with its thread.

    >>> from cachery import InMemoryCache
    >>> manager = TTLManager(cleanup_interval=60)
    >>> cache = InMemoryCache()
    >>> manager.register_cache(cache)
    >>> manager.is_running
    True
    >>> manager.stop()
    """

    def __init__(self, cleanup_interval: Duration = 60) -> None:
        self.cleanup_interval = seconds(cleanup_interval, "cleanup_interval")
        if not 0 < self.cleanup_interval < float("inf"):
            raise CacheValueError(f"cleanup_interval must be above 0 and finite, not {cleanup_interval!r}")
        self._lock = make_lock()
        self._caches: list[ReferenceType[Any]] = []
        self._sweeper: _Sweeper | None = None

    @property
    def is_running(self) -> bool:
        """Whether the thread of this process is at work."""
        sweeper = self._sweeper
        return sweeper is not None and sweeper.is_alive()

    def register_cache(self, cache: Sweepable) -> None:
        """Sweep ``cache`` from now on; start the thread when it does not run. A second time does nothing.

        Raises ``CacheValueError`` for an object without ``cleanup_expired`` or one that cannot be held weakly.
        """
        if not callable(getattr(cache, "cleanup_expired", None)):
            raise CacheValueError(f"{type(cache).__name__} has no cleanup_expired() to call")
        try:
            entry = ref(cache)
        except TypeError:
            raise CacheValueError(f"a {type(cache).__name__} cannot be held weakly, so it cannot be swept") from None
        with self._lock:
            if all(known() is not cache for known in self._caches):
                self._caches.append(entry)
        self.start()

    def start(self) -> None:
        """Start the thread; nothing happens when it runs."""
        with self._lock:
            if not self.is_running:
                self._sweeper = _Sweeper(self)
                self._sweeper.start()

    def stop(self) -> None:
        """Stop the thread, at once unless it is sweeping; ``start`` or a registration starts another."""
        with self._lock:
            sweeper, self._sweeper = self._sweeper, None
        if sweeper is not None:
            sweeper.finish()

    def cleanup(self) -> int:
        """Sweep every registered cache now; return how many entries went. One that fails is logged and left."""
        with self._lock:
            self._caches = [known for known in self._caches if known() is not None]
            caches = [cache for known in self._caches if (cache := known()) is not None]
        return sum(_swept(cache) for cache in caches)


def _swept(cache: Sweepable) -> int:
    try:
        return cache.cleanup_expired()
    except CacheClosedError:
        return 0
    except Exception:  # noqa: BLE001 - one cache that fails must not end the sweep of the others
        _log.exception("sweeping %r failed", cache)
        return 0


class _Sweeper:
    """One thread at work for a manager that it does not keep alive."""

    def __init__(self, manager: TTLManager) -> None:
        self._finished = Event()
        self._pid = os.getpid()
        weak = ref(manager, lambda _: self._finished.set())
        self._thread = Thread(
            target=_sweep_until,
            args=(self._finished, weak, manager.cleanup_interval),
            name="cachery-sweep",
            daemon=True,
        )

    def start(self) -> None:
        self._thread.start()

    def is_alive(self) -> bool:
        return self._pid == os.getpid() and self._thread.is_alive()

    def finish(self) -> None:
        self._finished.set()
        if self.is_alive():
            self._thread.join(timeout=5.0)


def _sweep_until(finished: Event, weak: ReferenceType[TTLManager], interval: float) -> None:
    while not finished.wait(interval):
        manager = weak()
        if manager is not None:
            manager.cleanup()
        del manager
