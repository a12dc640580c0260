"""Least recently used: the ring stands in the order of last use.

The node after the head was used last, the one before it is the victim. Each operation moves at most six links.
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
    from cachery.policies.node import Node, NodeRef, link_first, new_ring, ring_from_last, unlink
    from cachery.policies.order import Order


@cython.final
@cython.cclass
class LruOrder(Order):
    """The node unused for longest leaves first.

    Links are moved here, not by ``link_first`` and ``unlink``: these lines are what every hit and every new key pay.
    """

    ring: Node
    head: NodeRef

    def __cinit__(self) -> None:
        self.ring = new_ring()
        self.head = cython.cast(NodeRef, self.ring)

    @cython.cfunc
    @cython.exceptval(check=False)
    def added(self, node: Node) -> cython.void:
        head = self.head
        first = head.next
        node.next = first
        node.prev = head
        head.next = cython.cast(NodeRef, node)
        first.prev = head.next

    @cython.cfunc
    @cython.exceptval(check=False)
    def accessed(self, node: Node) -> cython.void:
        head = self.head
        first = head.next
        before = node.prev
        if before is head or before is NULL:
            return
        ref = before.next  # the node itself, as its neighbour sees it: saves a cast
        after = node.next
        before.next = after
        after.prev = before
        ref.next = first
        ref.prev = head
        first.prev = ref
        head.next = ref

    @cython.cfunc
    @cython.exceptval(check=False)
    def updated(self, node: Node) -> cython.void:
        self.accessed(node)

    @cython.cfunc
    @cython.exceptval(check=False)
    def removed(self, node: Node) -> cython.void:
        before = node.prev
        if before is NULL:
            return
        after = node.next
        before.next = after
        after.prev = before
        node.prev = NULL

    @cython.cfunc
    def victim(self) -> Node | None:
        last = self.head.prev
        return None if last is self.head else cython.cast(Node, last)

    @cython.cfunc
    def recalled(self, node: Node, frequency: cython.longlong, segment: cython.int) -> None:
        if node.prev is not NULL:
            unlink(node)
            link_first(self.head.prev, node)

    @cython.cfunc
    def in_turn(self) -> Any:
        return ring_from_last(self.head)
