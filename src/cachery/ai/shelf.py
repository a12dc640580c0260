"""Answers put on the shelf and taken from it: as bytes, so that nothing a caller does to one reaches the cache."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal, NamedTuple

from cachery.ai.places import Place
from cachery.ai.record import Answer, Facts, Recipe, Unreadable, opened, packed
from cachery.aio.cache import Cache
from cachery.engine.context import LoadContext
from cachery.exceptions import CacheFullError, CacheSerializationError
from cachery.model.sentinels import MISSING
from cachery.ports.clock import stopwatch, wall

__all__ = ["Loaded", "Made", "Outcome", "Parcel", "Shelf", "Slot"]

_OFF_LOOP = 1 << 18
"""Bytes from which on compressing takes so long that the loop is not kept waiting."""

_READINGS = 2
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


Outcome = Literal["computed", "hit", "joined", "stale"]


class Loaded(NamedTuple):
    """What a load brought, and how: found, found past its time, made by this load, or by one that was under way.

    ``parcel``: what this load made, ``is_stored`` if it stands there now. ``seconds``: what looking for it took.
    """

    answer: Answer
    outcome: Outcome
    parcel: Parcel | None
    is_stored: bool
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
            answer = await self._opened(record)
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
        return is_stored and await self._is_standing(slot, parcel.record), parcel

    async def load(
        self, slot: Slot, make: Callable[[], Awaitable[Made]], options: Mapping[str, Any], *, is_anew: bool = False
    ) -> Loaded:
        """Return the answer in ``slot``; where there is none, or with ``is_anew``, one who asks makes it, for all."""
        begun = stopwatch()
        answer, is_at_hand = (None, False) if is_anew else await self.find(slot)
        seconds, asked_at = stopwatch() - begun, wall()
        if answer is not None:
            return Loaded(answer, "hit", None, is_stored=True, is_at_hand=is_at_hand, seconds=seconds)
        parcels: list[Parcel] = []

        async def load(context: LoadContext) -> bytes:
            made = await make()
            parcels.append(await self.parcel_of(made))
            if not made.is_kept:
                context.ttl = 0
            return parcels[-1].record

        record, answer = await self._loaded(slot, load, options, is_anew=is_anew)
        if parcels and parcels[-1].record == record:
            is_stored = await self._is_standing(slot, record)
            if is_stored and self._place.is_degraded:  # what is only loaded, nobody would tell the server
                await self._door(slot).set(slot.key, record, slot.ttl)
            return Loaded(answer, "computed", parcels[-1], is_stored=is_stored, is_at_hand=is_at_hand, seconds=seconds)
        outcome: Outcome = "stale" if answer.facts.cached_at < asked_at else "joined"
        return Loaded(answer, outcome, None, is_stored=True, is_at_hand=is_at_hand, seconds=seconds)

    async def _loaded(
        self, slot: Slot, load: Callable[[LoadContext], Awaitable[bytes]], options: Mapping[str, Any], *, is_anew: bool
    ) -> tuple[bytes, Answer]:
        """Return what is loaded. What cannot be read counts as absent; if it is there again, it is not asked for."""
        door = self._door(slot)
        for _ in range(_READINGS):
            if is_anew:
                record = (await door.engine.load_anew(slot.key, load, slot.ttl, options)).result()
            else:
                record = await door.get_or_set(slot.key, load, slot.ttl, **options)
            try:
                return record, await self._opened(record)
            except Unreadable:
                await self._drop(door, slot.key)
        record = await load(LoadContext(slot.key))
        return record, await self._opened(record)

    async def parcel_of(self, made: Made) -> Parcel:
        """Return the bytes of what was made. Raises ``CacheSerializationError``."""
        recipe = self._recipe
        body = _serialized(recipe, made.response)
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
        record = packed(body, made.facts, recipe.compression.code if is_compressed else 0)
        return Parcel(record, size, len(body), is_compressed, stopwatch() - begun)

    async def remove(self, key: str) -> bool:
        """Remove what stands under ``key``; True if it was there."""
        is_removed: bool = await self._place.door.delete(key)
        return is_removed

    def _door(self, slot: Slot) -> Cache:
        return self._place.door_for(in_memory=slot.in_memory)

    async def _opened(self, record: object) -> Answer:
        if type(record) is bytes and len(record) > _OFF_LOOP:
            return await asyncio.to_thread(opened, record, self._recipe)
        return opened(record, self._recipe)

    async def _is_standing(self, slot: Slot, record: bytes) -> bool:
        """Tell whether ``record`` is what stands there now; memory that is to hold it then does."""
        if not slot.in_memory:
            self._place.forget(slot.key)
        return bool(await self._door(slot).get(slot.key) == record)

    async def _drop(self, door: Cache, key: str) -> None:
        _logger.info("a stored answer cannot be read, and counts as absent")
        await door.delete(key)


def _serialized(recipe: Recipe, response: Any) -> bytes:
    try:
        return recipe.serializer.serialize(response)
    except CacheSerializationError as error:
        message = error.message.replace(' or serializer="pickle"', "")  # that runs code when it is read
        raise CacheSerializationError(message, **error.context) from error
