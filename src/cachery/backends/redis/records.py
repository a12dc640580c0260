"""From an entry to what stands on the server, and back.

A stored record is a stamp of 16 bytes, the era and the number of the last invalidation when it was born, a version of
8 bytes, which no other record has, and an envelope. Times in the envelope are spans from its birth, as no clock is
common to those who read it: the server keeps how much of the whole life is left, so what is gone of it is its age.
"""

from __future__ import annotations

from math import ceil
from struct import Struct
from typing import NamedTuple

from cachery.model.durations import HUNDRED_YEARS
from cachery.model.entry import Entry
from cachery.model.marks import MARK
from cachery.serializers.envelope import MAGIC, Envelope, Unreadable, unpack

__all__ = [
    "ENVELOPE_AT",
    "STAMP_SIZE",
    "VERSION_SIZE",
    "Row",
    "State",
    "Times",
    "aged",
    "birth_of",
    "is_marked",
    "is_record",
    "opened_head",
    "spans_of",
    "whole_life",
]

STAMP_SIZE = 16
VERSION_SIZE = 8
ENVELOPE_AT = STAMP_SIZE + VERSION_SIZE
_NUMBERS = Struct(">8sQQQ")
_STAMP = Struct(">8sQ")
_LENGTHS = Struct("<II")
_LENGTHS_AT = ENVELOPE_AT + 54
_TAG_SIZE = 8
_MARK = MARK.encode()
_FOREVER = float("inf")


class State(NamedTuple):
    """The numbers of a cache. ``number``: of its last invalidation; ``cleared`` and ``pattern``: of the last such."""

    era: bytes
    number: int
    cleared: int
    pattern: int

    @classmethod
    def of(cls, data: bytes) -> State:
        """Return the numbers that stand in ``data``."""
        return cls(*_NUMBERS.unpack(data))

    @property
    def packed(self) -> bytes:
        """The numbers as they stand on the server."""
        return _NUMBERS.pack(*self)

    @classmethod
    def read(cls, found: bytes | None) -> State | None:
        """Return the numbers in what was ``found`` under their name; ``None`` where they are lost."""
        return None if found is None or len(found) != _NUMBERS.size else cls.of(found)

    def has_overtaken(self, before: State) -> bool:
        """Tell whether everything, or a pattern, was invalidated since ``before``."""
        return self.era != before.era or self.cleared > before.number or self.pattern != before.pattern

    @property
    def stamp(self) -> bytes:
        """What an entry that is born now carries."""
        return _STAMP.pack(self.era, self.number)


class Row(NamedTuple):
    """What stands under a name: ``record`` with its stamp, how many seconds are ``left`` of it, and what may undo it.

    ``state``: of the cache, ``None`` when it is lost; ``numbers``: of the tags that the record carries.
    """

    record: bytes
    left: float
    state: bytes | None
    numbers: bytes

    @property
    def is_undone(self) -> bool:
        """Whether it was born before a clearing, or before an invalidation of one of its tags."""
        state, record, numbers = self.state, self.record, self.numbers
        if state is None or record[:8] != state[:8]:
            return True
        birth = record[8:16]
        if birth < state[16:24]:
            return True
        if not numbers:
            return False
        return any(numbers[at : at + _TAG_SIZE] > birth for at in range(0, len(numbers), _TAG_SIZE))


class Times(NamedTuple):
    """The times of an entry, by the clock of who reads it."""

    fresh_until: float
    refresh_at: float
    stale_until: float


def is_record(found: bytes) -> bool:
    """Tell whether what was ``found`` under the name of an entry is one, of whatever version."""
    return found.startswith(MAGIC, ENVELOPE_AT)


def is_marked(record: bytes) -> bool:
    """Tell whether one of the tags in ``record`` says what was seen of a source."""
    if len(record) < _LENGTHS_AT + 16:
        return False
    key_size, tags_size = _LENGTHS.unpack_from(record, _LENGTHS_AT)
    start = _LENGTHS_AT + 16 + key_size
    return record.find(_MARK, start, start + tags_size) >= 0


def spans_of(entry: Entry, now: float) -> Entry:
    """Return ``entry`` with its times as spans from ``now``, which is its birth."""
    return entry._replace(
        fresh_until=entry.fresh_until - now,
        refresh_at=entry.refresh_at - now,
        stale_until=entry.stale_until - now,
    )


def whole_life(fresh_for: float, stale_for: float) -> int:
    """Return how many milliseconds a record stays on the server; what never ends, a hundred years."""
    return max(1, ceil(min(max(fresh_for, stale_for), HUNDRED_YEARS) * 1000))


def birth_of(envelope: Envelope, left: float, now: float) -> float:
    """Return when ``envelope`` was stored, by the clock that says ``now``, if ``left`` seconds are left of its life."""
    return now + left - whole_life(envelope.fresh_until, envelope.stale_until) / 1000


def aged(envelope: Envelope, birth: float) -> Times:
    """Return the times of ``envelope``, which was stored at ``birth``."""
    return Times(birth + envelope.fresh_until, birth + envelope.refresh_at, birth + envelope.stale_until)


def opened_head(record: bytes) -> Envelope:
    """Return the parts of a record but for its body, which may have been left out. Raises ``Unreadable``."""
    if len(record) < _LENGTHS_AT + 16:
        raise Unreadable("format")
    return unpack(record[ENVELOPE_AT : _LENGTHS_AT + 16 + sum(_LENGTHS.unpack_from(record, _LENGTHS_AT))], is_head=True)
