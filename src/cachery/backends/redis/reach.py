"""How far one command reaches: to all of a cache on one server, to one entry in a cluster.

On one server a script sees an entry, the numbers of the cache and those of its tags in one step. In a cluster they lie
on different servers: numbers are asked for beside, those of tags after, an entry. Stamps are taken before what they
stamp is stored, so that an invalidation in between undoes it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from os import urandom
from typing import Any, NamedTuple, Protocol, TypeAlias

from cachery.backends.redis import scripts
from cachery.backends.redis.link import Command, Link
from cachery.backends.redis.names import Names, fence_of
from cachery.backends.redis.records import VERSION_SIZE, Row, State, opened_head
from cachery.backends.redis.tokens import LoadToken
from cachery.serializers.envelope import Unreadable
from cachery.serializers.pipeline import key_bytes

__all__ = ["Cluster", "OneServer", "Parcel", "Reach", "reach_of", "seen"]

_MOST_AT_ONCE = 500
_UNKNOWN = b"\xff" * 8


class Parcel(NamedTuple):
    """A record without its stamp, ready to be stored under the name ``entry`` for ``life`` milliseconds."""

    key: str
    entry: bytes
    record: bytes
    life: int
    tags: tuple[str, ...]


Announce: TypeAlias = Callable[[Sequence[bytes] | None], list[Command]]
"""Returns the commands with which others are told that names have changed, ``None`` for any."""


class Reach(Protocol):
    """What is asked differently of one server and of a cluster. ``announce`` tells others, in the same pipeline."""

    announce: Announce

    def looking(self, entry: bytes) -> list[Command]:
        """Return the command that brings what stands under ``entry``, for ``seen``; nothing where it takes several."""

    async def row(self, entry: bytes) -> Row | None:
        """Return what stands under the name ``entry``."""

    async def rows(
        self, entries: Sequence[bytes], *, is_head: bool = False, versions: Sequence[bytes] = ()
    ) -> list[Row | None]:
        """Return what stands under ``entries``; without bodies if ``is_head``, or where the version is known."""

    async def records(self, entries: Sequence[bytes]) -> tuple[list[bytes | None], bytes | None]:
        """Return the records under the names ``entries``, and the state of the cache as it stood after."""

    async def remove(self, entries: Sequence[bytes]) -> list[Row | None]:
        """Remove ``entries`` and overtake their loads; return what was there, without bodies."""

    async def put(self, parcels: Sequence[Parcel]) -> None:
        """Store ``parcels``, each of which overtakes the loads of its key."""

    async def put_loaded(self, parcel: Parcel, token: LoadToken) -> bool:
        """Store ``parcel`` unless ``token`` was overtaken; True when stored."""

    async def count(self, parcel: Parcel, by: int, first: int | None) -> int | None:
        """Add ``by`` to the number under the name of ``parcel``, or store that, which begins with ``first``.

        ``None`` where a script cannot: then nothing has changed. ``first``: ``None`` for a number not to be begun.
        """


def reach_of(link: Link, names: Names, announce: Announce) -> Reach:
    """Return how far commands reach over ``link``."""
    return Cluster(link, names, announce) if link.is_cluster else OneServer(link, names, announce)


class OneServer:
    """All of a cache is in reach of one script."""

    def __init__(self, link: Link, names: Names, announce: Announce) -> None:
        self._link = link
        self._names = names
        self.announce = announce

    async def row(self, entry: bytes) -> Row | None:
        """Return what stands under the name ``entry``."""
        (reply,) = await scripts.ask(self._link, self.looking(entry))
        return seen(reply)

    def looking(self, entry: bytes) -> list[Command]:
        """Return the command that brings what stands under ``entry``."""
        names = self._names
        return [("EVALSHA", scripts.FETCH.digest, 2, entry, names.state, names.tags, "")]

    async def rows(
        self, entries: Sequence[bytes], *, is_head: bool = False, versions: Sequence[bytes] = ()
    ) -> list[Row | None]:
        """Return what stands under ``entries``; without bodies if ``is_head``, or where the version is known."""
        names = self._names
        mode = "head" if is_head else ""
        commands = [
            scripts.FETCH.call(
                [*entries[at : at + _MOST_AT_ONCE], names.state], names.tags, mode, *versions[at : at + _MOST_AT_ONCE]
            )
            for at in range(0, len(entries), _MOST_AT_ONCE)
        ]
        return [row for reply in await scripts.ask(self._link, commands) for row in _rows(reply)]

    async def records(self, entries: Sequence[bytes]) -> tuple[list[bytes | None], bytes | None]:
        """Return the records under the names ``entries``, and the state of the cache as it stood after."""
        parts = [entries[at : at + _MOST_AT_ONCE] for at in range(0, len(entries), _MOST_AT_ONCE)]
        commands: list[Command] = [("MGET", *part) for part in parts]
        *replies, (state,) = await scripts.ask(self._link, [*commands, ("MGET", self._names.state)])
        return [record for reply in replies for record in reply], state

    async def remove(self, entries: Sequence[bytes]) -> list[Row | None]:
        """Remove ``entries`` and overtake their loads; return what was there, without bodies."""
        names = self._names
        commands = [scripts.REMOVE.call([entry, fence_of(entry), names.state], names.tags) for entry in entries]
        replies = await scripts.ask(self._link, [*commands, *self.announce(entries)])
        return [row for reply in replies[: len(entries)] for row in _rows(reply)]

    async def put(self, parcels: Sequence[Parcel]) -> None:
        """Store ``parcels``, each of which overtakes the loads of its key."""
        commands = [self._put(parcel) for parcel in parcels]
        await scripts.ask(self._link, [*commands, *self.announce([parcel.entry for parcel in parcels])])

    def _put(self, parcel: Parcel, stamp: bytes = b"", token: bytes = b"", pattern: bytes = b"") -> Command:
        names, entry = self._names, parcel.entry
        tags = [key_bytes(tag) for tag in parcel.tags]
        return scripts.PUT.call(
            [entry, fence_of(entry), names.state],
            parcel.record, parcel.life, stamp, token, pattern, urandom(8), names.tags, *tags,
        )  # fmt: skip

    async def put_loaded(self, parcel: Parcel, token: LoadToken) -> bool:
        """Store ``parcel`` unless ``token`` was overtaken; True when stored."""
        state = token.state
        if state is None:
            return False
        command = self._put(parcel, state.stamp, token.identity, state.pattern.to_bytes(8, "big"))
        is_stored, *_ = await scripts.ask(self._link, [command, *self.announce([parcel.entry])])
        return bool(is_stored)

    async def count(self, parcel: Parcel, by: int, first: int | None) -> int | None:
        """Add ``by`` to the number under the name of ``parcel``, or store that, which begins with ``first``."""
        command = _counting(parcel, by, first, more=[self._names.state])
        total, *_ = await scripts.ask(self._link, [command, *self.announce([parcel.entry])])
        return None if total is None else int(total)


class Cluster:
    """An entry and its fence are in reach of one script, the numbers of the cache and its tags of another."""

    def __init__(self, link: Link, names: Names, announce: Announce) -> None:
        self._link = link
        self._names = names
        self.announce = announce

    async def row(self, entry: bytes) -> Row | None:
        """Return what stands under the name ``entry``."""
        (row,) = await self.rows((entry,))
        return row

    def looking(self, entry: bytes) -> list[Command]:
        """Return nothing: the numbers that may undo it lie elsewhere."""
        del entry
        return []

    async def rows(
        self, entries: Sequence[bytes], *, is_head: bool = False, versions: Sequence[bytes] = ()
    ) -> list[Row | None]:
        """Return what stands under ``entries``; without bodies if ``is_head``, or where the version is known."""
        mode = "head" if is_head else ""
        known = versions or [b""] * len(entries)
        return await self._completed(
            [scripts.FETCH.call([entry], "", mode, version) for entry, version in zip(entries, known, strict=True)]
        )

    async def records(self, entries: Sequence[bytes]) -> tuple[list[bytes | None], bytes | None]:
        """Return the records under the names ``entries``, and the state of the cache as it stands."""
        *found, state = await scripts.ask(self._link, [("MGET", name) for name in (*entries, self._names.state)])
        return [record for (record,) in found], state[0]

    async def remove(self, entries: Sequence[bytes]) -> list[Row | None]:
        """Remove ``entries`` and overtake their loads; return what was there, without bodies."""
        rows = await self._completed([scripts.REMOVE.call([entry, fence_of(entry)], "") for entry in entries])
        await scripts.ask(self._link, self.announce(entries))
        return rows

    async def _completed(self, commands: list[Command]) -> list[Row | None]:
        """Return the rows that ``commands`` bring, with the numbers that may undo them."""
        *replies, (state,) = await scripts.ask(self._link, [*commands, ("MGET", self._names.state)])
        rows = [row for reply in replies for row in _rows([state, *reply[1:]])]
        tagged = [(at, tags) for at, row in enumerate(rows) if row is not None and (tags := _tags_of(row))]
        if not tagged:
            return rows
        wanted = list({tag for _, tags in tagged for tag in tags})
        (numbers,) = await scripts.ask(self._link, [("MGET", *[self._names.tag(tag) for tag in wanted])])
        known = {tag: _number_in(number) for tag, number in zip(wanted, numbers, strict=True)}
        for at, tags in tagged:
            row = rows[at]
            rows[at] = row and row._replace(numbers=b"".join([known[tag] for tag in tags]))
        return rows

    async def put(self, parcels: Sequence[Parcel]) -> None:
        """Store ``parcels``, each of which overtakes the loads of its key."""
        if parcels:
            life = max(parcel.life for parcel in parcels)
            state = await stamp(self._link, self._names, {tag for parcel in parcels for tag in parcel.tags}, life)
            commands = [_put_alone(parcel, state.stamp) for parcel in parcels]
            await scripts.ask(self._link, [*commands, *self.announce([parcel.entry for parcel in parcels])])

    async def put_loaded(self, parcel: Parcel, token: LoadToken) -> bool:
        """Store ``parcel`` unless ``token`` was overtaken; True when stored.

        A pattern is looked for before storing, so that nobody is shown what one has overtaken, and after: what was
        deleted between the two would stay, and is removed again.
        """
        before = token.state
        if before is None:
            return False
        state = await stamp(self._link, self._names, parcel.tags, parcel.life)
        if state.has_overtaken(before):
            return False
        command = _put_alone(parcel, before.stamp, token.identity)
        is_stored, *_ = await scripts.ask(self._link, [command, *self.announce([parcel.entry])])
        if not is_stored:
            return False
        ((found,),) = await scripts.ask(self._link, [("MGET", self._names.state)])
        now = State.read(found)
        is_current = now is not None and not now.has_overtaken(before)
        if not is_current:
            await scripts.ask(self._link, [scripts.DROP.call([parcel.entry], before.stamp)])
        return is_current

    async def count(self, parcel: Parcel, by: int, first: int | None) -> int | None:
        """Add ``by`` to the number under the name of ``parcel``, or store that, which begins with ``first``."""
        state = await stamp(self._link, self._names, (), 1)
        command = _counting(parcel, by, first, state=state.packed)
        total, *_ = await scripts.ask(self._link, [command, *self.announce([parcel.entry])])
        return None if total is None else int(total)


def seen(reply: list[Any]) -> Row | None:
    """Return the row that ``Reach.looking`` has brought."""
    return _rows(reply)[0]


def _put_alone(parcel: Parcel, stamp: bytes, token: bytes = b"") -> Command:
    entry = parcel.entry
    return scripts.PUT.call([entry, fence_of(entry)], parcel.record, parcel.life, stamp, token, "", "", "")


def _counting(parcel: Parcel, by: int, first: int | None, *, state: bytes = b"", more: Sequence[bytes] = ()) -> Command:
    beginning = ("", "") if first is None else (parcel.life, first)
    return scripts.COUNT.call(
        [parcel.entry, fence_of(parcel.entry), *more],
        by, key_bytes(parcel.key), parcel.record[:VERSION_SIZE], state, urandom(8), parcel.record, *beginning,
    )  # fmt: skip


async def stamp(link: Link, names: Names, tags: Any, life: int) -> State:
    """Return the numbers of the cache; ``tags`` have a number from now on, for ``life`` milliseconds at least."""
    (state,) = await scripts.ask(link, [stamping(names, tags, life)])
    return State.of(state)


def stamping(names: Names, tags: Any, life: int) -> Command:
    """Return the command for ``stamp``."""
    return scripts.STAMP.call([names.state, *map(names.tag, tags)], urandom(8), life)


def _rows(reply: list[Any]) -> list[Row | None]:
    state = reply[0]
    return [
        None if reply[at] is None else Row(reply[at], reply[at + 1] / 1000, state, reply[at + 2])
        for at in range(1, len(reply), 3)
    ]


def _number_in(found: bytes | None) -> bytes:
    """Return the number of a tag as it was found; one beyond all for what is none."""
    return _UNKNOWN if found is None or len(found) != len(_UNKNOWN) else found


def _tags_of(row: Row) -> Sequence[str]:
    """Return the tags of the record of ``row``."""
    try:
        return opened_head(row.record).tag_names
    except Unreadable:
        return []
