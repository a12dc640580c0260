"""Going through the whole store: removing what is dead, and counting again what is kept beside the database.

A sweep reads one moment of the store, begun within the gate, so that it knows what was counted at that moment and which
files there were; no writer waits while it goes through it. What it found dead is looked at again before it is removed,
a thousand at a time.
"""

from __future__ import annotations

from functools import partial
from itertools import islice
from typing import Any

from cachery.backends.disk.environment import LmdbError
from cachery.backends.disk.index import BIG, TAGGED, Row, unpack_row
from cachery.backends.disk.shelf import Shelf
from cachery.backends.disk.writing import Writing, is_outdated, reference_of, tag_digest
from cachery.serializers.envelope import Unreadable, unpack

__all__ = ["has_too_many_tags", "recount", "sweep"]

_STEP = 1000
_SPARE_TAGS = 1024


def sweep(shelf: Shelf) -> int:
    """Remove what is over or dead by a tag, and files that nobody refers to; return how many entries that were."""
    shelf.check_open()
    shelf.remove_over()
    survey = _Survey(shelf)
    try:
        survey.go()
    except LmdbError as error:
        shelf.check_open()
        raise shelf.volume.environment.failure(error, "read") from error
    removed = 0
    dead = iter(survey.dead)
    while batch := list(islice(dead, _STEP)):
        removed += shelf.write(partial(_removed, digests=batch))
    shelf.write(survey.correct)
    shelf.files.remove(survey.orphans)
    return removed


def has_too_many_tags(writing: Writing) -> bool:
    """Tell whether far more tags are remembered than there are entries."""
    tags: int = writing.transaction.stat(writing.environment.tags)["entries"]
    return tags > 2 * (_SPARE_TAGS + writing.count())


class _Survey:
    """What there is at one moment. ``dead``: digests; ``orphans``: names of files."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._environment = shelf.volume.environment
        self._read_clock = shelf.read_clock
        self._state = shelf.volume.state
        self._carried: set[bytes] = set()
        self._total = 0
        self._soonest = float("inf")
        self.dead: list[bytes] = []
        self.orphans: list[str] = []

    def go(self) -> None:
        """Look at everything."""
        with self._environment.calls:
            self._go()

    def _go(self) -> None:
        with self._shelf.volume.gate:
            self._environment.begin(write=True).abort()  # what a killed writer had committed, readers see from now on
            transaction = self._environment.begin()
            counted, self._number = self._state.total, self._state.sequence
            self._state.begin_survey()
            self._now = self._shelf.read_clock()
            files = self._shelf.files.abandoned()
        try:
            referred = {
                name
                for digest, data in transaction.cursor(self._environment.index)
                if (name := self._look_at(transaction, digest, unpack_row(data)))
            }
        finally:
            transaction.abort()
        self.orphans = [name for name in files if name not in referred]
        self._correction = self._total - counted

    def _look_at(self, transaction: Any, digest: bytes, row: Row) -> str | None:
        """Take a row into account; return the name of its file if it has one."""
        self._total += row.size
        is_tagged, is_big = row.flags & TAGGED, row.flags & BIG
        record: bytes = transaction.get(digest, b"", self._environment.records) if is_tagged or is_big else b""
        if row.dead_at <= self._now or (is_tagged and self._is_outdated(transaction, record)):
            self.dead.append(digest)
        else:
            self._soonest = min(self._soonest, row.fresh_until)  # what is stale counts no more: look each time
        reference = reference_of(record) if is_big else None
        return None if reference is None else reference.name

    def _is_outdated(self, transaction: Any, record: bytes) -> bool:
        try:
            envelope = unpack(record)
        except Unreadable:
            return False
        self._carried.update(tag_digest(tag) for tag in envelope.tag_names)
        return is_outdated(transaction, self._environment, envelope, self._read_clock)

    def correct(self, writing: Writing) -> None:
        """Put right what is counted; forget the tags that nobody carries, if there are too many."""
        writing.total += self._correction
        self._state.end_survey(self._soonest)
        if has_too_many_tags(writing):
            self._state.forgotten = self._number
            with writing.transaction.cursor(self._environment.tags) as cursor:
                unused = [digest for digest in cursor.iternext(values=False) if digest not in self._carried]
            for digest in unused:
                if (
                    int.from_bytes(writing.transaction.get(digest, b"", self._environment.tags), "little")
                    <= self._number
                ):
                    writing.transaction.delete(digest, db=self._environment.tags)


def _removed(writing: Writing, digests: list[bytes]) -> int:
    """Remove those of ``digests`` that are dead still; return how many."""
    removed = 0
    for digest in digests:
        if writing.expire(digest):
            removed += 1
        elif _is_dead_by_tag(writing, digest):
            writing.take_out(digest)
            writing.note(writing.observer.removed, 1)
            removed += 1
    return removed


def _is_dead_by_tag(writing: Writing, digest: bytes) -> bool:
    try:
        envelope = unpack(writing.record(digest) or b"")
    except Unreadable:
        return False
    return is_outdated(writing.transaction, writing.environment, envelope, lambda: writing.now)


def recount(writing: Writing) -> None:
    """Count again what the state of a store says, which is new, was lost, or was left by a crash."""
    environment, state = writing.environment, writing.state
    rows = [unpack_row(data) for _, data in writing.transaction.cursor(environment.index)]
    writing.total = sum(row.size for row in rows)
    state.soonest = min((row.fresh_until for row in rows), default=float("inf"))
    numbers = [int.from_bytes(data, "little") for _, data in writing.transaction.cursor(environment.tags)]
    state.sequence = max([state.sequence, *numbers])
