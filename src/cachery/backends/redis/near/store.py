"""Memory before a server: what was read stays at hand for as long as nothing speaks against it.

The server is written to, and decides. A copy is suspect as soon as a message names its entry or a tag of it, or this
process has changed it; then the server is asked whether it still has that version, which costs a round trip and no
value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from cachery.backends.redis.loads import AWAY
from cachery.backends.redis.near.channel import Channel
from cachery.backends.redis.near.copies import Copies, Copy, group_of
from cachery.backends.redis.records import ENVELOPE_AT, STAMP_SIZE, Row
from cachery.backends.redis.shelf import Found
from cachery.backends.redis.sheltered import ShelteredStore
from cachery.backends.redis.tokens import LoadToken
from cachery.model.entry import Entry
from cachery.model.marks import has_marks
from cachery.model.sentinels import MISSING
from cachery.serializers.pipeline import key_bytes

__all__ = ["NearStore"]


class _Moment(NamedTuple):
    """When the server was asked: the last number before, and the time."""

    born: int
    now: float


class NearStore:
    """``copies`` before ``far``. What is not said here, ``far`` does.

    ``life``: the most seconds that a copy lives. ``bound``: how many seconds it is good without a sign of life.
    """

    def __init__(self, far: ShelteredStore, copies: Copies, channel: Channel, *, life: float, bound: float) -> None:
        self._far = far
        self._copies = copies
        self._marks = copies.marks
        self._channel = channel
        self._life = life
        self._bound = bound
        self._can_compare = far.codec.keyring is None  # what is signed is wholly read, so that its signature is seen

    def __getattr__(self, name: str) -> Any:
        return getattr(self._far, name)

    # Reading

    def glance(self, key: str, *, is_first_look: bool = True) -> Any:
        """Return the value of ``key`` if a good copy is at hand, else ``MISSING``."""
        return self._copies.look(key, is_first_look)

    async def fetch(self, key: str) -> Any:
        """Return the value of ``key`` if it is fresh, else ``MISSING``."""
        value = self._copies.look(key)
        if value is not MISSING:
            return value
        found = await self._read([key])
        return found.get(key, MISSING)

    async def fetch_many(self, keys: list[str]) -> dict[str, Any]:
        """Return the fresh values among those of ``keys``; for those not at hand the server is asked once."""
        found = {key: self._copies.look(key) for key in keys}
        absent = [key for key, value in found.items() if value is MISSING]
        if absent:
            found |= await self._read(absent)
        return {key: value for key, value in found.items() if value is not MISSING}

    async def _read(self, keys: Sequence[str]) -> dict[str, Any]:
        """Return the fresh values among those of ``keys``: as the server has them, or where it is away, the refuge."""
        held = [key for key in keys if self._far.holds(key)]
        if held:
            keys = [key for key in keys if key not in held]
        try:
            found = await self._read_there(keys) if keys else {}
        except AWAY:  # reported by the link
            held, found = [*held, *keys], {}
        return found | self._far.in_refuge(held) if held else found

    async def _read_there(self, keys: Sequence[str]) -> dict[str, Any]:
        """Return the fresh values among those of ``keys`` as the server has them."""
        seen = await self._see(keys)
        now = self._marks.now()
        return {key: value for key, (found, value) in seen.items() if found.times.fresh_until > now}

    async def read_entry(self, key: str) -> Entry | None:
        """Return what stands under ``key``, stale or fresh, or ``None``."""
        if self._far.holds(key):
            return self._far.entry_in_refuge(key)
        try:
            await self._far.ask_after_loads(key)
            seen = await self._see([key])
        except AWAY:  # reported by the link
            self._far.note_unanswered(key)
            return self._far.entry_in_refuge(key)
        return self._far.entry_with(*seen[key]) if key in seen else None

    async def _see(self, keys: Sequence[str]) -> dict[str, tuple[Found, Any]]:
        """Return what the server has of ``keys`` that can be read, each with its value; keep copies of the fresh."""
        if not self._channel.is_started:
            self._channel.start()
        moment = _Moment(self._marks.last_number(), self._marks.now())
        known = [self._copies.known(key) if self._can_compare else None for key in keys]
        versions = [b"" if copy is None else copy.version for copy in known]
        entries = [self._far.names.entry(key_bytes(key)) for key in keys]
        rows = await self._far.rows(entries, versions=versions)
        seen: dict[str, tuple[Found, Any]] = {}
        for key, entry, copy, row in zip(keys, entries, known, rows, strict=True):
            found = None if row is None else self._opened(key, row, copy)
            value = MISSING if found is None else self._value(key, found, copy)
            if found is not None and value is not MISSING:
                seen[key] = found, value
                self._keep(key, entry, found, value, moment)
            else:
                self._copies.drop(key)
        return seen

    def _opened(self, key: str, row: Row, copy: Copy | None) -> Found | None:
        """Return what is in ``row``; its body may be missing where ``copy`` is of the same version."""
        is_same = copy is not None and _version(row) == copy.version
        if is_same and row.is_undone:
            return None
        found: Found | None = self._far.head(row) if is_same else self._far.opened(key, key_bytes(key), row)
        return found

    def _value(self, key: str, found: Found, copy: Copy | None) -> Any:
        if copy is not None and _version(found.row) == copy.version:
            return copy.value
        return self._far.value(key, found.envelope)

    def _keep(self, key: str, entry: bytes, found: Found, value: Any, moment: _Moment) -> None:
        life = min(found.times.fresh_until - moment.now, self._life)
        if life <= 0 or has_marks(found.envelope.tag_names):  # what was seen is looked at at each read
            self._copies.drop(key)
            return
        names = [entry, *[self._far.names.tag(tag) for tag in found.envelope.tag_names]]
        copy = Copy(
            value,
            _version(found.row),
            tuple(map(group_of, names)),
            moment.born,
            good_until=moment.now + self._bound,
            refresh_at=found.times.refresh_at,
        )
        self._copies.keep(key, copy, life)

    # Changing: the copies of this process are suspect before the call returns, whatever became of it

    @contextmanager
    def _changing(self, *keys: str) -> Iterator[None]:
        try:
            yield
        finally:
            self._marks.move([self._far.names.entry(key_bytes(key)) for key in keys])

    async def put(self, key: str, entry: Entry) -> bool:
        """Store ``entry``; False when it is too large, and then there is nothing under ``key``."""
        with self._changing(key):
            return await self._far.put(key, entry)

    async def put_new(self, key: str, entry: Entry) -> bool:
        """Store ``entry`` if nothing live stands under ``key``; True when stored."""
        with self._changing(key):
            return await self._far.put_new(key, entry)

    async def put_many(self, entries: Mapping[str, Entry]) -> bool:
        """Store all ``entries``; True when none was too large."""
        with self._changing(*entries):
            return await self._far.put_many(entries)

    async def increment(self, key: str, by: int, absent: Entry) -> int:
        """Add ``by`` to the whole number under ``key`` and return the sum; where there is none, store ``absent``."""
        with self._changing(key):
            return await self._far.increment(key, by, absent)

    async def prolong(self, key: str, life: float) -> bool:
        """Let what is live under ``key`` live for ``life`` seconds from now on; True if there was something."""
        with self._changing(key):
            return await self._far.prolong(key, life)

    async def remove(self, key: str) -> bool:
        """Remove ``key``; True if it was live."""
        with self._changing(key):
            return await self._far.remove(key)

    async def remove_many(self, keys: list[str]) -> int:
        """Remove ``keys``; return how many were live."""
        with self._changing(*keys):
            return await self._far.remove_many(keys)

    async def remove_matching(self, matches: Callable[[str], object]) -> int:
        """Remove every key that ``matches``; return how many were live."""
        try:
            return await self._far.remove_matching(matches)
        finally:
            self._marks.move_all()

    async def clear(self) -> int:
        """Make everything unreadable, and reclaim the room in the background."""
        try:
            return await self._far.clear()
        finally:
            self._marks.move_all()

    async def hit_tags(self, tags: tuple[str, ...]) -> None:
        """Make every entry that carries one of ``tags`` unreadable."""
        try:
            await self._far.hit_tags(tags)
        finally:
            self._marks.move([self._far.names.tag(tag) for tag in tags])

    async def write_entry(self, key: str, entry: Entry, token: LoadToken | None = None) -> bool:
        """Store ``entry``; with a ``token``, only if nothing has invalidated it since. True when stored."""
        with self._changing(key):
            return await self._far.write_entry(key, entry, token)

    async def postpone_refresh(self, key: str, until: float, token: LoadToken) -> None:
        """Let the entry under ``key`` be refreshed no sooner than ``until``, unless ``token`` is no longer current."""
        with self._changing(key):
            await self._far.postpone_refresh(key, until, token)

    async def close(self) -> None:
        """Stop hearing, and close the connections."""
        self._channel.close()
        await self._far.close()


def _version(row: Row) -> bytes:
    return row.record[STAMP_SIZE:ENVELOPE_AT]
