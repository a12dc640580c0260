"""What entries are allowed: how long they may stay unread, and how heavy all of them may be.

What makes room: whose time is over, then whom the policy chooses. The weigher is code of a user, so it is asked outside
of any section.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

try:
    import cython
    from cython import critical_section

    if not cython.compiled:  # the Cython package itself: it has no locks
        raise ImportError
except ImportError:
    from cachery import _cython as cython  # type: ignore[no-redef]
    from cachery._cython import critical_section  # type: ignore[assignment]

from cachery.events import Evicted
from cachery.exceptions import CacheValueError
from cachery.model.durations import Duration, seconds
from cachery.model.keys import Count, Key

if not cython.compiled:
    from cachery.backends.in_memory.cells import EXPIRED, KEPT, OUTDATED, Cells
    from cachery.backends.in_memory.extra import Extra
    from cachery.backends.in_memory.fences import LoadToken
    from cachery.policies.node import Node
    from cachery.policies.order import Order
    from cachery.policies.table import INFINITY, MOST_EXPIRED, MOST_LOOKS

_MOST_WEIGHT = 0xFFFF_FFFF
_COSTS_IN_MEAN, _FIRST_ROOM = 1000, 1024
_LEAST_WORTH = 1e-30


@cython.cclass
class Allowances(Cells):
    """Cells that are over when nobody reads them, and that weigh something.

    ``idle``: for how many seconds an entry stored without an idle time lives unread. ``is_limited``: whether the cache
    has that or a weigher. Where there is a ``weigher``,
    nodes together weigh ``budget`` at most, both counted in ``unit``, so that the weight of one fits into 32 bits.
    ``mean_cost`` is of about the last thousand entries that have a cost.
    """

    idle: float
    is_limited: bool
    weigher: Callable[[str, Any], int] | None
    budget: int
    unit: int
    mean_cost: float
    costs: int

    def __init__(
        self,
        order: Order,
        capacity: Count,
        *,
        idle: Any = INFINITY,
        max_bytes: Any = None,
        weigher: Callable[[str, Any], int] | None = None,
        **options: Any,
    ) -> None:
        Cells.__init__(self, order, capacity, **options)
        self.idle = idle
        self.is_limited = idle != INFINITY or weigher is not None
        self.weigher = weigher
        self.unit = 1 if max_bytes is None else max_bytes // _MOST_WEIGHT + 1
        self.budget = 0 if max_bytes is None else max_bytes // self.unit
        self.mean_cost = 0.0
        self.costs = 0
        if weigher is not None:
            order.resized(_FIRST_ROOM)

    @cython.cfunc
    def is_hit(self, node: Node) -> cython.bint:
        """Tell whether ``node``, which has an ``extra`` and is read, is valid. Then its idle time begins anew."""
        extra: Extra = node.extra
        if not self.is_valid(node):
            return False
        return extra.idle == INFINITY or self.prolong(node)

    @cython.cfunc
    def prolong(self, node: Node) -> cython.bint:
        """Let ``node``, which has an idle time, live on; False where it was changed or taken out meanwhile."""
        extra: Extra = node.extra
        now: cython.double = self.now()
        if node.extra is not extra or not self.is_stored(node):
            return False
        expires: cython.double = min(extra.ends, now + extra.idle)
        if expires > node.expires:
            extra.stale_until += expires - node.expires
            node.expires = expires
            self.order.postponed(node)
        return True

    @cython.cfunc
    def idle_for(self, idle_ttl: Duration | None) -> cython.double:
        """Return in seconds how long an entry stored with ``idle_ttl`` lives unread."""
        if idle_ttl is None:
            return self.idle
        idle: cython.double = seconds(idle_ttl)
        if idle <= 0:
            raise CacheValueError(f"idle_ttl={idle_ttl!r} is no time: an entry would be over before it is read")
        return idle

    @cython.cfunc
    def leave_unread(self, fresh: Node, idle: cython.double) -> None:
        """Let ``fresh`` be over when nobody reads it for ``idle`` seconds."""
        if fresh.extra is None:
            fresh.extra = Extra((), None)
        extra: Extra = fresh.extra
        extra.idle = idle
        extra.ends = fresh.expires
        fresh.expires = min(extra.ends, self.until(idle))
        if extra.ends != INFINITY:
            extra.stale_until -= extra.ends - fresh.expires

    @cython.cfunc
    def worth_of(self, cost: Any) -> cython.double:
        """Return what an entry that cost ``cost`` is worth beside others, 1 being the mean."""
        amount: cython.double = cost
        self.costs = min(self.costs + 1, _COSTS_IN_MEAN)
        self.mean_cost += (amount - self.mean_cost) / self.costs
        return max(amount / self.mean_cost, _LEAST_WORTH) if self.mean_cost > 0 else 1.0

    @cython.cfunc
    def prepare(self, fresh: Node, idle: cython.double, cost: Any) -> cython.bint:
        """Give ``fresh`` an idle time, a worth and a weight; False when it is heavier than the budget.

        Outside of any section: the weigher is code of a user, and so is the clock.
        """
        if cost is not None:
            fresh.worth = self.worth_of(cost)
        if idle != INFINITY:
            self.leave_unread(fresh, idle)
        return self.weigher is None or self.weigh(fresh)

    @cython.cfunc
    def make_room(self, fresh: Node | None, looks: cython.Py_ssize_t) -> Any:
        """Remove a few of those whose time is over, and who is too heavy beside ``fresh``, which is to come.

        It looks at about ``looks`` nodes to find whose time is over. Returns the nodes that left, to be held until the
        section is over; what became of each, its ``place`` says.
        """
        gone: list[Any] = self.expire(MOST_EXPIRED, looks) if self.has_expired() else []
        for each in gone:
            node: Node = each
            if node.extra is not None:
                self.forget_lapse(node)
            self.counters.expirations += 1
            node.place = EXPIRED
        if fresh is not None and self.weigher is not None:
            self.lighten(fresh, gone)
        return gone

    @cython.cfunc
    def lighten(self, fresh: Node, gone: Any) -> None:
        """Evict until there is room for the weight of ``fresh``; put who left behind ``gone``."""
        stored: Node | None = self.nodes.get(fresh.key)
        spared: cython.longlong = 0 if stored is None else stored.weight
        if self.used - spared + fresh.weight <= self.budget:
            return
        self.order.resized(len(self.nodes))
        while self.used - spared + fresh.weight > self.budget:
            victim = self.evict()
            if victim is None:
                return
            gone.append(victim)
            self.count_departure(victim)
            if victim is stored:  # replaced, as it was to be
                spared = 0
                self.counters.evictions -= victim.place == KEPT
                self.counters.expirations -= victim.place == EXPIRED
                victim.place = OUTDATED

    @cython.cfunc
    def weigh(self, fresh: Node) -> cython.bint:
        """Ask the weigher how heavy ``fresh`` is; False when it is heavier than the budget."""
        weight: Any = self.weigher(fresh.key, fresh.value)  # type: ignore[misc]  # there is one
        if isinstance(weight, bool) or not isinstance(weight, int) or weight < 0:
            raise CacheValueError(f"the weigher says that {fresh.key!r} weighs {weight!r}, not how many bytes")
        units = -(-weight // self.unit)
        if units > self.budget:
            return False
        fresh.weight = units
        fresh.worth = (fresh.worth if fresh.worth > 0 else 1.0) / max(units, 1)
        return True

    @cython.cfunc
    def enter(self, fresh: Node, idle: cython.double, cost: Any, token: LoadToken | None, tags: Any) -> cython.bint:
        """Store ``fresh``; with a ``token``, only if nothing has overtaken its load, which brings ``tags``.

        True when stored. What is heavier than the budget is not, and takes what stood there along.
        """
        victim: Node | None = None
        gone = None
        has_room: cython.bint = self.prepare(fresh, idle, cost)
        with critical_section(self):
            if token is not None and not self.fences.admits(token, tags):
                return False
            if has_room:
                gone = self.make_room(fresh, MOST_LOOKS) if self.weigher is not None or self.has_expired() else None
                victim = self.put(fresh)
                if token is not None:
                    self.fences.settle(token)
        if not has_room:
            self.too_large(fresh.key)
        elif self.is_watched:
            self.report_write(fresh.key, victim, gone)
        return has_room

    @cython.cfunc
    def too_large(self, key: Key) -> None:
        """Remove what stands under ``key``, as what was to replace it is heavier than all may be."""
        with critical_section(self):
            self.fences.touch(key)
            _gone: Node | None = self.nodes.get(key)
            if _gone is not None:
                self.drop(_gone)
        self.counters.evictions += 1
        self.report(Evicted(self.name, key, "too_large"))
