"""When nodes are over: a hierarchical timer wheel.

Time is cut into ticks of a sixty-fourth of a second. On level 0 there is a slot for each of the next 64 ticks, on level
1 one for each of the next 64 seconds, on level 2 for 64 times 64 seconds, and so on. A node waits on the lowest level
that reaches its time; when its slot comes it is over, or moves down to where time is cut finer. So to schedule and to
cancel take the same time however many wait, and a node is moved once a level at most. Nothing ticks by itself: who asks
for nodes whose slot has come moves the wheel on.

A slot has no order. A node knows its slot and its place there, its ``timer``; who leaves gives its place to the last.
Those found to be over wait in a slot of their own, until they are removed. A slot is cut into lists of 4,096 at most:
one list of a million would give its memory back in pieces of megabytes, and hold up the call that happens to do it.

Where a node is read or written again and its time moves away, it is left where it is, and scheduled anew when its slot
has come. A clock that goes back moves the wheel back: then slots come too soon, never too late.

Varghese and Lauck, "Hashed and hierarchical timing wheels", SOSP 1987; in caches, Caffeine of Ben Manes.
"""

from __future__ import annotations

from array import array
from typing import Any

try:
    import cython

    if not cython.compiled:
        raise ImportError
except ImportError:
    from cachery import _cython as cython  # type: ignore[no-redef]

if not cython.compiled:
    from cachery.policies.node import Node

INFINITY = float("inf")
_BITS, _SLOTS, _MOST_LEVELS = 6, 64, 10
TICKS = 64.0
_FARTHEST = 2.0**52
_OVER, _FIRST = 1, 2
"""The slot of those who are over, and the first of level 0. Nobody waits in slot 0: a ``timer`` of 0 is none."""
_PLACE_BITS = 40
_PLACE = 0xFF_FFFF_FFFF
_CHUNK_BITS, _CHUNK = 12, 4096
_SPARE, _MOST_SPARE = 2, 64
"""How many empty lists are at hand when somebody is scheduled, and how many are kept."""

_NEVER = 0x4000_0000_0000_0000


@cython.final
@cython.cclass
class Wheel:
    """Knows who is over. ``next_look``: the time in seconds before which nobody else can be, after ``take`` found none.

    No clock and no lock: who uses it says what time it is. Only ``reach`` and ``take`` may run code of others.
    """

    def __init__(self) -> None:
        if not cython.compiled:
            self.__cinit__()

    def __cinit__(self) -> None:
        self.slots: list[Any] = [[], []]
        self.spare: list[Any] = []
        self.used = array("Q", bytes(8 * _MOST_LEVELS))
        self.levels = 0
        self.next_look = INFINITY
        self.ticked = 0
        self.first_level = 0
        self.first_tick = 0
        self.looked_at = -INFINITY
        self.left = 0

    @cython.cfunc
    def reach(self, when: cython.double, now: cython.double) -> None:
        """Make what it takes to schedule for ``when``, in seconds; ``schedule`` itself makes nothing."""
        self.stock()
        if self.levels == 0 or tick_of(now) < self.ticked:
            self.ticked = tick_of(now)
        elif tick_of(now) - self.ticked >= _SLOTS:
            self.find_first()
            self.ticked = max(self.ticked, min(self.first_tick, tick_of(now)))
        shift: cython.int = self.levels * _BITS
        tick: cython.longlong = tick_of(when)
        while self.levels == 0 or (tick >> shift) - (self.ticked >> shift) > 0:
            if self.levels == _MOST_LEVELS:
                return
            self.slots.extend([[] for _ in range(_SLOTS)])
            self.levels = (len(self.slots) - _FIRST) // _SLOTS
            shift = self.levels * _BITS

    @cython.cfunc
    def stock(self) -> None:
        """Have some empty lists at hand."""
        while len(self.spare) < _SPARE:
            self.spare.append([])

    @cython.cfunc
    @cython.exceptval(check=False)
    def schedule(self, node: Node, when: cython.double) -> cython.void:
        """Let ``node``, which waits nowhere, wait for ``when``, in seconds."""
        if self.levels == 0:  # nobody has called ``reach``: it is found when somebody asks for it
            return
        tick: cython.longlong = max(tick_of(when), self.ticked)
        level: cython.int = 0
        shift: cython.int = 0
        while level + 1 < self.levels and (tick >> shift) - (self.ticked >> shift) >= _SLOTS:
            level += 1
            shift += _BITS
        unit: cython.longlong = min(tick >> shift, (self.ticked >> shift) + _SLOTS - 1)
        at: cython.int = unit & (_SLOTS - 1)
        bit: cython.ulonglong = 1
        self.used[level] |= bit << at
        self.next_look = min(self.next_look, when)
        if when <= self.looked_at:  # it would be passed over
            self.looked_at = -INFINITY
        self.put(node, _FIRST + level * _SLOTS + at)

    @cython.cfunc
    @cython.exceptval(check=False)
    def put(self, node: Node, slot: cython.int) -> cython.void:
        """Put ``node`` last into ``slot``."""
        lists: list[Any] = self.slots[slot]
        count: cython.longlong = self.waiting_in(slot)
        if count & (_CHUNK - 1) == 0:
            lists.append(self.spare.pop() if self.spare else [])
        index: cython.longlong = slot
        node.timer = (index << _PLACE_BITS) | count
        last: list[Any] = lists[len(lists) - 1]
        last.append(node)

    @cython.cfunc
    @cython.exceptval(check=False)
    def waiting_in(self, slot: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """Return how many wait in ``slot``."""
        lists: list[Any] = self.slots[slot]
        if not lists:
            return 0
        last: list[Any] = lists[len(lists) - 1]
        return (len(lists) - 1) * _CHUNK + len(last)

    @cython.cfunc
    def at(self, slot: cython.Py_ssize_t, place: cython.Py_ssize_t) -> Node:
        """Return who waits in ``slot`` at ``place``."""
        lists: list[Any] = self.slots[slot]
        found: list[Any] = lists[place >> _CHUNK_BITS]
        node: Node = found[place & (_CHUNK - 1)]
        return node

    @cython.cfunc
    @cython.exceptval(check=False)
    def cancel(self, node: Node) -> cython.void:
        """Let ``node``, which the caller holds, wait no longer; nothing happens to one that does not wait."""
        timer: cython.longlong = node.timer
        if timer == 0:
            return
        node.timer = 0
        slot: cython.Py_ssize_t = timer >> _PLACE_BITS
        place: cython.Py_ssize_t = timer & _PLACE
        lists: list[Any] = self.slots[slot]
        tail: list[Any] = lists[len(lists) - 1]
        last: Node = tail.pop()
        if last is not node:
            instead: list[Any] = lists[place >> _CHUNK_BITS]
            instead[place & (_CHUNK - 1)] = last
            last.timer = timer
        if not tail:
            lists.pop()
            if len(self.spare) < _MOST_SPARE:
                self.spare.append(tail)
        if not lists and slot >= _FIRST:
            level: cython.Py_ssize_t = (slot - _FIRST) // _SLOTS
            bit: cython.ulonglong = 1
            self.used[level] &= ~(bit << ((slot - _FIRST) % _SLOTS))

    @cython.cfunc
    @cython.exceptval(check=False)
    def rest(self, node: Node) -> cython.void:
        """Keep ``node``, which waits nowhere, among those who are over."""
        self.put(node, _OVER)

    @cython.cfunc
    @cython.exceptval(check=False)
    def is_over(self, node: Node) -> cython.bint:
        """Tell whether ``node`` was found to be over."""
        return (node.timer >> _PLACE_BITS) == _OVER

    @cython.cfunc
    @cython.exceptval(check=False)
    def over(self) -> cython.Py_ssize_t:
        """Return how many were found to be over and are not removed."""
        return self.waiting_in(_OVER)

    @cython.cfunc
    def last_over(self) -> Node | None:
        """Return one of those who are over, ``None`` where there is none."""
        count: cython.Py_ssize_t = self.waiting_in(_OVER)
        return self.at(_OVER, count - 1) if count > 0 else None

    @cython.cfunc
    def take(self, now: cython.double, patience: cython.Py_ssize_t) -> Node | None:
        """Take out and return a node whose slot has come by ``now``: it may be over. ``None``: there is no other.

        Among those of the very tick, only who has expired is returned; no more than ``patience`` of them are looked at.
        """
        tick: cython.longlong = tick_of(now)
        self.ticked = min(self.ticked, tick)
        self.find_first()
        if self.first_tick > tick:
            self.ticked = max(self.ticked, tick)
            self.next_look = INFINITY if self.first_level < 0 else self.first_tick / TICKS
            return None
        self.ticked = max(self.ticked, self.first_tick)
        slot: cython.Py_ssize_t = (self.first_tick >> (_BITS * self.first_level)) & (_SLOTS - 1)
        slot += _FIRST + _SLOTS * self.first_level
        place: cython.Py_ssize_t = self.waiting_in(slot) - 1
        if self.first_level == 0 and self.first_tick == tick:
            place = self.place_of_one_over(slot, now, patience)
            if place < 0:
                return None
        node = self.at(slot, place)
        self.cancel(node)
        return node

    @cython.cfunc
    @cython.exceptval(check=False)
    def find_first(self) -> cython.void:
        """Find the slot that comes first: its level, and the tick with which it begins. Of equals, the higher level."""
        self.first_level = -1
        self.first_tick = _NEVER
        level: cython.int
        for level in range(self.levels):
            bits: cython.ulonglong = self.used[level]
            if bits:
                unit: cython.longlong = self.ticked >> (_BITS * level)
                turn: cython.int = unit & (_SLOTS - 1)
                if turn:
                    bits = ((bits >> turn) | (bits << (_SLOTS - turn))) & 0xFFFF_FFFF_FFFF_FFFF
                tick: cython.longlong = (unit + trailing_zeros(bits)) << (_BITS * level)
                if tick <= self.first_tick:
                    self.first_level = level
                    self.first_tick = tick

    @cython.cfunc
    @cython.exceptval(check=False)
    def place_of_one_over(
        self, slot: cython.Py_ssize_t, now: cython.double, patience: cython.Py_ssize_t
    ) -> cython.Py_ssize_t:
        """Return the place of one in ``slot`` that has expired by ``now``; below 0 where none is found.

        The ``left`` first of it were not looked at yet; those behind them expire later, all of them after
        ``next_look``, which is before the next slot comes.
        """
        count: cython.Py_ssize_t = self.waiting_in(slot)
        if self.looked_at != now:
            self.looked_at = now
            self.left = count
            self.next_look = (tick_of(now) + 1) / TICKS
        place: cython.Py_ssize_t = min(self.left, count)
        while place > 0 and patience > 0:
            place -= 1
            patience -= 1
            node = self.at(slot, place)
            if node.expires <= now:
                self.left = place
                return place
            self.next_look = min(self.next_look, node.expires)
        self.left = place
        if place > 0:  # there may be more who are over already
            self.next_look = -INFINITY
        return -1

    def audit(self, nodes: Any) -> list[str]:
        """Return what is wrong inside, nothing when all is well; ``nodes`` are those that may wait here."""
        known = {id(node) for node in nodes}
        complaints = []
        for slot, lists in enumerate(self.slots):
            waiting = [node for each in lists for node in each]
            for place, each in enumerate(waiting):
                node: Node = each
                if node.timer != (slot << _PLACE_BITS) | place:
                    complaints.append(f"{node.key!r} waits elsewhere than it knows")
                if id(node) not in known:
                    complaints.append(f"{node.key!r} waits and is not stored")
            if slot >= _FIRST:
                level, at = divmod(slot - _FIRST, _SLOTS)
                if bool(waiting) != bool((self.used[level] >> at) & 1):
                    complaints.append(f"slot {at} of level {level} holds {len(waiting)} nodes and is marked otherwise")
        return complaints


@cython.cfunc
@cython.exceptval(check=False)
def tick_of(when: cython.double) -> cython.longlong:
    """Return the tick in which ``when`` lies."""
    return int(min(max(when * TICKS, -_FARTHEST), _FARTHEST) // 1)


@cython.cfunc
@cython.exceptval(check=False)
def trailing_zeros(bits: cython.ulonglong) -> cython.int:
    """Return at which place the lowest bit of ``bits`` stands; one at least is set."""
    count: cython.int = 0
    width: cython.int = _SLOTS // 2
    one: cython.ulonglong = 1
    while width:
        if not bits & ((one << width) - 1):
            bits >>= width
            count += width
        width >>= 1
    return count
