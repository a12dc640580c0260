"""Which loads a call is part of, so that a load that would wait for itself is refused instead of hanging.

A loader runs with the flights it is part of in a context variable, the innermost last. A request inside it for a key
that is among them asks for itself. Two loaders on two threads may also ask for each other's key: so each flight notes
the flights its loader waits for, and who is about to wait looks whether that way leads back to it.
"""

from __future__ import annotations

from contextvars import ContextVar

from cachery.engine.flights import Flight, Flights
from cachery.exceptions import CacheRecursionError
from cachery.locks import make_lock

__all__ = ["ancestors", "begin_wait", "end_wait", "refuse_recursion"]

ancestors: ContextVar[tuple[Flight, ...]] = ContextVar("cachery_ancestors", default=())
"""The flights whose loaders are running around the current call, outermost first."""

_lock = make_lock()


def refuse_recursion(key: str, flights: Flights) -> None:
    """Raise ``CacheRecursionError`` when the load of ``key`` among ``flights`` is under way around this very call."""
    for flight in ancestors.get():
        if flight.key == key and flight.registry is flights and flight.landing is None:
            raise CacheRecursionError(f"the loader of {key!r} asked for {key!r} itself", key=key)


def begin_wait(waiting: tuple[Flight, ...], flight: Flight) -> None:
    """Note that a loader within the flights ``waiting`` waits for ``flight``.

    Raises ``CacheRecursionError`` when one of these is what ``flight`` waits for.
    """
    if not waiting:
        return
    with _lock:
        if _leads_to(flight, waiting):
            keys = " and ".join(sorted({repr(waiting[-1].key), repr(flight.key)}))
            raise CacheRecursionError(f"the loaders of {keys} wait for each other", key=flight.key)
        for loader in waiting:
            loader.awaits = (*loader.awaits, flight)


def end_wait(waiting: tuple[Flight, ...], flight: Flight) -> None:
    """Take back what ``begin_wait`` noted."""
    if not waiting:
        return
    with _lock:
        for loader in waiting:
            left = list(loader.awaits)
            left.remove(flight)
            loader.awaits = tuple(left)


def _leads_to(start: Flight, targets: tuple[Flight, ...]) -> bool:
    """Tell whether going from ``start`` along what is waited for comes to one of ``targets``."""
    seen: set[Flight] = set()
    ahead = [start]
    while ahead:
        flight = ahead.pop()
        if flight in targets:
            return True
        if flight not in seen:
            seen.add(flight)
            ahead.extend(flight.awaits)
    return False
