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
from cachery.model.durations import Duration, idle_of
from cachery.model.keys import Count, Key

if not cython.compiled:
    from cachery.backends.in_memory.cells import OUTDATED
    from cachery.backends.in_memory.extra import Extra
    from cachery.backends.in_memory.fences import LoadToken
    from cachery.backends.in_memory.insertions import Insertions
    from cachery.policies.node import Node
    from cachery.policies.order import Order
    from cachery.policies.table import INFINITY, MOST_EXPIRED, MOST_LOOKS

_MOST_WEIGHT = 0xFFFF_FFFF
_COSTS_IN_MEAN, _FIRST_ROOM = 1000, 1024
_LEAST_WORTH = 1e-30
_EXTRA_BYTES, _TAG_BYTES = 112, 64
"""What rare fields take of an entry, and each of its tags: its text and its place in a tuple."""


@cython.cclass
class Allowances(Insertions):
    """Cells that are over when nobody reads them, and that weigh something.

    ``idle``: for how many seconds an entry stored without an idle time lives unread. ``is_limited``: whether the cache
    has that or a weigher. Where there is a ``weigher``, nodes together weigh ``budget`` at most, both counted in
    ``unit``, so that the weight of one fits into 32 bits. ``mean_cost`` is of about the last thousand entries that have
    a cost.
    """

    idle: float
    is_limited: bool
    weigher: Callable[[str, Any], int] | None
    is_measured: bool
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
        is_measured: bool = False,
        **options: Any,
    ) -> None:
        Insertions.__init__(self, order, capacity, **options)
        self.idle = idle
        self.is_limited = idle != INFINITY or weigher is not None
        self.weigher = weigher
        self.is_measured = is_measured
        self.unit = 1 if max_bytes is None else max_bytes // _MOST_WEIGHT + 1
        self.budget = 0 if max_bytes is None else max_bytes // self.unit
        self.mean_cost = 0.0
        self.costs = 0
        if weigher is not None and not capacity:
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
        if node.extra is not extra or node.expires <= now or not self.is_stored(node):
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
        return idle_of(idle_ttl)

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

        It looks at about ``looks`` nodes to find whose time is over; no more than 16 of these leave, unless their
        weight has to go. Returns who left, to be held until the section is over, and to be counted. After the clock has
        said the time nothing runs that is a user's, so what the caller looks at then is as it stays.
        """
        gone: list[Any] = self.expire(MOST_EXPIRED, looks) if self.has_expired() else []
        if fresh is not None and self.weigher is not None:
            if self.is_heavy(fresh):
                self.order.resized(len(self.nodes))
            while self.is_heavy(fresh):
                victim = self.lightening()
                if victim is None:
                    break
                gone.append(victim)
        return gone

    @cython.cfunc
    def is_heavy(self, fresh: Node) -> cython.bint:
        """Tell whether all are too heavy when ``fresh`` comes, in the place of what has its key."""
        stored: Node | None = self.nodes.get(fresh.key)
        spared: cython.longlong = 0 if stored is None else stored.weight
        return self.used - spared + fresh.weight > self.budget

    @cython.cfunc
    def lightening(self) -> Node | None:
        """Take out and return one whose time is over, or else who leaves next."""
        over = self.wheel.last_over()
        if over is None:
            return self.evict()
        self.discard(over)
        return over

    @cython.cfunc
    def count_departures(self, gone: Any, key: Key | None) -> None:
        """Count those who are ``gone``; one that had ``key`` was replaced, as it was to be."""
        for each in gone:
            node: Node = each
            if node.key == key:
                if node.extra is not None:
                    self.forget_lapse(node)
                node.worth = OUTDATED
            else:
                self.count_departure(node)

    @cython.cfunc
    def weigh(self, fresh: Node) -> cython.bint:
        """Ask the weigher how heavy ``fresh`` is; False when it is heavier than the budget."""
        weight: Any = self.weigher(fresh.key, fresh.value)  # type: ignore[misc]  # there is one
        if isinstance(weight, bool) or not isinstance(weight, int) or weight < 0:
            raise CacheValueError(f"the weigher says that {fresh.key!r} weighs {weight!r}, not how many bytes")
        if self.is_measured and fresh.extra is not None:
            extra: Extra = fresh.extra
            weight += _EXTRA_BYTES + sum([_TAG_BYTES + len(tag) for tag in extra.tags])
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
        if token is None:
            self.check_open()
        has_room: cython.bint = self.prepare(fresh, idle, cost)
        with critical_section(self):
            gone = self.make_room(fresh, MOST_LOOKS) if has_room else []
            is_wanted: cython.bint = token is None or self.fences.admits(token, tags)
            victim = self.admit(fresh, has_room) if is_wanted else None
            if has_room and is_wanted and token is not None:
                self.fences.settle(token)
            self.count_departures(gone, fresh.key)
        return self.told(fresh.key, victim, gone, has_room, is_wanted)

    def weight_in_all(self) -> int:
        """Return how heavy all entries are."""
        return self.used * self.unit

    @cython.cfunc
    def admit(self, fresh: Node, has_room: cython.bint) -> Node | None:
        """Store ``fresh``, or where there is no room for it, remove what it was to replace; return who left for it."""
        if has_room:
            return self.put(fresh)
        self.fences.touch(fresh.key)
        stored: Node | None = self.nodes.get(fresh.key)
        if stored is not None:
            self.drop(stored)
            stored.worth = OUTDATED
        return stored

    @cython.cfunc
    def told(
        self, key: Key, victim: Node | None, gone: Any, has_room: cython.bint, is_wanted: cython.bint
    ) -> cython.bint:
        """Tell the listeners what became of an entry that was to be stored; return whether it was."""
        if is_wanted and not has_room:
            self.counters.evictions += 1
        if self.is_watched:
            self.report_gone(gone)
            if is_wanted and has_room:
                self.report_write(key, victim, None)
            elif is_wanted:
                self.report(Evicted(self.name, key, "too_large"))
        return has_room and is_wanted
