"""Least frequently used, every operation in constant time.

Nodes used equally often share a group, in a ring by recency; the groups stand in a list by rising count. A use moves a
node into the next group, which is made when it is not there; an empty group is taken out. The victim is the least
recent node of the lowest group. After Shah, Mitra and Matani, "An O(1) algorithm for implementing the LFU cache
eviction scheme", 2010.

Counts do not age: what was popular once stays for long.
"""

from __future__ import annotations

try:
    import cython
except ImportError:
    from cachery import _cython as cython

if not cython.compiled:
    from cachery.policies.node import Node, NodeRef, link_first, new_node, unlink
    from cachery.policies.order import Order


@cython.final
@cython.cclass
class Frequency:
    """The nodes used ``count`` times, and the neighbouring groups."""


@cython.cfunc
def new_frequency(count: cython.longlong) -> Frequency:
    """Return a group that is its own neighbour."""
    group: Frequency = Frequency.__new__(Frequency)
    group.count = count
    group.ring = new_node(None, None, 0.0)
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
def frequency_of(node: NodeRef) -> Frequency:
    """Return the group of ``node``, ``None`` when no order holds it."""
    return cython.cast(Node, node).group


@cython.final
@cython.cclass
class LfuOrder(Order):
    """The node used least often leaves first; of equals, the one unused for longest.

    Making a group may set off the garbage collector, hence finalizers, hence other operations on this very order: so it
    comes before all else, and what was read before it is read again. The group of newcomers is there for ever, so that
    taking in a node makes nothing.
    """

    def __init__(self) -> None:
        self.bottom = new_frequency(0)  # never holds a node: the list of groups starts and ends here
        self.newcomers = new_frequency(1)
        insert_above(self.bottom, self.newcomers)

    @cython.cfunc
    @cython.exceptval(check=False)
    def added(self, node: NodeRef) -> cython.void:
        self.move(node, self.newcomers)

    @cython.cfunc
    @cython.exceptval(check=False)
    def accessed(self, node: NodeRef) -> cython.void:
        group = frequency_of(node)
        if group is None:
            return
        spare: Frequency = None
        if group.higher.count != group.count + 1:
            spare = new_frequency(0)
            group = frequency_of(node)
            if group is None:
                return
        if group.higher.count != group.count + 1:
            spare.count = group.count + 1
            insert_above(group, spare)
        self.move(node, group.higher)

    @cython.cfunc
    @cython.exceptval(check=False)
    def updated(self, node: NodeRef) -> cython.void:
        self.accessed(node)

    @cython.cfunc
    @cython.exceptval(check=False)
    def removed(self, node: NodeRef) -> cython.void:
        self.move(node, None)

    @cython.cfunc
    @cython.exceptval(check=False)
    def victim(self) -> NodeRef:
        lowest: Frequency = self.newcomers
        if lowest.head.next is lowest.head:
            lowest = lowest.higher
        return lowest.head.prev

    @cython.cfunc
    @cython.exceptval(check=False)
    def move(self, node: NodeRef, to: Frequency) -> cython.void:
        """Take ``node`` out of its group, dropping that when it is left empty, and put it first in ``to``, if any."""
        left = frequency_of(node)
        unlink(node)
        cython.cast(Node, node).group = to
        if to is not None:
            link_first(to.head, node)
        if left is not None and left.count > 1 and left.head.next is left.head:
            left.lower.higher = left.higher
            left.higher.lower = left.lower
