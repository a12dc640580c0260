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

from typing import Any

from cachery.events import Hit
from cachery.exceptions import CacheValueError
from cachery.keys.text import checked_cost, exact_key, exact_tags
from cachery.model.entry import Entry
from cachery.model.keys import Key, Tags
from cachery.model.marks import has_marks, marks_in
from cachery.model.sentinels import MISSING

if not cython.compiled:
    from cachery.backends.in_memory.allowances import Allowances
    from cachery.backends.in_memory.extra import Extra
    from cachery.backends.in_memory.fences import Fence, LoadToken
    from cachery.policies.node import Node, new_node
    from cachery.policies.table import INFINITY


@cython.cclass
class Loads(Allowances):
    """Adds the backend port to the cells."""

    @property
    def default_life(self) -> float:
        """How long an entry lives that is stored without a TTL, in seconds."""
        return self.life

    def read_clock(self) -> float:
        """Return the time in seconds."""
        return self.now()

    def isolate(self, value: Any) -> Any:
        """Return ``value`` as one more caller may have it: itself, or a copy where the cache keeps copies."""
        return value if self.copier is None else self.copier(value)

    def peek(self, key: Key) -> Any:
        """Return the value of ``key`` if it is fresh and no refresh is due, else ``MISSING``, and then count nothing.

        A value that is returned counts as a hit: this is the first look of the loading verbs.
        """
        if type(key) is not str:
            key = exact_key(key)
        with critical_section(self):
            node: Node | None = self.nodes.get(key)
            if node is None or (node.expires != INFINITY and node.expires <= self.now()):
                return MISSING
            if node.extra is not None and not self.is_peekable(node):
                return MISSING
            node.hits += 1
            self.counters.hits += 1
            if self.counters.hits >= self.counters.hits_due:
                self.counters.tick()
            self.order.accessed(node)
            if not self.is_watched:
                return node.value
        return self.deliver(key, node.value)

    @cython.cfunc
    def is_peekable(self, node: Node) -> cython.bint:
        """Tell whether ``node``, which has an ``extra``, is valid and not to be refreshed yet."""
        extra: Extra = node.extra
        if extra.refresh_at != INFINITY and extra.refresh_at <= self.now():
            return False
        return self.is_hit(node)

    def read_entry(self, key: Key) -> Entry | None:
        """Return what stands under ``key``, fresh or stale, with its stamps; ``None`` when it is dead or absent.

        Neither recency nor counters change.
        """
        if type(key) is not str:
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
        if type(key) is not str:
            key = exact_key(key)
        if token is not None and token.key != key:
            raise CacheValueError(f"the token is for the key {token.key!r}, not {key!r}")
        value = entry.value if self.copier is None else self.copier(entry.value)
        fresh = new_node(key, value, entry.fresh_until)
        self.await_end(entry)
        if entry.tags or entry.cost is not None or entry.stale_until > entry.fresh_until or entry.refresh_at < INFINITY:
            fresh.extra = stamped_extra(entry, -1 if token is None else token.born)
        return bool(self.enter(fresh, self.idle, entry.cost, token, entry.tags))

    def open_token(self, key: Key) -> LoadToken:
        """Note the moment at which a load of ``key`` begins."""
        if type(key) is not str:
            key = exact_key(key)
        self.check_open()
        token, spare = LoadToken(key, 0), Fence()
        with critical_section(self):
            self.fences.open(token, spare)
        return token

    def observe(self, keys: Any, sources: Any) -> tuple[str, ...]:
        """Return the tags of entries under ``keys`` that depend on ``sources`` as they are now."""
        from cachery.sources.observing import observe  # noqa: PLC0415 - loaded when something depends on something

        return observe(keys, sources, self.look_at)

    def look_at(self, key: Key) -> Any:
        """Return what is live under ``key`` as who depends on it has to know it, a ``Seen``."""
        from cachery.sources.observing import Seen  # noqa: PLC0415

        spare = Extra((), None)
        with critical_section(self):
            node = self.live(key)
            if node is None:
                return Seen()
            if node.extra is None:
                spare.born = self.fences.sequence
                node.extra = spare
            extra: Extra = node.extra
            if extra.serial == 0:
                self.fences.sequence += 1
                extra.serial = self.fences.sequence
            return Seen(str(extra.serial), extra.tags)

    @cython.cfunc
    def side_of(self, key: Key, tags: Any, cost: object, depends_on: Any) -> Extra:
        """Return the side object of an entry with these rare fields, all of them checked."""
        extra = Extra(exact_tags(tags), checked_cost(cost))
        if depends_on != ():
            from cachery.sources.source import exact_sources  # noqa: PLC0415

            bonds = self.observe((key,), exact_sources(depends_on))
            extra.tags = tuple(dict.fromkeys((*extra.tags, *bonds)))
            extra.marks = marks_in(bonds) or None
        return extra

    def close_token(self, token: LoadToken) -> None:
        """Forget ``token``; closing it again does nothing."""
        with critical_section(self):
            self.fences.close(token)

    def is_current(self, token: LoadToken, tags: Tags = ()) -> bool:
        """Tell whether the token's key and ``tags`` are as they were when it was opened, and the cache not cleared."""
        with critical_section(self):
            return self.fences.admits(token, tags)

    def postpone_refresh(self, key: Key, until: cython.double, token: LoadToken) -> None:
        """Let the entry under ``key`` be refreshed no sooner than ``until``, unless ``token`` is no longer current."""
        with critical_section(self):
            node: Node | None = self.nodes.get(key)
            if node is not None and node.extra is not None and self.fences.admits(token, ()):
                extra: Extra = node.extra
                extra.refresh_at = until

    @cython.cfunc
    def deliver(self, key: Key, value: Any) -> Any:
        """Return ``value`` to the caller of a watched cache."""
        if self.listeners:
            self.report(Hit(self.name, key))
        return value if self.copier is None else self.copier(value)


@cython.cfunc
def stamped_extra(entry: Entry, born: cython.longlong) -> Extra:
    """Return the side object for ``entry``."""
    extra = Extra(entry.tags, entry.cost, born)
    extra.refresh_at = entry.refresh_at
    extra.stale_until = entry.stale_until
    if entry.tags and has_marks(entry.tags):
        extra.marks = marks_in(entry.tags)
    return extra
