"""From a loaded value to the entry that is stored: how long it lives, when it is refreshed, how long it is stale."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from cachery.engine.plan import Failure
from cachery.model.entry import Entry
from cachery.model.options import LoadOptions
from cachery.model.outcome import twin_of
from cachery.ports.backend import Tokens

__all__ = ["entry_of", "failure_entry", "life_of_value"]


def life_of_value(
    value: Any, options: LoadOptions, default_life: float, asked: float | None, random: Callable[[], float]
) -> float:
    """Return the seconds that ``value`` lives.

    ``asked`` is what the loader asked for. ``random`` returns numbers from 0 to 1, for the jitter, which only shortens.
    """
    if asked is not None:
        life = asked
    elif value is None and options.negative is not None:
        life = options.negative
    else:
        life = default_life if options.life is None else options.life
    if options.jitter and life != math.inf:
        life *= 1.0 - options.jitter * random()
    return life


def entry_of(value: Any, life: float, backend: Tokens[Any], options: LoadOptions, tags: tuple[str, ...]) -> Entry:
    """Return the entry of ``value``, which lives ``life`` seconds from now, by the clock of ``backend``."""
    if life == math.inf:
        return tuple.__new__(Entry, (value, math.inf, math.inf, -math.inf, tags, None))  # in half the time of Entry()
    now = backend.read_clock()
    fresh_until = now + life
    stale_until = -math.inf if options.stale is None else fresh_until + options.stale
    refresh_at = math.inf if options.stale is None else fresh_until
    if options.refresh_ahead is not None:
        refresh_at = now + options.refresh_ahead * life
    return Entry(value, fresh_until, refresh_at, stale_until, tags)


def failure_entry(error: BaseException, life: float, now: float, tags: tuple[str, ...]) -> Entry:
    """Return the entry of an exception that is raised again for ``life`` seconds."""
    return Entry(Failure(_without_frames(error)), now, now + life, now + life, tags)


def _without_frames(error: BaseException) -> BaseException:
    """Return a copy of ``error`` and its causes that keeps no frame, and so no local variable, alive."""
    twin = twin_of(error)
    if twin is error:
        return error
    twin.__context__ = None
    cause = error.__cause__
    twin.__cause__ = None if cause is None or cause is error else _without_frames(cause)
    return twin.with_traceback(None)
