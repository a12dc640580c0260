"""The engine: from a request to what became of it.

Look into the store; decide (``plan``); serve, or board a flight and wait for it. Written once: every ``await`` is of a
port, so that in blocking code a call is carried through by a single step.

A load of ours that lands before we could board sends us back to look again; so does a flight that nobody finished.
"""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from dataclasses import replace
from typing import Any, Generic, TypeAlias, TypeVar

from cachery.engine.ancestry import ancestors, begin_wait, end_wait, refuse_recursion
from cachery.engine.flights import Flight, Flights, Lead
from cachery.engine.load import Loading
from cachery.engine.plan import LOADING, REFRESHING, SERVING_STALE, Step, decide, servable
from cachery.engine.request import Request
from cachery.exceptions import CacheTimeoutError
from cachery.model.entry import Entry
from cachery.model.options import LoadOptions
from cachery.model.outcome import ABANDONED, Failed, Landing, Loaded, Outcome
from cachery.ports.backend import Backend
from cachery.ports.runtime import Runtime
from cachery.ports.sink import Sink

__all__ = ["Engine"]

Token = TypeVar("Token")

Work: TypeAlias = Coroutine[Any, Any, object]


class Engine(Generic[Token]):
    """Loads with what ``loading`` holds. ``flights`` are shared by all engines over one store."""

    def __init__(self, loading: Loading[Token], flights: Flights) -> None:
        self.loading = loading
        self.flights = flights
        self.backend, self.runtime, self.sink = loading.backend, loading.runtime, loading.sink

    def over(self, backend: Backend[Token]) -> Engine[Token]:
        """Return an engine with the same flights over ``backend``, which stands before the same store."""
        return Engine(replace(self.loading, backend=backend), self.flights)

    def on(self, runtime: Runtime) -> Engine[Token]:
        """Return an engine over the same store and flights, for callers of another kind."""
        return Engine(replace(self.loading, runtime=runtime), self.flights)

    def within(self, prefix: str, sink: Sink) -> Engine[Token]:
        """Return an engine over the part of the store whose keys and tags begin with ``prefix``."""
        return Engine(replace(self.loading, sink=sink, prefix=self.loading.prefix + prefix), self.flights)

    async def load(self, request: Request) -> Outcome:
        """Return the value of ``request``, from the store or from its loader."""
        if self.loading.prefix:
            request = request.prefixed(self.loading.prefix)
        is_counted = False
        while True:
            seen = self.flights.landings
            found = await self.backend.read_entry(request.key)
            if found is not None and (served := self._serve(found, request, seen)) is not None:
                return served
            if not is_counted:
                is_counted = True
                self.sink.miss(request.key)
            if ancestors.get():
                refuse_recursion(request.key, self.flights)
            boarded = self.flights.board(request.key, request.tags, seen, self.backend.is_current)
            if boarded is not None:
                landing = await self._ride(*boarded, request, found, found)
                if landing is not ABANDONED:
                    return self.with_fallback(landing, request, found) if isinstance(landing, Failed) else landing

    async def reload(self, request: Request) -> Outcome:
        """Load and store anew, whatever is there and whoever is loading."""
        request = request.prefixed(self.loading.prefix).as_reload()
        refuse_recursion(request.key, self.flights)
        found = await self.backend.read_entry(request.key)
        landing: Landing = ABANDONED
        while landing is ABANDONED:
            landing = await self._ride(*self.flights.begin(request.key, request.tags), request, found, None)
        return landing

    def _serve(self, found: Entry, request: Request, seen: int) -> Outcome | None:
        """Return what was found, refreshed in the background if that is due; ``None`` when it is to be loaded."""
        step = decide(found, self.backend.read_clock(), request.options)
        if step in LOADING:
            return None
        if step in REFRESHING:
            self._refresh(request, found, seen)
        return self.answer(step, found, request)

    def answer(self, step: Step, found: Entry, request: Request) -> Outcome:
        """Return what was found, and count it."""
        if step in SERVING_STALE:
            self.sink.served_stale(request.key)
        else:
            self.sink.hit(request.key)
        if step is Step.FAIL:
            return Failed(found.value.error).for_another()
        return Loaded(self.backend.isolate(found.value))

    def _refresh(self, request: Request, found: Entry, seen: int) -> None:
        """Begin a load in the background, unless one is under way."""
        boarded = self.flights.board(request.key, request.tags, seen, self.backend.is_current)
        if boarded is None:
            return
        flight, lead = boarded
        if lead is not None:
            self.flights.keep(flight)
            self.spawn((flight,), request.options, self.loading.fly(lead, request, found))
        self.flights.leave(flight)

    async def _ride(
        self,
        flight: Flight,
        lead: Lead | None,
        request: Request,
        found: Entry | None,
        fallback: Entry | None,
    ) -> Landing:
        """Wait for ``flight``, after beginning its load if we have the lead; less long if there is a ``fallback``."""
        waiting = ancestors.get()
        patience = request.options.hard if request.options.soft is None else self.patience(request, fallback)
        is_here = lead is not None and self.runtime.is_inline and patience is None
        try:
            if waiting:
                begin_wait(waiting, flight)
            try:
                if lead is None:
                    self.sink.joined(request.key)
                elif is_here:
                    await self.loading.fly(lead, request, found)
                else:
                    self.spawn((flight,), request.options, self.loading.fly(lead, request, found))
                if flight.landing is None and not await self.runtime.wait(flight, patience):
                    return self.too_late(flight, request, fallback, is_first=lead is not None)
                return self.arrival(flight, is_first=lead is not None)
            finally:
                if waiting:
                    end_wait(waiting, flight)
        finally:
            if flight.landing is None:
                self.flights.land(flight, ABANDONED) if is_here else self.flights.leave(flight)

    def spawn(self, flights: Sequence[Flight], options: LoadOptions, fly: Work) -> None:
        """Run ``fly``, which lands ``flights``, beside us."""
        if options.hard is not None:
            overdue_at = self.loading.stopwatch() + options.hard
            for flight in flights:
                flight.overdue_at = overdue_at
        try:
            self.runtime.spawn(fly, flights[0])
        except RuntimeError:  # no thread can be started; after an interrupt the work goes on, or its lead lands it
            fly.close()
            for flight in flights:
                self.flights.land(flight, ABANDONED)
            raise
        self.flights.own(flights, self.runtime.cancel)

    def too_late(self, flight: Flight, request: Request, fallback: Entry | None, *, is_first: bool) -> Failed:
        """Return the failure of a wait that was too long; where ``fallback`` helps out, the load goes on by itself.

        Otherwise the load counts as failed, once, whatever becomes of it later.
        """
        error = CacheTimeoutError(f"loading {request.key!r} took too long", key=request.key)
        if servable(fallback, self.backend.read_clock(), request.options):
            self.flights.keep(flight)
        elif is_first:
            self.loading.give_up(flight, request, error)
        return Failed(error)

    def arrival(self, flight: Flight, *, is_first: bool) -> Landing:
        """Return how ``flight`` landed, for the one who began it or for another."""
        if is_first:
            return ABANDONED if flight.landing is None else flight.landing
        landing = flight.landing_for_another()
        return Loaded(self.backend.isolate(landing.value)) if isinstance(landing, Loaded) else landing

    def patience(self, request: Request, fallback: Entry | None) -> float | None:
        """Return how many seconds ``request`` waits, ``None`` for as long as it takes."""
        options = request.options
        if options.soft is None or not servable(fallback, self.backend.read_clock(), options):
            return options.hard
        return options.soft

    def with_fallback(self, landing: Failed, request: Request, found: Entry | None) -> Outcome:
        """Return the stale value in the place of ``landing``, a load that failed or took too long, if there is one."""
        is_usual = isinstance(landing.error, Exception)
        if is_usual and found is not None and servable(found, self.backend.read_clock(), request.options):
            return self.answer(Step.SERVE_STALE, found, request)
        return landing
