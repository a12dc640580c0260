"""The memory cache as the backend of an engine: entries with their stamps, and fenced loads (``ports/backend.py``)."""

from __future__ import annotations

try:
    import cython
    from cython import critical_section

    if not cython.compiled:  # the Cython package itself: it has no locks
        raise ImportError
except ImportError:
    from cachery import _cython as cython  # type: ignore[no-redef]
    from cachery._cython import critical_section  # type: ignore[assignment]

from cachery.exceptions import CacheValueError
from cachery.keys.text import exact_key
from cachery.model.entry import Entry
from cachery.model.keys import Key

if not cython.compiled:
    from cachery.backends.in_memory.cells import Cells
    from cachery.backends.in_memory.extra import Extra
    from cachery.backends.in_memory.fences import LoadToken
    from cachery.policies.node import Node, new_node
    from cachery.policies.table import INFINITY


@cython.cclass
class Loads(Cells):
    """Adds the backend port to the cells."""

    def read_entry(self, key: Key) -> Entry | None:
        """Return what stands under ``key``, fresh or stale, with its stamps; ``None`` when it is dead or absent.

        Neither recency nor counters change.
        """
        key = exact_key(key)
        self.check_open()
        with critical_section(self):
            node: Node | None = self.nodes.get(key)
            if node is None:
                return None
            extra: Extra | None = node.extra
            if extra is None:
                return Entry(node.value, node.expires) if node.expires > self.now() else None
            if not self.is_valid(node) or max(node.expires, extra.stale_until) <= self.now():
                return None
            return Entry(node.value, node.expires, extra.refresh_at, extra.stale_until, extra.tags, extra.cost)

    def write_entry(self, key: Key, entry: Entry, token: LoadToken | None = None) -> bool:
        """Store ``entry``; True when stored.

        With a ``token``, only if nothing has invalidated the key, the entry's tags or the cache since it was opened,
        and no load that began later has stored its own.
        """
        key = exact_key(key)
        if token is not None and token.key != key:
            raise CacheValueError(f"the token is for the key {token.key!r}, not {key!r}")
        fresh = new_node(key, entry.value, entry.fresh_until)
        if entry.tags or entry.cost is not None or entry.stale_until > entry.fresh_until or entry.refresh_at < INFINITY:
            fresh.extra = stamped_extra(entry, -1 if token is None else token.born)
        with critical_section(self):
            if token is not None and not self.fences.admits(token, entry.tags):
                return False
            victim = self.put(fresh)
            if token is not None:
                self.fences.settle(token)
        if self.is_watched:
            self.report_write(key, victim)
        return True

    def open_token(self, key: Key) -> LoadToken:
        """Note the moment at which a load of ``key`` begins."""
        key = exact_key(key)
        self.check_open()
        with critical_section(self):
            return self.fences.open(key)

    def close_token(self, token: LoadToken) -> None:
        """Forget ``token``; closing it again does nothing."""
        with critical_section(self):
            self.fences.close(token)

    def is_current(self, token: LoadToken) -> bool:
        """Tell whether the key of ``token`` is as it was when the token was opened, and the cache was not cleared."""
        with critical_section(self):
            return self.fences.admits(token, ())


@cython.cfunc
def stamped_extra(entry: Entry, born: cython.longlong) -> Extra:
    """Return the side object for ``entry``."""
    extra = Extra(entry.tags, entry.cost, born)
    extra.refresh_at = entry.refresh_at
    extra.stale_until = entry.stale_until
    return extra
