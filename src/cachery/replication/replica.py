"""``Replica``: one cache that follows the others through a log, step by step.

The order of the log is the one order. The cache holds, at any moment, what all records up to a position make, and over
that what this process did and has not yet read in the log: of two changes the one later in the log stays, and what is
not there yet will come later than all that was read. So no clocks are compared, and nobody needs to be told which id a
change of its own got: whoever reads it, reads it in its place.

A change of a key is sent as what the cache holds under the key when it is sent, by whatever verb or load it came there.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from secrets import token_hex
from threading import Condition, Event
from typing import Any, TypeVar

from cachery.events import Unreadable as UnreadableEvent
from cachery.exceptions import CacheConnectionError, CacheError, CacheSerializationError
from cachery.locks import make_lock
from cachery.model.marks import is_local
from cachery.model.sentinels import MISSING
from cachery.ports.clock import stopwatch
from cachery.replication.local import POSITION, Local
from cachery.replication.log import BEGINNING, Log, LogState, Position, Record, order_of, time_of
from cachery.replication.outbox import KEY, Change, Outbox
from cachery.replication.snapshots import Snapshots, Tell
from cachery.replication.wire import CLEAR, DELETE, OFFER, PATTERN, SET, TAG, Message, Wire, with_stamps
from cachery.serializers.envelope import Unreadable
from cachery.serializers.pipeline import TooLarge

__all__ = ["Replica"]

T = TypeVar("T")

_BATCH = 500
_log = logging.getLogger("cachery")


class Told:
    """Whether a change is to be told."""

    is_needed = True


class Replica:
    """What ``ReplicatedCache.replica`` tells about itself: how far it is behind, and what it did.

    ``applied``: changes of others that were made here; ``skipped``: those that a newer one of ours hid; ``gaps``: how
    often the log no longer held what was not read yet; ``unreadable``: records and values that one side or the other
    could not read; ``lag``: the seconds between appending and applying of what was applied last, by the clock of the
    log; ``behind``: records of the log that were not read when it was looked at last.
    """

    def __init__(  # noqa: PLR0913 - what it is made of, by name
        self,
        local: Local,
        log: Log,
        wire: Wire,
        *,
        site: str,
        outbox_size: int,
        wants_snapshot: bool,
        snapshot_timeout: float,
        position: Position | None,
        report: Callable[[UnreadableEvent], object],
    ) -> None:
        self.site = site
        self.lag = 0.0
        self.applied = self.skipped = self.gaps = self.unreadable = self.behind = 0
        self.has_work = Event()
        self._local, self._log, self._wire, self._report = local, log, wire, report
        self._lock = make_lock()
        self._moved = Condition(self._lock)
        self._writer = token_hex(8)
        self._outbox = Outbox(outbox_size)
        self._snapshots = Snapshots(
            local, stopwatch, patience=snapshot_timeout, page=min(500, max(1, outbox_size // 2))
        )
        self._wants_snapshot = wants_snapshot
        self._position: Position | None = None
        self._given_position = position

    def __repr__(self) -> str:
        return f"<Replica {self.site!r}, {self.pending} pending, {self.behind} behind>"

    @property
    def pending(self) -> int:
        """How many changes made here are not in the log yet."""
        return self._outbox.pending

    @property
    def is_overflowed(self) -> bool:
        """Whether more is pending than was kept: when the log is back, all sites will forget everything."""
        return self._outbox.is_overflowed

    @property
    def position(self) -> str | None:
        """How far the log was read, as text for ``position=``; ``None`` before it was reached for the first time."""
        return None if self._position is None else str(self._position)

    def wait_until_caught_up(self, timeout: float) -> bool:
        """Wait until all written here is in the log and all that is in the log is here; True when it is.

        Both as of now; a snapshot that was asked for is waited for too. False after ``timeout`` seconds.
        """
        deadline = stopwatch() + timeout
        with self._moved:
            number = self._outbox.reserve()
            is_sent = self._moved.wait_for(lambda: not self._outbox.has_up_to(number), timeout)
        end = self._end_of_log(deadline) if is_sent else None
        while end is not None:
            with self._moved:
                if self._moved.wait_for(partial(self._has_read, end), max(0.0, min(0.2, deadline - stopwatch()))):
                    return True
                is_another = self._position is None or self._position.generation != end.generation
            if stopwatch() >= deadline:
                return False
            end = self._end_of_log(deadline) if is_another else end
        return False

    def _end_of_log(self, deadline: float) -> LogState | None:
        """Return how the log stands, as soon as it can be reached; ``None`` after ``deadline``."""
        while True:
            try:
                return self._log.state()
            except CacheConnectionError as error:
                if stopwatch() >= deadline:
                    _log.debug("the log did not tell how long it is: %s", error)
                    return None
            with self._moved:
                self._moved.wait(max(0.0, min(0.1, deadline - stopwatch())))

    def _has_read(self, end: LogState) -> bool:
        here = self._position
        is_there = here is not None and here.generation == end.generation and order_of(here.id) >= order_of(end.last)
        return is_there and not self._snapshots.is_asking

    # What the site does

    def change(self, kind: str, targets: Sequence[str], act: Callable[[], T], *, is_sure: bool = True) -> T:
        """Return what ``act`` returns, which changes ``targets``; the others will be told.

        ``is_sure``: also when it returns something false. What raises a ``CacheError`` has changed nothing.
        """
        with self.telling(kind, targets) as told:
            result = act()
            told.is_needed = is_sure or bool(result)
        return result

    @contextmanager
    def telling(self, kind: str, targets: Sequence[str]) -> Iterator[Told]:
        """Return a context in which ``targets`` are changed; the others will be told, unless it is not needed."""
        told = Told()
        with self._lock:
            changes = [Change(self._outbox.reserve(), kind, target) for target in targets]
            try:
                yield told
            except CacheError:
                raise
            except BaseException:  # an interrupt: something may have changed
                self._note(changes)
                raise
            if told.is_needed:
                self._note(changes)
            if kind in {CLEAR, PATTERN} and self._position is not None:
                self._local.keep_position(self._position)  # it may be among what was removed

    def count(self) -> int:
        """Return how many entries are live, but for that of the position."""
        with self._lock:
            cache = self._local.cache
            return len(cache) - cache.exists(POSITION)

    def _note(self, changes: Sequence[Change]) -> None:
        for change in changes:
            self._outbox.add(change)
        if not self.has_work.is_set():
            self.has_work.set()

    def _tell(self, tells: Sequence[Tell]) -> None:
        if tells:
            self._note([Change(self._outbox.reserve(), *tell) for tell in tells])

    # What goes out

    def send(self, limit: int = 100) -> int:
        """Append up to ``limit`` changes to the log; return how many. Raises ``CacheConnectionError``."""
        if self._outbox.is_overflowed:
            self._log.state()  # raises while it cannot be reached
            self._begin_again()
        with self._lock:
            changes = [] if self._position is None else self._outbox.take(limit)
            parcels = [(change, *self._parcel(change)) for change in changes]
        try:
            records = [record for parcel in parcels if (record := self._record(*parcel)) is not None]
            if records:
                self._log.append(records)
        except BaseException:
            with self._lock:
                self._outbox.restore(changes)
            raise
        return len(changes)

    def _begin_again(self) -> None:
        """Forget everything here, and let the others do so: what was done here is not known any more."""
        with self._lock:
            _log.warning("%r could not tell what it did: all sites forget everything", self)
            self._local.cache.clear()
            self._outbox.forget()
            self._note([Change(self._outbox.reserve(), CLEAR)])

    def _parcel(self, change: Change) -> tuple[Message, Any]:
        """Return ``change`` as a message, and the value that goes with it."""
        here = "" if self._position is None else self._position.id
        _, kind, target, nonce, is_last = change
        plain = Message(kind, self.site, self._writer, change.number, target, nonce=nonce, as_of=here, is_last=is_last)
        if kind not in {KEY, OFFER}:
            return plain, MISSING
        found = self._local.fresh_entry(target)
        if found is None or is_local(found[0].tags):  # what was seen of files and keys here says nothing elsewhere
            return replace(plain, kind=DELETE), MISSING
        entry, now = found
        return with_stamps(replace(plain, kind=SET if kind == KEY else OFFER), entry, now), entry.value

    def _record(self, change: Change, message: Message, value: Any) -> Record | None:
        """Return what is appended for ``change``; ``None`` when there is nothing to offer."""
        if value is not MISSING:
            try:
                message = replace(message, body=self._wire.body_of(message.target, value))
            except (CacheSerializationError, TooLarge) as error:
                self._cannot_read(message.target, "value", f"a value cannot be sent: {str(error) or 'it is too large'}")
                message = replace(message, kind=DELETE)
        if change.kind == OFFER and message.kind == DELETE:
            with self._lock:
                self._outbox.seen(change.number)
            return None
        return self._wire.record_of(message)

    # What comes in

    def follow(self, block: float = 0.0) -> int:
        """Read what others appended, and make it so here; return how many records were read.

        Waits for the first at most ``block`` seconds. Raises ``CacheConnectionError``.
        """
        position = self._position or self._begin(self._log.state())
        batch = self._log.read(position.id, _BATCH, block)
        state = self._log.state()
        if position.is_lost_in(state) and not (batch and _reaches(position, batch, state)):
            self._repair(state)
            return 0
        for identifier, record in batch:
            self._receive(identifier, record, state)
        self._arrive(state, has_read=bool(batch))
        return len(batch)

    def _begin(self, state: LogState) -> Position:
        """Find out where to go on. What the cache holds counts only together with its position."""
        known = self._given_position or self._local.position()
        if known is not None and not known.is_lost_in(state):
            self._position = known
            self.has_work.set()
            return known
        if known is not None:
            return self._repair(state)
        return self._jump(state.end, is_asking=self._wants_snapshot and state.added > 0)

    def _repair(self, state: LogState) -> Position:
        """Begin anew: at the beginning of a log that still has it, for then nothing in it is missed."""
        self.gaps += 1
        _log.warning("the log lost records that %r had not read: it asks the others for what they hold", self)
        is_whole = state.added == state.length
        start = Position(BEGINNING, 0, state.generation) if is_whole else state.end
        return self._jump(start, is_asking=state.added > 0)

    def _jump(self, position: Position, *, is_asking: bool) -> Position:
        """Go to ``position``, with nothing but what was done here and is not known there."""
        with self._moved:
            self._local.clear_but(self._outbox.keys())
            self._outbox.resend()
            self._position = position
            if is_asking:
                self._tell([self._snapshots.ask()])
            self._local.keep_position(position)
            self.has_work.set()
            self._moved.notify_all()
            return position

    def _arrive(self, state: LogState, *, has_read: bool) -> None:
        """Note how far all was read by now."""
        with self._moved:
            here = self._position
            if here is None:
                return
            self.behind = max(0, state.added - here.number)
            if here.is_lost_in(state):
                self._repair(state)
            elif has_read:
                self._local.keep_position(here)
            if self._snapshots.gives_up():
                _log.warning("nobody gave %r what the others hold: it begins with nothing", self)
            self._moved.notify_all()

    def _receive(self, identifier: str, record: Record, state: LogState) -> None:
        with self._lock:
            try:
                message = self._wire.message_of(record)
            except Unreadable as error:
                self._cannot_read("", error.reason, "a record cannot be read")
            else:
                self._take(identifier, message, max(0.0, state.now - time_of(identifier)))
            number = 1 if self._position is None else self._position.number + 1
            self._position = Position(identifier, number, state.generation)

    def _take(self, identifier: str, message: Message, age: float) -> None:
        """Make ``message`` so, unless it is one of ours, which is so already."""
        is_own = message.writer == self._writer
        is_done = is_own and self._outbox.seen(message.number)
        if message.kind in {SET, DELETE, CLEAR, PATTERN, TAG}:
            self._snapshots.note(identifier, message)
            if not is_done:
                self._apply(message, age)
        elif message.kind == OFFER:
            if self._snapshots.accepts(message):
                self._apply(message, age)
        else:
            self._tell(self._snapshots.heard(message, is_own=is_own, is_same_site=message.site == self.site))

    def _apply(self, message: Message, age: float) -> None:
        cache = self._local.cache
        sweeps: dict[str, Callable[[], object]] = {
            CLEAR: cache.clear,
            PATTERN: lambda: cache.delete_pattern(message.target),
            TAG: lambda: cache.invalidate_tags(message.target),
        }
        if message.kind in sweeps:
            self._local.sparing(self._outbox.keys(), sweeps[message.kind])
        elif self._outbox.hides(message.target):
            self.skipped += 1
            return
        elif message.kind == DELETE or self._outbox.hits(message.tags):
            cache.delete(message.target)
        else:
            self._store(message, age)
        self.applied += 1
        self.lag = age

    def _store(self, message: Message, age: float) -> None:
        """Store the value of ``message``; one that cannot be read is gone, for what was there before is outdated."""
        try:
            value = self._wire.value_of(message)
        except Unreadable as error:
            self._cannot_read(message.target, error.reason, f"a value from {message.site!r} cannot be read")
            self._local.cache.delete(message.target)
        else:
            self._local.put(message, value, age)

    def _cannot_read(self, key: str, reason: str, what: str) -> None:
        self.unreadable += 1
        _log.warning("%r: %s (%s)", self, what, reason)
        self._report(UnreadableEvent(getattr(self._local.cache, "name", None), key, reason))

    def reset_after_fork(self) -> None:
        """Be another process: what was pending, the parent sends."""
        self._moved = Condition(self._lock)
        self.has_work = Event()
        self._writer = token_hex(8)
        self._outbox.forget()


def _reaches(position: Position, batch: Sequence[tuple[str, Record]], state: LogState) -> bool:
    """Tell whether ``batch`` goes on where ``position`` ends, though the log was trimmed since it was read."""
    return position.generation == state.generation and position.number + len(batch) == state.added
