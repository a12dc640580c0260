"""What a caller asks of the engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from cachery.model.marks import prefixed
from cachery.model.options import LoadOptions

__all__ = ["Request"]


class Request:
    """A key, who can load it, and how to load and keep it.

    ``sources``: what the value depends on, to be looked at when the load begins; ``bonds``: the tags that come of them,
    as far as they are known, which stay whatever the loader says; ``watch``: of the keys among them that were not
    there. ``wants_context``: the loader is called with a ``LoadContext``. ``is_reload``: whatever is there, it is
    loaded anew.
    """

    __slots__ = ("bonds", "is_reload", "key", "loader", "options", "sources", "tags", "wants_context", "watch")

    def __init__(
        self,
        key: str,
        loader: Callable[..., Any],
        options: LoadOptions,
        tags: tuple[str, ...] = (),
        sources: tuple[Any, ...] = (),
        *,
        wants_context: bool = False,
    ) -> None:
        self.key = key
        self.loader = loader
        self.options = options
        self.tags = tags
        self.sources = sources
        self.bonds: tuple[str, ...] = ()
        if sources:
            _bind(self, [tag for source in sources for tag in source.tags()])
        self.wants_context = wants_context
        self.is_reload = False
        self.watch: Any = None

    def prefixed(self, prefix: str) -> Request:
        """Return the same request, its key and tags under ``prefix``."""
        twin = self._with(prefix + self.key, prefixed(prefix, self.tags))
        twin.sources = tuple(source.within(prefix) for source in self.sources)
        twin.bonds = prefixed(prefix, self.bonds)
        return twin

    def keyed(self, key: str) -> Request:
        """Return the same request for another key."""
        return self._with(key, self.tags)

    def tagged(self, tags: tuple[str, ...]) -> Request:
        """Return the same request with other tags."""
        return self._with(self.key, tags)

    def bound(self, bonds: Iterable[str]) -> Request:
        """Return the same request with other ``bonds`` instead of those it had."""
        twin = self._with(self.key, tuple(tag for tag in self.tags if tag not in self.bonds))
        _bind(twin, bonds)
        return twin

    def as_reload(self) -> Request:
        """Return the same request, to be loaded anew."""
        twin = self._with(self.key, self.tags)
        twin.is_reload = True
        return twin

    def _with(self, key: str, tags: tuple[str, ...]) -> Request:
        twin = object.__new__(Request)
        twin.key, twin.tags = key, tags
        twin.loader, twin.options, twin.wants_context = self.loader, self.options, self.wants_context
        twin.is_reload, twin.sources, twin.bonds = self.is_reload, self.sources, self.bonds
        twin.watch = self.watch
        return twin


def _bind(request: Request, bonds: Iterable[str]) -> None:
    """Give ``request``, which is new and has none, its ``bonds``."""
    request.bonds = tuple(dict.fromkeys(bonds))
    request.tags = tuple(dict.fromkeys((*request.tags, *request.bonds)))
