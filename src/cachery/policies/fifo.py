"""First in, first out: the ring stands in the order of arrival. Reading or overwriting an entry changes nothing."""

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
class FifoOrder(Order):
    """The node that came first leaves first."""

    ring: Node
    head: NodeRef

    def __cinit__(self) -> None:
        self.ring = new_ring()
        self.head = cython.cast(NodeRef, self.ring)

    @cython.cfunc
    @cython.exceptval(check=False)
    def added(self, node: Node) -> cython.void:
        link_first(self.head, node)

    @cython.cfunc
    @cython.exceptval(check=False)
    def removed(self, node: Node) -> cython.void:
        unlink(node)

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
