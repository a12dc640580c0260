"""A store on a server that goes on in memory while the server is away, and returns by itself.

Each call asks the server first; what cannot be asked is answered from the refuge, and noted there. As soon as there is
something to tell, ``recover`` is called, which has ``told`` carried out until the server has been told. A key that the
server does not know the last change of is read from the refuge meanwhile.

The newest wins: a record of the server that was written after the change here is left alone. Which is so, their ages
tell: that of the change by the clock of this process, that of the record by what the server says is left of it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import Any

from cachery.backends.redis.loads import AWAY
from cachery.backends.redis.refuge import Refuge
from cachery.backends.redis.store import RedisStore
from cachery.backends.redis.tokens import LoadToken
from cachery.exceptions import CacheConnectionError, CacheValueError
from cachery.model.entry import Entry
from cachery.model.sentinels import FOREVER, MISSING
from cachery.serializers.pipeline import key_bytes
from cachery.sources.observing import observe
from cachery.sources.source import Source, names_of_keys

__all__ = ["ShelteredStore"]


class ShelteredStore:
    """``far``, and ``refuge`` while it is away. What is not said here, ``far`` does."""

    def __init__(self, far: RedisStore, refuge: Refuge, recover: Callable[[], object]) -> None:
        self._far = far
        self._refuge = refuge
        self._recover = recover
        far.leases.doubts = refuge.holds

    def __getattr__(self, name: str) -> Any:
        return getattr(self._far, name)

    # Reading

    async def fetch(self, key: str) -> Any:
        """Return the value of ``key`` if it is fresh, else ``MISSING``."""
        if not self.holds(key):
            try:
                return await self._far.fetch(key)
            except AWAY:  # reported by the link
                self._recover()
        return self._refuge.value(key, self._far.read_clock())

    async def fetch_many(self, keys: list[str]) -> dict[str, Any]:
        """Return the fresh values among those of ``keys``."""
        held = [key for key in keys if self.holds(key)]
        try:
            found = await self._far.fetch_many([key for key in keys if key not in held])
        except AWAY:  # reported by the link
            found, held = {}, keys
        return found | self.in_refuge(held)

    def in_refuge(self, keys: Iterable[str]) -> dict[str, Any]:
        """Return the live values among those of ``keys`` in the refuge; why they are asked for here is looked into."""
        self._recover()
        now = self._far.read_clock()
        values = {key: self._refuge.value(key, now) for key in keys}
        return {key: value for key, value in values.items() if value is not MISSING}

    def holds(self, key: str) -> bool:
        """Tell whether the server may not know what became of ``key``; then it is told as soon as it answers."""
        is_held = self._refuge.holds(key)
        if is_held:
            self._recover()  # nearly always under way: not in a child of a fork, nor where no thread could be started
        return is_held

    async def expiry(self, key: str) -> float | None:
        """Return when what is live under ``key`` is over; ``None`` when nothing is."""
        if not self.holds(key):
            try:
                return await self._far.expiry(key)
            except AWAY:  # reported by the link
                pass
        entry = self._refuge.held(key, self._far.read_clock())
        return None if entry is None else entry.fresh_until

    async def live_keys(self) -> AsyncIterator[str]:
        """Iterate over the live keys."""
        try:
            self._refuse_if_behind()
            async for key in self._far.live_keys():
                yield key
        except AWAY:  # reported by the link
            for key in list(self._refuge.memory.keys()):
                yield key

    async def count(self) -> int:
        """Return how many entries are live."""
        try:
            self._refuse_if_behind()
            return await self._far.count()
        except AWAY:  # reported by the link
            return len(list(self._refuge.memory.keys()))

    async def observe(self, keys: Sequence[str], sources: tuple[Source, ...]) -> tuple[str, ...]:
        """Return the tags of entries under ``keys`` that depend on ``sources`` as they are now."""
        names = names_of_keys(sources)
        if not any(map(self.holds, names)):
            try:
                seen = await self._far.look_at(names)
            except AWAY:  # reported by the link
                pass
            else:
                return observe(keys, sources, lambda name: seen[name])
        return self._refuge.memory.observe(keys, sources)

    async def read_entry(self, key: str) -> Entry | None:
        """Return what stands under ``key``, stale or fresh, or ``None``."""
        if not self.holds(key):
            try:
                return await self._far.look_up(key)
            except AWAY:  # reported by the link
                self._far.note_unanswered(key)
        return self.entry_in_refuge(key)

    def entry_in_refuge(self, key: str) -> Entry | None:
        """Return what stands under ``key`` in the refuge, stale or fresh; why it is asked for here is looked into."""
        self._recover()
        return self._refuge.memory.read_entry(key)

    # Writing

    def _refuse_if_behind(self) -> None:
        """Raise as if the server were away, where an invalidation has to reach it before what comes now."""
        if self._refuge.is_behind:
            self._recover()
            raise CacheConnectionError("the server is to be told first what it missed", backend="redis")

    def _change(self, key: str, entry: Entry | None) -> None:
        self._refuge.change(key, entry, self._far.read_clock())
        self._far.tokens.overtake(key)
        if entry is not None:
            self._far.observer.stored(key)
        self._recover()

    async def put(self, key: str, entry: Entry) -> bool:
        """Store ``entry``; False when it is too large."""
        try:
            self._refuse_if_behind()
            is_stored = await self._far.put(key, entry)
        except AWAY:  # reported by the link
            self._change(key, entry)
            return True
        self._refuge.wrote_elsewhere(key)
        return is_stored

    async def put_new(self, key: str, entry: Entry) -> bool:
        """Store ``entry`` if nothing live stands under ``key``; True when stored."""
        if not self.holds(key):
            try:
                return await self._far.put_new(key, entry)
            except AWAY:  # reported by the link
                pass
        if self._refuge.held(key, self._far.read_clock()) is not None:
            return False
        self._change(key, entry)
        return True

    async def put_many(self, entries: Mapping[str, Entry]) -> bool:
        """Store all ``entries``; True when none was too large."""
        try:
            self._refuse_if_behind()
            is_stored = await self._far.put_many(entries)
        except AWAY:  # reported by the link
            for key, entry in entries.items():
                self._change(key, entry)
            return True
        for key in entries:
            self._refuge.wrote_elsewhere(key)
        return is_stored

    async def increment(self, key: str, by: int, absent: Entry) -> int:
        """Add ``by`` to the whole number under ``key`` and return the sum; where there is none, store ``absent``."""
        if not self.holds(key):
            try:
                return await self._far.increment(key, by, absent)
            except AWAY:  # reported by the link
                pass
        now = self._far.read_clock()
        found = self._refuge.held(key, now)
        if found is not None and type(found.value) is not int:
            raise CacheValueError(f"{key!r} holds something that is not an int", key=key)
        entry = absent if found is None else found._replace(value=found.value + by)
        if entry.fresh_until > now:
            self._change(key, entry)
        total: int = entry.value
        return total

    async def prolong(self, key: str, life: float) -> bool:
        """Let what is live under ``key`` live for ``life`` seconds from now on; True if there was something."""
        if not self.holds(key):
            try:
                return await self._far.prolong(key, life)
            except AWAY:  # reported by the link
                pass
        now = self._far.read_clock()
        found = self._refuge.held(key, now)
        if found is not None:
            self._change(key, found._replace(fresh_until=now + life, refresh_at=FOREVER))
        return found is not None

    async def write_entry(self, key: str, entry: Entry, token: LoadToken | None = None) -> bool:
        """Store ``entry``; what was loaded while the server was away stays here, and the server is not told."""
        if token is None:
            return await self.put(key, entry)
        if token.state is not None:
            return await self._far.write_entry(key, entry, token)
        if not self._refuge.keep_loaded(key, entry, token.opened_at, lambda: self._far.is_current(token, entry.tags)):
            return False
        self._far.tokens.settle(token)
        self._recover()  # which empties the refuge if the server is back by now
        return True

    async def postpone_refresh(self, key: str, until: float, token: LoadToken) -> None:
        """Let the entry under ``key`` be refreshed no sooner than ``until``, unless ``token`` is no longer current."""
        if token.state is not None:
            await self._far.postpone_refresh(key, until, token)
            return
        entry = self.entry_in_refuge(key)
        if entry is not None and self._far.is_current(token):
            self._refuge.memory.write_entry(key, entry._replace(refresh_at=until))

    # Removing

    async def remove(self, key: str) -> bool:
        """Remove ``key``; True if it was live."""
        return await self.remove_many([key]) == 1

    async def remove_many(self, keys: list[str]) -> int:
        """Remove ``keys``; return how many were live, as far as is known."""
        now = self._far.read_clock()
        held = [key for key in keys if self._refuge.holds(key) and self._refuge.held(key, now) is not None]
        for key in keys:
            if self._refuge.has_changed(key):
                self._refuge.change(key, None, now)  # before the server is asked: it may just be told of it
        try:
            self._refuse_if_behind()
            count = await self._far.remove_many(keys)
        except AWAY:  # reported by the link
            live = {key for key in keys if self._refuge.held(key, now) is not None}
            for key in keys:
                self._change(key, None)
            return len(live.union(held))
        for key in keys:
            self._refuge.wrote_elsewhere(key)
        return max(count, len(held))

    async def remove_matching(self, matches: Callable[[str], object]) -> int:
        """Remove every key that ``matches``; return how many were live, as far as is known."""
        here = self._refuge.remove_matching(matches, self._far.read_clock()) if self._refuge.is_dirty else 0
        try:
            return max(await self._far.remove_matching(matches), here)
        except AWAY:  # reported by the link
            here += self._refuge.remove_matching(matches, self._far.read_clock())
            self._far.tokens.overtake_all()
            self._recover()
            return here

    async def clear(self) -> int:
        """Make everything unreadable; return how many entries were live here, if the server is away."""
        here = len(list(self._refuge.memory.keys()))
        self._refuge.memory.clear()  # before: what the server is told from now on; after: what was loaded meanwhile
        try:
            count = await self._far.clear()
        except AWAY:  # reported by the link
            self._refuge.clear()
            self._recover()
            return here
        self._refuge.memory.clear()
        return count

    async def hit_tags(self, tags: tuple[str, ...]) -> None:
        """Make every entry that carries one of ``tags`` unreadable."""
        self._refuge.memory.invalidate_tags(*tags)  # before and after, as ``clear``
        try:
            await self._far.hit_tags(tags)
        except AWAY:  # reported by the link
            self._refuge.hit_tags(tags)
            self._recover()
        else:
            self._refuge.memory.invalidate_tags(*tags)

    async def sweep(self) -> int:
        """Remove what was undone by a clearing or a tag; return how many entries that were."""
        try:
            return await self._far.sweep()
        except AWAY:  # reported by the link
            return 0

    # Returning

    async def tell(self) -> bool:
        """Tell the server what it missed; True when it knows all. Raises what the link raises when it is still away."""
        await self._far.reach.row(self._far.names.entry(b""))  # whether it answers, and may be asked
        told = self._refuge.take()
        if told.cleared:
            await self._far.clear()
        if told.tags:
            await self._far.hit_tags(tuple(told.tags))
        for matches in told.patterns:
            await self._far.remove_matching(matches)
        self._refuge.settle_invalidations(told)
        for key, at in told.changed.items():
            await self._tell_of(key, at)
        if self._refuge.is_dirty:
            return False
        self._refuge.leave()
        return True

    async def _tell_of(self, key: str, at: float) -> None:
        """Tell the server that ``key`` was changed ``at`` that time. It is a load: whatever comes meanwhile wins."""
        far = self._far
        entry = self._refuge.held(key, far.read_clock())
        token = await far.open_token(key, () if entry is None else entry.tags)
        try:
            if token.state is None:
                raise CacheConnectionError("the server is away again", backend="redis")
            entry = self._refuge.held(key, far.read_clock())  # as it is after the token: it may have been undone
            if self._refuge.has_changed(key, at):
                await self._tell_newest(key, entry, at, token)
        finally:
            far.close_token(token)
        self._refuge.settle(key, at)

    async def _tell_newest(self, key: str, entry: Entry | None, at: float, token: LoadToken) -> None:
        """Store ``entry``, or without one remove ``key``, unless somebody else has written it since ``at``.

        What stands there of our own is older, though it may have reached the server later.
        """
        far = self._far
        asked = far.read_clock()
        (row,) = await far.reach.rows([far.names.entry(key_bytes(key))], is_head=True)
        found = None if row is None or row.is_undone else far.head(row, asked)
        if found is not None and found.birth > at and not far.is_own(found.row):
            return
        if entry is not None:
            await far.write_entry(key, entry, token, at)
        else:  # also where nothing is: loads are under way that began before
            await far.remove(key)
