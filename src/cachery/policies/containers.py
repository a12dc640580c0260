"""Small bounded dictionaries, one for each policy, for use on their own.

They take any hashable key, keep no statistics and know no tags: a cache is more. They stand on the same table and the
same orders as the memory cache.

    >>> from cachery.policies import LRUPolicy
    >>> recent = LRUPolicy(max_size=2)
    >>> for letter in "abc":
    ...     recent.put(letter, letter.upper())
    >>> recent.get("a"), recent.get("c")
    (None, 'C')
"""

from __future__ import annotations

try:
    import cython
    from cython import critical_section

    if not cython.compiled:  # the Cython package itself: it has no locks
        raise ImportError
except ImportError:
    from cachery import _cython as cython  # type: ignore[no-redef]
    from cachery._cython import critical_section  # type: ignore[assignment]

import sys
from collections.abc import Hashable
from typing import Any

from cachery.exceptions import CacheValueError
from cachery.model.durations import Duration, life_of, seconds
from cachery.policies.expiry import ExpiryOrder
from cachery.policies.fifo import FifoOrder
from cachery.policies.lfu import LfuOrder
from cachery.policies.lru import LruOrder
from cachery.policies.table import capacity_of
from cachery.ports.clock import Clock

if not cython.compiled:
    from cachery.policies.interrupts import mend_when_interrupted
    from cachery.policies.node import Node, new_node
    from cachery.policies.order import Order
    from cachery.policies.table import INFINITY, MOST_EXPIRED, MOST_LOOKS, Table


@cython.cclass
class EvictionPolicy(Table):
    """The common part of the containers: at most ``max_size`` entries, each with an optional time to live.

    Thread-safe. A ``ttl`` is a ``timedelta``, seconds or text as ``"5m"``; ``None`` is the container's default.
    """

    life: float

    def __init__(
        self, order: Order, max_size: object, default_ttl: Duration | None = None, clock: Clock | None = None
    ) -> None:
        if max_size is None:
            raise CacheValueError("max_size is a number of entries, not None: this container has a bound")
        Table.__init__(self, order, capacity_of(max_size), clock)
        self.life = life_of(default_ttl)

    def get(self, key: Hashable) -> Any:
        """Return the live value of ``key``, or ``None``; tells the policy that it was used."""
        with critical_section(self):
            node = self.live(key)
            if node is None:
                return None
            node.hits += 1
            self.order.accessed(node)
            return node.value

    def put(self, key: Hashable, value: Any, ttl: Duration | None = None) -> None:
        """Store ``value``, evicting another entry when full. A ``ttl`` of 0 or less removes ``key``."""
        deadline: cython.double = self.deadline(ttl)
        fresh: Node = new_node(key, value, deadline)
        with critical_section(self):
            stored: Node | None = self.nodes.get(key)
            if deadline == 0.0:
                if stored is not None:
                    self.discard(stored)
                return
            if stored is None:
                if self.has_expired():
                    _gone = self.expire(MOST_EXPIRED, MOST_LOOKS)  # held here, so that its value goes when all is done
                if len(self.nodes) >= self.capacity:
                    _victim = self.evict_for_one()  # held for the same reason
                stored = self.keep(fresh)
            if stored is not fresh:
                _old = stored.value  # held for the same reason
                self.rewrite(stored, value, deadline)

    def remove(self, key: Hashable) -> Any:
        """Remove ``key``; return its live value, or ``None``."""
        with critical_section(self):
            node = self.live(key)
            if node is None:
                return None
            self.discard(node)
            return node.value

    def contains(self, key: Hashable) -> bool:
        """Tell whether ``key`` is there and live; the policy learns nothing of it."""
        with critical_section(self):
            return self.live(key) is not None

    def clear(self) -> None:
        """Remove all."""
        with critical_section(self):
            gone = list(self.nodes.values())
            for node in gone:
                self.discard(node)

    def size(self) -> int:
        """Return how many entries are live; removes the others."""
        with critical_section(self):
            if self.has_expired():
                _gone = self.expire(sys.maxsize, sys.maxsize)
            return len(self.nodes)

    @cython.cfunc
    def live(self, key: object) -> Node | None:
        """Return the live node of ``key``, or ``None``; one that is over is removed."""
        node: Node | None = self.nodes.get(key)
        if node is not None and self.is_over(node):
            if self.nodes.get(key) is node:
                self.discard(node)
            return None
        return node

    @cython.cfunc
    def is_over(self, node: Node) -> cython.bint:
        """Tell whether the time of ``node`` is over."""
        return node.expires != INFINITY and node.expires <= self.now()

    @cython.cfunc
    def deadline(self, ttl: Duration | None) -> cython.double:
        """Return when an entry stored now for ``ttl`` is over: ``inf`` for never, 0.0 when it is over already."""
        life: cython.double = self.life if ttl is None else seconds(ttl)
        if life <= 0.0:
            return 0.0
        return life if life == INFINITY else self.until(life)


if not cython.compiled:
    mend_when_interrupted(EvictionPolicy)


class LRUPolicy(EvictionPolicy):
    """Evicts the entry unused for longest."""

    def __init__(self, max_size: object, default_ttl: Duration | None = None, *, clock: Clock | None = None) -> None:
        super().__init__(LruOrder(), max_size, default_ttl, clock)


class LFUPolicy(EvictionPolicy):
    """Evicts the entry used least often; of equals, the one unused for longest."""

    def __init__(self, max_size: object, default_ttl: Duration | None = None, *, clock: Clock | None = None) -> None:
        super().__init__(LfuOrder(), max_size, default_ttl, clock)


class FIFOPolicy(EvictionPolicy):
    """Evicts the entry that came first."""

    def __init__(self, max_size: object, default_ttl: Duration | None = None, *, clock: Clock | None = None) -> None:
        super().__init__(FifoOrder(), max_size, default_ttl, clock)


class TTLPolicy(EvictionPolicy):
    """Evicts the entry that would expire soonest. ``default_ttl`` is an hour; ``None`` is no end."""

    def __init__(self, max_size: object, default_ttl: Duration | None = 3600.0, *, clock: Clock | None = None) -> None:
        super().__init__(ExpiryOrder(), max_size, default_ttl, clock)
