"""What to do about what was found: a pure decision."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from cachery.model.entry import Entry
from cachery.model.options import LoadOptions

__all__ = ["LOADING", "REFRESHING", "SERVING_STALE", "Failure", "Step", "decide", "is_alive", "servable"]


@dataclass(frozen=True, slots=True)
class Failure:
    """An exception kept in the place of a value. Its entry is past its time from the start: plain verbs see none."""

    error: BaseException


class Step(Enum):
    """What to do next."""

    SERVE = "serve it"
    SERVE_AND_REFRESH = "serve it and refresh in the background"
    SERVE_STALE = "serve it although it is stale"
    SERVE_STALE_AND_REFRESH = "serve it although it is stale, and refresh in the background"
    LOAD_OR_SERVE_STALE = "load, and serve the stale value if that takes long or fails"
    FAIL = "raise the exception that is kept"
    LOAD = "load"


LOADING = (Step.LOAD, Step.LOAD_OR_SERVE_STALE)
REFRESHING = (Step.SERVE_AND_REFRESH, Step.SERVE_STALE_AND_REFRESH)
SERVING_STALE = (Step.SERVE_STALE, Step.SERVE_STALE_AND_REFRESH)


def decide(entry: Entry | None, now: float, options: LoadOptions) -> Step:
    """Return what to do for a request with ``options`` that found ``entry`` at ``now``.

    >>> from cachery.model.options import load_options
    >>> entry = Entry("old", fresh_until=10.0, refresh_at=10.0, stale_until=30.0)
    >>> decide(entry, 20.0, load_options()).value
    'load'
    >>> decide(entry, 20.0, load_options(stale_ttl=20)).value
    'serve it although it is stale, and refresh in the background'
    """
    if entry is None:
        return Step.LOAD
    if isinstance(entry.value, Failure):
        return Step.FAIL if options.cache_exceptions and now < entry.stale_until else Step.LOAD
    is_due = now >= entry.refresh_at
    if now < entry.fresh_until:
        return Step.SERVE_AND_REFRESH if is_due and options.refresh_ahead is not None else Step.SERVE
    if not servable(entry, now, options):
        return Step.LOAD
    if not is_due:
        return Step.SERVE_STALE
    return Step.SERVE_STALE_AND_REFRESH if options.soft is None else Step.LOAD_OR_SERVE_STALE


def servable(entry: Entry | None, now: float, options: LoadOptions) -> bool:
    """Tell whether ``entry`` may be served at ``now``, past its time, when there is nothing better."""
    return options.stale is not None and is_alive(entry, now, options)


def is_alive(entry: Entry | None, now: float, options: LoadOptions) -> bool:
    """Tell whether ``entry`` has a value that may still be served at ``now``."""
    if entry is None or isinstance(entry.value, Failure):
        return False
    return now < entry.fresh_until or (options.stale is not None and now < entry.stale_until)
