"""From what an engine reports to counters and listeners."""

from __future__ import annotations

from collections.abc import Callable

from cachery.events import Event, Hit, Listener, Loaded, LoadFailed, Miss, ServedStale, notify
from cachery.statistics.counters import Counters

__all__ = ["Recorder"]


class Recorder:
    """Counts in ``counters`` and in those of ``parts``, and tells ``listeners()`` under the cache's ``name``.

    An event is built only if somebody listens.
    """

    def __init__(
        self,
        counters: Counters,
        name: str | None,
        listeners: Callable[[], tuple[Listener, ...]],
        parts: tuple[Counters, ...] = (),
    ) -> None:
        self._counters = (counters, *parts)
        self._parts = parts
        self._name = name
        self._listeners = listeners

    def beside(self, counters: Counters) -> Recorder:
        """Return a recorder that counts in ``counters`` too: those of a part of the cache."""
        return Recorder(self._counters[0], self._name, self._listeners, (*self._parts, counters))

    def hit(self, key: str) -> None:
        """Count a hit of ``key``."""
        for counters in self._counters:
            counters.hit()
        self._tell(Hit, key)

    def miss(self, key: str) -> None:
        """Count a miss of ``key``."""
        for counters in self._counters:
            counters.miss()
        self._tell(Miss, key)

    def served_stale(self, key: str) -> None:
        """Count a hit of ``key``, answered with a stale value."""
        for counters in self._counters:
            counters.hit()
        self._count("stale_hits")
        self._tell(ServedStale, key)

    def joined(self, key: str) -> None:
        """Count a request for ``key`` that waits for the load of another."""
        del key
        self._count("coalesced")

    def loaded(self, key: str, duration: float) -> None:
        """Count a value that a loader returned after ``duration`` seconds."""
        for counters in self._counters:
            counters.load(is_success=True)
        self._tell(Loaded, key, duration)

    def load_failed(self, key: str, duration: float, error: BaseException) -> None:
        """Count a loader that raised ``error`` after ``duration`` seconds."""
        for counters in self._counters:
            counters.load(is_success=False)
        self._tell(LoadFailed, key, duration, type(error).__name__)

    def stored(self, key: str) -> None:
        """Count a loaded value that was stored, for the parts; the store counts for itself."""
        del key
        for counters in self._parts:
            counters.count("writes")

    def not_stored(self, key: str, error: Exception) -> None:
        """Write a line into the log: a loaded value could not be stored."""
        import logging  # noqa: PLC0415 - loaded only when something goes wrong

        logging.getLogger("cachery").warning("the loaded value of %r could not be stored: %r", key, error)

    def _count(self, name: str) -> None:
        for counters in self._counters:
            counters.count(name)

    def _tell(self, kind: Callable[..., Event], *fields: object) -> None:
        listeners = self._listeners()
        if listeners:
            notify(listeners, kind(self._name, *fields))
