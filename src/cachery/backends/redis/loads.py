"""What an engine asks of the store (``ports/backend.py``): entries, stale ones too, and tokens of loads.

A load never fails because the server is away or full: then nothing is found, leased or stored, and the value of the
loader is returned. That the server is away, the link reports.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from os import urandom
from typing import Any, Literal

from cachery.backends.redis import scripts
from cachery.backends.redis.link import Command
from cachery.backends.redis.names import fence_of
from cachery.backends.redis.reach import stamping
from cachery.backends.redis.records import STAMP_SIZE, State
from cachery.backends.redis.renewal import Lease
from cachery.backends.redis.shelf import Found, Shelf
from cachery.backends.redis.tokens import LoadToken
from cachery.exceptions import CacheConnectionError, CacheFullError, CacheTimeoutError, CacheValueError
from cachery.model.entry import Entry
from cachery.model.sentinels import MISSING
from cachery.serializers.pipeline import TooLarge, key_bytes

__all__ = ["AWAY", "Loads"]

AWAY = (CacheConnectionError, CacheTimeoutError)
_MOST_UNANSWERED = 1000
_UNABLE = (*AWAY, CacheFullError)


class Loads(Shelf):
    """Adds the backend port to the shelf."""

    @property
    def longest_load(self) -> int:
        """How many milliseconds a load may take whose value is to be stored."""
        return int(self.settings.longest_load * 1000)

    async def read_entry(self, key: str) -> Entry | None:
        """Return what stands under ``key``, stale or fresh; ``None`` where nothing does or nobody can say."""
        try:
            return await self.look_up(key)
        except AWAY:  # reported by the link
            self.note_unanswered(key)
            return None

    async def look_up(self, key: str) -> Entry | None:
        """Return what stands under ``key``, stale or fresh. Raises what the link raises where nobody can say."""
        await self.ask_after_loads(key)
        return self.entry_of(key, await self.found(key))

    def note_unanswered(self, key: str) -> None:
        """Note that a look at ``key`` was not answered: the load that follows does not wait for an answer again."""
        if len(self._unanswered) >= _MOST_UNANSWERED:
            self._unanswered.clear()
        self._unanswered.add(key)

    def entry_of(self, key: str, found: Found | None) -> Entry | None:
        """Return ``found`` as an entry, if it is worth anything still."""
        return None if found is None else self.entry_with(found, self.value(key, found.envelope))

    def entry_with(self, found: Found, value: Any) -> Entry | None:
        """Return ``found`` as an entry of ``value``, if there is one and it is worth anything still."""
        if value is MISSING or max(found.times.fresh_until, found.times.stale_until) <= self.read_clock():
            return None
        return found.envelope.entry(value)._replace(**found.times._asdict())

    async def ask_after_loads(self, key: str) -> None:
        """Where loads of ``key`` are under way here, ask what has overtaken them."""
        self._unanswered.discard(key)
        tokens = self.tokens.begun(key)
        if not tokens:
            return
        commands = [("HKEYS", fence_of(tokens[0].entry)), ("MGET", self.names.state)]
        known, (state,) = await scripts.ask(self.link, commands)
        self.tokens.compare(tokens, known, State.read(state))

    async def write_entry(
        self, key: str, entry: Entry, token: LoadToken | None = None, born: float | None = None
    ) -> bool:
        """Store ``entry``; with a ``token``, only if nothing has invalidated it since. True when stored.

        Then it was ``born`` when the load began, unless it is said otherwise: what it was made of may be as old.
        """
        if token is None:
            return await self.put(key, entry)
        if token.key != key:
            raise CacheValueError(f"the token is for the key {token.key!r}, not {key!r}")
        if token.was_overtaken(entry.tags) or self.is_too_old(token):  # of tags in doubt the server knows more
            return False
        try:
            parcel = self.parcel(key, entry, token.opened_at if born is None else born)
        except TooLarge:
            await self.discard([key])
            return False
        if not await self.reach.put_loaded(parcel, token):
            return False
        self.tokens.settle(token)
        return True

    async def put(self, key: str, entry: Entry) -> bool:
        """Store ``entry``; False when it is too large, and then there is nothing under ``key``."""
        parcels = await self.parcels([(key, entry)])
        with self.overtaking(key):
            await self.reach.put(parcels)
        for parcel in parcels:
            self.observer.stored(parcel.key)
        return bool(parcels)

    @contextmanager
    def overtaking(self, *keys: str) -> Iterator[None]:
        """Note that loads of ``keys`` are overtaken by what is done here, however it ends."""
        try:
            yield
        finally:
            for key in keys:
                self.tokens.overtake(key)

    async def invalidate(self, kind: Literal["tags", "clear", "pattern"], tags: tuple[str, ...] = ()) -> None:
        """Take the next number and give it to ``tags``, or to everything. Loads under way are overtaken."""
        changed = [self.names.cleared] if kind == "clear" else [self.names.tag(tag) for tag in tags]
        command = scripts.INVALIDATE.call([self.names.state, *changed], urandom(8), kind, self.longest_load)
        try:
            await scripts.ask(self.link, [command, *self.reach.announce(None if kind == "clear" else changed)])
        finally:
            self.tokens.hit(tags) if tags else self.tokens.overtake_all()

    async def postpone_refresh(self, key: str, until: float, token: LoadToken) -> None:
        """Let the entry under ``key`` be refreshed no sooner than ``until``, unless ``token`` is no longer current."""
        try:
            found = await self.found(key)
            if found is not None and token.state is not None and self.is_current(token):
                await self._restamp(found, token, until)
        except _UNABLE:  # the link has reported it; the next request asks the loader again
            return

    async def _restamp(self, found: Found, token: LoadToken, until: float) -> None:
        envelope, row = found.envelope, found.row
        entry = envelope.entry(None)._replace(refresh_at=until - found.birth)
        record = self.codec.record_of(envelope.key, envelope.body, entry, 0)
        await self.swap(token.entry, row.record, row.record[:STAMP_SIZE] + self.versioned(record), token=token.identity)

    async def open_token(self, key: str, tags: tuple[str, ...] = ()) -> LoadToken:
        """Note the moment: a load of ``key`` begins now, whose value will carry ``tags``, as far as is known."""
        token, _ = await self.begin(key, tags)
        return token

    async def begin(
        self, key: str, tags: tuple[str, ...], lease: Lease | None = None, looking: Sequence[Command] = ()
    ) -> tuple[LoadToken, list[Any]]:
        """Return a token for a load of ``key``, and what taking ``lease`` and the commands ``looking`` brought.

        The token has no state where the server cannot be asked, and is closed where somebody holds the lease.
        """
        entry = self.names.entry(key_bytes(key))
        token = self.tokens.open(key, entry, self.read_clock())
        life = self.longest_load
        if key in self._unanswered:
            self._unanswered.discard(key)
            return token, []
        names, more = ([], ()) if lease is None else ([lease.name], (lease.token, self.renewal.life))
        beginning = scripts.BEGIN.call([fence_of(entry), *names], token.identity, life, *more)
        try:
            state, *replies = await scripts.ask(self.link, [stamping(self.names, tags, life), beginning, *looking])
        except _UNABLE:
            self._take_back(token, lease)
            return token, []
        except BaseException:  # who asked has gone
            self.tokens.close(token)
            self._take_back(token, lease)
            raise
        token.state = State.of(state)
        if not replies[0]:
            self.tokens.close(token)
        return token, replies

    def _take_back(self, token: LoadToken, lease: Lease | None) -> None:
        """Undo what the server may have done that did not answer: nobody would end the lease."""
        commands = [scripts.CLOSE.post([fence_of(token.entry)], token.identity)]
        if lease is not None:
            commands.append(scripts.LEASE.post([lease.name], lease.token, 0))
        self.link.post(commands)

    def close_token(self, token: LoadToken) -> None:
        """Forget ``token``; closing it again does nothing."""
        if self.tokens.close(token) and token.state is not None:
            self.link.post([scripts.CLOSE.post([fence_of(token.entry)], token.identity)])

    def is_current(self, token: LoadToken, tags: tuple[str, ...] = ()) -> bool:
        """Tell whether nothing known here has overtaken the load of ``token``, which brings ``tags``."""
        return token.is_current(tags) and not self.is_too_old(token)

    def is_too_old(self, token: LoadToken) -> bool:
        """Tell whether the load of ``token`` has taken too long for its value to be stored."""
        return self.read_clock() - token.opened_at >= self.settings.longest_load
