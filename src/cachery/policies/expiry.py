"""By time to live: the entry that would expire soonest leaves first; of equals, the one that was stored first.

Entries without an end leave last. A binary heap of nodes in which each knows its ``place``, so that a change anywhere
costs O(log n). Places count from 1: 0 says that the heap does not hold the node. The ``group`` of a node is the number
of its last write; those that come back from before are numbered downwards from 0.
"""

from __future__ import annotations

try:
    import cython

    if not cython.compiled:
        raise ImportError
except ImportError:
    from cachery import _cython as cython  # type: ignore[no-redef]

from operator import attrgetter
from typing import Any

if not cython.compiled:
    from cachery.policies.node import Node
    from cachery.policies.order import Order


@cython.cfunc
def leaves_before(one: Node, other: Node) -> cython.bint:
    """Tell which of two nodes would go first."""
    if one.expires != other.expires:
        return one.expires < other.expires
    return bool(one.group < other.group)


@cython.final
@cython.cclass
class ExpiryOrder(Order):
    """The node nearest to its expiry leaves first."""

    heap: list[Any]
    writes: int
    recalls: int

    def __cinit__(self) -> None:
        self.heap = [None]  # place 0 stays empty
        self.writes = self.recalls = 0

    @cython.cfunc
    @cython.exceptval(check=False)
    def added(self, node: Node) -> cython.void:
        self.writes += 1
        node.group = self.writes
        self.heap.append(node)
        self.rise(node, len(self.heap) - 1)

    @cython.cfunc
    @cython.exceptval(check=False)
    def updated(self, node: Node) -> cython.void:
        if node.place:
            self.writes += 1
            node.group = self.writes
            self.settle(node, node.place)

    @cython.cfunc
    @cython.exceptval(check=False)
    def postponed(self, node: Node) -> cython.void:
        self.updated(node)

    @cython.cfunc
    @cython.exceptval(check=False)
    def removed(self, node: Node) -> cython.void:
        place = node.place
        if place == 0:
            return
        node.place = 0
        last: Node = self.heap.pop()
        if place < len(self.heap):
            self.settle(last, place)

    @cython.cfunc
    def victim(self) -> Node | None:
        return self.heap[1] if len(self.heap) > 1 else None

    @cython.cfunc
    @cython.exceptval(check=False)
    def settle(self, node: Node, place: cython.int) -> cython.void:
        """Put ``node`` at ``place``, then where it belongs from there."""
        parent = place >> 1
        if place > 1 and leaves_before(node, self.heap[parent]):
            self.rise(node, place)
        else:
            self.sink(node, place)

    @cython.cfunc
    @cython.exceptval(check=False)
    def rise(self, node: Node, place: cython.int) -> cython.void:
        """Move ``node`` up from the free ``place`` past all that expire later."""
        while place > 1:
            parent: Node = self.heap[place >> 1]
            if leaves_before(parent, node):
                break
            self.heap[place] = parent
            parent.place = place
            place >>= 1
        self.heap[place] = node
        node.place = place

    @cython.cfunc
    @cython.exceptval(check=False)
    def sink(self, node: Node, place: cython.int) -> cython.void:
        """Move ``node`` down from the free ``place`` past all that expire sooner."""
        end = len(self.heap)
        child_place = 2 * place
        while child_place < end:
            if child_place + 1 < end:
                left: Node = self.heap[child_place]
                right: Node = self.heap[child_place + 1]
                child_place += leaves_before(right, left)
            child: Node = self.heap[child_place]
            if leaves_before(node, child):
                break
            self.heap[place] = child
            child.place = place
            place = child_place
            child_place = 2 * place
        self.heap[place] = node
        node.place = place

    @cython.cfunc
    def recalled(self, node: Node, frequency: cython.longlong, segment: cython.int) -> None:
        if node.place:
            self.recalls -= 1
            node.group = self.recalls
            self.settle(node, node.place)

    @cython.cfunc
    def in_turn(self) -> Any:
        nodes = self.heap[1:]
        for place, node in enumerate(nodes, start=1):
            if node.place != place or (place > 1 and leaves_before(node, self.heap[place // 2])):
                raise AssertionError(f"{node.key!r} is out of its place in the heap")
        return sorted(nodes, key=attrgetter("expires", "group"))
