"""Answers that are made once for all who ask, and what is counted of that."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypedDict

from cachery.ai.calling import called
from cachery.ai.shelf import Loaded, Made, Shelf, Slot
from cachery.ai.tally import Asked, Tally
from cachery.exceptions import CacheValueError
from cachery.model.durations import Duration
from cachery.model.options import Breaker, load_options
from cachery.ports.clock import stopwatch

__all__ = ["AnswerOptions", "Attempt", "Loads", "checked_options"]


class AnswerOptions(TypedDict, total=False):
    """The options of loads that answers take."""

    stale_ttl: Duration | None
    jitter: float
    soft_timeout: Duration | None
    hard_timeout: Duration | None
    breaker: Breaker | None


_OPTIONS = tuple(AnswerOptions.__annotations__)


class Attempt:
    """One call that may be made, and what ``made_of`` makes of its response and its seconds.

    ``response``: what the call returned, once it ``is_over``; ``began`` and ``ended``: readings of the stopwatch.
    """

    __slots__ = ("_call", "_made_of", "began", "ended", "is_over", "response")

    def __init__(self, call: Callable[[], Any], made_of: Callable[[Any, float], Awaitable[Made]]) -> None:
        self._call = call
        self._made_of = made_of
        self.began: float | None = None
        self.ended = 0.0
        self.is_over = False
        self.response: Any = None

    async def make(self) -> Made:
        """Make the call."""
        self.began = stopwatch()
        self.response = await called(self._call)
        self.ended = stopwatch()
        self.is_over = True
        return await self._made_of(self.response, self.ended - self.began)


class Loads:
    """Answers from ``shelf``, or by a call; ``tally`` counts."""

    def __init__(self, shelf: Shelf, tally: Tally) -> None:
        self._shelf = shelf
        self._tally = tally

    async def answer(
        self, asked: Asked, slot: Slot, attempt: Attempt, options: Mapping[str, Any], *, is_anew: bool = False
    ) -> Loaded:
        """Return the answer in ``slot``, or that of ``attempt``, with ``is_anew`` in any case."""
        try:
            loaded = await self._shelf.load(slot, attempt.make, options, is_anew=is_anew)
        except BaseException as error:
            self._tally.failed(asked, attempt.began, error)
            raise
        self._tally.looked(asked, loaded.outcome, is_at_hand=loaded.is_at_hand, seconds=loaded.seconds)
        if loaded.parcel is not None:
            after = stopwatch() - attempt.ended
            self._tally.stored(asked, loaded.parcel, is_stored=loaded.is_stored, ttl=slot.ttl, seconds=after)
        self._tally.answered(asked, "computed" if loaded.outcome == "computed" else "hit", loaded.answer.facts)
        return loaded


def checked_options(ttl: Duration | None, options: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return ``options`` of a load; raise ``CacheValueError`` for one that answers do not have, or that cannot be."""
    unknown = [name for name in options if name not in _OPTIONS]
    if unknown:
        raise CacheValueError(f"there is no option {', '.join(unknown)}; there are {', '.join(_OPTIONS)}")
    load_options(ttl, **options)
    return options
