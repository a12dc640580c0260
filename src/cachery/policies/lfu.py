"""Least frequently used, every operation in constant time.

Nodes used equally often share a group, in a ring by recency; the groups stand in a list by rising count. A use moves a
node into the next group, which is made when it is not there; an empty group is taken out. The victim is the least
recent node of the lowest group. After Shah, Mitra and Matani, "An O(1) algorithm for implementing the LFU cache
eviction scheme", 2010.

Counts do not age: what was popular once stays for long.
"""

from __future__ import annotations

from typing import Any

try:
    import cython

    if not cython.compiled:
        raise ImportError
except ImportError:
    from cachery import _cython as cython  # type: ignore[no-redef]

if not cython.compiled:
    from cachery.policies.node import Node, NodeRef, link_first, new_ring, ring_from_last, unlink
    from cachery.policies.order import Order


@cython.final
@cython.cclass
class Frequency:
    """The nodes used ``count`` times, and the neighbouring groups."""

    count: int
    ring: Node
    head: NodeRef
    lower: Frequency
    higher: Frequency


@cython.cfunc
def new_frequency(count: cython.longlong) -> Frequency:
    """Return a group that is its own neighbour."""
    group: Frequency = Frequency.__new__(Frequency)
    group.count = count
    group.ring = new_ring()
    group.head = cython.cast(NodeRef, group.ring)
    group.lower = group
    group.higher = group
    return group


@cython.cfunc
@cython.exceptval(check=False)
def insert_above(below: Frequency, group: Frequency) -> cython.void:
    """Put ``group`` into the list right above ``below``."""
    group.lower = below
    group.higher = below.higher
    below.higher.lower = group
    below.higher = group


@cython.cfunc
def group_of(node: Node) -> Frequency | None:
    """Return the group of ``node``, ``None`` when no order holds it."""
    group: Frequency | None = node.group
    return group


@cython.final
@cython.cclass
class LfuOrder(Order):
    """The node used least often leaves first; of equals, the one unused for longest.

    Making a group may set off the garbage collector, hence finalizers, hence other operations on this very order: so it
    comes before all else, and what was read before it is read again. The group of newcomers is there for ever, so that
    taking in a node makes nothing.
    """

    bottom: Frequency
    newcomers: Frequency

    def __cinit__(self) -> None:
        self.bottom = new_frequency(0)  # never holds a node: the list of groups starts and ends here
        self.newcomers = new_frequency(1)
        insert_above(self.bottom, self.newcomers)

    @cython.cfunc
    @cython.exceptval(check=False)
    def added(self, node: Node) -> cython.void:
        self.move(node, self.newcomers)

    @cython.cfunc
    @cython.exceptval(check=False)
    def accessed(self, node: Node) -> cython.void:
        group = group_of(node)
        if group is None:
            return
        spare: Frequency | None = None
        if group.higher.count != group.count + 1:
            spare = new_frequency(0)
            group = group_of(node)
            if group is None:
                return
        if spare is not None and group.higher.count != group.count + 1:
            spare.count = group.count + 1
            insert_above(group, spare)
        self.move(node, group.higher)

    @cython.cfunc
    @cython.exceptval(check=False)
    def updated(self, node: Node) -> cython.void:
        self.accessed(node)

    @cython.cfunc
    @cython.exceptval(check=False)
    def removed(self, node: Node) -> cython.void:
        group = group_of(node)
        unlink(node)
        node.group = None
        self.drop_if_empty(group)

    @cython.cfunc
    def victim(self) -> Node | None:
        lowest: Frequency = self.newcomers
        if lowest.head.next is lowest.head:
            lowest = lowest.higher
        last = lowest.head.prev
        return None if lowest is self.bottom else cython.cast(Node, last)

    @cython.cfunc
    @cython.exceptval(check=False)
    def frequency_of(self, node: Node) -> cython.longlong:
        group = group_of(node)
        return 0 if group is None else group.count

    @cython.cfunc
    def recalled(self, node: Node, frequency: cython.longlong, segment: cython.int) -> None:
        spare = new_frequency(frequency)
        left = group_of(node)
        if left is None:
            return
        to: Frequency = self.newcomers  # what comes back in the order of its worth finds its group in a step or two
        while to.higher is not self.bottom and to.higher.count <= frequency:
            to = to.higher
        if to.count < frequency:
            insert_above(to, spare)
            to = spare
        unlink(node)
        link_first(to.head.prev, node)
        node.group = to
        if left is not to:
            self.drop_if_empty(left)

    @cython.cfunc
    @cython.exceptval(check=False)
    def move(self, node: Node, to: Frequency) -> cython.void:
        """Take ``node`` out of its group, if any, and put it first in ``to``."""
        left = group_of(node)
        unlink(node)
        link_first(to.head, node)
        node.group = to
        self.drop_if_empty(left)

    @cython.cfunc
    @cython.exceptval(check=False)
    def drop_if_empty(self, group: Frequency | None) -> cython.void:
        """Take ``group`` out of the list when no node is left in it."""
        if group is not None and group.count > 1 and group.head.next is group.head:
            group.lower.higher = group.higher
            group.higher.lower = group.lower

    @cython.cfunc
    def in_turn(self) -> Any:
        nodes = []
        group: Frequency = self.bottom.higher
        while group is not self.bottom:
            ring = ring_from_last(group.head)
            is_in_place = group.higher.lower is group and group.count > group.lower.count
            if not is_in_place or any(node.group is not group for node in ring):
                raise AssertionError(f"the group of nodes used {group.count} times is out of place")
            nodes += ring
            group = group.higher
        return nodes
