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

try:
    import cython
    from cython import critical_section

    if not cython.compiled:  # the Cython package itself: it has no locks
        raise ImportError
except ImportError:
    from cachery import _cython as cython  # type: ignore[no-redef]
    from cachery._cython import critical_section  # type: ignore[assignment]

from collections.abc import Callable, Sequence
from typing import Any

from cachery.forks import reset_in_child
from cachery.locks import make_lock
from cachery.model.keys import Key, Tags
from cachery.model.outcome import ABANDONED, Failed, Landing

__all__ = ["Flight", "Flights"]


def _nothing(flight: object) -> None:
    """Do not cancel what cannot be cancelled."""


@cython.final
@cython.cclass
class Flight:
    """One load in progress. Its fields change in sections of its registry; ``landing`` is what became of it.

    ``awaits``: the flights that its loader waits for. ``token``: the store's note of when the load began, ``None``
    before. ``tags``: those known beforehand. ``overdue_at``: when it counts as lost, in seconds of the stopwatch.
    ``is_doubtful``: a tag that only the loader knew was invalidated meanwhile, so it serves nobody but the one who
    began it. ``is_absent``: the loader of many keys knew nothing of this one. ``is_late``: it took longer than its
    caller waits. ``home``: the event loop that it is loaded in, if it is one.
    """

    key: str
    tags: tuple[str, ...]
    registry: Flights
    awaits: tuple[Flight, ...]
    cancel: Callable[[Flight], object]
    home: object
    landing: Landing | None
    token: Any
    wakers: list[Callable[[], object]] | None
    overdue_at: float
    riders: int
    is_absent: bool
    is_doubtful: bool
    is_kept: bool
    is_late: bool

    def __init__(self, key: Any, tags: Any, registry: Flights) -> None:
        self.key = key
        self.tags = tags
        self.registry = registry
        self.awaits = ()
        self.cancel = _nothing
        self.home = None
        self.landing = None
        self.token = None
        self.wakers = None
        self.overdue_at = float("inf")
        self.riders = 1
        self.is_absent = self.is_doubtful = self.is_kept = self.is_late = False

    @property
    def is_over(self) -> bool:
        """Whether it has landed."""
        return self.landing is not None

    def attend(self, wake: Callable[[], object]) -> bool:
        """Have ``wake`` called when it lands; False when it has landed."""
        with critical_section(self.registry):
            if self.landing is not None:
                return False
            if self.wakers is None:
                self.wakers = []
            self.wakers.append(wake)
            return True

    def desert(self, wake: Callable[[], object]) -> None:
        """Forget ``wake``."""
        with critical_section(self.registry):
            if self.wakers is not None and wake in self.wakers:
                self.wakers.remove(wake)

    def landing_for_another(self) -> Landing:
        """Return what a rider who did not begin the load takes away: ``ABANDONED`` tells it to begin its own.

        What ends the caller rather than the call, ``KeyboardInterrupt`` for instance, is for the one who began.
        """
        landing = ABANDONED if self.landing is None or self.is_doubtful else self.landing
        if not isinstance(landing, Failed):
            return landing
        return landing.for_another() if isinstance(landing.error, Exception) else ABANDONED


@cython.final
@cython.cclass
class Lead:
    """The duty to land ``flight``, held by whoever is to: when all have let go of it, the flight is abandoned.

    An interrupt may come between any two instructions, and a task may be cancelled before its first: whatever becomes
    of the frames that hold the duty, those who ride the flight do not wait for ever.
    """

    flight: Flight

    def __init__(self, flight: Flight) -> None:
        self.flight = flight

    def __del__(self) -> None:
        if self.flight.landing is None:
            self.flight.registry.land(self.flight, ABANDONED)


@cython.final
@cython.cclass
class Flights:
    """The flights of one store, by key. ``landings`` counts those that have ended. ``stopwatch`` returns seconds."""

    by_key: dict[str, Flight]
    landings: int
    stopwatch: Callable[[], float]
    guard: Any

    def __init__(self, stopwatch: Callable[[], float]) -> None:
        self.guard = None if cython.compiled else make_lock()
        self.by_key = {}
        self.landings = 0
        self.stopwatch = stopwatch
        reset_in_child(self)

    def __len__(self) -> int:
        """Return how many loads are in progress."""
        return len(self.by_key)

    def board(
        self, key: Key, tags: Tags, seen: cython.longlong, is_current: Callable[[Any, tuple[str, ...]], bool]
    ) -> tuple[Flight, Lead | None] | None:
        """Return the flight for ``key``, with the lead if the caller begins it; ``None`` when it is to look again.

        ``seen``: the landings before the caller looked into the store. ``is_current``: tells of a token and tags
        whether nothing was invalidated since.
        """
        fresh = Flight(key, tags, self)
        lead = Lead(fresh)
        with critical_section(self):
            found: Flight | None = self.by_key.get(key)
            if found is not None and self.is_joinable(found, tags, is_current):
                found.riders += 1
            else:
                found = None
                if self.landings == seen:
                    self.by_key[key] = fresh
                    return fresh, lead
            fresh.landing = ABANDONED  # it never began: its lead has nothing to land
        return None if found is None else (found, None)

    def begin(self, key: Key, tags: Tags) -> tuple[Flight, Lead]:
        """Return a new flight for ``key``, in the place of any other, with its lead."""
        fresh = Flight(key, tags, self)
        lead = Lead(fresh)
        with critical_section(self):
            self.by_key[key] = fresh
        return fresh, lead

    def leave(self, flight: Flight) -> None:
        """Let one rider go; the last one out cancels the load, unless it is kept."""
        with critical_section(self):
            flight.riders -= 1
            if flight.riders or flight.is_kept or flight.landing is not None:
                return
            self.strike_off(flight)
        flight.cancel(flight)

    def keep(self, flight: Flight) -> None:
        """Let ``flight`` go on when nobody rides it any more."""
        with critical_section(self):
            flight.is_kept = True

    def own(self, flights: Sequence[Flight], cancel: Callable[[Flight], object]) -> None:
        """Have ``cancel`` called when the last of ``flights``, which are loaded together, is abandoned."""
        shared = cancel if len(flights) == 1 else _Last(flights, cancel)
        for flight in flights:
            flight.cancel = shared
            flight.home = flights[0].home

    def land(self, flight: Flight, landing: Landing) -> None:
        """End ``flight`` and wake those who wait."""
        with critical_section(self):
            if flight.landing is not None:
                return
            self.strike_off(flight)
            self.landings += 1
            flight.landing = landing
            wakers = flight.wakers
            flight.wakers = None
        if wakers is not None:
            for wake in wakers:
                wake()

    def reset_after_fork(self) -> None:
        """Forget every flight: the threads that were to land them are not in this process."""
        self.by_key.clear()

    @cython.cfunc
    def strike_off(self, flight: Flight) -> None:
        """Let nobody join ``flight`` any more."""
        if self.by_key.get(flight.key) is flight:
            del self.by_key[flight.key]

    @cython.cfunc
    def is_joinable(self, flight: Flight, tags: Tags, is_current: Any) -> cython.bint:
        """Tell whether who asks now may have what ``flight`` will bring."""
        if flight.overdue_at <= self.stopwatch():
            return False
        return flight.token is None or is_current(flight.token, (*flight.tags, *tags))


class _Last:
    """Cancels what is loaded for ``flights`` when all of them have been abandoned."""

    def __init__(self, flights: Sequence[Flight], cancel: Callable[[Flight], object]) -> None:
        self._lock = make_lock()
        self._left = len(flights)
        self._flight = flights[0]
        self._cancel = cancel

    def __call__(self, flight: Flight) -> None:
        del flight
        with self._lock:
            self._left -= 1
            is_last = self._left == 0
        if is_last:
            self._cancel(self._flight)
