"""The entry of a bounded map, and its place in a ring.

A ring is doubly linked and closed; its head is a node without a key. The links of a node that stands in no ring are
``NULL``. Compiled, the links own nothing (see ``node.pxd``): who takes a node out of the map takes it out of its ring
first.

A ``NodeRef`` is a node as the rings see it: a C pointer when compiled, the node itself when not.
"""

from __future__ import annotations

from typing import Any, TypeAlias

try:
    import cython
    from cython import NULL

    if not cython.compiled:
        raise ImportError
except ImportError:
    from cachery import _cython as cython  # type: ignore[no-redef]
    from cachery._cython import NULL

is_compiled: bool = cython.compiled
"""Whether the hot part of the package runs compiled, or interpreted from the same source."""


@cython.final
@cython.freelist(512)
@cython.cclass
class Node:
    """One entry. ``expires`` is in seconds of its map's clock, ``inf`` for never; ``hits`` counts reads.

    ``group`` and ``place`` belong to the order that keeps the node, ``timer`` to the wheel, ``extra`` to the store
    above. ``weight`` is what it takes of the store's budget; ``worth``, what it costs to be made again for each of
    that, and 0 where nothing is known of it; of a node that has left, it is what became of it.
    """

    key: Any
    value: Any
    extra: Any
    group: Any
    expires: float
    hits: int
    place: int
    prev: NodeRef
    next: NodeRef
    timer: int
    weight: int
    worth: float


if not cython.compiled:
    NodeRef: TypeAlias = Node

    def is_held_by_map_alone(_: Node) -> bool:
        """Tell whether nobody but a map and the caller holds a node. Interpreted, nobody knows that for sure."""
        return False


@cython.cfunc
def new_node(key: object, value: object, expires: cython.double) -> Node:
    """Return a node that stands in no ring. Skips ``__init__``, which would pack and parse the arguments."""
    node: Node = Node.__new__(Node)
    node.key = key
    node.value = value
    node.expires = expires
    if not cython.compiled:  # where it is, the memory of a new node says all this already
        node.extra = None
        node.group = None
        node.hits = 0
        node.place = 0
        node.prev = NULL
        node.next = NULL
        node.timer = 0
        node.weight = 0
        node.worth = 0.0
    return node


@cython.cfunc
@cython.exceptval(check=False)
def renew_node(node: Node, key: object, value: object, expires: cython.double) -> cython.void:
    """Make ``node``, which has left its map and has no ``extra``, as ``new_node`` returns it. The caller holds it."""
    node.key = key
    node.value = value
    node.expires = expires
    node.hits = 0
    node.place = 0
    node.worth = 0.0


@cython.cfunc
def new_ring() -> Node:
    """Return the head of an empty ring."""
    head = new_node(None, None, 0.0)
    ref = cython.cast(NodeRef, head)
    ref.prev = ref
    ref.next = ref
    return head


@cython.cfunc
@cython.exceptval(check=False)
def link_first(head: NodeRef, node: Node) -> cython.void:
    """Put ``node``, which stands in no ring, first in the ring of ``head``."""
    ref = cython.cast(NodeRef, node)
    first = head.next
    ref.next = first
    ref.prev = head
    first.prev = ref
    head.next = ref


@cython.cfunc
@cython.exceptval(check=False)
def unlink(node: Node) -> cython.void:
    """Take ``node`` out of its ring; nothing happens to one that stands in none."""
    before = node.prev
    if before is NULL:
        return
    after = node.next
    before.next = after
    after.prev = before
    node.prev = NULL
    node.next = NULL


@cython.cfunc
def last_of(head: NodeRef) -> Node | None:
    """Return the last node of a ring, ``None`` where it is empty."""
    last = head.prev
    return None if last is head else cython.cast(Node, last)


@cython.cfunc
def ring_from_last(head: NodeRef) -> Any:
    """Return the nodes in the ring of ``head``, the last one first. Raises ``AssertionError`` where a link is wrong."""
    nodes = []
    node = head.prev
    while node is not head:
        if node.prev.next is not node or node.next.prev is not node:
            raise AssertionError(f"the links around {cython.cast(Node, node).key!r} disagree")
        nodes.append(cython.cast(Node, node))
        node = node.prev
    return nodes
