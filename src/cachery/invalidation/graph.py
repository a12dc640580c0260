"""``DependencyGraph``: which names, files and keys come from which, so that a change reaches all that follows from it.

An entry needs no place in it: it carries the tags of what it depends on (``depends_on=``), and those who share the
store see that. The graph knows what depends on what *between* such names: that the table ``report`` is made of
``orders``, that ``ast`` follows from ``grammar.lark``. Invalidating a source gathers everything downstream, each once,
and hits it in one call of the cache: a tag for all entries that carry it, however many those are.
"""

from __future__ import annotations

from collections.abc import Iterable
from inspect import iscoroutinefunction
from itertools import islice
from typing import Any, NamedTuple, TypeAlias

from cachery.exceptions import CacheInvalidationError, CacheValueError
from cachery.locks import make_lock
from cachery.model.marks import path_in
from cachery.sources.source import File, Key, Version, exact_sources

__all__ = ["DependencyGraph", "Reached", "hit"]

Node: TypeAlias = str
"""A source, as text: a name or the tag of a file, or a key behind ``_KEY``. Quicker to go through than objects."""

_KEY = "\x1fkey\x1f"


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
        self._upstream: dict[Node, dict[Node, None]] = {}
        self._downstream: dict[Node, dict[Node, None]] = {}
        self._lock = make_lock()

    def __repr__(self) -> str:
        return f"<DependencyGraph of {len(self)} sources over {self.cache!r}>"

    def __len__(self) -> int:
        return len(self._upstream.keys() | self._downstream.keys())

    def add(self, source: Any, *, depends_on: Iterable[Any]) -> None:
        """Let ``source``, a name, a path, ``File`` or ``Key``, depend on ``depends_on``, besides what it did before.

        Raises ``CacheInvalidationError`` where ``source`` would depend on itself, and then adds nothing;
        ``CacheValueError`` for what is no source, and for a ``Version``, which changes by being declared.
        """
        node = _node(source)
        above = [_node(each) for each in exact_sources(depends_on)]
        with self._lock:
            below = set(_reached([node], self._downstream))
            for each in above:
                if each in below:
                    raise CacheInvalidationError(
                        f"{_shown(node)} cannot depend on {_shown(each)}, which depends on it",
                        source=_shown(node),
                        depends_on=_shown(each),
                    )
            for each in above:
                self._upstream.setdefault(node, {})[each] = None
                self._downstream.setdefault(each, {})[node] = None

    def remove(self, source: Any) -> bool:
        """Forget what ``source`` depends on, and who depends on it; True if anything was known."""
        node = _node(source)
        with self._lock:
            above, below = self._upstream.pop(node, {}), self._downstream.pop(node, {})
            _take_out(node, above, self._downstream)
            _take_out(node, below, self._upstream)
        return bool(above or below)

    def downstream(self, *sources: Any) -> tuple[str, ...]:
        """Return ``sources`` themselves and all that depends on them, directly or not, each once, keys last."""
        return self.reached(*sources).sources

    def upstream(self, source: Any) -> tuple[str, ...]:
        """Return all that ``source`` depends on, directly or not, without itself, each once, the nearest first."""
        with self._lock:
            _, *found = _reached([_node(source)], self._upstream)
        return tuple(map(_shown, found))

    def reached(self, *sources: Any) -> Reached:
        """Return what an invalidation of ``sources`` has to hit. Nothing is changed."""
        with self._lock:
            nodes = _reached([_node(each) for each in sources], self._downstream)
        keys = [node[len(_KEY) :] for node in nodes if node.startswith(_KEY)]
        tags = [node for node in nodes if not node.startswith(_KEY)] if len(keys) < len(nodes) else []
        return Reached(tuple(tags), tuple(keys), (*map(path_in, tags), *keys))

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


def _take_out(node: Node, neighbours: Iterable[Node], edges: dict[Node, dict[Node, None]]) -> None:
    """Take ``node`` out of the ``edges`` of its ``neighbours``."""
    for each in neighbours:
        del edges[each][node]
        if not edges[each]:
            del edges[each]


def _reached(nodes: Iterable[Node], edges: dict[Node, dict[Node, None]]) -> list[Node]:
    """Return ``nodes`` and all that ``edges`` lead to, the nearest first; each once, however many ways lead to it."""
    seen = dict.fromkeys(nodes)
    looked_at = 0
    while looked_at < len(seen):
        level = list(islice(seen, looked_at, None))
        looked_at = len(seen)
        for node in level:
            beyond = edges.get(node)
            if beyond:
                seen.update(beyond)
    return list(seen)


def _node(source: Any) -> Node:
    (exact,) = exact_sources([source])
    if isinstance(exact, File):
        return exact.tag  # one node, however it is looked at
    if isinstance(exact, Version):
        raise CacheValueError(f"a version changes by being declared, so nothing in a graph depends on {source!r}")
    return _KEY + exact.name if isinstance(exact, Key) else exact.name


def _shown(node: Node) -> str:
    return node[len(_KEY) :] if node.startswith(_KEY) else path_in(node)
