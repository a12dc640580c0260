"""What a bounded map asks of an eviction policy: an order in which its nodes leave.

An order holds no map and takes no lock. It is never seen half changed: it runs no code of a user, and where it must
make an object, which may set off the garbage collector and so finalizers that use the cache, it does so before it
changes anything. ``added`` and ``removed`` make none. ``accessed``, ``updated`` and ``removed`` ignore a node it does
not hold.
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
    from cachery.policies.node import Node


@cython.cclass
class Order:
    """Decides who leaves next."""

    def __init__(self) -> None:
        if not cython.compiled:
            self.__cinit__()

    def __cinit__(self) -> None:
        """Set up an empty order. Compiled, that is done before ``__init__``, so that there is no order without it."""

    @cython.cfunc
    def sized(self, capacity: cython.Py_ssize_t) -> None:
        """Learn how many nodes there will be at most, 0 for no bound; before the first is added."""

    @cython.cfunc
    def resized(self, capacity: cython.Py_ssize_t) -> None:
        """Learn that about ``capacity`` nodes have room now, as they are bounded by their weight."""

    @cython.cfunc
    @cython.exceptval(check=False)
    def added(self, node: Node) -> cython.void:
        """Take in a new ``node``."""

    @cython.cfunc
    @cython.exceptval(check=False)
    def accessed(self, node: Node) -> cython.void:
        """Learn that ``node`` was read."""

    @cython.cfunc
    @cython.exceptval(check=False)
    def updated(self, node: Node) -> cython.void:
        """Learn that ``node`` has a new value or another expiry."""

    @cython.cfunc
    @cython.exceptval(check=False)
    def postponed(self, node: Node) -> cython.void:
        """Learn that ``node``, which was read, expires later for that."""

    @cython.cfunc
    @cython.exceptval(check=False)
    def removed(self, node: Node) -> cython.void:
        """Let go of ``node``."""

    @cython.cfunc
    def victim(self) -> Node | None:
        """Return the node that leaves next, ``None`` when there is none."""
        return None

    @cython.cfunc
    @cython.exceptval(check=False)
    def frequency_of(self, node: Node) -> cython.longlong:
        """Return how often ``node`` was asked for, as far as this order counts; 0 when it does not."""
        return 0

    @cython.cfunc
    @cython.exceptval(check=False)
    def segment_of(self, node: Node) -> cython.int:
        """Return in which part of the order ``node`` stands, for ``recalled`` of another of its kind; 0 for the one."""
        return 0

    @cython.cfunc
    def recalled(self, node: Node, frequency: cython.longlong, segment: cython.int) -> None:
        """Let ``node``, just taken in, stand as one from before: asked for ``frequency`` times, and last of its equals.

        So nodes that come back in the order of their worth, the one that would leave last first, stand as they stood,
        and leave before those that are here already. ``segment`` is what ``segment_of`` said.
        """

    @cython.cfunc
    def in_turn(self) -> Any:
        """Return all nodes, the next victim first. Raises ``AssertionError`` where the order is broken."""
        return []
