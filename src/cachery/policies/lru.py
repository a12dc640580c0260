"""Least recently used: the ring stands in the order of last use.

The node after the head was used last, the one before it is the victim. Each operation moves at most six links.
"""

from __future__ import annotations

try:
    import cython
except ImportError:
    from cachery import _cython as cython

if not cython.compiled:
    from cachery.policies.node import NodeRef, link_first, new_node, unlink
    from cachery.policies.order import Order


@cython.final
@cython.cclass
class LruOrder(Order):
    """The node unused for longest leaves first."""

    def __init__(self) -> None:
        self.ring = new_node(None, None, 0.0)
        self.head = cython.cast(NodeRef, self.ring)

    @cython.cfunc
    @cython.exceptval(check=False)
    def added(self, node: NodeRef) -> cython.void:
        link_first(self.head, node)

    @cython.cfunc
    @cython.exceptval(check=False)
    def accessed(self, node: NodeRef) -> cython.void:
        # Written out, not composed of unlink and link_first: this is what every hit pays.
        head = self.head
        first = head.next
        after = node.next
        if first is node or after is node:
            return
        before = node.prev
        before.next = after
        after.prev = before
        node.next = first
        node.prev = head
        first.prev = node
        head.next = node

    @cython.cfunc
    @cython.exceptval(check=False)
    def updated(self, node: NodeRef) -> cython.void:
        self.accessed(node)

    @cython.cfunc
    @cython.exceptval(check=False)
    def removed(self, node: NodeRef) -> cython.void:
        unlink(node)

    @cython.cfunc
    @cython.exceptval(check=False)
    def victim(self) -> NodeRef:
        return self.head.prev
