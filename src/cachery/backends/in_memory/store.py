"""The memory cache without its facade.

One dictionary lookup leads to a node; all a hit does after that is compare, count and move the node in its ring. What
few entries need stands in a side object, and what few caches need (listeners, copies) behind one flag.
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
from heapq import nlargest
from operator import attrgetter
from typing import Any

from cachery.events import Expired, Invalidated, Miss
from cachery.exceptions import CacheValueError
from cachery.keys.text import check_whole, exact_key, exact_keys, exact_tags
from cachery.model.durations import Duration
from cachery.model.keys import Count, Key
from cachery.model.values import used_up

if not cython.compiled:
    from cachery.backends.in_memory.cells import EXPIRED, KEPT
    from cachery.backends.in_memory.extra import Extra
    from cachery.backends.in_memory.loads import Loads
    from cachery.model.values import is_used_up
    from cachery.policies.node import Node, new_node
    from cachery.policies.table import INFINITY

NO_TAGS: tuple[str, ...] = ()
SPARE_TAGS = 1024


@cython.cclass
class MemoryStore(Loads):
    """The verbs of a cache that lives in memory."""

    def get(self, key: Key, default: Any = None) -> Any:
        """Return the value of ``key``, or ``default`` when it is absent or its time is over."""
        if type(key) is not str:
            key = exact_key(key)
        with critical_section(self):
            node: Node | None = self.nodes.get(key)
            if (
                node is not None
                and (node.expires == INFINITY or node.expires > self.now())
                and (node.extra is None or self.is_valid(node))
            ):
                node.hits += 1
                self.counters.hits += 1
                if self.counters.hits >= self.counters.hits_due:
                    self.counters.tick()
                self.order.accessed(node)
                if not self.is_watched:
                    return node.value
            else:
                node = None
        if node is None:
            return self.missed(key, default)
        return self.deliver(key, node.value)

    def set(  # noqa: C901 - written out: this is what every write pays
        self,
        key: Key,
        value: Any,
        ttl: Duration | None = None,
        *,
        tags: Iterable[str] = NO_TAGS,
        cost: object = None,
        depends_on: Iterable[Any] = NO_TAGS,
    ) -> bool:
        """Store ``value``; True when stored. A ``ttl`` of 0 or less removes ``key`` and returns False.

        Raises ``CacheKeyError``, ``CacheValueError`` or ``CacheClosedError``; the cache is then as it was.
        """
        if type(key) is not str:
            key = exact_key(key)
        if is_used_up(value):
            raise used_up(value)
        life: cython.double = self.life if ttl is None else self.life_for(ttl)
        extra: Extra | None = None
        if tags is not NO_TAGS or cost is not None or depends_on is not tags:
            extra = self.side_of(key, tags, cost, depends_on)
        if life <= 0.0:
            self.delete(key)
            return False
        if self.copier is not None:
            value = self.copier(value)
        expires: cython.double = life if life == INFINITY else self.deadline(life)
        victim: Node | None = None
        with critical_section(self):
            node: Node | None = self.nodes.get(key)
            if node is not None:
                _old_value = node.value  # held until the section is over
                _old_extra = node.extra
                self.replace(node, value, expires, extra)
        if node is None:
            fresh = new_node(key, value, expires)
            fresh.extra = extra
            with critical_section(self):
                victim = self.insert(fresh)
        if self.is_watched:
            self.report_write(key, victim)
        return True

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
        with critical_section(self):
            if self.live(key) is not None:
                return False
            victim = self.put(fresh)
        if self.is_watched:
            self.report_write(key, victim)
        return True

    def incr(self, key: Key, by: Count = 1, *, initial: Count = 0, ttl: Duration | None = None) -> int:
        """Add ``by`` to the whole number under ``key``, in one step, and return the sum.

        An absent key begins at ``initial`` and lives for ``ttl``; both count only then. Raises ``CacheValueError`` when
        something else than an ``int`` is stored or given.
        """
        key = exact_key(key)
        check_whole(by=by, initial=initial)
        life: cython.double = self.life_for(ttl)
        self.check_open()
        fresh = new_node(key, initial + by, self.deadline(life))
        with critical_section(self):
            node = self.live(key)
            if node is not None:
                old = node.value
                if type(old) is not int:
                    raise CacheValueError(f"{key!r} holds {type(old).__name__}, not an int", key=key)
                fresh.value = old + by
                fresh.expires = node.expires
                fresh.extra = node.extra
                if fresh.extra is not None:
                    side: Extra = fresh.extra
                    side.serial = 0  # another value: what depends on it is over
            elif life <= 0.0:
                return initial + by
            total: Count = fresh.value
            victim = self.put(fresh)
        if self.is_watched:
            self.report_write(key, victim)
        return total

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
        with critical_section(self):
            node = self.live(key)
            if node is None:
                return False
            extra: Extra | None = node.extra
            if extra is not None:  # as long a stale time as before, and no refresh ahead of the new end
                extra.stale_until += expires - node.expires if node.expires != INFINITY else 0.0
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

    def delete_many(self, keys: Iterable[str]) -> int:
        """Remove ``keys``; return how many were there. A bad key removes none."""
        count: cython.Py_ssize_t = 0
        self.check_open()
        for key in exact_keys(keys):
            if self.remove(key):
                count += 1
                if self.is_watched:
                    self.report(Invalidated(self.name, "delete", key))
        return count

    def delete_all(self, keys: Iterable[str], pattern: str) -> int:
        """Remove ``keys``, reporting them as what ``pattern`` matched; return how many were there."""
        count: cython.Py_ssize_t = 0
        for key in keys:
            count += self.remove(key)
        if self.is_watched:
            self.report(Invalidated(self.name, "pattern", pattern))
        return count

    def clear(self) -> bool:
        """Remove everything; True."""
        count: cython.Py_ssize_t = len(self)  # what has expired leaves as expired
        with critical_section(self):
            self.counters.deletes += count
            _gone = self.empty()  # held until the section is over
        if self.is_watched:
            self.report(Invalidated(self.name, "clear", ""))
        return True

    def invalidate_tags(self, *tags: str) -> None:
        """Make every entry that carries one of ``tags`` unreadable, in a time that does not depend on their number."""
        checked = exact_tags(tags)
        self.check_open()
        with critical_section(self):
            for tag in checked:
                self.fences.hit_tag(tag)
            is_crowded: cython.bint = len(self.fences.versions) > SPARE_TAGS + len(self.nodes)
        if is_crowded:
            self.forget_tags()
        if self.is_watched:
            for tag in checked:
                self.report(Invalidated(self.name, "tag", tag))

    def exists(self, key: Key) -> bool:
        """Tell whether ``key`` is there and live. Neither recency nor counters change."""
        key = exact_key(key)
        self.check_open()
        with critical_section(self):
            return self.live(key) is not None

    def ttl(self, key: Key) -> float | None:
        """Return the seconds that ``key`` has left: ``None`` when it is absent, ``inf`` when it never expires."""
        key = exact_key(key)
        self.check_open()
        with critical_section(self):
            node = self.live(key)
            if node is None:
                return None
            return node.expires if node.expires == INFINITY else node.expires - self.now()

    def __len__(self) -> int:
        """Return how many entries are live. Those dead by a tag count until they are touched or swept."""
        self.check_open()
        if self.soonest != INFINITY and self.soonest <= self.now():
            self.sweep()
        return len(self.nodes) - self.lapsed

    @property
    def max_size(self) -> int | None:
        """The most entries there may be; ``None`` when there is no bound."""
        return self.capacity or None

    def known_keys(self) -> list[str]:
        """Return the keys of this moment, those of the dead and those that are being loaded too."""
        self.check_open()
        nodes, loading = self.nodes, self.fences.loading
        with critical_section(self):
            return [*nodes, *[key for key in loading if key not in nodes]]

    def sweep(self) -> int:
        """Remove what is dead; return how many entries that were."""
        self.check_open()
        nodes = self.all_nodes()
        expired: list[str] = []
        removed: cython.Py_ssize_t = 0
        with critical_section(self):
            self.soonest = INFINITY
            try:
                for node in nodes:
                    fate = self.bury(node)
                    removed += fate != KEPT
                    if fate == KEPT:
                        self.soonest = min(self.soonest, self.next_look(node))
                    elif fate == EXPIRED and self.is_watched:
                        expired.append(node.key)
            except BaseException:
                self.soonest = -INFINITY  # not all were seen: look again next time
                raise
        for key in expired:
            self.report(Expired(self.name, key))
        return removed

    def hottest_keys(self, n: Count) -> list[tuple[str, int]]:
        """Return the ``n`` most read of the keys held now, each with how often it was read."""
        return [(node.key, node.hits) for node in nlargest(n, self.all_nodes(), key=attrgetter("hits")) if node.hits]

    def forget_hits(self) -> None:
        """Let the counts behind ``hottest_keys`` begin again."""
        for node in self.all_nodes():
            node.hits = 0

    def close(self) -> None:
        """Let go of everything. Any verb after that raises ``CacheClosedError``; closing again does nothing."""
        with critical_section(self):
            self.is_closed = True
            _gone = self.empty()  # held until the section is over

    @cython.cfunc
    def all_nodes(self) -> Any:
        """Return the nodes of this moment, dead ones too."""
        nodes = self.nodes  # held: making the list may run finalizers
        with critical_section(self):
            return list(nodes.values())

    @cython.cfunc
    def missed(self, key: Key, default: Any) -> Any:
        """Count a miss of ``key``, remove what stands there dead, and return ``default``."""
        self.check_open()
        fate: cython.int = KEPT
        with critical_section(self):
            self.counters.misses += 1
            if self.counters.misses >= self.counters.misses_due:
                self.counters.tick()
            dead: Node | None = self.nodes.get(key)
            if dead is not None:
                fate = self.bury(dead)
        if self.listeners:
            if fate == EXPIRED:
                self.report(Expired(self.name, key))
            self.report(Miss(self.name, key))
        return default

    @cython.cfunc
    def next_look(self, node: Node) -> cython.double:
        """Return when ``node`` should be looked at again: at its expiry, or at its last end when it is past that."""
        extra: Extra | None = node.extra
        return extra.stale_until if extra is not None and extra.is_lapsed else node.expires

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
                    was_live = self.live(key) is not None
                    self.drop(node)
                    self.counters.deletes += was_live
        if fate == EXPIRED and self.is_watched:
            self.report(Expired(self.name, key))
        return was_live

    @cython.cfunc
    def empty(self) -> Any:
        """Take everything out; return what went, for the caller to hold until the section is over.

        The map is emptied, never replaced: somebody further down the stack may be reading it.
        """
        gone = self.all_nodes()
        self.fences.hit_all()
        for node in self.nodes.values():
            self.order.removed(node)
        self.nodes.clear()
        self.lapsed = 0
        self.soonest = INFINITY
        return gone

    @cython.cfunc
    def forget_tags(self) -> None:
        """Remove what is outdated by tags, so that the numbers of past invalidations can be forgotten."""
        nodes = self.all_nodes()
        with critical_section(self):
            nodes = [node for node in nodes if node.extra is not None and self.is_stored(node)]
            for node in nodes:
                extra: Extra = node.extra
                if self.fences.is_outdated(extra.tags, extra.born):  # no file is looked at: nobody comes in between
                    self.drop(node)
                    self.counters.deletes += 1
            self.fences.forget_tags()
            for node in nodes:
                extra = node.extra
                extra.born = self.fences.forgotten
