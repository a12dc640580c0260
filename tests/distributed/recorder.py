"""Notes what a process does with its cache, and when the server knows of it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import count
from pathlib import Path
from time import monotonic
from typing import Any

from tests.distributed.history import NEVER, Change, History, Load, Read, Value
from tests.distributed.source import Source

from cachery.exceptions import CacheError

_taken: ContextVar[list[bool] | None] = ContextVar("taken", default=None)


class Recorder:
    """The history of ``node``, whose cache writes into ``refuge`` what the server could not be told."""

    def __init__(self, node: str, source: Source, refuge: Any) -> None:
        self._node = node
        self._source = source
        self._history = History()
        self._taken: list[Change] = []
        self._all_told: list[float] = []
        self._numbers = count()
        self._refuge = refuge
        for name in ("change", "hit_tags", "clear"):
            setattr(refuge, name, _noting(getattr(refuge, name)))
        leave = refuge.leave
        refuge.leave = lambda: leave() or self._note_all_told()

    def _note_all_told(self) -> None:
        now = monotonic()
        if not self._refuge.is_dirty:
            self._all_told.append(now)

    @contextmanager
    def changing(self, kind: str, keys: Sequence[str]) -> Iterator[Value]:
        """Note that ``keys`` are changed by what follows; give what is to be written."""
        start, serial, is_taken = monotonic(), next(self._numbers), list[bool]()
        version = self._source.bump(keys)
        before = _taken.set(is_taken)
        end = NEVER
        try:
            yield Value(keys[0], version, kind, self._node, serial)
            end = monotonic()
        except CacheError as error:
            self._history.errors.append(repr(error))
        finally:
            _taken.reset(before)
            change = Change(self._node, kind, tuple(keys), version, start, end, end, serial)
            (self._taken if is_taken else self._history.changes).append(change)

    @contextmanager
    def reading(self, key: str) -> Iterator[Callable[[str | None], None]]:
        """Note what is read under ``key``; give what is called with it."""
        start = monotonic()

        def note(text: str | None) -> None:
            end = monotonic()
            self._history.reads.append(Read(self._node, key, start, end, None if text is None else Value.of(text)))

        try:
            yield note
        except CacheError as error:
            self._history.errors.append(repr(error))

    def load(self, key: str, asked: float) -> str:
        """Return what a loader brings that begins now, for who asked at ``asked``."""
        start, serial = monotonic(), next(self._numbers)
        version = self._source.version(key)
        self._history.loads.append(Load(self._node, key, version, asked, start, serial))
        return Value(key, version, "load", self._node, serial).text

    @property
    def loads(self) -> int:
        """How many loaders have begun."""
        return len(self._history.loads)

    def save(self, place: Path) -> None:
        """Write down all that was noted."""
        self._history.changes += map(self._with_told, self._taken)
        self._history.save(place)

    def _with_told(self, change: Change) -> Change:
        at = bisect_right(self._all_told, change.end)
        return change._replace(told=self._all_told[at] if at < len(self._all_told) else NEVER)


def _noting(function: Callable[..., object]) -> Callable[..., object]:
    """Return ``function``, which notes that the server was not told what is being done."""

    def call(*args: Any) -> object:
        is_taken = _taken.get()
        if is_taken is not None:
            is_taken.append(True)
        return function(*args)

    return call
