"""One load among all processes: who may call the loader, and what became of the load that another made.

Who begins a load takes the lease of its key and then looks into the store once more: another process may have stored
the value since the first look. While another holds the lease one waits, and looks then. The wait is bounded: a holder
that is gone has no lease any more, one that hangs is left behind, and the load goes on without a lease.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from cachery.engine.flights import Flight
from cachery.engine.plan import LOADING, REFRESHING, Step, decide
from cachery.engine.request import Request
from cachery.model.entry import Entry
from cachery.model.outcome import ABANDONED, Failed, Landing, Loaded
from cachery.model.sentinels import MISSING
from cachery.ports.backend import Leases

if TYPE_CHECKING:
    from cachery.engine.load import Loading

__all__ = ["NO_LEASE", "Turn", "drop", "open_token", "take_turn"]

_FIRST_PAUSE, _LONGEST_PAUSE = 0.001, 0.05


class Turn(NamedTuple):
    """Whose turn it is. ``is_ours``: we are to load, holding ``lease`` if there is one; else the flight may land."""

    is_ours: bool
    lease: Any = None
    landing: Landing = ABANDONED


NO_LEASE = Turn(is_ours=True)


async def take_turn(loading: Loading[Any], leases: Leases, flight: Flight, request: Request) -> Turn:
    """Return whose turn it is to load for ``flight``, after waiting for the load of another process."""
    lease = await leases.take(request.key, request.tags)
    if lease is None and flight.is_kept:  # a refresh that nobody waits for: another is at it
        return Turn(is_ours=False)
    if lease is None:
        lease = await _waited(loading, leases, request)
    turn = Turn(is_ours=True, lease=lease)
    if request.is_reload:
        return turn
    try:
        found = MISSING if lease is None else leases.found(lease, request.key)
        if found is MISSING:
            found = await loading.backend.read_entry(request.key)
        landing = _answer(loading, found, request, is_kept=flight.is_kept)
    except BaseException:
        drop(leases, turn)
        raise
    if landing is ABANDONED:
        return turn
    drop(leases, turn)
    return Turn(is_ours=False, landing=landing)


async def open_token(loading: Loading[Any], turn: Turn, request: Request) -> Any:
    """Return a token for the load of ``request``, which begins now."""
    leases = loading.backend.leases
    token = None if leases is None or turn.lease is None else leases.token(turn.lease)
    return await loading.backend.open_token(request.key, request.tags) if token is None else token


def drop(leases: Leases | None, turn: Turn) -> None:
    """End the lease of ``turn``, if it has one."""
    if leases is not None and turn.lease is not None:
        leases.drop(turn.lease)


async def _waited(loading: Loading[Any], leases: Leases, request: Request) -> Any:
    """Return the lease of its key, once its holder has dropped it; ``None`` after too long a wait."""
    deadline = loading.stopwatch() + leases.timeout
    pause = _FIRST_PAUSE
    while loading.stopwatch() < deadline:
        await loading.runtime.pause(pause * (0.5 + loading.random()))
        lease = await leases.take(request.key, request.tags)
        if lease is not None:
            return lease
        pause = min(pause * 1.5, _LONGEST_PAUSE)
    return None


def _answer(loading: Loading[Any], found: Entry | None, request: Request, *, is_kept: bool) -> Landing:
    """Return what another process stored, if that spares the load."""
    step = decide(found, loading.backend.read_clock(), request.options)
    if found is None or step in LOADING or (is_kept and step in REFRESHING):
        return ABANDONED
    return Failed(found.value.error) if step is Step.FAIL else Loaded(found.value)
