"""What was measured: rows of ours beside a peer's, and the bars they are held against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Bar", "Row", "Topic", "above", "beside"]


@dataclass(frozen=True, slots=True)
class Bar:
    """The most, or with ``is_floor`` the least, that a ratio may be; with ``is_absolute``, ours itself, in ``unit``."""

    limit: float
    goal: float | None = None
    is_floor: bool = False
    is_absolute: bool = False
    unit: str = ""

    def __str__(self) -> str:
        text = f"{'>=' if self.is_floor else '<='} {self.limit:g}{self.unit}"
        return text if self.goal is None else f"{text}, goal {self.goal:g}{self.unit}"

    def is_met(self, number: float) -> bool:
        """Tell whether ``number`` keeps to the bar."""
        return number >= self.limit if self.is_floor else number <= self.limit


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement of ours in ``unit``, with that of a ``peer`` from the same run where there is one."""

    what: str
    ours: float
    peer: str = ""
    theirs: float | None = None
    bar: Bar | None = None
    unit: str = "ns"

    @property
    def ratio(self) -> float | None:
        """Ours to the peer's."""
        return self.ours / self.theirs if self.theirs else None

    @property
    def verdict(self) -> str:
        """``met``, ``missed``, or nothing where there is no bar."""
        if self.bar is None:
            return ""
        number = self.ours if self.bar.is_absolute else self.ratio
        return "met" if number is not None and self.bar.is_met(number) else "missed"


@dataclass(frozen=True, slots=True)
class Topic:
    """One table, and what there is to say beneath it."""

    title: str
    rows: Sequence[Row]
    notes: Sequence[str] = ()


def beside(what: str, nanoseconds: Sequence[float], peers: Sequence[str], bars: Sequence[Bar | None] = ()) -> list[Row]:
    """Return a row for each of ``peers``: ``nanoseconds`` are ours, then theirs; ``bars`` those of the first peers."""
    ours, *theirs = nanoseconds
    barred = [*bars, *[None] * (len(peers) - len(bars))]
    return [Row(what, ours, *rest) for rest in zip(peers, theirs, barred, strict=True)]


def above(what: str, ours: Sequence[float], peer: str, theirs: Sequence[float], bar: Bar | None = None) -> Row:
    """Return a row, in microseconds, of what calls cost above what they load; of each, both nanoseconds are given."""
    (our_call, our_load), (their_call, their_load) = ours, theirs
    return Row(what, (our_call - our_load) / 1e3, peer, (their_call - their_load) / 1e3, bar, "µs")
