"""Loading many keys with one call of their loader.

What is there is served. For each key that is not, a flight is boarded: those that are ours are begun together, by one
call of the loader, before those of others are waited for. So two bulk loads that each wait for a key of the other come
to their ends. A key that the loader does not return is absent: it is not stored, and not in the answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any, Generic, TypeVar

from cachery.engine.ancestry import ancestors, begin_wait, end_wait, refuse_recursion
from cachery.engine.core import Engine
from cachery.engine.flights import Flight, Lead
from cachery.engine.leasing import NO_LEASE, Turn, drop, open_token, take_turn
from cachery.engine.load import Loading
from cachery.engine.observing import observed
from cachery.engine.plan import LOADING, REFRESHING, decide
from cachery.engine.request import Request
from cachery.engine.values import checked
from cachery.exceptions import CacheValueError
from cachery.model.entry import Entry
from cachery.model.outcome import ABANDONED, Failed, Landing, Loaded, Outcome

__all__ = ["load_many"]

Token = TypeVar("Token")


async def load_many(engine: Engine[Token], keys: Sequence[str], request: Request) -> Outcome:
    """Return a dictionary of the values of ``keys``, those that are missing loaded by one call with their list.

    ``request`` stands for all of them; its own key says nothing. When the loader fails, so does the whole, unless what
    is stale may be served.
    """
    bulk = _Bulk(engine, request)
    missing: Sequence[str] = keys
    while missing:
        missing = await bulk.round(missing)
        if bulk.failure is not None:
            return bulk.failure
    return Loaded({key: bulk.values[key] for key in keys if key in bulk.values})


@dataclass(frozen=True, slots=True)
class _Seat:
    """A place on the flight of a key: what was found before, and the lead if the flight is ours."""

    key: str
    request: Request
    flight: Flight
    found: Entry | None
    lead: Lead | None


class _Bulk(Generic[Token]):
    """One call of ``load_many``."""

    def __init__(self, engine: Engine[Token], request: Request) -> None:
        self.engine = engine
        self.request = request
        self.values: dict[str, Any] = {}
        self.failure: Failed | None = None
        self._counted: set[str] = set()
        self._spawned: set[Flight] = set()
        self._now = engine.loading.stopwatch

    async def round(self, keys: Sequence[str]) -> list[str]:
        """Serve or load ``keys``; return those that are to be looked at again."""
        seats: list[_Seat] = []
        due: list[_Seat] = []
        again: list[str] = []
        try:
            for key in keys:
                await self._look(key, seats, due, again)
            self._spawn(due)
            patience = self._patience(seats)
            await self._begin([seat for seat in seats if seat.lead is not None], patience)
            deadline = None if patience is None else self._now() + patience
            for seat in seats:
                self._take(seat, await self._wait(seat, deadline), again)
        finally:
            self._leave([*seats, *due])
        return again

    async def _look(self, key: str, seats: list[_Seat], due: list[_Seat], again: list[str]) -> None:
        """Serve ``key`` or take a seat on its flight; what is served and to be refreshed takes one among ``due``."""
        engine = self.engine
        request = self.request.keyed(key).prefixed(engine.loading.prefix)
        seen = engine.flights.landings
        found = await engine.backend.read_entry(request.key)
        step = decide(found, engine.backend.read_clock(), request.options)
        if found is not None and step not in LOADING:
            self._settle(key, engine.answer(step, found, request))
            if step not in REFRESHING:
                return
        else:
            self._count_miss(request.key)
            refuse_recursion(request.key, engine.flights)
        boarded = engine.flights.board(request.key, request.tags, seen, engine.backend.is_current)
        if boarded is not None:
            seat = _Seat(key, request, boarded[0], found, boarded[1])
            self._sit(seat, seats) if step in LOADING else self._sit_to_refresh(seat, due)
        elif step in LOADING:
            again.append(key)

    def _sit(self, seat: _Seat, seats: list[_Seat]) -> None:
        seats.append(seat)
        if seat.lead is None:
            self.engine.sink.joined(seat.request.key)

    def _sit_to_refresh(self, seat: _Seat, due: list[_Seat]) -> None:
        if seat.lead is not None:
            self.engine.flights.keep(seat.flight)
            due.append(seat)
        else:
            self.engine.flights.leave(seat.flight)

    def _patience(self, seats: Sequence[_Seat]) -> float | None:
        """Return how many seconds to wait for all: as long as the one who waits longest."""
        each = [self.engine.patience(seat.request, seat.found) for seat in seats]
        return None if None in each else max((patience for patience in each if patience is not None), default=None)

    async def _begin(self, seats: Sequence[_Seat], patience: float | None) -> None:
        """Load for ``seats``, here and now where nobody could cut the wait short, else beside us."""
        if self.engine.runtime.is_inline and patience is None and seats:
            await _fly_together(self.engine.loading, self.request, seats)
        else:
            self._spawn(seats)

    def _spawn(self, seats: Sequence[_Seat]) -> None:
        if seats:
            work = _fly_together(self.engine.loading, self.request, seats)
            self.engine.spawn([seat.flight for seat in seats], self.request.options, work)
            self._spawned.update(seat.flight for seat in seats)

    async def _wait(self, seat: _Seat, deadline: float | None) -> Landing:
        flight = seat.flight
        waiting = ancestors.get()
        begin_wait(waiting, flight)
        try:
            if flight.landing is None:
                patience = None if deadline is None else max(deadline - self._now(), 0.0)
                if not await self.engine.runtime.wait(flight, patience):
                    return self.engine.too_late(flight, seat.request, seat.found, is_first=seat.lead is not None)
        finally:
            end_wait(waiting, flight)
        return self.engine.arrival(flight, is_first=seat.lead is not None)

    def _leave(self, seats: Sequence[_Seat]) -> None:
        """Let go of ``seats``; a flight of ours that never began is given up."""
        for seat in seats:
            if seat.lead is not None and seat.flight not in self._spawned:
                self.engine.flights.land(seat.flight, ABANDONED)
            else:
                self.engine.flights.leave(seat.flight)

    def _take(self, seat: _Seat, landing: Landing, again: list[str]) -> None:
        if isinstance(landing, Failed):
            landing = self.engine.with_fallback(landing, seat.request, seat.found)
        if landing is not ABANDONED:
            self._settle(seat.key, landing)
        elif not (seat.lead is not None and seat.flight.is_absent):
            again.append(seat.key)

    def _settle(self, key: str, outcome: Outcome) -> None:
        if isinstance(outcome, Loaded):
            self.values[key] = outcome.value
        elif self.failure is None:
            self.failure = outcome

    def _count_miss(self, key: str) -> None:
        if key not in self._counted:
            self._counted.add(key)
            self.engine.sink.miss(key)


async def _fly_together(loading: Loading[Token], request: Request, seats: Sequence[_Seat]) -> None:
    """Load for all ``seats`` by one call, and land their flights, whatever happens."""
    landings: dict[str, Landing] = {}
    turns: dict[str, Turn] = {}
    leases = loading.backend.leases
    try:
        if leases is not None:
            for seat in sorted(seats, key=attrgetter("key")):  # in one order, so that no two wait for each other
                turn = turns[seat.key] = await take_turn(loading, leases, seat.flight, seat.request)
                landings[seat.key] = turn.landing
        ours = [seat for seat in seats if turns.get(seat.key, NO_LEASE).is_ours]
        for seat in ours:
            seat.flight.token = await open_token(loading, turns.get(seat.key, NO_LEASE), seat.request)
        request, ours = await _observed(loading, request, ours)
        await _load_together(loading, request, ours, landings)
    except Exception as error:  # noqa: BLE001 - the store failed: those who wait are to know
        landings = dict.fromkeys((seat.key for seat in seats), Failed(error))
    finally:
        for seat in seats:
            loading.land(seat.flight, landings.get(seat.key, ABANDONED))
        for turn in turns.values():
            drop(leases, turn)
        if request.watch is not None:
            request.watch.close()


async def _observed(loading: Loading[Token], request: Request, seats: list[_Seat]) -> tuple[Request, list[_Seat]]:
    """Return ``request`` and those of ``seats`` with what their sources look like now: looked at once for all."""
    if not request.sources or not seats:
        return request, seats
    one = await observed(loading, seats[0].request, [seat.request.key for seat in seats])
    request = request.keyed(request.key)
    request.watch = one.watch
    bound = [replace(seat, request=one.keyed(seat.request.key)) for seat in seats]
    for seat in bound:
        loading.bring(seat.flight, seat.request.tags)
    return request, bound


async def _load_together(
    loading: Loading[Token], request: Request, seats: Sequence[_Seat], landings: dict[str, Landing]
) -> None:
    """Call the loader for ``seats``, if there are any, and note in ``landings`` what became of each."""
    if not seats:
        return
    flights = tuple(seat.flight for seat in seats)
    outcome, duration = await loading.call(flights, request, ([seat.key for seat in seats],))
    for seat in seats:
        landings[seat.key] = await _settle(loading, seat, _part(seat, outcome), duration)


def _part(seat: _Seat, outcome: Outcome) -> Outcome | None:
    """Return what ``outcome``, a mapping of all values, means for one key; ``None`` when that is not in it."""
    if isinstance(outcome, Failed):
        return outcome
    if not isinstance(outcome.value, Mapping):
        kind = type(outcome.value).__name__
        return Failed(CacheValueError(f"the loader of many keys returns a mapping of keys to values, not {kind}"))
    return checked(Loaded(outcome.value[seat.key])) if seat.key in outcome.value else None


async def _settle(loading: Loading[Token], seat: _Seat, part: Outcome | None, duration: float) -> Landing:
    """Report and store what was loaded for ``seat``; return how its flight lands."""
    if part is None:
        seat.flight.is_absent = True
        return ABANDONED
    loading.report(seat.flight, part, duration)
    return await loading.settle(seat.flight, seat.request, seat.found, part)
