"""The verbs of the memory cache that write one entry.

``set`` is written out for what most entries are: a value and perhaps a TTL. Whatever is more enters by
``Allowances.enter``, and so does who finds others that are over. It touches ``None`` as seldom as it can: until Python
3.12 that is counted too, and each time waits for the last.
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

from collections.abc import Iterable
from typing import Any

from cachery.events import Expired, Invalidated
from cachery.exceptions import CacheValueError
from cachery.keys.text import check_whole, exact_key
from cachery.model.durations import Duration
from cachery.model.keys import Count, Key
from cachery.model.values import used_up

if not cython.compiled:
    from cachery.backends.in_memory.cells import EXPIRED, KEPT
    from cachery.backends.in_memory.extra import Extra
    from cachery.backends.in_memory.loads import Loads
    from cachery.model.values import is_used_up
    from cachery.policies.node import Node, new_node
    from cachery.policies.table import INFINITY, MOST_LOOKS

NO_TAGS: tuple[str, ...] = ()


@cython.cclass
class Writes(Loads):
    """Adds ``set``, ``add``, ``incr``, ``touch`` and ``delete`` to the backend port."""

    def set(  # noqa: C901, PLR0913 - written out: this is what every write pays
        self,
        key: Key,
        value: Any,
        ttl: Duration | None = None,
        *,
        tags: Iterable[str] = NO_TAGS,
        cost: object = None,
        depends_on: Iterable[Any] = NO_TAGS,
        idle_ttl: Duration | None = None,
    ) -> bool:
        """Store ``value``; True when stored. A ``ttl`` of 0 or less removes ``key`` and returns False.

        ``idle_ttl``: the entry is over when it is not read for that long, and after ``ttl`` in any case. ``cost``: what
        the value took to compute, in a unit of your choice; ``"tinylfu"`` keeps what costs more than others for longer.
        False also for what is heavier than ``max_bytes`` by itself; then there is nothing under ``key``.

        Raises ``CacheKeyError``, ``CacheValueError`` or ``CacheClosedError``; the cache is then as it was.
        """
        if type(key) is not str:
            key = exact_key(key)
        if is_used_up(value):
            raise used_up(value)
        is_plain: cython.bint = tags is NO_TAGS and cost is None and depends_on is NO_TAGS
        if self.is_limited or idle_ttl is not None or not is_plain:
            side = None if is_plain else self.side_of(key, tags, cost, depends_on)
            return bool(self.set_fully(key, value, ttl, idle_ttl, cost, side))
        life: cython.double = self.life if ttl is None else self.life_for(ttl)
        if life <= 0.0:
            self.delete(key)
            return False
        if self.copier is not None:
            value = self.copier(value)
        expires: cython.double = life if life == INFINITY else self.deadline(life)
        with critical_section(self):
            node: Node | None = self.nodes.get(key)
            if node is not None:
                _old_value = node.value  # held until the section is over
                if node.extra is not None:
                    _old_extra = node.extra
                if self.costs != 0:
                    node.worth = 0.0
                self.replace(node, value, expires, None)
        if node is None:
            return bool(self.set_new(key, value, expires))
        if self.is_watched:
            self.report_write(key, None, None)
        return True

    @cython.cfunc
    def set_new(self, key: Key, value: Any, expires: cython.double) -> cython.bint:
        """Store ``value`` under a ``key`` that was not there a moment ago; True."""
        if self.soonest != INFINITY and self.has_expired():
            return self.enter(new_node(key, value, expires), INFINITY, None, None, NO_TAGS)
        if self.costs == 0 and not self.is_watched and self.supplant(key, value, expires):
            return True
        fresh = new_node(key, value, expires)
        with critical_section(self):
            victim = self.insert(fresh)
        if self.is_watched:
            self.report_write(key, victim, None)
        return True

    @cython.cfunc
    def set_fully(
        self, key: Key, value: Any, ttl: Duration | None, idle_ttl: Duration | None, cost: object, extra: Extra | None
    ) -> cython.bint:
        """Store ``value`` as ``set`` does, whatever there is to be minded."""
        life: cython.double = self.life_for(ttl)
        idle: cython.double = self.idle_for(idle_ttl)
        if life <= 0.0:
            self.delete(key)
            return False
        fresh = new_node(key, value if self.copier is None else self.copier(value), self.deadline(life))
        fresh.extra = extra
        return self.enter(fresh, idle, cost, None, NO_TAGS)

    def add(self, key: Key, value: Any, ttl: Duration | None = None) -> bool:
        """Store ``value`` only if ``key`` is absent, in one step; True when stored."""
        key = exact_key(key)
        if is_used_up(value):
            raise used_up(value)
        life: cython.double = self.life_for(ttl)
        self.check_open()
        if life <= 0.0:
            return False
        if self.copier is not None:
            value = self.copier(value)
        fresh = new_node(key, value, self.deadline(life))
        has_room: cython.bint = self.prepare(fresh, self.idle, None)
        with critical_section(self):
            if self.live(key) is not None:
                return False
            gone = self.make_room(fresh, MOST_LOOKS) if has_room else []
            is_absent: cython.bint = self.live(key) is None
            victim = self.admit(fresh, has_room) if is_absent else None
            self.count_departures(gone, key)
        return bool(self.told(key, victim, gone, has_room, is_absent))

    def incr(self, key: Key, by: Count = 1, *, initial: Count = 0, ttl: Duration | None = None) -> int:
        """Add ``by`` to the whole number under ``key``, in one step, and return the sum.

        An absent key begins at ``initial`` and lives for ``ttl``; both count only then. Raises ``CacheValueError`` when
        something else than an ``int`` is stored or given.
        """
        key = exact_key(key)
        check_whole(by=by, initial=initial)
        life: cython.double = self.life_for(ttl)
        self.check_open()
        while True:
            with critical_section(self):
                before: Node | None = self.live(key)
                old = None if before is None else before.value
            if before is None and life <= 0.0:
                return initial + by
            fresh = self.sum_of(key, before, old, by, initial, life)
            total: Count = fresh.value
            has_room: cython.bint = self.weigher is None or self.weigh(fresh)
            with critical_section(self):
                gone = self.make_room(fresh, MOST_LOOKS) if has_room else []
                found: Node | None = self.live(key)
                if found is None and before is not None and before in gone:  # it left to make room for its own sum
                    found = before
                is_same: cython.bint = found is before and (found is None or found.value is old)
                victim = self.admit(fresh, has_room) if is_same else None
                self.count_departures(gone, key)
            self.told(key, victim, gone, has_room, is_same)
            if is_same:
                return total

    @cython.cfunc
    def sum_of(
        self, key: Key, before: Node | None, old: object, by: Count, initial: Count, life: cython.double
    ) -> Node:
        """Return the node of the sum, to be weighed: of what was there ``before``, with its time, or of the first."""
        if before is None:
            fresh = new_node(key, initial + by, self.deadline(life))
            if self.idle != INFINITY:
                self.leave_unread(fresh, self.idle)
            return fresh
        if type(old) is not int:
            raise CacheValueError(f"{key!r} holds {type(old).__name__}, not an int", key=key)
        fresh = new_node(key, old + by, before.expires)
        fresh.extra = before.extra
        if fresh.extra is not None:
            side: Extra = fresh.extra
            side.serial = 0  # another value: what depends on it is over
            if side.cost is not None:
                fresh.worth = self.worth_of(side.cost)
        return fresh

    def touch(self, key: Key, ttl: Duration | None = None) -> bool:
        """Let ``key`` live for ``ttl`` from now on, ``None`` being the default; True if it was there.

        A ``ttl`` of 0 or less deletes it.
        """
        key = exact_key(key)
        life: cython.double = self.life_for(ttl)
        if life <= 0.0:
            return self.delete(key)
        self.check_open()
        expires: cython.double = self.deadline(life)
        unread: cython.double = self.now()
        with critical_section(self):
            node = self.live(key)
            if node is None:
                return False
            extra: Extra | None = node.extra
            if extra is not None:  # as long a stale time as before, and no refresh ahead of the new end
                extra.ends = expires
                expires = min(expires, unread + extra.idle)
                if node.expires == INFINITY or expires == INFINITY:  # noqa: PLR1714 - C doubles
                    extra.stale_until = -INFINITY
                else:
                    extra.stale_until += expires - node.expires
                extra.refresh_at = INFINITY
            self.rewrite(node, node.value, expires)
        return True

    def delete(self, key: Key) -> bool:
        """Remove ``key``; True if it was there."""
        if type(key) is not str:
            key = exact_key(key)
        was_there: cython.bint = self.remove(key)
        if was_there and self.is_watched:
            self.report(Invalidated(self.name, "delete", key))
        return was_there

    @cython.cfunc
    def remove(self, key: Key) -> cython.bint:
        """Remove ``key``, dead or alive, and tell the loads under way; True if it was alive."""
        self.check_open()
        was_live: cython.bint = False
        fate: cython.int = KEPT
        with critical_section(self):
            self.fences.touch(key)
            node: Node | None = self.nodes.get(key)
            if node is not None:
                fate = self.bury(node)
                if fate == KEPT:
                    was_live = self.live(key) is node
                    if self.is_stored(node):  # else somebody was quicker
                        self.drop(node)
                        self.counters.deletes += was_live
        if fate == EXPIRED and self.is_watched:
            self.report(Expired(self.name, key))
        return was_live
