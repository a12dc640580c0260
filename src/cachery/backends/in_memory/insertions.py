"""How an entry comes into a memory store: beside the others, in the place of who leaves for it, or of what had its key.

As in ``cells.py``, what runs inside a critical section lets no value go there.
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

from cachery.model.keys import Key

if not cython.compiled:
    from cachery.backends.in_memory.cells import KEPT, Cells
    from cachery.policies.node import Node, is_held_by_map_alone, renew_node
    from cachery.policies.table import INFINITY


@cython.cclass
class Insertions(Cells):
    """Cells into which entries come."""

    @cython.cfunc
    def put(self, fresh: Node) -> Node | None:
        """Store ``fresh``; return the node that left for it, or ``None``.

        Where a node stands under its key, the two swap what they carry: ``fresh`` then holds what was there before.
        """
        stored: Node | None = self.nodes.get(fresh.key)
        if stored is None:
            return self.insert(fresh)
        self.swap(stored, fresh)
        return None

    @cython.cfunc
    def insert(self, fresh: Node) -> Node | None:
        """Store ``fresh`` as ``put`` does, for a key that was not there a moment ago."""
        if self.is_closed:
            self.check_open()
        if self.capacity == 0 or len(self.nodes) < self.capacity:
            self.take_in(fresh)
            return None
        victim = self.evict_for_one()
        self.take_in(fresh)
        if victim is not None:
            self.count_departure(victim)
        return victim

    @cython.cfunc
    def supplant(self, key: Key, value: object, expires: cython.double) -> cython.bint:
        """Take out who leaves next, and store ``value`` in his node; False, and nothing is done, where that cannot be.

        A node that nobody else holds need not be made anew, which is a seventh of what such a write takes. Compiled
        only; and where nothing has a cost, lest the order is asked twice for a victim that it looks for.
        """
        if self.capacity == 0 or len(self.nodes) < self.capacity:
            return False
        with critical_section(self):
            victim = self.order.victim()
            if victim is None or not is_held_by_map_alone(victim):
                return False
            if victim.expires != INFINITY or victim.extra is not None or victim.worth != KEPT:
                return False  # more is to be found out about who has left than that he was evicted
            _old_key = victim.key  # held until the section is over
            _old_value = victim.value
            self.discard(victim)
            self.counters.evictions += 1
            renew_node(victim, key, value, expires)
            self.take_in(victim)
        return True

    @cython.final
    @cython.cfunc
    @cython.inline
    def take_in(self, fresh: Node) -> cython.bint:
        """Store ``fresh``, for which there is room; False where another came in between, which has its contents now.

        Written out, not a call of ``keep``: this is what every new key pays.
        """
        stored: Node = self.nodes.setdefault(fresh.key, fresh)
        if stored is not fresh:
            self.swap(stored, fresh)
            return False
        self.used += fresh.weight
        if fresh.expires != INFINITY:
            self.time(fresh, fresh.expires)
        self.order.added(fresh)
        self.counters.writes += 1
        if fresh.extra is not None or self.fences.loading:
            self.note_write(fresh)
        return True

    @cython.cfunc
    @cython.exceptval(check=False)
    def swap(self, stored: Node, fresh: Node) -> cython.void:
        """Let ``stored`` and ``fresh`` change contents."""
        value = stored.value
        extra = stored.extra
        self.used += fresh.weight
        self.used -= stored.weight
        stored.weight = fresh.weight
        stored.worth = fresh.worth
        self.replace(stored, fresh.value, fresh.expires, fresh.extra)
        fresh.value = value
        fresh.extra = extra
