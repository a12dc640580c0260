"""What replication asks of a log: one order of all records, and the means to notice that some are gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol, TypeAlias

__all__ = ["BEGINNING", "Log", "LogState", "Position", "Record", "order_of", "time_of"]

BEGINNING = "0-0"

Record: TypeAlias = Mapping[str, bytes]
"""Fields by their names. What is in them, only replication knows."""


class Position(NamedTuple):
    """How far a site has read: the last ``id``, the ``number`` of records up to it, in which ``generation``."""

    id: str
    number: int
    generation: str

    @classmethod
    def parse(cls, text: object) -> Position | None:
        """Return what ``str`` made of a position; ``None`` for anything else."""
        parts = text.split() if isinstance(text, str) else []
        if len(parts) != 3 or not parts[1].isdecimal():  # noqa: PLR2004 - the three fields
            return None
        return cls(parts[0], int(parts[1]), parts[2])

    def __str__(self) -> str:
        return f"{self.id} {self.number} {self.generation}"

    def is_lost_in(self, state: LogState) -> bool:
        """Tell whether what follows this position is no longer in the log, or not all of it."""
        if self.generation != state.generation or self.number > state.added:
            return True
        has_read_all = self.id == state.last
        return self.number != state.added if has_read_all else self.number < state.added - state.length


class LogState(NamedTuple):
    """A log at one moment.

    ``generation``: a name that another log has, also one that took this one's place; ``last``: the id of its newest
    record, ``"0-0"`` when there never was one; ``added``: how many records were ever appended; ``length``: how many
    are still there; ``now``: the time of its clock, in seconds since 1970, by which ids are given.
    """

    generation: str
    last: str
    added: int
    length: int
    now: float

    @property
    def end(self) -> Position:
        """The position of who has read everything."""
        return Position(self.last, self.added, self.generation)


class Log(Protocol):
    """Records in one order, the same for all who read. An id is ``milliseconds-number``, by the clock of the log.

    Every method raises ``CacheConnectionError`` while the log cannot be reached.
    """

    def append(self, records: Sequence[Record]) -> None:
        """Append ``records`` in their order. When this raises, none, some or all of them may be there."""

    def read(self, after: str, count: int, block: float) -> list[tuple[str, Record]]:
        """Return up to ``count`` records after the id ``after``; wait for the first at most ``block`` seconds."""

    def state(self) -> LogState:
        """Return how the log stands now."""

    def close(self) -> None:
        """Let go of connections; a ``read`` that waits may end by an exception."""


def order_of(identifier: str) -> tuple[int, int]:
    """Return what ids are compared by.

    >>> order_of("1700-2") < order_of("1700-10")
    True
    """
    time, _, number = identifier.partition("-")
    return int(time), int(number)


def time_of(identifier: str) -> float:
    """Return when the record ``identifier`` was appended, in seconds since 1970 by the clock of the log."""
    return order_of(identifier)[0] / 1000
