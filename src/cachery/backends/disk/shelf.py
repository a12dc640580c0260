"""Records, read and written: what all verbs of the store stand on."""

from __future__ import annotations

try:
    import cython

    if not cython.compiled:
        raise ImportError
except ImportError:
    from cachery import _cython as cython  # type: ignore[no-redef]

import logging
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar, cast
from weakref import finalize

from cachery.backends.disk.big_files import BigFiles, Reference
from cachery.backends.disk.environment import LmdbError
from cachery.backends.disk.keeper import Keeper
from cachery.backends.disk.settings import Settings
from cachery.backends.disk.volume import Volume, open_volume
from cachery.backends.disk.writing import Parcel, Writing, digest_of, is_outdated
from cachery.exceptions import CacheClosedError, CacheConnectionError, CacheError
from cachery.model.entry import Entry
from cachery.ports.clock import Clock
from cachery.ports.store import Observer
from cachery.serializers.envelope import REFERENCE, Body, Envelope, Unreadable
from cachery.serializers.pipeline import Codec, key_bytes

if not cython.compiled:
    from cachery.backends.disk.calls import Calls

__all__ = ["BIG_SIZE", "MOST_USES", "Shelf"]

BIG_SIZE = 2**20
_USES_AT_ONCE = 32
MOST_USES = 4096
_LOOK = 0.1
_TRIES = 5

T = TypeVar("T")


class Shelf:
    """The records in ``place``, written and read by ``codec``; ``observer`` hears what happens to them."""

    def __init__(self, place: Path, codec: Codec, settings: Settings, observer: Observer) -> None:
        self.codec = codec
        self.settings = settings
        self.observer = observer
        self.default_life = settings.life
        self.volume: Volume = open_volume(
            place, settings.bounds.max_bytes, is_synced=settings.is_synced, timeout=settings.write_timeout
        )
        self.files = BigFiles(place / "values", is_synced=settings.is_synced)
        self.read_clock: Clock = settings.clock or self.volume.state.now
        self._is_closed = False
        self._closing = Lock()
        self._keeper = Keeper(self.keep)
        self._commits_seen = -1
        self._dropping = finalize(self, _let_go, self.volume, self._keeper)
        self._dropping.atexit = False  # the volumes see to that
        self._uses: dict[bytes, None] = {}
        self._over: dict[bytes, None] = {}
        self._writes = 0
        self._looked = -math.inf

    def check_open(self) -> None:
        """Raise ``CacheClosedError`` on a closed store."""
        if self._is_closed:
            raise CacheClosedError("the cache was closed", cache_name=self.settings.name)

    @property
    def place(self) -> Path:
        """Where it stands."""
        return self.volume.place

    def close(self) -> None:
        """Let go of everything; what was used lately is written down first."""
        with self._closing:
            if self._is_closed:
                return
            self._keeper.stop()
            try:
                self.fold_uses()
            except CacheError as error:  # others write for too long, or nothing can be written: it can be forgotten
                logging.getLogger("cachery").warning("what was used lately was not written down: %s", error)
            self._is_closed = True
            self._dropping.detach()
            self.volume.close()

    def keep(self) -> bool:
        """Write down what was used, and write through, once nobody writes. True when there is more to do."""
        if self._is_closed:
            return False
        state = self.volume.state
        is_quiet = state.commits == self._commits_seen
        self._commits_seen = state.commits
        if not is_quiet:
            return True
        self.fold_uses()
        if not state.is_unsafe or self.volume.sync():
            self._commits_seen = -1
            return False
        return True

    # Reading

    def raw(self, digest: bytes) -> bytes | None:
        """Return the record with ``digest``, as this thread sees it: within a transaction, what that has written."""
        volume = self.volume
        if self._is_closed:
            self.check_open()
        current = volume.current
        if current is not None and volume.gate.is_mine:
            return cast("Writing", current).record(digest)
        environment = volume.environment
        calls: Calls = environment.calls
        calls.enter()
        try:
            transaction = environment.begin(environment.records, None, False, False)  # not by keyword: half the time
            try:
                found: bytes | None = transaction.get(digest)
            finally:
                transaction.abort()
        except LmdbError as error:
            self.check_open()
            raise environment.failure(error, "read") from error
        finally:
            calls.leave()
        return found

    @contextmanager
    def reading(self) -> Iterator[Any]:
        """Give a transaction to read with, that of the writer where this thread is one."""
        self.check_open()
        current = self.volume.current
        if current is not None and self.volume.gate.is_mine:
            yield current.transaction
        else:
            try:
                with self.volume.environment.reading() as transaction:
                    yield transaction
            except CacheConnectionError:
                self.check_open()
                raise

    def opened(
        self, key: str, name: bytes, record: bytes, report: Callable[[str, str], object] | None = None
    ) -> Envelope | None:
        """Return the parts of ``record``, found under ``key``; ``None`` when it cannot be read, which is reported.

        ``report``: how, where that is not the observer at once.
        """
        try:
            return self.codec.opened(name, record)
        except Unreadable as unreadable:
            (report or self.observer.unreadable)(key, unreadable.reason)
            return None

    def valid(self, key: str, name: bytes, record: bytes | None) -> Envelope | None:
        """Return the parts of ``record`` if it can be read and no tag of it was invalidated since."""
        envelope = None if record is None else self.opened(key, name, record)
        if envelope is None or not envelope.tags:
            return envelope
        with self.reading() as transaction:
            is_dead = is_outdated(transaction, self.volume.environment, envelope, self.read_clock)
        return None if is_dead else envelope

    def live(self, key: str, digest: bytes, now: float) -> Envelope | None:
        """Return the parts of what stands under ``key`` if the plain verbs may see it."""
        envelope = self.valid(key, key_bytes(key), self.raw(digest))
        return envelope if envelope is not None and envelope.fresh_until > now else None

    def value(self, envelope: Envelope) -> Any:
        """Return the value of ``envelope``. Raises ``Unreadable``."""
        body = envelope.body
        if body.flags & REFERENCE:
            reference = Reference.unpack(body.data)
            data = None if reference is None else self.files.read(reference)
            if data is None:
                raise Unreadable("file")
            body = Body(data, body.serializer, body.compression, body.flags & ~REFERENCE)
        return self.codec.value_of(envelope.key, body)

    def look(self, key: str, is_wanted: Callable[[Envelope], bool]) -> tuple[Envelope, Any] | None:
        """Return what stands under ``key``, in parts, and its value; ``None`` when it is not there or not wanted.

        The file of a large value goes when another is stored: then there is a newer record to look at.
        """
        name = key_bytes(key)
        digest = digest_of(name)
        seen = None
        for _ in range(_TRIES):
            record = self.raw(digest)
            if record is None or record == seen:
                return None
            envelope = self.valid(key, name, record)
            if envelope is None or not is_wanted(envelope):
                return None
            try:
                return envelope, self.value(envelope)
            except Unreadable as unreadable:
                seen, reason = record, unreadable.reason
                if not envelope.body.flags & REFERENCE or self.raw(digest) == record:
                    self.observer.unreadable(key, reason)
                    return None
        return None

    # Writing

    def parcel(self, key: str, entry: Entry, epoch: int) -> Parcel:
        """Return ``entry`` ready to be stored. Raises ``TooLarge`` and what the serializer raises.

        Nothing is locked: a serializer may be anything.
        """
        name = key_bytes(key)
        body = self.codec.body_of(name, entry.value)
        big = None
        if len(body.data) >= BIG_SIZE:
            big = self.files.write(body.data)
            body = Body(big.pack(), body.serializer, body.compression, body.flags | REFERENCE)
        return Parcel(key, digest_of(name), self.codec.record_of(name, body, entry, epoch), entry, big)

    def write(self, work: Callable[[Writing], T]) -> T:
        """Carry out ``work`` in a transaction: that of this thread, or one of its own."""
        if self._is_closed:
            self.check_open()
        volume = self.volume
        if volume.current is not None and volume.gate.is_mine:
            return self._joined(volume.current, work)
        calls: Calls = volume.environment.calls
        with volume.gate:
            calls.enter()
            try:
                writing, done = self._written(work)
            finally:
                calls.leave()
        if not self._keeper.is_awake:
            self._keeper.wake()
        writing.tell()
        return done

    def _written(self, work: Callable[[Writing], T]) -> tuple[Writing, T]:
        writing = self._new_writing()
        try:
            self._keep_up(writing)
            done = work(writing)
            writing.commit()
        except BaseException as error:
            writing.abort()
            if isinstance(error, LmdbError):
                raise self.volume.environment.failure(error, "write to") from error
            raise
        return writing, done

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Let all verbs of this thread be one write: it happens as a whole or, when something is raised, not at all."""
        self.check_open()
        volume = self.volume
        if volume.current is not None and volume.gate.is_mine:
            yield
            return
        calls = volume.environment.calls
        with volume.gate:
            with calls:
                writing = volume.current = self._new_writing()
            try:
                with calls:
                    self._keep_up(writing)
                yield
                with calls:
                    writing.commit()
            except BaseException:
                with calls:
                    writing.abort()
                raise
            finally:
                volume.current = None
        self._keeper.wake()
        writing.tell()

    def _joined(self, writing: Writing, work: Callable[[Writing], T]) -> T:
        """Carry out ``work`` as a part of ``writing``."""
        try:
            with self.volume.environment.calls:
                return work(writing)
        except LmdbError as error:
            raise self.volume.environment.failure(error, "write to") from error

    def _new_writing(self) -> Writing:
        return Writing(self.volume, self.settings, self.files, self.observer, self.read_clock())

    def _keep_up(self, writing: Writing) -> None:
        """Do a little of what is to be done from time to time."""
        self._writes += 1
        if self._writes % 16 == 1 or writing.now > self._looked + _LOOK:
            self._looked = writing.now
            self._check_place()
        if self._over:
            writing.expire_all(self._taken(self._over))
        if self._writes % 8 == 0 and self.volume.state.soonest <= writing.now:
            writing.expire_some()
        if self._uses and self._is_crowded:
            writing.use_all(self._taken(self._uses))

    def _check_place(self) -> None:
        """Raise ``CacheConnectionError`` when the directory was removed: nobody would ever read what is written."""
        if self.volume.locks.is_removed:
            raise CacheConnectionError(f"{self.place} was removed while the cache was open", place=str(self.place))

    @property
    def _is_crowded(self) -> bool:
        return self.settings.bounds.are_near(self.volume.state.total)

    @staticmethod
    def _taken(digests: dict[bytes, None]) -> list[bytes]:
        """Take a few out of ``digests``. Other threads may do so at the same time."""
        taken: list[bytes] = []
        while digests and len(taken) < _USES_AT_ONCE:
            try:
                taken.append(digests.popitem()[0])
            except KeyError:
                break
        return taken

    def note_use(self, key: str) -> None:
        """Remember that ``key`` was used now; a write to come notes it in the index."""
        self.note_digest(digest_of(key_bytes(key)))

    def note_digest(self, digest: bytes) -> None:
        """Remember that the key with ``digest`` was used now."""
        if len(self._uses) < MOST_USES:
            self._uses[digest] = None
        elif self._is_crowded:
            self._keeper.wake()

    def fold_uses(self) -> None:
        """Write down what was used lately, if that may matter."""
        if self._uses and self._is_crowded:
            uses = list(self._uses)
            self.write(lambda writing: writing.use_all(uses))
        self._uses.clear()

    def remove_over(self) -> None:
        """Remove what was found over."""
        while self._over:
            over = self._taken(self._over)
            self.write(partial(Writing.expire_all, digests=over))

    def note_over(self, key: str, digest: bytes) -> None:
        """Remember to remove ``key``, whose time is over: the next write does it. Reported once."""
        if digest not in self._over and len(self._over) < MOST_USES:
            self._over[digest] = None
            self.observer.expired(key)


def _let_go(volume: Volume, keeper: Keeper) -> None:
    """End what a store holds that nobody closed. A finalizer calls this: nothing is waited for."""
    keeper.stop()
    volume.drop()
