"""Adaptive W-TinyLFU: who is asked for often stays, who was asked for just now gets a chance.

New nodes enter a **window**, in the order of last use. Who falls out of it is a candidate for the **main** part and is
compared with the one that would leave there: the one of them asked for more often lately stays, by a ``Sketch`` that
remembers also who is not held. The main part has two segments: **probation**, where candidates come to, and
**protected**, four fifths of it, for those that were asked for again there; who falls out of that is on probation once
more. How the cache is divided between window and main part, a ``Climber`` finds out. So a scan passes through the
window and harms nobody, and where recency is all that counts, the cache is nearly all window.

Einziger, Friedman and Manes, "TinyLFU: a highly efficient cache admission policy", ACM Transactions on Storage 13 (4),
2017; Einziger, Eytan, Friedman and Manes, "Adaptive software cache management", Middleware 2018. Caffeine, of Manes,
showed how well it does.

Where nodes differ in what they cost to be made again or in what they weigh, requests count in proportion to cost by
weight, as what hits save in all is what counts (Cherkasova, "Improving WWW proxies performance with
Greedy-Dual-Size-Frequency caching policy", 1998). Then who leaves the main part is who is worth least of the eight that
were on probation for longest; the other seven have another turn.

A candidate that was asked for six times or more is taken in by chance, once in 128 times, also when it loses: else who
knows the hash of keys could keep a cache full of what nobody wants.

Who is held counts its own requests, up to 15, halved with each epoch of the sketch, and takes them there when it
leaves; so a hit touches the node and nothing else. ``place`` of a node holds its segment (2 bits), these requests (4
bits), and the epoch of the last. Without a bound nobody ever leaves, so nothing is counted.
"""

from __future__ import annotations

from typing import Any

try:
    import cython
    from cython import NULL

    if not cython.compiled:
        raise ImportError
except ImportError:
    from cachery import _cython as cython  # type: ignore[no-redef]
    from cachery._cython import NULL

if not cython.compiled:
    from cachery.policies.climber import Climber
    from cachery.policies.ghosts import Ghosts
    from cachery.policies.node import Node, NodeRef, last_of, link_first, new_ring, ring_from_last, unlink
    from cachery.policies.order import Order
    from cachery.policies.sketch import Sketch

_NOWHERE, _WINDOW, _PROBATION, _PROTECTED = 0, 1, 2, 3
_SEGMENT, _MOST_USES, _USES_BITS, _USES_AT, _EPOCH_AT, _EPOCHS = 3, 15, 4, 2, 6, (1 << 24) - 1
_SHARE_PROTECTED = 0.8
_MOVES_AT_ONCE = 16
"""Nodes moved at one new key when the window changes its size: so no call takes much longer than others."""

_FIRST_ENTRIES = 1024
_WARM, _CHANCE = 6, 127
_MOST_RECALLED = 15
_ENTRIES_A_GHOST, _LEAST_GHOSTS, _MOST_GHOSTS = 8, 4, 1 << 17
_LOOKS = 8
"""Among how many the one is looked for that is worth least, where nodes are not worth the same."""

_TOLERANCE = 8
"""The segments are divided anew when there is room for an eighth more nodes than before, or an eighth less."""


@cython.final
@cython.cclass
class TinyLfuOrder(Order):
    """The node asked for least often lately leaves first, but for the newest."""

    def __cinit__(self) -> None:
        self.capacity = 0
        self.loser = NULL
        self.are_unequal = False
        self.window_ring, self.probation_ring, self.protected_ring = new_ring(), new_ring(), new_ring()
        self.window = cython.cast(NodeRef, self.window_ring)
        self.probation = cython.cast(NodeRef, self.probation_ring)
        self.protected = cython.cast(NodeRef, self.protected_ring)
        self.in_window = self.in_probation = self.in_protected = 0
        self.most_protected = 0
        self.sketch = Sketch(1)
        self.ghosts = Ghosts(1)
        self.climber = Climber(1, 1)

    @cython.cfunc
    def sized(self, capacity: cython.Py_ssize_t) -> None:
        self.capacity = capacity
        if capacity:
            self.sketch = Sketch(min(capacity, _FIRST_ENTRIES))
            self.ghosts = Ghosts(remembered(capacity))
            self.climber = Climber(capacity, remembered(capacity))
            self.divide()

    @cython.cfunc
    def resized(self, capacity: cython.Py_ssize_t) -> None:
        if not self.capacity:
            self.sized(capacity)
        elif abs(capacity - self.capacity) * _TOLERANCE > self.capacity:
            if capacity > 2 * self.capacity:
                self.ghosts = Ghosts(remembered(capacity))
            self.climber.fit(capacity, self.ghosts.limit)
            self.capacity = capacity
            self.divide()

    @cython.cfunc
    @cython.exceptval(check=False)
    def added(self, node: Node) -> cython.void:
        node.place = _WINDOW | (self.sketch.epoch << _EPOCH_AT)
        if node.worth > 0:
            self.are_unequal = True
        link_first(self.window, node)
        self.in_window += 1
        if not self.capacity:
            return
        hashed: cython.Py_ssize_t = hash_of(node.key)
        self.sketch.add(hashed)
        self.make_room_to_count()
        held: cython.Py_ssize_t = self.in_window + self.in_probation + self.in_protected
        if held > self.capacity:
            self.resized(2 * held)
        if self.ghosts.take(hashed):
            self.climber.regretted += worth_of(node)
        self.requested()
        self.settle()

    @cython.cfunc
    @cython.exceptval(check=False)
    def accessed(self, node: Node) -> cython.void:
        segment: cython.int = node.place & _SEGMENT
        if segment == _NOWHERE:
            return
        if self.capacity:
            self.use(node)
            self.requested()
        if segment == _WINDOW:
            unlink(node)
            link_first(self.window, node)
        elif segment == _PROTECTED:
            unlink(node)
            link_first(self.protected, node)
        else:
            self.promote(node)

    @cython.cfunc
    @cython.exceptval(check=False)
    def updated(self, node: Node) -> cython.void:
        self.accessed(node)

    @cython.cfunc
    @cython.exceptval(check=False)
    def removed(self, node: Node) -> cython.void:
        if node.place & _SEGMENT == _NOWHERE:
            return
        self.leave(node)
        if self.capacity:
            self.remember(node)
        node.place = _NOWHERE

    @cython.cfunc
    @cython.exceptval(check=False)
    def leave(self, node: Node) -> cython.void:
        """Take ``node`` out of the ring of its segment."""
        segment: cython.int = node.place & _SEGMENT
        unlink(node)
        if segment == _WINDOW:
            self.in_window -= 1
        elif segment == _PROBATION:
            self.in_probation -= 1
        else:
            self.in_protected -= 1

    @cython.cfunc
    @cython.inline
    @cython.exceptval(check=False)
    def use(self, node: Node) -> cython.void:
        """Count a request for ``node``."""
        uses: cython.int = self.uses_of(node)
        if uses < _MOST_USES:
            uses += 1
            self.sketch.tick()
        node.place = (node.place & _SEGMENT) | (uses << _USES_AT) | (self.sketch.epoch << _EPOCH_AT)

    @cython.cfunc
    @cython.inline
    @cython.exceptval(check=False)
    def uses_of(self, node: Node) -> cython.int:
        """Return how often ``node`` was asked for since it came, lately."""
        behind: cython.int = (self.sketch.epoch - (node.place >> _EPOCH_AT)) & _EPOCHS
        uses: cython.int = (node.place >> _USES_AT) & _MOST_USES
        if behind == 1:
            return (uses + 1) >> 1  # rounded up, as what is in the sketch is rounded down
        return uses >> (min(_USES_BITS, behind))

    @cython.cfunc
    @cython.exceptval(check=False)
    def remember(self, node: Node) -> cython.void:
        """Take what is known of ``node``, which leaves, to where it is known of all."""
        hashed: cython.Py_ssize_t = hash_of(node.key)
        self.sketch.add_many(hashed, self.uses_of(node))
        if self.loser is cython.cast(NodeRef, node):
            self.ghosts.note(hashed)
            self.loser = NULL

    @cython.cfunc
    @cython.exceptval(check=False)
    def promote(self, node: Node) -> cython.void:
        """Protect ``node``, which was asked for on probation."""
        unlink(node)
        link_first(self.protected, node)
        node.place = (node.place & ~_SEGMENT) | _PROTECTED
        self.climber.proven += worth_of(node)
        self.in_probation -= 1
        self.in_protected += 1
        if self.in_protected > self.most_protected:
            self.demote()

    @cython.cfunc
    def victim(self) -> Node | None:
        """Return who leaves for one new node: the candidate of a window without room, or who it would replace."""
        least = self.least_of_main()
        if least is None:
            return last_of(self.window)
        candidate: Node | None = last_of(self.window)
        if candidate is None or self.in_window < self.climber.window or self.is_admitted(candidate, least):
            return least
        self.loser = cython.cast(NodeRef, candidate)
        return candidate

    @cython.cfunc
    def least_of_main(self) -> Node | None:
        """Return who would leave the main part, ``None`` where nobody is there."""
        least = last_of(self.probation)
        if least is None:
            return last_of(self.protected)
        return self.least_worth() if self.are_unequal else least

    @cython.cfunc
    def least_worth(self) -> Node:
        """Return of the last few on probation the one whose requests are worth least; look at others next time."""
        least: Node = cython.cast(Node, self.probation.prev)
        lowest: cython.double = self.frequency_of(least) * worth_of(least)
        looks: cython.int = min(_LOOKS, self.in_probation)
        while looks > 1:
            node: Node = cython.cast(Node, self.probation.prev)
            worth: cython.double = self.frequency_of(node) * worth_of(node)
            if worth < lowest:
                least, lowest = node, worth
            unlink(node)
            link_first(self.probation, node)
            looks -= 1
        return least

    @cython.cfunc
    def is_admitted(self, candidate: Node, least: Node) -> cython.bint:
        """Tell whether ``candidate`` is worth more than ``least``."""
        frequency: cython.longlong = self.frequency_of(candidate)
        if frequency * worth_of(candidate) > self.frequency_of(least) * worth_of(least):
            return True
        return frequency >= _WARM and ((hash_of(candidate.key) ^ self.climber.requests) & _CHANCE) == 0

    @cython.cfunc
    @cython.exceptval(check=False)
    def frequency_of(self, node: Node) -> cython.longlong:
        """Return how often ``node`` was asked for lately, before it came and since."""
        return self.sketch.estimate(hash_of(node.key)) + self.uses_of(node)

    @cython.cfunc
    @cython.exceptval(check=False)
    def segment_of(self, node: Node) -> cython.int:
        return node.place & _SEGMENT

    @cython.cfunc
    def recalled(self, node: Node, frequency: cython.longlong, segment: cython.int) -> None:
        if node.place & _SEGMENT == _NOWHERE:
            return
        self.leave(node)
        if self.capacity:
            known: cython.longlong = self.frequency_of(node)
            self.sketch.add_many(hash_of(node.key), int(min(frequency, _MOST_RECALLED) - known))
        if segment == _PROTECTED and self.in_protected < self.most_protected:
            self.stand_last(self.protected, node, _PROTECTED)
            self.in_protected += 1
        elif segment != _PROBATION and (not self.capacity or self.in_window < self.climber.window):
            self.stand_last(self.window, node, _WINDOW)
            self.in_window += 1
        else:
            self.stand_last(self.probation, node, _PROBATION)
            self.in_probation += 1

    @cython.cfunc
    @cython.exceptval(check=False)
    def stand_last(self, head: NodeRef, node: Node, segment: cython.int) -> cython.void:
        """Put ``node``, which stands nowhere, last into the ring of ``head``, that of ``segment``."""
        link_first(head.prev, node)
        node.place = (node.place & ~_SEGMENT) | segment

    @cython.cfunc
    @cython.exceptval(check=False)
    def requested(self) -> cython.void:
        """Let the climber know of a request."""
        climber = self.climber
        climber.requests += 1
        if climber.requests >= climber.period:
            climber.climb(self.in_probation)
            self.divide()

    @cython.cfunc
    @cython.exceptval(check=False)
    def divide(self) -> cython.void:
        """Divide the main part as the window leaves it."""
        self.most_protected = int((self.capacity - self.climber.window) * _SHARE_PROTECTED)

    @cython.cfunc
    @cython.exceptval(check=False)
    def settle(self) -> cython.void:
        """Move a few nodes towards the sizes that the segments are to have."""
        moves: cython.int = _MOVES_AT_ONCE
        while self.in_protected > self.most_protected and moves:
            self.demote()
            moves -= 1
        window: cython.Py_ssize_t = self.climber.window
        while self.in_window > window and moves:
            self.move_to_probation(cython.cast(Node, self.window.prev))
            self.in_window -= 1
            moves -= 1
        held: cython.Py_ssize_t = self.in_window + self.in_probation + self.in_protected
        while self.in_window < window and self.in_probation and held >= self.capacity and moves:
            self.widen()
            moves -= 1

    @cython.cfunc
    @cython.exceptval(check=False)
    def demote(self) -> cython.void:
        """Put the last of those protected on probation."""
        self.move_to_probation(cython.cast(Node, self.protected.prev))
        self.in_protected -= 1

    @cython.cfunc
    @cython.exceptval(check=False)
    def move_to_probation(self, node: Node) -> cython.void:
        """Take ``node`` out of its ring and put it first on probation."""
        unlink(node)
        link_first(self.probation, node)
        node.place = (node.place & ~_SEGMENT) | _PROBATION
        self.in_probation += 1

    @cython.cfunc
    @cython.exceptval(check=False)
    def widen(self) -> cython.void:
        """Put the last of those on probation last into the window."""
        node: Node = cython.cast(Node, self.probation.prev)
        unlink(node)
        link_first(self.window.prev, node)
        node.place = (node.place & ~_SEGMENT) | _WINDOW
        self.in_probation -= 1
        self.in_window += 1

    @cython.cfunc
    @cython.exceptval(check=False)
    def make_room_to_count(self) -> cython.void:
        """Let the sketch grow with what is held."""
        held: cython.Py_ssize_t = self.in_window + self.in_probation + self.in_protected
        if held * 16 > self.sketch.size:
            try:
                self.sketch.grow(min(2 * held, self.capacity))
            except MemoryError:  # it counts on in what it has
                return

    @cython.cfunc
    def in_turn(self) -> Any:
        rings = [ring_from_last(self.window), ring_from_last(self.probation), ring_from_last(self.protected)]
        counts = [self.in_window, self.in_probation, self.in_protected]
        for ring, count, place in zip(rings, counts, (_WINDOW, _PROBATION, _PROTECTED), strict=True):
            if len(ring) != count or any(node.place & _SEGMENT != place for node in ring):
                raise AssertionError(f"{len(ring)} nodes stand in segment {place}, where {count} were counted")
        first = None if self.are_unequal else self.victim()
        nodes = [*rings[1], *rings[0], *rings[2]]
        return nodes if first is None else [first, *[node for node in nodes if node is not first]]


@cython.cfunc
@cython.exceptval(check=False)
def worth_of(node: Node) -> cython.double:
    """Return what ``node`` is worth, 1 where nothing is known of it."""
    return node.worth if node.worth > 0 else 1.0


@cython.cfunc
@cython.exceptval(check=False)
def remembered(capacity: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """Return how many of those turned away are remembered beside ``capacity`` nodes."""
    return min(max(capacity // _ENTRIES_A_GHOST, _LEAST_GHOSTS), _MOST_GHOSTS)


@cython.cfunc
@cython.exceptval(check=False)
def hash_of(key: object) -> cython.Py_ssize_t:
    """Return the hash of a ``str``, which runs no code of a user; of anything else, where it stands."""
    return hash(key) if type(key) is str else id(key)
