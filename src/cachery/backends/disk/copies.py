"""Copies of entries that are kept elsewhere, and how one knows that they are good still: by marks (``state``)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from cachery.backends.disk.shelf import Shelf
from cachery.backends.disk.state import EVERYTHING, is_settled
from cachery.backends.disk.writing import is_outdated, tag_digest
from cachery.model.marks import has_marks
from cachery.serializers.envelope import Unreadable
from cachery.serializers.pipeline import key_bytes

__all__ = ["Copy", "Guard", "copy_of"]


class Guard:
    """What tells of a copy whether it is good still: groups of keys and tags, each with its mark when it was made."""

    __slots__ = ("_marks", "_seen")

    def __init__(self, marks: Any, groups: Iterable[int]) -> None:
        self._marks = marks
        self._seen = tuple([(group, marks[group]) for group in groups])

    def and_of(self, groups: Iterable[int]) -> Guard:
        """Return this guard with further ``groups``, as they stand now."""
        more = Guard(self._marks, groups)
        more._seen = (*self._seen, *more._seen)
        return more

    def is_current(self) -> bool:
        """Tell whether nothing has changed since."""
        marks = self._marks
        for group, mark in self._seen:  # noqa: SIM110 - a generator would take twice the time
            if marks[group] != mark:
                return False
        return True

    def is_settled(self, snapshot: int) -> bool:
        """Tell whether the changes that it knows of are in ``snapshot``, the number of a reader's transaction."""
        return all(is_settled(mark, snapshot) for _, mark in self._seen)

    def __deepcopy__(self, memory: dict[int, Any]) -> Guard:
        return self


class Copy(NamedTuple):
    """A value as it stood when it was read."""

    value: Any
    fresh_until: float
    refresh_at: float
    digest: bytes
    guard: Guard


def copy_of(shelf: Shelf, key: str, digest: bytes) -> Copy | None:
    """Return a copy of what is fresh under ``key``; ``None`` when nothing is, or when it is being changed.

    Marks are read before what they stand for, and have to be older than it.
    """
    if shelf.volume.current is not None and shelf.volume.gate.is_mine:  # it may never come to be
        return None
    state, environment = shelf.volume.state, shelf.volume.environment
    guard = Guard(state.marks, (EVERYTHING, state.group_of(digest)))
    with shelf.reading() as transaction:
        snapshot: int = transaction.id()
        record = transaction.get(digest, None, environment.records)
    envelope = None if record is None else shelf.opened(key, key_bytes(key), record)
    if envelope is None or envelope.fresh_until <= shelf.read_clock() or not guard.is_settled(snapshot):
        return None
    if has_marks(envelope.tag_names):  # what was seen is looked at anew at each read
        return None
    if envelope.tags:
        guard = guard.and_of(state.group_of(tag_digest(tag)) for tag in envelope.tag_names)
        with shelf.reading() as transaction:
            if not guard.is_settled(transaction.id()) or is_outdated(
                transaction, environment, envelope, shelf.read_clock
            ):
                return None
    try:
        return Copy(shelf.value(envelope), envelope.fresh_until, envelope.refresh_at, digest, guard)
    except Unreadable:
        return None
