"""Answers that are made once for all who ask, and what is counted of that."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cachery.ai.calling import called
from cachery.ai.shelf import Loaded, Made, Shelf, Slot
from cachery.ai.tally import Asked, Tally
from cachery.ports.clock import stopwatch

__all__ = ["Loads"]


class Loads:
    """Answers from ``shelf``, or by a call; ``tally`` counts."""

    def __init__(self, shelf: Shelf, tally: Tally) -> None:
        self._shelf = shelf
        self._tally = tally

    async def answer(
        self,
        asked: Asked,
        slot: Slot,
        call: Callable[[], Any],
        made_of: Callable[[Any, float], Made],
        options: Mapping[str, Any],
    ) -> Loaded:
        """Return the answer in ``slot``, or what ``made_of`` makes of the response of ``call`` and its seconds."""
        spent, kept = [0.0], [False]

        async def make() -> Made:
            begun = stopwatch()
            response = await called(call)
            spent[0] = stopwatch() - begun
            made = made_of(response, spent[0])
            kept[0] = made.is_kept
            return made

        loaded = await self._shelf.load(slot, make, options)
        self._tally.looked(asked, is_hit=loaded.is_hit, is_at_hand=loaded.is_at_hand, seconds=loaded.seconds)
        if loaded.parcel is None:
            if not loaded.is_hit:
                self._tally.joined()
            self._tally.answered(asked, "hit", loaded.answer.facts)
            return loaded
        if kept[0]:
            own = stopwatch() - asked.begun - spent[0] - loaded.seconds
            self._tally.stored(asked, loaded.parcel, is_stored=True, ttl=slot.ttl, seconds=own)
        self._tally.answered(asked, "computed", loaded.answer.facts)
        return loaded
