"""Loads in progress: one flight a key, whoever asks, on whatever thread or event loop.

The cache owns a flight; those who asked ride along and are counted. One who goes away (cancelled, out of time) harms no
other; when the last one has gone the flight is abandoned: it is struck off, so that the next caller begins anew, and
what runs for it is cancelled where that can be. A flight that is *kept* goes on without riders: a refresh in the
background.

A flight may be joined as long as nothing has invalidated its key or its tags since its load began: who asks after an
invalidation returned begins a load of its own, which takes the place of the old one. The old flight still lands for
those who ride it.

A store is looked at before a flight is boarded, and one may land in between: so ``board`` is told how many landings
there had been before the look, and says "look again" when there was another since.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from cachery.forks import reset_in_child
from cachery.locks import make_lock
from cachery.model.outcome import ABANDONED, Failed, Landing

__all__ = ["Flight", "Flights"]


def _nothing() -> None:
    """Cancel what cannot be cancelled."""


class Flight:
    """One load in progress. Its fields change under the lock of its registry; ``landing`` is what became of it.

    ``awaits``: the flights that its loader waits for. ``token``: the store's note of when the load began, ``None``
    before. ``tags``: those known beforehand. ``overdue_at``: when it counts as lost, in seconds of the stopwatch.
    ``is_doubtful``: a tag that only the loader knew was invalidated meanwhile, so it serves nobody but the one who
    began it. ``is_absent``: the loader of many keys knew nothing of this one.
    """

    # What most flights never change stands in the class, so that beginning one costs three attributes.
    awaits: tuple[Flight, ...] = ()
    cancel: Callable[[], object] = staticmethod(_nothing)
    is_absent = False
    is_doubtful = False
    is_kept = False
    landing: Landing | None = None
    overdue_at = float("inf")
    riders = 1
    token: Any = None
    wakers: list[Callable[[], object]] | None = None

    def __init__(self, key: str, tags: tuple[str, ...], registry: Flights) -> None:
        self.key, self.tags, self.registry = key, tags, registry

    def attend(self, wake: Callable[[], object]) -> bool:
        """Have ``wake`` called when it lands; False when it has landed."""
        with self.registry.guard:
            if self.landing is not None:
                return False
            if self.wakers is None:
                self.wakers = []
            self.wakers.append(wake)
            return True

    def desert(self, wake: Callable[[], object]) -> None:
        """Forget ``wake``."""
        with self.registry.guard:
            if self.wakers and wake in self.wakers:
                self.wakers.remove(wake)

    def landing_for_another(self) -> Landing:
        """Return what a rider who did not begin the load takes away: ``ABANDONED`` tells it to begin its own.

        What ends the caller rather than the call, ``KeyboardInterrupt`` for instance, is for the one who began.
        """
        landing = ABANDONED if self.landing is None or self.is_doubtful else self.landing
        if not isinstance(landing, Failed):
            return landing
        return landing.for_another() if isinstance(landing.error, Exception) else ABANDONED


class Flights:
    """The flights of one store, by key. ``landings`` counts those that have ended. ``stopwatch`` returns seconds."""

    def __init__(self, stopwatch: Callable[[], float]) -> None:
        self.guard = make_lock()
        self._by_key: dict[str, Flight] = {}
        self.landings = 0
        self._stopwatch = stopwatch
        reset_in_child(self)

    def __len__(self) -> int:
        """Return how many loads are in progress."""
        return len(self._by_key)

    def board(
        self, key: str, tags: tuple[str, ...], seen: int, is_current: Callable[[Any, tuple[str, ...]], bool]
    ) -> tuple[Flight, bool] | None:
        """Return the flight for ``key`` and whether the caller begins it; ``None`` when it is to look again.

        ``seen``: the landings before the caller looked into the store. ``is_current``: tells of a token and tags
        whether nothing was invalidated since.
        """
        with self.guard:
            found = self._by_key.get(key)
            if found is not None and self._is_joinable(found, tags, is_current):
                found.riders += 1
                return found, False
            if self.landings != seen:
                return None
            return self._begin(key, tags), True

    def begin(self, key: str, tags: tuple[str, ...]) -> Flight:
        """Return a new flight for ``key``, in the place of any other."""
        with self.guard:
            return self._begin(key, tags)

    def leave(self, flight: Flight) -> None:
        """Let one rider go; the last one out cancels the load, unless it is kept."""
        with self.guard:
            flight.riders -= 1
            if flight.riders or flight.is_kept or flight.landing is not None:
                return
            self._strike_off(flight)
        flight.cancel()

    def keep(self, flight: Flight) -> None:
        """Let ``flight`` go on when nobody rides it any more."""
        with self.guard:
            flight.is_kept = True

    def own(self, flights: Sequence[Flight], cancel: Callable[[], object]) -> None:
        """Have ``cancel`` called when the last of ``flights``, which are loaded together, is abandoned."""
        left = len(flights)
        if left == 1:
            flights[0].cancel = cancel
            return

        def cancel_last() -> None:
            nonlocal left
            with self.guard:
                left -= 1
            if not left:
                cancel()

        for flight in flights:
            flight.cancel = cancel_last

    def land(self, flight: Flight, landing: Landing) -> None:
        """End ``flight`` and wake those who wait."""
        with self.guard:
            self._strike_off(flight)
            self.landings += 1
            flight.landing = landing
            wakers, flight.wakers = flight.wakers, None
        for wake in wakers or ():
            wake()

    def reset_after_fork(self) -> None:
        """Forget every flight: the threads that were to land them are not in this process."""
        self._by_key.clear()

    def _begin(self, key: str, tags: tuple[str, ...]) -> Flight:
        flight = self._by_key[key] = Flight(key, tags, self)
        return flight

    def _strike_off(self, flight: Flight) -> None:
        if self._by_key.get(flight.key) is flight:
            del self._by_key[flight.key]

    def _is_joinable(
        self, flight: Flight, tags: tuple[str, ...], is_current: Callable[[Any, tuple[str, ...]], bool]
    ) -> bool:
        if flight.overdue_at <= self._stopwatch():
            return False
        return flight.token is None or is_current(flight.token, (*flight.tags, *tags))
