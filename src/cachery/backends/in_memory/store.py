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

import sys
from collections.abc import Iterable
from heapq import nlargest
from operator import attrgetter
from typing import Any

from cachery.events import Expired, Invalidated, Miss
from cachery.keys.text import exact_key, exact_keys, exact_tags
from cachery.model.keys import Count, Key

if not cython.compiled:
    from cachery.backends.in_memory.cells import EXPIRED, KEPT
    from cachery.backends.in_memory.extra import Extra
    from cachery.backends.in_memory.writes import Writes
    from cachery.policies.node import Node
    from cachery.policies.table import INFINITY, MOST_EXPIRED

SPARE_TAGS = 1024


@cython.cclass
class MemoryStore(Writes):
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
                and (node.extra is None or self.is_hit(node))
            ):
                counters = self.counters
                node.hits += 1
                counters.hits += 1
                if counters.hits >= counters.hits_due:
                    counters.tick()
                self.order.accessed(node)
                if not self.is_watched:
                    return node.value
            else:
                node = None
        if node is None:
            return self.missed(key, default)
        return self.deliver(key, node.value)

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
            with critical_section(self):
                self.settle(self.now(), sys.maxsize)
        return len(self.nodes) - self.lapsed - self.wheel.over()

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
            for node in nodes:
                fate = self.bury(node)
                removed += fate != KEPT
                if fate == EXPIRED and self.is_watched:
                    expired.append(node.key)
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
            gone = self.make_room(None, MOST_EXPIRED) if fate != EXPIRED and self.has_expired() else []
            self.count_departures(gone, None)
        if self.listeners:
            if fate == EXPIRED:
                self.report(Expired(self.name, key))
            self.report_gone(gone)
            self.report(Miss(self.name, key))
        return default

    @cython.cfunc
    def empty(self) -> Any:
        """Take everything out; return what went, for the caller to hold until the section is over.

        The map is emptied, never replaced: somebody further down the stack may be reading it.
        """
        gone = self.all_nodes()
        self.fences.hit_all()
        for node in self.nodes.values():
            self.let_go(node)
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
