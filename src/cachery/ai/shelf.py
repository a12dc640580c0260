"""Answers put on the shelf and taken from it: as bytes, so that nothing a caller does to one reaches the cache."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from cachery.ai.places import Door, Place
from cachery.ai.record import Answer, Facts, Recipe, Unreadable, opened, packed
from cachery.engine.context import LoadContext
from cachery.exceptions import CacheFullError, CacheSerializationError
from cachery.model.sentinels import MISSING
from cachery.ports.clock import stopwatch, wall

__all__ = ["Loaded", "Made", "Parcel", "Shelf", "Slot"]

_OFF_LOOP = 1 << 18
"""Bytes from which on compressing takes so long that the loop is not kept waiting."""

_logger = logging.getLogger("cachery.ai")


class Slot(NamedTuple):
    """Where one answer stands: its ``key``, the seconds it lives, and whether memory holds it too."""

    key: str
    ttl: float
    in_memory: bool


class Made(NamedTuple):
    """What was just made. ``is_kept``: whether others may be given it."""

    response: Any
    facts: Facts
    is_kept: bool = True


class Parcel(NamedTuple):
    """A response as bytes. ``size``: before compressing, which took ``seconds``."""

    record: bytes
    size: int
    compressed_size: int
    is_compressed: bool
    seconds: float


class Loaded(NamedTuple):
    """What a load brought. ``parcel``: what was stored, ``None`` where another has made the answer.

    ``is_hit``: whether it was there already; else it was made by this load, or by one that was under way. ``seconds``:
    what looking for it took.
    """

    answer: Answer
    parcel: Parcel | None
    is_hit: bool
    is_at_hand: bool
    seconds: float


class Shelf:
    """Answers in ``place``, written by ``recipe``."""

    def __init__(self, place: Place, recipe: Recipe) -> None:
        self._place = place
        self._recipe = recipe

    async def find(self, slot: Slot) -> tuple[Answer | None, bool]:
        """Return the answer in ``slot``, or ``None``; and whether it was at hand in memory, if it is anywhere."""
        door = self._door(slot)
        record, is_at_hand = door.peek(slot.key), True
        if record is MISSING:
            record, is_at_hand = await door.get(slot.key, MISSING), not self._place.is_shared
        if record is MISSING:
            return None, is_at_hand
        try:
            answer = await self._opened(record) if _is_large(record) else opened(record, self._recipe)
        except Unreadable:
            await self._drop(door, slot.key)
            return None, is_at_hand
        return answer, is_at_hand

    async def put(self, slot: Slot, made: Made) -> tuple[bool, Parcel]:
        """Store what was made; return whether it was stored, and as what.

        Raises ``CacheSerializationError`` for a response that the serializer cannot carry.
        """
        parcel, door = await self.parcel_of(made), self._door(slot)
        try:
            is_stored = await door.set(slot.key, parcel.record, slot.ttl)
        except CacheFullError as error:
            _logger.warning("an answer was not stored: %s", error)
            return False, parcel
        await self._write_through(door, slot)
        return is_stored, parcel

    async def load(
        self, slot: Slot, make: Callable[[], Awaitable[Made]], options: Mapping[str, Any] | None = None
    ) -> Loaded:
        """Return the answer in ``slot``; where there is none, one of those who ask makes it, for all."""
        begun = stopwatch()
        answer, is_at_hand = await self.find(slot)
        seconds = stopwatch() - begun
        if answer is not None:
            return Loaded(answer, None, is_hit=True, is_at_hand=is_at_hand, seconds=seconds)
        door, parcels, asked_at = self._door(slot), list[Parcel](), wall()

        async def load(context: LoadContext) -> bytes:
            made = await make()
            parcels.append(await self.parcel_of(made))
            if not made.is_kept:
                context.ttl = 0
            return parcels[-1].record

        record = await door.get_or_set(slot.key, load, slot.ttl, **(options or {}))
        answer = await self._opened(record) if _is_large(record) else opened(record, self._recipe)
        if parcels and parcels[-1].record == record:
            await self._write_through(door, slot)
            return Loaded(answer, parcels[-1], is_hit=False, is_at_hand=False, seconds=seconds)
        return Loaded(answer, None, is_hit=answer.facts.cached_at < asked_at, is_at_hand=False, seconds=seconds)

    async def parcel_of(self, made: Made) -> Parcel:
        """Return the bytes of what was made. Raises ``CacheSerializationError``."""
        recipe = self._recipe
        body = recipe.serializer.serialize(made.response)
        size, limit = len(body), recipe.compression.limit
        if size > limit:
            message = f"the response is {size} bytes, more than the {limit} that are read again"
            raise CacheSerializationError(message, value_type=type(made.response).__name__)
        begun, is_compressed = stopwatch(), False
        if size > recipe.threshold:
            compress = recipe.compression.compress
            smaller = await asyncio.to_thread(compress, body) if size > _OFF_LOOP else compress(body)
            is_compressed = len(smaller) < size
            body = smaller if is_compressed else body
        record = packed(body, made.facts, is_compressed=is_compressed)
        return Parcel(record, size, len(body), is_compressed, stopwatch() - begun)

    async def remove(self, key: str) -> bool:
        """Remove what stands under ``key``; True if it was there."""
        is_removed: bool = await self._place.door.delete(key)
        return is_removed

    def _door(self, slot: Slot) -> Door:
        return self._place.door_for(in_memory=slot.in_memory)

    async def _opened(self, record: object) -> Answer:
        """Return the answer in a large ``record``, read beside the loop."""
        return await asyncio.to_thread(opened, record, self._recipe)

    async def _write_through(self, door: Door, slot: Slot) -> None:
        """Have memory hold what was just stored, so that the next who asks is answered from there."""
        if slot.in_memory and self._place.is_shared:
            await door.get(slot.key)

    async def _drop(self, door: Door, key: str) -> None:
        _logger.info("a stored answer cannot be read, and counts as absent")
        await door.delete(key)


def _is_large(record: object) -> bool:
    return type(record) is bytes and len(record) > _OFF_LOOP
