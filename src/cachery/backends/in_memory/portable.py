"""How entries are carried out of a memory store, with all that is known of them, and into another.

What is carried in is older than anything that happens here from ``begin_arrivals`` on: who writes, removes or loads a
key, hits a tag or clears the store wins over it, and what is held already stays.
"""

from __future__ import annotations

try:
    import cython
    from cython import critical_section

    if not cython.compiled:  # the Cython package itself: it has no locks
        raise ImportError
except ImportError:
    from cachery import _cython as cython  # type: ignore[no-redef]
    from cachery._cython import critical_section  # type: ignore[assignment]

from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from typing import Any, NamedTuple

from cachery.model.entry import Entry
from cachery.model.keys import Count, Key, Tags

if not cython.compiled:
    from cachery.backends.in_memory.extra import Extra
    from cachery.backends.in_memory.fences import LoadToken
    from cachery.backends.in_memory.loads import stamped_extra
    from cachery.backends.in_memory.store import MemoryStore
    from cachery.policies.interrupts import mend_when_interrupted
    from cachery.policies.node import Node, new_node
    from cachery.policies.table import INFINITY

_ARRIVALS = "\x1farrivals"
"""The key under whose token entries arrive: as long as it is open, every write is noted."""

_TRIES = 8
_MOST_HITS = 2**32 - 1


class Carried(NamedTuple):
    """An entry on its way from one store to another.

    ``hits``: how often it was read. ``frequency``, ``segment``: what its order knows of it. ``serial``: the number by
    which others depend on it, 0 where none does. ``idle``: for how many seconds it lives unread, and ``ends``: when it
    is over even so.
    """

    key: str
    entry: Entry
    hits: int = 0
    frequency: int = 0
    segment: int = 0
    serial: int = 0
    idle: float = INFINITY
    ends: float = INFINITY


class Arrival(Enum):
    """What became of an entry that was carried in."""

    STORED = "stored"
    OVERTAKEN = "overtaken"
    TOO_HEAVY = "too heavy"
    FULL = "full"


@cython.cclass
class PortableStore(MemoryStore):
    """The memory store, with entries that can be carried."""

    arriving: int
    refused: list[Callable[[str], object]]

    def __init__(self, *arguments: Any, **options: Any) -> None:
        MemoryStore.__init__(self, *arguments, **options)
        self.arriving = 0
        self.refused = []

    def in_turn(self) -> list[Node]:
        """Return the nodes of this moment, dead ones too, in the order in which they would leave."""
        self.check_open()
        for _ in range(_TRIES):
            with suppress(AssertionError):  # a finalizer changed it while it was read: it is read again
                turn: list[Node] = self.read_order()
                return turn
        return self.all_nodes()  # type: ignore[no-any-return]

    @cython.cfunc
    def read_order(self) -> Any:
        """Return the nodes in the order in which they would leave. Raises ``AssertionError`` where it was changed."""
        with critical_section(self):
            return self.order.in_turn()

    def last_serial(self) -> int:
        """Return a number that no serial given out so far exceeds."""
        return self.fences.sequence

    def carried(self, node: Node) -> Carried | None:
        """Return what ``node`` holds now; ``None`` where it was taken out, its time is over or its sources changed."""
        self.check_open()
        with critical_section(self):
            while self.is_stored(node):
                now: cython.double = self.now()
                extra: Extra | None = node.extra
                is_valid: cython.bint = extra is None or self.is_valid(node)
                if node.extra is not extra:  # somebody was quicker: look again
                    continue
                if not is_valid or (node.expires <= now and (extra is None or extra.stale_until <= now)):
                    return None
                # All is read before an object is made, for that may run finalizers which change the node.
                hits: cython.longlong = node.hits
                frequency: cython.longlong = self.order.frequency_of(node)
                segment: cython.int = self.order.segment_of(node)
                if extra is None:
                    return Carried(node.key, Entry(node.value, node.expires), hits, frequency, segment)
                serial: cython.longlong = extra.serial
                entry = Entry(node.value, node.expires, extra.refresh_at, extra.stale_until, extra.tags, extra.cost)
                return Carried(node.key, entry, hits, frequency, segment, serial, extra.idle, extra.ends)
        return None

    def begin_arrivals(self, serials: Count) -> tuple[LoadToken, int]:
        """Let entries arrive from now on; return the token to do it with, and what to add to their serials.

        ``serials``: a number that none of theirs exceeds. What is dead is swept out, to make room.
        """
        self.sweep()
        journal: set[str] = set()
        with critical_section(self):
            base: Count = self.fences.sequence
            self.fences.sequence += serials
        token = self.open_token(_ARRIVALS)
        with critical_section(self):
            self.arriving += 1
            if self.fences.journal is None:
                self.fences.journal = journal
        return token, base

    def end_arrivals(self, token: LoadToken) -> None:
        """Forget what was noted for those who arrived with ``token``."""
        self.close_token(token)
        with critical_section(self):
            self.arriving -= 1
            if self.arriving == 0:
                _gone = self.fences.journal, self.refused  # held until the section is over
                self.fences.journal = None
                self.refused = []

    def refuse_arrivals(self, matches: Callable[[str], object]) -> None:
        """Let no key arrive that ``matches``, of those that are on their way."""
        if self.arriving:
            with critical_section(self):
                self.refused.append(matches)

    def arrive(self, carried: Carried, token: LoadToken) -> Arrival:
        """Store what is ``carried``, its times by the clock of this store, unless something newer is known.

        It stands behind all that arrived before it, and evicts nothing.
        """
        self.check_open()
        entry = carried.entry
        key: Key = carried.key
        tags: Tags = entry.tags
        fresh = new_node(key, entry.value if self.copier is None else self.copier(entry.value), entry.fresh_until)
        fresh.hits = min(carried.hits, _MOST_HITS)
        if (
            tags
            or carried.serial
            or entry.cost is not None
            or entry.stale_until > entry.fresh_until
            or entry.refresh_at < INFINITY
            or carried.idle < INFINITY
        ):
            extra: Extra = stamped_extra(entry, token.born)
            extra.serial = carried.serial
            extra.idle = carried.idle
            extra.ends = carried.ends
            fresh.extra = extra
        self.await_end(entry)
        if not self.weighed(fresh, entry.cost):
            return Arrival.TOO_HEAVY
        frequency: cython.longlong = carried.frequency or carried.hits
        segment: cython.int = carried.segment
        with critical_section(self):
            if self.is_refused(key) or self.is_overtaken(key, tags, token):
                return Arrival.OVERTAKEN
            if self.weigher is not None and self.is_heavy(fresh):
                return Arrival.TOO_HEAVY
            if self.capacity != 0 and len(self.nodes) >= self.capacity:
                return Arrival.FULL
            self.insert(fresh)
            self.order.recalled(fresh, frequency, segment)
            if self.fences.journal is not None:
                self.fences.journal.discard(key)
        if self.is_watched:
            self.report_write(key, None, None)
        return Arrival.STORED

    @cython.cfunc
    def weighed(self, fresh: Node, cost: object) -> cython.bint:
        """Weigh ``fresh``; False when it is heavier than all may be, or where the weigher fails: others arrive."""
        try:
            return self.prepare(fresh, INFINITY, cost)
        except Exception as error:  # noqa: BLE001 - reported
            import logging  # noqa: PLC0415 - loaded when there is something to say

            logging.getLogger("cachery").warning(
                "an entry is left out, as its weigher failed: %s", type(error).__name__
            )
            return False

    @cython.cfunc
    def is_refused(self, key: Key) -> cython.bint:
        """Tell whether ``key`` may not arrive; also who was refused meanwhile was looked at."""
        looked: cython.Py_ssize_t = 0
        while looked < len(self.refused):
            matches = self.refused[looked]
            looked += 1
            if matches(key):
                return True
        return False

    @cython.cfunc
    def is_overtaken(self, key: Key, tags: Tags, token: LoadToken) -> cython.bint:
        """Tell whether something newer is known than what arrives under ``key``."""
        if key in self.nodes or key in self.fences.loading or self.fences.epoch > token.born:
            return True
        if self.fences.journal is not None and key in self.fences.journal:
            return True
        return self.fences.is_outdated(tags, token.born)


if not cython.compiled:
    mend_when_interrupted(PortableStore)
