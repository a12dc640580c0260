"""``DependencyGraph``: which names, files and keys come from which, so that a change reaches all that follows from it.

An entry needs no place in it: it carries the tags of what it depends on (``depends_on=``), and those who share the
store see that. The graph knows what depends on what *between* such names: that the table ``report`` is made of
``orders``, that ``ast`` follows from ``grammar.lark``. Invalidating a source gathers everything downstream, each once,
and hits it in one call of the cache: a tag for all entries that carry it, however many those are.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from inspect import iscoroutinefunction
from itertools import islice
from typing import Any, NamedTuple

from cachery.exceptions import CacheInvalidationError, CacheValueError
from cachery.locks import make_lock
from cachery.model.marks import path_in
from cachery.sources.source import Key, Source, Version, exact_sources

__all__ = ["DependencyGraph", "Reached", "hit"]


@dataclass(slots=True)
class _Nodes:
    """Sources: names and files by their ``tags``, and ``keys``, as text, which is quicker to go through than objects.

    In dictionaries, which keep their order.
    """

    tags: dict[str, None] = field(default_factory=dict)
    keys: dict[str, None] = field(default_factory=dict)

    @classmethod
    def of(cls, sources: Iterable[Source]) -> _Nodes:
        """Return ``sources``. Raises ``CacheValueError`` for a version."""
        nodes = cls()
        for source in sources:
            if isinstance(source, Version):
                raise CacheValueError(
                    f"a version changes by being declared, so nothing depends on {source!r} in a graph"
                )
            if isinstance(source, Key):
                nodes.keys[source.name] = None
            else:
                nodes.tags |= dict.fromkeys(source.tags())
        return nodes

    @property
    def shown(self) -> tuple[str, ...]:
        """All of them as people know them, keys last."""
        return (*map(path_in, self.tags), *self.keys)


@dataclass(slots=True)
class _Edges:
    """What one step leads to, from each tag and from each key."""

    of_tags: dict[str, _Nodes] = field(default_factory=dict)
    of_keys: dict[str, _Nodes] = field(default_factory=dict)

    def add(self, source: _Nodes, target: _Nodes) -> None:
        """Let every node of ``source`` lead to all of ``target``."""
        for edges, names in ((self.of_tags, source.tags), (self.of_keys, source.keys)):
            for name in names:
                known = edges.setdefault(name, _Nodes())
                known.tags |= target.tags
                known.keys |= target.keys

    def remove(self, source: _Nodes, target: _Nodes) -> None:
        """Let no node of ``source`` lead to any of ``target``."""
        for edges, names in ((self.of_tags, source.tags), (self.of_keys, source.keys)):
            for name in names:
                known = edges[name]
                for tag in target.tags:
                    known.tags.pop(tag, None)
                for key in target.keys:
                    known.keys.pop(key, None)
                if not known.tags and not known.keys:
                    del edges[name]

    def pop(self, source: _Nodes) -> _Nodes:
        """Return what ``source`` leads to, which it does no more."""
        gone = _Nodes()
        for edges, names in ((self.of_tags, source.tags), (self.of_keys, source.keys)):
            for name in names:
                known = edges.pop(name, gone)
                gone = _Nodes(gone.tags | known.tags, gone.keys | known.keys)
        return gone

    def reached(self, nodes: _Nodes) -> _Nodes:
        """Return ``nodes`` and all they lead to, the nearest first; each once, however many ways lead to it."""
        found = _Nodes(dict(nodes.tags), dict(nodes.keys))
        tags_seen = keys_seen = 0
        while tags_seen < len(found.tags) or keys_seen < len(found.keys):
            steps = [self.of_tags[tag] for tag in islice(found.tags, tags_seen, None) if tag in self.of_tags]
            if self.of_keys:
                steps += [self.of_keys[key] for key in islice(found.keys, keys_seen, None) if key in self.of_keys]
            tags_seen, keys_seen = len(found.tags), len(found.keys)
            for step in steps:
                found.tags.update(step.tags)
                found.keys.update(step.keys)
        return found


class Reached(NamedTuple):
    """What an invalidation reaches: ``tags`` to be hit, ``keys`` to be removed, and both as people know them."""

    tags: tuple[str, ...]
    keys: tuple[str, ...]
    sources: tuple[str, ...]


class DependencyGraph:
    """What depends on what, over ``cache``, blocking or of ``cachery.aio``. Thread-safe.

    >>> from cachery import InMemoryCache
    >>> cache = InMemoryCache()
    >>> graph = DependencyGraph(cache)
    >>> graph.add("monthly", depends_on=["orders", "customers"])
    >>> graph.add("dashboard", depends_on=["monthly"])
    >>> cache.set("page", "<html>", depends_on=["dashboard"])
    True
    >>> graph.invalidate("orders")
    ('orders', 'monthly', 'dashboard')
    >>> cache.get("page") is None
    True
    """

    def __init__(self, cache: Any) -> None:
        if not hasattr(cache, "invalidate_tags"):
            raise CacheValueError(f"a graph stands over a cache, not over {type(cache).__name__}")
        self.cache = cache
        self._upstream = _Edges()
        self._downstream = _Edges()
        self._lock = make_lock()

    def __repr__(self) -> str:
        return f"<DependencyGraph of {len(self)} sources over {self.cache!r}>"

    def __len__(self) -> int:
        up, down = self._upstream, self._downstream
        return len(up.of_tags.keys() | down.of_tags.keys()) + len(up.of_keys.keys() | down.of_keys.keys())

    def add(self, source: Any, *, depends_on: Iterable[Any]) -> None:
        """Let ``source``, a name, a path, ``File`` or ``Key``, depend on ``depends_on``, besides what it did before.

        Raises ``CacheInvalidationError`` where ``source`` would depend on itself, and then adds nothing;
        ``CacheValueError`` for what is no source, and for a ``Version``, which changes by being declared.
        """
        node = _nodes(source)
        above = _Nodes.of(exact_sources(depends_on))
        with self._lock:
            below = self._downstream.reached(node)
            circle = _Nodes(
                {tag: None for tag in above.tags if tag in below.tags},
                {key: None for key in above.keys if key in below.keys},
            ).shown
            if circle:
                raise CacheInvalidationError(
                    f"{node.shown[0]} cannot depend on {circle[0]}, which depends on it",
                    source=node.shown[0],
                    depends_on=circle[0],
                )
            self._upstream.add(node, above)
            self._downstream.add(above, node)

    def remove(self, source: Any) -> bool:
        """Forget what ``source`` depends on, and who depends on it; True if anything was known."""
        node = _nodes(source)
        with self._lock:
            above, below = self._upstream.pop(node), self._downstream.pop(node)
            self._downstream.remove(above, node)
            self._upstream.remove(below, node)
        return bool(above.shown or below.shown)

    def downstream(self, *sources: Any) -> tuple[str, ...]:
        """Return ``sources`` themselves and all that depends on them, directly or not, each once, keys last."""
        return self.reached(*sources).sources

    def upstream(self, source: Any) -> tuple[str, ...]:
        """Return all that ``source`` depends on, directly or not, without itself, each once, keys last."""
        node = _nodes(source)
        with self._lock:
            found = self._upstream.reached(node)
        return tuple(name for name in found.shown if name not in node.shown)

    def reached(self, *sources: Any) -> Reached:
        """Return what an invalidation of ``sources`` has to hit. Nothing is changed."""
        with self._lock:
            found = self._downstream.reached(_nodes(*sources))
        return Reached(tuple(found.tags), tuple(found.keys), found.shown)

    def invalidate(self, *sources: Any) -> tuple[str, ...]:
        """Invalidate ``sources`` and all that depends on them; return what was reached, keys last.

        Over a cache of ``cachery.aio`` await ``invalidate_async`` instead.
        """
        if _is_awaited(self.cache):
            raise CacheValueError("this cache is asynchronous: await graph.invalidate_async(...)")
        reached = self.reached(*sources)
        hit(self.cache, reached)
        return reached.sources

    async def invalidate_async(self, *sources: Any) -> tuple[str, ...]:
        """Do what ``invalidate`` does, awaiting a cache of ``cachery.aio``."""
        if not _is_awaited(self.cache):
            raise CacheValueError("this cache is not asynchronous: call graph.invalidate(...)")
        reached = self.reached(*sources)
        if reached.tags:
            await self.cache.invalidate_tags(*reached.tags)
        if reached.keys:
            await self.cache.delete_many(reached.keys)
        return reached.sources


def hit(cache: Any, reached: Reached) -> None:
    """Invalidate in ``cache``, a blocking one, what was ``reached``."""
    if reached.tags:
        cache.invalidate_tags(*reached.tags)
    if reached.keys:
        cache.delete_many(reached.keys)


def _is_awaited(cache: Any) -> bool:
    return iscoroutinefunction(cache.invalidate_tags)


def _nodes(*sources: Any) -> _Nodes:
    return _Nodes.of(exact_sources(sources))
