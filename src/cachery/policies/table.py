"""A bounded map whose entries leave by a policy or when their time is over: the common ground of every memory cache.

The map holds the nodes, the order decides who leaves, the wheel knows whose time is over, and none of them knows the
others. Nodes whose time is over leave first, a few at each call that brings a new one.

The table takes no lock: who uses it works inside ``critical_section(self)``, which costs nothing in compiled code under
a GIL. What may run code of a user (the clock, keys that compare themselves, the finalizer of a value that is let go) is
called only while map and order agree; afterwards nothing read before is trusted.
"""

from __future__ import annotations

import sys
from typing import Any

try:
    import cython
    from cython import critical_section

    if not cython.compiled:  # the Cython package itself: it has no locks
        raise ImportError
except ImportError:
    from cachery import _cython as cython  # type: ignore[no-redef]
    from cachery._cython import critical_section  # type: ignore[assignment]

from cachery.exceptions import CacheValueError
from cachery.locks import make_lock
from cachery.model.keys import Count
from cachery.ports.clock import Clock

if not cython.compiled:
    from cachery.policies.node import Node
    from cachery.policies.order import Order
    from cachery.policies.wheel import Wheel
    from cachery.ports.clock import monotonic as coarse_seconds

INFINITY = float("inf")
MOST_EXPIRED = 16
"""How many nodes leave at one call because their time is over: so none takes much longer than others."""

MOST_LOOKS = 128
"""At how many nodes a call looks for that which brings a new one."""


def capacity_of(max_size: object) -> int:
    """Return ``max_size`` in entries, 0 for ``None``: no bound.

    Raises ``CacheValueError`` for anything but a whole number above 0 or ``None``.
    """
    if max_size is None:
        return 0
    if isinstance(max_size, bool) or not isinstance(max_size, int):
        raise CacheValueError(f"max_size is a number of entries, not {type(max_size).__name__}")
    if max_size < 1:
        raise CacheValueError(f"max_size={max_size} holds nothing: use 1 or more, or NullCache() to cache nothing")
    return min(max_size, sys.maxsize)


@cython.cclass
class Table:
    """At most ``capacity`` nodes (0: no bound) under ``order``; ``clock`` returns seconds, ``None``: a coarse clock.

    ``soonest`` is never later than the earliest expiry in the map, so that most calls need not look. ``used`` is the
    weight of all nodes.
    """

    nodes: dict[Any, Node]
    order: Order
    clock: Clock | None
    guard: Any
    capacity: int
    wheel: Wheel
    soonest: float
    used: int
    is_made: bool

    def __cinit__(self, *_args: object, **_options: object) -> None:
        # Compiled only: an object made without __init__ is an empty table, not a crash.
        self.nodes = {}
        self.order = Order()
        self.wheel = Wheel()

    def __init__(self, order: Order, capacity: Count, clock: Clock | None = None) -> None:
        if self.is_made:
            raise CacheValueError(f"this {type(self).__name__} is made already: make another one")
        if capacity < 0:
            raise CacheValueError(f"capacity={capacity} is below 0")
        self.is_made = True
        self.nodes = {}
        self.order = order
        self.capacity = capacity
        order.sized(capacity)
        self.clock = clock
        self.guard = None if cython.compiled else make_lock()
        self.wheel = Wheel()
        self.soonest = INFINITY
        self.used = 0

    @cython.cfunc
    def now(self) -> cython.double:
        """Return the time. A clock that was given is code of a user."""
        return coarse_seconds() if self.clock is None else self.clock()

    @cython.final
    @cython.cfunc
    def until(self, life: cython.double) -> cython.double:
        """Return the time at which what is stored now for ``life`` seconds is over. The wheel reaches it then."""
        now: cython.double = self.now()
        self.reach(now + life, now)
        return now + life

    @cython.final
    @cython.cfunc
    def reach(self, when: cython.double, now: cython.double) -> None:
        """Let the wheel reach ``when``. In a section of its own: it makes what others may be going through."""
        with critical_section(self):
            self.wheel.reach(when, now)

    @cython.cfunc
    def is_stored(self, node: Node) -> cython.bint:
        """Tell whether the map still holds this very node."""
        return self.nodes.get(node.key) is node

    @cython.final
    @cython.cfunc
    def evict_for_one(self) -> Node | None:
        """Make room for one node in a full table; return the last node that left for it."""
        while True:
            victim = self.evict()
            if victim is None or len(self.nodes) < self.capacity:
                return victim

    @cython.final
    @cython.cfunc
    def evict(self) -> Node | None:
        """Take out and return the node that leaves next, ``None`` when there is none."""
        victim: Node | None = self.order.victim()
        if victim is not None:
            self.discard(victim)
        return victim

    @cython.final
    @cython.cfunc
    def has_expired(self) -> cython.bint:
        """Tell whether some node's time may be over."""
        return self.soonest != INFINITY and self.soonest <= self.now()

    @cython.final
    @cython.cfunc
    def expire(self, most: cython.Py_ssize_t, looks: cython.Py_ssize_t) -> Any:
        """Take out up to ``most`` nodes whose time is over, and return them; look at about ``looks`` nodes for that."""
        gone: list[Node] = []
        now: cython.double = self.now()
        if self.soonest <= now:
            self.settle(now, looks)
        while most > 0:
            node = self.wheel.last_over()
            if node is None:
                break
            most -= 1
            self.discard(node)
            gone.append(node)
        if self.soonest <= now and self.wheel.over() == 0:
            self.settle(now, 1)
        return gone

    @cython.final
    @cython.cfunc
    def settle(self, now: cython.double, most: cython.Py_ssize_t) -> None:
        """Find those whose time is over by ``now``, looking at no more than about ``most`` nodes."""
        looks: cython.Py_ssize_t = most
        while looks > 0:
            self.wheel.stock()
            node = self.wheel.take(now, most)
            if node is None:
                self.soonest = self.wheel.next_look if self.wheel.over() == 0 else -INFINITY
                return
            looks -= 1
            self.ripen(node, now)
        self.soonest = -INFINITY  # there may be more

    @cython.cfunc
    def ripen(self, node: Node, now: cython.double) -> None:
        """Find out about ``node``, whose time may be over by ``now``: then it rests, else it waits on."""
        if node.expires <= now:
            self.wheel.rest(node)
        elif node.expires != INFINITY:
            self.wheel.schedule(node, node.expires)

    @cython.final
    @cython.cfunc
    @cython.exceptval(check=False)
    def time(self, node: Node, when: cython.double) -> cython.void:
        """Let ``node``, which waits nowhere, be looked at again ``when``."""
        self.wheel.schedule(node, when)
        if when < self.soonest:  # noqa: PLR1730 - min() of C doubles is a call
            self.soonest = when

    @cython.final
    @cython.cfunc
    @cython.exceptval(check=False)
    def retime(self, node: Node, before: cython.double) -> cython.void:
        """Note that ``node``, which was to expire at ``before``, has another time now. A later one is not noted yet."""
        if node.timer != 0:
            if node.expires >= before and node.expires != INFINITY and not self.wheel.is_over(node):
                return
            self.wheel.cancel(node)
        if node.expires != INFINITY:
            self.time(node, node.expires)

    @cython.final
    @cython.cfunc
    @cython.exceptval(check=False)
    def let_go(self, node: Node) -> cython.void:
        """Forget ``node``, which the caller holds, everywhere but in the map."""
        self.order.removed(node)
        if node.timer != 0:
            self.wheel.cancel(node)
        if node.weight != 0:
            self.used -= node.weight
            node.weight = 0

    @cython.cfunc
    def keep(self, node: Node) -> Node:
        """Put a new ``node`` under its key, unless one came in between; return the one that stands there."""
        kept: Node = self.nodes.setdefault(node.key, node)
        if kept is node:
            self.used += node.weight
            if node.expires != INFINITY:
                self.time(node, node.expires)
            self.order.added(node)
        return kept

    @cython.cfunc
    @cython.exceptval(check=False)
    def rewrite(self, node: Node, value: object, expires: cython.double) -> cython.void:
        """Give ``node`` another value and expiry. The caller holds the old value until the table is whole again."""
        before: cython.double = node.expires
        node.value = value
        node.expires = expires
        if expires != before or (node.timer == 0 and expires != INFINITY):
            self.retime(node, before)
        self.order.updated(node)

    @cython.final
    @cython.cfunc
    def discard(self, node: Node) -> cython.bint:
        """Take ``node`` out; True when its key led to it, as it should."""
        gone: Node | None = self.nodes.pop(node.key, None)
        if gone is not node and gone is not None and self.nodes.setdefault(gone.key, gone) is not gone:
            self.let_go(gone)  # another had the key, and has another one now
        self.let_go(node)
        if gone is not node:
            self.expel(node)
            return False
        return True

    @cython.cfunc
    def has_no_end(self, node: Node) -> cython.bint:
        """Tell whether ``node`` need not wait for anything."""
        return node.expires == INFINITY

    @cython.cfunc
    def expel(self, node: Node) -> None:
        """Finish the removal of ``node``, to which its key did not lead.

        Then ``node`` is gone already, or its key has changed its hash since it was stored: the map is made anew without
        it, the only way to take out what cannot be found.
        """
        kept = [other for other in list(self.nodes.values()) if other is not node]
        if len(kept) < len(self.nodes):
            self.nodes.clear()
            for other in kept:
                if self.nodes.setdefault(other.key, other) is not other:
                    self.let_go(other)

    def audit(self) -> list[str]:
        """Return what is wrong inside, nothing when all is well: map, order, bound and expiry agree."""
        try:
            turn = self.order.in_turn()
        except AssertionError as error:
            return [str(error)]
        nodes = self.nodes
        weights = sum(node.weight for node in nodes.values())
        found = {
            "order and map hold other nodes": {id(node) for node in turn} == {id(node) for node in nodes.values()},
            "the order holds a node twice": len(turn) == len(nodes),
            "a node stands under another key": all(node.key is key for key, node in nodes.items()),
            "there are more nodes than may be": not self.capacity or len(nodes) <= self.capacity,
            "a node expires and does not wait for that": all(
                node.timer or self.has_no_end(node) for node in nodes.values()
            ),
            f"nodes weigh {weights}, {self.used} is counted": weights == self.used,
        }
        wrong = [complaint for complaint, is_well in found.items() if not is_well]
        return [*wrong, *self.wheel.audit(nodes.values())]


if not cython.compiled:
    Table.is_made = False
