"""From what an engine reports to counters and listeners."""

from __future__ import annotations

try:
    import cython

    if not cython.compiled:
        raise ImportError
except ImportError:
    from cachery import _cython as cython  # type: ignore[no-redef]

from collections.abc import Callable
from typing import Any

from cachery.events import Event, Hit, Listener, Loaded, LoadFailed, Miss, ServedStale, notify
from cachery.model.keys import Key

if not cython.compiled:
    from cachery.statistics.counters import Counters


@cython.final
@cython.cclass
class Recorder:
    """Counts in ``counters`` and in those of ``parts``, and tells ``listeners()`` under the cache's ``name``.

    An event is built only if somebody listens. ``note_use``, if there is one, is given the key of each hit.
    """

    counters: Counters
    parts: tuple[Counters, ...]
    name: str | None
    listeners: Callable[[], tuple[Listener, ...]]
    note_use: Callable[[str], object] | None

    def __init__(
        self,
        counters: Counters,
        name: Any,
        listeners: Callable[[], tuple[Listener, ...]],
        parts: tuple[Counters, ...] = (),
        note_use: Callable[[str], object] | None = None,
    ) -> None:
        self.counters = counters
        self.parts = parts
        self.name = name
        self.listeners = listeners
        self.note_use = note_use

    def beside(self, counters: Counters) -> Recorder:
        """Return a recorder that counts in ``counters`` too: those of a part of the cache."""
        return Recorder(self.counters, self.name, self.listeners, (*self.parts, counters), self.note_use)

    def hit(self, key: Key) -> None:
        """Count a hit of ``key``."""
        self.counters.hit()
        for part in self.parts:
            part.hit()
        if self.note_use is not None:
            self.note_use(key)
        self.tell(Hit, (key,))

    def miss(self, key: Key) -> None:
        """Count a miss of ``key``."""
        self.counters.miss()
        for part in self.parts:
            part.miss()
        self.tell(Miss, (key,))

    def served_stale(self, key: Key) -> None:
        """Count a hit of ``key``, answered with a stale value."""
        for counters in (self.counters, *self.parts):
            counters.hit()
            counters.count("stale_hits")
        self.tell(ServedStale, (key,))

    def joined(self, key: Key) -> None:
        """Count a request for ``key`` that waits for the load of another."""
        del key
        for counters in (self.counters, *self.parts):
            counters.count("coalesced")

    def loaded(self, key: Key, duration: Any) -> None:
        """Count a value that a loader returned after ``duration`` seconds."""
        self.counters.load(True)
        for part in self.parts:
            part.load(True)
        self.tell(Loaded, (key, duration))

    def load_failed(self, key: Key, duration: Any, error: BaseException) -> None:
        """Count a loader that raised ``error`` after ``duration`` seconds."""
        for counters in (self.counters, *self.parts):
            counters.load(False)
        self.tell(LoadFailed, (key, duration, type(error).__name__))

    def stored(self, key: Key) -> None:
        """Count a loaded value that was stored, for the parts; the store counts for itself."""
        del key
        for part in self.parts:
            part.count("writes")

    def not_stored(self, key: Key, error: Exception) -> None:
        """Write a line into the log: a loaded value could not be stored. Keys may hold what is nobody's business."""
        del key
        import logging  # noqa: PLC0415 - loaded only when something goes wrong

        name = self.name or "a cache"
        logging.getLogger("cachery").warning("a loaded value could not be stored in %s: %r", name, error)

    @cython.cfunc
    def tell(self, kind: Callable[..., Event], fields: Any) -> None:
        """Build an event, if there is somebody to tell."""
        listeners = self.listeners()
        if listeners:
            notify(listeners, kind(self.name, *fields))
