"""What the processes of a run did, and when: the history that is checked afterwards.

Times are seconds of CLOCK_MONOTONIC, which all processes of a machine share. ``inf`` stands for what nobody knows to
have happened.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from json import dumps, loads
from pathlib import Path
from typing import NamedTuple, Self

NEVER = float("inf")


class Value(NamedTuple):
    """What is cached: it names its key, the version of the source it is made from, and who made it."""

    key: str
    version: int
    maker: str
    node: str
    serial: int

    @property
    def text(self) -> str:
        return "|".join(map(str, self))

    @classmethod
    def of(cls, text: str) -> Self:
        key, version, maker, node, serial = text.split("|")
        return cls(key, int(version), maker, node, int(serial))


class Change(NamedTuple):
    """A write of a key (``set``), or an invalidation of several (``delete``, ``tags``, ``clear``).

    It began at ``start``, then took ``version`` from the source, and returned at ``end``. ``told``: when the server is
    known to have it, which is ``end`` unless it was away. What raised may have happened at any time, so both are never.
    """

    node: str
    kind: str
    keys: tuple[str, ...]
    version: int
    start: float
    end: float
    told: float
    serial: int


class Read(NamedTuple):
    """What a node was answered for a key, by ``get`` or by ``get_or_set``; ``None`` for nothing."""

    node: str
    key: str
    start: float
    end: float
    seen: Value | None


class Load(NamedTuple):
    """A loader that began at ``start`` and then read ``version`` from the source, for who had asked at ``asked``."""

    node: str
    key: str
    version: int
    asked: float
    start: float
    serial: int


@dataclass(slots=True)
class History:
    """What one node or several did. ``errors``: what was raised, as text."""

    changes: list[Change] = field(default_factory=list)
    reads: list[Read] = field(default_factory=list)
    loads: list[Load] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def save(self, place: Path) -> None:
        place.write_text(dumps([self.changes, self.reads, self.loads, self.errors]), encoding="utf-8")

    @classmethod
    def of_all(cls, places: list[Path]) -> Self:
        """Return the histories that were saved at ``places`` as one."""
        whole = cls()
        for place in places:
            changes, reads, made, errors = loads(place.read_text("utf-8"))
            whole.changes += [Change(node, kind, tuple(keys), *rest) for node, kind, keys, *rest in changes]
            whole.reads += [
                Read(node, key, start, end, None if seen is None else Value(*seen))
                for node, key, start, end, seen in reads
            ]
            whole.loads += [Load(*load) for load in made]
            whole.errors += errors
        return whole
