"""What the verbs of the memory cache are made of: when a node is live, and how one comes, changes and goes.

Everything here but the first four methods runs inside a critical section of the caller. No value is let go in one: a
value that leaves stays held by the caller, through its node, until the section is over, for its finalizer may call
back. After a call that may run code of a user, the clock above all, a node is looked at again before it is trusted.
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

from cachery.events import Event, Evicted, Expired, Listener, Stored, listening, notify
from cachery.exceptions import CacheClosedError
from cachery.model.durations import Duration, seconds
from cachery.model.keys import Count, Key
from cachery.ports.clock import Clock
from cachery.statistics.counters import Counters

if not cython.compiled:
    from cachery.backends.in_memory.extra import Extra
    from cachery.backends.in_memory.fences import Fences
    from cachery.policies.node import Node
    from cachery.policies.order import Order
    from cachery.policies.table import INFINITY, Table

    KEPT, EXPIRED, OUTDATED = 0, 1, 2


@cython.cclass
class Cells(Table):
    """A table whose entries may carry tags, stamps and a cost, and which counts and reports what befalls them.

    ``life`` is the TTL in seconds of an entry stored without one; ``copier`` copies values on their way in and out,
    ``None`` keeps them by reference. ``lapsed`` counts the entries that are past their time and kept as stale ones.
    ``is_watched`` says that a hit has more to do than to return its value.
    """

    counters: Counters
    name: str | None
    fences: Fences
    listeners: tuple[Listener, ...]
    copier: Callable[[Any], Any] | None
    life: float
    lapsed: int
    is_watched: bool
    is_closed: bool

    def __cinit__(self, *_args: object, **_options: object) -> None:
        # Compiled only: an object made without __init__ is a closed cache, not a crash.
        self.counters = Counters()
        self.fences = Fences()
        self.listeners = ()
        self.is_closed = True

    def __init__(
        self,
        order: Order,
        capacity: Count,
        *,
        life: Any = INFINITY,
        copier: Callable[[Any], Any] | None = None,
        clock: Clock | None = None,
        name: Any = None,
    ) -> None:
        Table.__init__(self, order, capacity, clock)
        self.counters = Counters(clock)
        self.fences = Fences()
        self.name = name
        self.life = life
        self.copier = copier
        self.listeners = ()
        self.lapsed = 0
        self.is_watched = copier is not None
        self.is_closed = False

    @cython.ccall
    def check_open(self) -> None:
        """Raise ``CacheClosedError`` on a closed cache."""
        if self.is_closed:
            raise CacheClosedError("the cache was closed", cache_name=self.name)

    @cython.cfunc
    def life_for(self, ttl: Duration | None) -> cython.double:
        """Return in seconds how long an entry stored with ``ttl`` lives."""
        if ttl is None:
            return self.life
        if (type(ttl) is int or type(ttl) is float) and 0 < ttl < 1_000_000_000:  # noqa: PLR2004 - any number that needs no look
            return cython.cast(cython.double, ttl)
        return seconds(ttl)

    @cython.cfunc
    def deadline(self, life: cython.double) -> cython.double:
        """Return the time at which what is stored now for ``life`` seconds is over."""
        return life if life == INFINITY else self.until(life)

    @cython.cfunc
    def await_end(self, entry: Any) -> None:
        """Let the wheel reach the times of ``entry``, which is to come."""
        fresh: cython.double = entry.fresh_until
        stale: cython.double = entry.stale_until
        last: cython.double = fresh if stale == INFINITY or fresh > stale else stale
        if last != INFINITY:
            self.reach(last, self.now())

    @cython.cfunc
    def is_valid(self, node: Node) -> cython.bint:
        """Tell whether nothing that ``node``, which has an ``extra``, depends on has changed since it was born.

        Also False where ``node`` was changed or taken out meanwhile: to look at a file lets other threads in.
        """
        extra: Extra = node.extra
        if self.fences.is_outdated(extra.tags, extra.born):
            return False
        return extra.marks is None or self.stand(node)

    @cython.cfunc
    def stand(self, node: Node) -> cython.bint:
        """Tell whether the sources of ``node`` look as they did, and it is what it was before they were looked at."""
        from cachery.sources.observing import stand  # noqa: PLC0415 - loaded when something depends on something

        extra: Extra = node.extra
        return stand(extra.marks, self.stamp_of) and node.extra is extra and self.is_stored(node)

    def stamp_of(self, key: Key) -> str:
        """Return what tells the live entry under ``key`` from any other, as text; empty where there is none.

        Its own sources are not looked at: who depends on it does so itself.
        """
        with critical_section(self):
            node: Node | None = self.nodes.get(key)
            if node is None or (node.expires != INFINITY and node.expires <= self.now()):
                return ""
            extra: Extra | None = node.extra
            if extra is None:
                return "0"
            return "" if self.fences.is_outdated(extra.tags, extra.born) else str(extra.serial)

    @cython.cfunc
    def live(self, key: Key) -> Node | None:
        """Return the node of ``key`` if the plain verbs may see it, else ``None``. Changes nothing."""
        now: cython.double = self.now()  # first: nobody comes in between a look and what the caller does
        while True:
            node: Node | None = self.nodes.get(key)
            if node is None or node.expires <= now:
                return None
            extra: Extra | None = node.extra
            if extra is None or self.is_valid(node):
                return node
            if node.extra is extra and self.is_stored(node):  # else somebody was quicker: look again
                return None

    @cython.cfunc
    @cython.exceptval(check=False)
    def replace(self, node: Node, value: object, expires: cython.double, extra: Extra | None) -> cython.void:
        """Give ``node`` new contents. The caller holds the old ones."""
        if node.extra is not None:
            self.forget_lapse(node)
            node.extra = extra
        elif extra is not None:
            node.extra = extra
        self.rewrite(node, value, expires)
        self.counters.writes += 1
        if extra is not None or self.fences.loading:
            self.note_write(node)

    @cython.cfunc
    @cython.exceptval(check=False)
    def note_write(self, node: Node) -> cython.void:
        """Tell the loads under way that ``node`` was written; an ``extra`` without a birth is born now."""
        self.fences.touch(node.key)
        extra: Extra | None = node.extra
        if extra is not None and extra.born < 0:
            extra.born = self.fences.sequence

    @cython.cfunc
    def bury(self, node: Node) -> cython.int:
        """Remove ``node`` if it is dead; return what became of it: ``KEPT``, ``EXPIRED`` or ``OUTDATED``."""
        now: cython.double = self.now()
        if not self.is_stored(node):
            return KEPT
        extra: Extra | None = node.extra
        if extra is not None:
            is_valid: cython.bint = self.is_valid(node)
            if node.extra is not extra or not self.is_stored(node):  # somebody was quicker
                return KEPT
            if not is_valid:
                self.drop(node)
                self.counters.deletes += 1
                return OUTDATED
        if node.expires > now:
            return KEPT
        if extra is not None and extra.stale_until > now:
            if not extra.is_lapsed:
                self.wheel.cancel(node)
                self.lapse(node)
            return KEPT
        self.drop(node)
        self.counters.expirations += 1
        return EXPIRED

    @cython.cfunc
    @cython.exceptval(check=False)
    def lapse(self, node: Node) -> cython.void:
        """Count ``node``, which is past its time and waits nowhere, as a stale one until that is over, too."""
        extra: Extra = node.extra
        extra.is_lapsed = True
        self.lapsed += 1
        if extra.stale_until != INFINITY:
            self.time(node, extra.stale_until)

    @cython.cfunc
    def has_no_end(self, node: Node) -> cython.bint:
        """Tell whether ``node`` need not wait: nor need one that may be served stale for ever."""
        extra: Extra | None = node.extra
        return node.expires == INFINITY or (extra is not None and extra.is_lapsed and extra.stale_until == INFINITY)

    @cython.cfunc
    def ripen(self, node: Node, now: cython.double) -> None:
        """Find out about ``node`` as a table does; one with a stale time has a second end."""
        extra: Extra | None = node.extra
        if node.expires > now or extra is None or extra.stale_until == -INFINITY:
            Table.ripen(self, node, now)
        elif extra.stale_until <= now:
            self.forget_lapse(node)
            self.wheel.rest(node)
        elif extra.is_lapsed:
            self.time(node, extra.stale_until)
        else:
            self.lapse(node)

    @cython.cfunc
    def drop(self, node: Node) -> None:
        """Take ``node`` out."""
        if node.extra is not None:
            self.forget_lapse(node)
        self.discard(node)

    @cython.cfunc
    @cython.exceptval(check=False)
    def forget_lapse(self, node: Node) -> cython.void:
        """Stop counting ``node``, which has an ``extra``, among the lapsed."""
        extra: Extra = node.extra
        if extra.is_lapsed:
            extra.is_lapsed = False
            self.lapsed -= 1
            self.wheel.cancel(node)

    @cython.cfunc
    def count_departure(self, victim: Node) -> None:
        """Count ``victim``, which has left to make room: as expired when its time was over, as evicted when not.

        Its ``worth``, which no order looks at any more, says which.
        """
        if victim.extra is not None:
            self.forget_lapse(victim)
        if victim.expires != INFINITY and victim.expires <= self.now():
            self.counters.expirations += 1
            victim.worth = EXPIRED
        else:
            self.counters.evictions += 1
            victim.worth = KEPT

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` with each event from now on; return a function that ends it."""
        end = listening(listener, self.unsubscribe)
        self.check_open()
        with critical_section(self):
            self.listeners = (*self.listeners, listener)
            self.is_watched = True
        return end

    def unsubscribe(self, listener: Listener) -> None:
        """Stop calling ``listener``; once, when it was subscribed more often."""
        with critical_section(self):
            kept: list[Listener] = list(self.listeners)
            if listener in kept:
                kept.remove(listener)
            self.listeners = tuple(kept)
            self.is_watched = bool(kept) or self.copier is not None

    @cython.cfunc
    def report(self, event: Event) -> None:
        """Tell the listeners, outside of any critical section."""
        notify(self.listeners, event)

    @cython.cfunc
    def report_write(self, key: Key, victim: Node | None, gone: Any) -> None:
        """Tell the listeners that ``key`` was stored, that ``victim``, if any, left for it, and ``gone`` before."""
        if gone is not None:
            self.report_gone(gone)
        if victim is not None:
            self.report_gone([victim])
        self.report(Stored(self.name, key))

    @cython.cfunc
    def report_gone(self, gone: Any) -> None:
        """Tell the listeners that the nodes ``gone`` expired or were evicted."""
        for each in gone:
            node: Node = each
            if node.worth == EXPIRED:
                self.report(Expired(self.name, node.key))
            elif node.worth == KEPT:
                self.report(Evicted(self.name, node.key, "size"))

    def audit(self) -> list[str]:
        """Return what is wrong inside, nothing when all is well."""
        lapsed = 0
        complaints = Table.audit(self)
        for node in self.nodes.values():
            extra: Extra | None = node.extra
            if extra is not None and extra.is_lapsed:
                lapsed += 1
            elif node.expires < self.soonest:
                complaints.append(f"{node.key!r} expires before the soonest expiry")
        if lapsed != self.lapsed:
            complaints.append(f"{lapsed} nodes have lapsed, {self.lapsed} are counted")
        return complaints
