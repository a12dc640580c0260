"""One load, from the token that fences it to its landing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from cachery.engine.ancestry import ancestors
from cachery.engine.context import NOT_MODIFIED, LoadContext
from cachery.engine.flights import Flight, Lead
from cachery.engine.leasing import NO_LEASE, drop, open_token, take_turn
from cachery.engine.observing import bear_witness, concluded, observed, watching, with_bonds
from cachery.engine.plan import Failure, is_alive
from cachery.engine.request import Request
from cachery.engine.stamps import entry_of, failure_entry, life_of_value
from cachery.engine.values import checked
from cachery.exceptions import CacheCircuitOpenError, CacheValueError
from cachery.keys.text import checked_cost, exact_tags
from cachery.model.durations import seconds
from cachery.model.entry import Entry
from cachery.model.marks import prefixed
from cachery.model.options import Breaker
from cachery.model.outcome import ABANDONED, Failed, Landing, Loaded, Outcome
from cachery.ports.backend import Backend
from cachery.ports.runtime import Runtime
from cachery.ports.sink import Sink

__all__ = ["Loading"]

Token = TypeVar("Token")


@dataclass(frozen=True, slots=True)
class Loading(Generic[Token]):
    """What a load needs: where to store, how to run, whom to tell, and time and chance.

    ``prefix`` stands before the tags that a loader sets.
    """

    backend: Backend[Token]
    runtime: Runtime
    sink: Sink
    stopwatch: Callable[[], float]
    random: Callable[[], float]
    prefix: str = ""

    async def fly(self, lead: Lead, request: Request, found: Entry | None) -> None:
        """Load for the flight of ``lead`` and land it, whatever happens. ``found``: what the store held before."""
        flight = lead.flight
        leases = self.backend.leases
        turn = NO_LEASE
        landing: Landing = ABANDONED
        try:
            if leases is not None:
                turn = await take_turn(self, leases, flight, request)
                landing = turn.landing
                if not turn.is_ours:
                    return
            flight.token = await open_token(self, turn, request)
            request = await self.observed(flight, request)
            context = None
            if request.wants_context:
                found = await self.backend.read_entry(request.key)  # what it may keep is to be as old as the token
                context = self._context(request, found)
            outcome, duration = await self.call((flight,), request, () if context is None else (context,))
            self.report(flight, outcome, duration)
            landing = await self.settle(flight, request, found, outcome, context)
        except Exception as error:  # noqa: BLE001 - the store failed: those who wait are to know
            landing = Failed(error)
        finally:
            self.land(flight, landing)
            drop(leases, turn)
            if request.watch is not None:
                request.watch.close()

    async def observed(self, flight: Flight, request: Request) -> Request:
        """Return ``request`` with what its sources look like now; who joins ``flight`` is asked about these too."""
        if not request.sources:
            return request
        request = await observed(self, request, (request.key,))
        self.bring(flight, request.tags)
        return request

    def bring(self, flight: Flight, tags: tuple[str, ...]) -> None:
        """Note that ``flight`` brings ``tags``. First they are noted: then who joins is asked whether they were hit."""
        flight.tags = tuple(dict.fromkeys((*flight.tags, *tags)))
        flight.is_doubtful = not self.backend.is_current(flight.token, flight.tags)

    def land(self, flight: Flight, landing: Landing) -> None:
        """End ``flight``, and then its token: as long as it flies, others ask whether it is current."""
        flight.registry.land(flight, landing)
        self.runtime.release(flight)
        if flight.token is not None:
            self.backend.close_token(flight.token)

    async def call(
        self, flights: tuple[Flight, ...], request: Request, arguments: tuple[Any, ...]
    ) -> tuple[Outcome, float]:
        """Call the loader for ``flights``, if its breaker allows it; return what became of it and how long it took."""
        breaker = request.options.breaker
        if breaker is not None and (wait := breaker.allow()) > 0:
            return _refused(request.key, wait), 0.0
        outer = ancestors.get()
        ancestors.set(flights if flights[0].is_kept else (*outer, *flights))  # nobody waits for what is kept
        above = watching.get()
        if request.watch is not None:
            watching.set((*above, request.watch))
        began = self.stopwatch()
        outcome: Outcome | None = None
        try:
            outcome = checked(await self.runtime.attempt(request.loader, arguments))
        finally:
            if self.runtime.is_inline:  # else this is a task's own context, which ends with it
                ancestors.set(outer)
                if request.watch is not None:
                    watching.set(above)
            if breaker is not None:
                _tell(breaker, outcome, is_late=flights[0].is_late)
        return outcome, self.stopwatch() - began

    def give_up(self, flight: Flight, request: Request, error: Exception) -> None:
        """Count the load for ``flight``, which takes too long, as failed."""
        flight.is_late = True
        self.sink.load_failed(flight.key, request.options.hard or 0.0, error)
        if request.options.breaker is not None:
            request.options.breaker.record(is_success=False)

    def report(self, flight: Flight, outcome: Outcome, duration: float) -> None:
        """Say what became of the load for ``flight``. What a breaker refused was none."""
        if isinstance(outcome, Loaded):
            self.sink.loaded(flight.key, duration)
        elif not isinstance(outcome.error, CacheCircuitOpenError):
            self.sink.load_failed(flight.key, duration, outcome.error)

    async def settle(
        self,
        flight: Flight,
        request: Request,
        found: Entry | None,
        outcome: Outcome,
        context: LoadContext | None = None,
    ) -> Outcome:
        """Store what was loaded, or note the failure; return what those who wait are to get.

        A store that fails costs the next caller a load, not this one its value.
        """
        known = request if request.watch is None else await self._concluded(request)
        if isinstance(outcome, Failed):
            await self._note_failure(flight, request, found, outcome.error, tags=None if known is None else known.tags)
            return outcome
        outcome, entry = self._prepared(flight, request if known is None else known, found, outcome, context)
        if entry is not None and known is not None and await self._store(flight, request.key, entry):
            self.sink.stored(request.key)
            if watching.get():
                await bear_witness(self, flight)
        return outcome

    async def _concluded(self, request: Request) -> Request | None:
        """Return what ``concluded`` does; ``None`` too where the store fails, which is reported."""
        try:
            return await concluded(self, request)
        except Exception as error:  # noqa: BLE001 - reported
            self.sink.not_stored(request.key, error)
            return None

    async def _store(self, flight: Flight, key: str, entry: Entry) -> bool:
        """Store ``entry``, fenced by the token of ``flight``; True when stored. A store that fails is reported."""
        try:
            return await self.backend.write_entry(key, entry, flight.token)
        except Exception as error:  # noqa: BLE001 - reported
            self.sink.not_stored(key, error)
            return False

    def _prepared(
        self, flight: Flight, request: Request, found: Entry | None, outcome: Loaded, context: LoadContext | None
    ) -> tuple[Outcome, Entry | None]:
        """Return what those who wait are to get, and the entry to store if there is one."""
        tags, asked = request.tags, None
        if outcome.value is NOT_MODIFIED:
            if found is None or isinstance(found.value, Failure):
                return Failed(CacheValueError(f"{request.key!r} has no value that could be 'not modified'")), None
            outcome, tags = Loaded(found.value), with_bonds(found.tags, request)
        if context is not None:
            tags, asked = self._wishes(context, tags, request)
        if tags is not request.tags or request.watch is not None:
            self.bring(flight, tags)
        life = life_of_value(outcome.value, request.options, self.backend.default_life, asked, self.random)
        if life <= 0:
            return outcome, None
        entry = entry_of(outcome.value, life, self.backend, request.options, tags)
        cost = None if context is None else checked_cost(context.cost)
        return outcome, entry if cost is None else entry._replace(cost=cost)

    async def _note_failure(
        self,
        flight: Flight,
        request: Request,
        found: Entry | None,
        error: BaseException,
        *,
        tags: tuple[str, ...] | None,
    ) -> None:
        """Leave the loader alone for a while where there is a value to go on with; else keep the exception, if asked.

        What the breaker raised says nothing about the key. ``tags``: ``None`` when nobody knows what it depends on.
        """
        if isinstance(error, CacheCircuitOpenError):
            return
        now = self.backend.read_clock()
        options = request.options
        if is_alive(found, now, options):
            until = now + options.throttle(self.backend.default_life)
            await self.backend.postpone_refresh(request.key, until, flight.token)
        elif tags is not None and isinstance(error, options.cache_exceptions):
            life = life_of_value(None, options, self.backend.default_life, None, self.random)
            if life > 0:
                await self._store(flight, request.key, failure_entry(error, life, now, tags))

    def _context(self, request: Request, found: Entry | None) -> LoadContext:
        """Return what a loader is given that asks for it."""
        context = LoadContext(request.key.removeprefix(self.prefix))
        if found is not None and not isinstance(found.value, Failure):
            context.stale = self.backend.isolate(found.value)
        return context

    def _wishes(
        self, context: LoadContext, tags: tuple[str, ...], request: Request
    ) -> tuple[tuple[str, ...], float | None]:
        """Return the tags, the loader's own or ``tags``, and the seconds that it wants its value to live."""
        asked = None if context.ttl is None else seconds(context.ttl)
        if context.tags is None:
            return tags, asked
        return with_bonds(prefixed(self.prefix, exact_tags(context.tags)), request), asked


def _tell(breaker: Breaker, outcome: Outcome | None, *, is_late: bool) -> None:
    """Tell ``breaker`` what became of a call: nothing when it was cancelled, and what is late was counted already."""
    if outcome is None:
        breaker.withdraw()
    elif not is_late:
        breaker.record(is_success=isinstance(outcome, Loaded))


def _refused(key: str, wait: float) -> Failed:
    message = f"the loader of {key!r} failed too often; it is tried again in {wait:.3g} seconds"
    return Failed(CacheCircuitOpenError(message, key=key, retry_after=wait))
