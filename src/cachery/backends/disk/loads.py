"""The store as the backend of an engine: entries with their stamps, fenced loads, and one load for all processes.

A load's token holds the marks of its key and of the whole store (``state``) and the number of the last invalidation, as
they stood when it began. What was changed since shows in the marks; what tags were hit since, in their numbers. Of two
loads of one key in a process the one that began later may store over the other, so it is told that other's mark.

A load holds a lease, a lock that the kernel drops when the process ends. Its place is made from the key and its mark:
who asks after an invalidation holds another, and does not wait for a load that nobody wants any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from threading import Lock
from typing import Any, TypeVar

from cachery.backends.disk.shelf import Shelf
from cachery.backends.disk.state import EVERYTHING, is_settled
from cachery.backends.disk.writing import Parcel, Writing, body_stamp, digest_of, hit_number
from cachery.exceptions import CacheTimeoutError, CacheValueError
from cachery.model.entry import Entry
from cachery.serializers.envelope import Envelope
from cachery.serializers.pipeline import TooLarge, key_bytes
from cachery.sources.observing import Seen, observe
from cachery.sources.source import Source

__all__ = ["LoadToken", "Loads"]

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class LoadToken:
    """The moment at which a load of ``key`` began: how marks and numbers stood.

    ``ticket``: of two in a process, which began later.
    """

    key: str
    digest: bytes
    group: int
    mark: int
    all_mark: int
    born: int
    ticket: int


class Loads(Shelf):
    """Adds the backend port to the shelf."""

    _tickets = count()
    _tokens: dict[bytes, list[LoadToken]]
    _tokens_lock: Lock

    @property
    def lease_timeout(self) -> float:
        """How many seconds a load waits for that of another process."""
        return self.settings.lease_timeout

    def isolate(self, value: Any) -> Any:
        """Return ``value``: who reads it from the store gets an object of its own anyway."""
        return value

    def read_entry(self, key: str) -> Entry | None:
        """Return what stands under ``key``, stale or fresh, or ``None``."""
        now = self.read_clock()
        found = self.look(key, lambda envelope: max(envelope.fresh_until, envelope.stale_until) > now)
        return None if found is None else found[0].entry(found[1])

    def write_entry(self, key: str, entry: Entry, token: LoadToken | None = None) -> bool:
        """Store ``entry``; with a ``token``, only if nothing has invalidated it since. True when stored."""
        if token is None:
            return self.put(key, entry)
        if token.key != key:
            raise CacheValueError(f"the token is for the key {token.key!r}, not {key!r}")
        parcel = self.try_parcel(key, entry, token.born, token)
        return parcel is not None and self.store([parcel], lambda writing: self._settle(writing, parcel, token))

    def _settle(self, writing: Writing, parcel: Parcel, token: LoadToken) -> bool:
        """Store what was loaded, if ``token`` is current still."""
        if not self.is_current(token, parcel.entry.tags):
            self.discard(parcel)
            return False
        before = token.mark
        writing.put(parcel)
        mark = self.volume.state.marks[token.group]
        with self._tokens_lock:
            for other in self._tokens.get(token.digest, ()):
                if other.mark == before and other.ticket >= token.ticket:
                    other.mark = mark
        return True

    def put(self, key: str, entry: Entry) -> bool:
        """Store ``entry``; False when it is too large, and then there is nothing under ``key``."""
        parcel = self.try_parcel(key, entry, self.volume.state.sequence)
        if parcel is None:
            return False
        if parcel.big is None:
            self.write(lambda writing: writing.put(parcel))
        else:
            self.store([parcel], lambda writing: writing.put(parcel))
        return True

    def store(self, parcels: Iterable[Parcel | None], work: Callable[[Writing], T]) -> T:
        """Carry out ``work``, which stores ``parcels``; when it fails, nothing that was written for them stays."""
        try:
            return self.write(work)
        except BaseException:
            self.discard_all(parcels)
            raise

    def try_parcel(self, key: str, entry: Entry, epoch: int, token: LoadToken | None = None) -> Parcel | None:
        """Return ``entry`` ready to be stored; ``None`` when it is too large, which removes what is under ``key``.

        With a ``token`` that is no longer current, that stays.
        """
        try:
            parcel = self.parcel(key, entry, epoch)
        except TooLarge:
            parcel = None
        if parcel is not None and parcel.size <= self.settings.bounds.max_bytes:
            return parcel
        if parcel is not None:
            self.discard(parcel)
        self.write(lambda writing: self._drop_for_size(writing, key, token))
        return None

    def _drop_for_size(self, writing: Writing, key: str, token: LoadToken | None) -> None:
        if token is None or self.is_current(token):
            digest = digest_of(key_bytes(key))
            writing.drop(digest)
            writing.touch(digest)  # a load under way is overtaken, whether something was there or not
            writing.note(self.observer.evicted, key, "too_large")

    def discard_all(self, parcels: Iterable[Parcel | None]) -> None:
        """Remove what was written for ``parcels``, which are not stored."""
        for parcel in parcels:
            if parcel is not None:
                self.discard(parcel)

    def discard(self, parcel: Parcel) -> None:
        """Remove what was written for ``parcel``, which is not stored."""
        if parcel.big is not None:
            self.files.discard_draft(parcel.big)

    def postpone_refresh(self, key: str, until: float, token: LoadToken) -> None:
        """Let the entry under ``key`` be refreshed no sooner than ``until``, unless ``token`` is no longer current."""
        name = key_bytes(key)

        def postpone(writing: Writing) -> None:
            record = writing.record(token.digest)
            envelope = None if record is None else self.opened(key, name, record, writing.note_unreadable)
            if envelope is not None and self.is_current(token):
                self.restamp(writing, token.digest, envelope, envelope.entry(None)._replace(refresh_at=until))

        self.write(postpone)

    def restamp(self, writing: Writing, digest: bytes, envelope: Envelope, entry: Entry) -> None:
        """Give what is in ``envelope`` the stamps of ``entry``."""
        record = self.codec.record_of(envelope.key, envelope.body, entry, envelope.epoch)
        writing.restamp(digest, record, entry)

    def open_token(self, key: str) -> LoadToken:
        """Note the moment: a load of ``key`` begins now."""
        self._check_no_transaction(key)
        state, digest = self.volume.state, digest_of(key_bytes(key))
        group = state.group_of(digest)
        token = LoadToken(
            key, digest, group, state.marks[group], state.marks[EVERYTHING], state.sequence, next(self._tickets)
        )
        with self._tokens_lock:
            self._tokens.setdefault(token.digest, []).append(token)
        return token

    def observe(self, keys: Sequence[str], sources: tuple[Source, ...]) -> tuple[str, ...]:
        """Return the tags of entries under ``keys`` that depend on ``sources`` as they are now."""
        return observe(keys, sources, self._look_at)

    def _look_at(self, key: str) -> Seen:
        envelope = self.live(key, digest_of(key_bytes(key)), self.read_clock())
        return Seen() if envelope is None else Seen(body_stamp(envelope.body), envelope.tag_names)

    def close_token(self, token: LoadToken) -> None:
        """Forget ``token``; closing it again does nothing."""
        with self._tokens_lock:
            open_tokens = self._tokens.get(token.digest, [])
            if token in open_tokens:
                open_tokens.remove(token)
            if not open_tokens:
                self._tokens.pop(token.digest, None)

    def is_current(self, token: LoadToken, tags: tuple[str, ...] = ()) -> bool:
        """Tell whether nothing has changed the key of ``token``, hit ``tags`` or cleared all since it was opened."""
        if self._is_closed:
            return False
        state = self.volume.state
        if state.marks[token.group] != token.mark or state.marks[EVERYTHING] != token.all_mark:
            return False
        if not tags or state.sequence == token.born:
            return True
        if token.born < state.forgotten:
            return False
        with self.reading() as transaction:
            table = self.volume.environment.tags
            return all(hit_number(transaction, table, tag) <= token.born for tag in tags)

    def _check_no_transaction(self, key: str) -> None:
        """Raise ``CacheValueError`` in a transaction of this thread: who is loading ``key`` may wait for its end."""
        self.check_open()
        if self.volume.current is not None and self.volume.gate.is_mine:
            raise CacheValueError(f"load {key!r} before the transaction begins: others would wait for its loader")

    def take_lease(self, key: str) -> int | None:
        """Return a lease to load ``key``; ``None`` while another process holds it."""
        self._check_no_transaction(key)
        digest = digest_of(key_bytes(key))
        state = self.volume.state
        mark = state.marks[state.group_of(digest)]
        place = self.volume.lease_place(digest, mark + state.marks[EVERYTHING])
        if not self.volume.locks.try_hold(place):
            return None
        try:
            self._let_settle(mark)
        except BaseException:
            self.drop_lease(place)
            raise
        return place

    def _let_settle(self, mark: int) -> None:
        """Wait for the writer who brought ``mark`` if it is at work still: what it stores may spare the load."""
        with self.reading() as transaction:
            snapshot = transaction.id()
        if not is_settled(mark, snapshot) and not self.volume.gate.is_mine:
            with suppress(CacheTimeoutError), self.volume.gate:  # one that hangs is not waited for
                pass

    def drop_lease(self, lease: int) -> None:
        """End ``lease``."""
        self.volume.locks.release(lease)
