"""What a caller asks of the engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from cachery.keys.text import exact_tags
from cachery.model.options import LoadOptions

__all__ = ["Request"]


class Request:
    """A key, who can load it, and how to load and keep it. ``tags`` are checked here.

    ``wants_context``: the loader is called with a ``LoadContext``. ``is_reload``: whatever is there, it is loaded anew.
    """

    __slots__ = ("is_reload", "key", "loader", "options", "tags", "wants_context")

    def __init__(
        self,
        key: str,
        loader: Callable[..., Any],
        options: LoadOptions,
        tags: Iterable[str] = (),
        *,
        wants_context: bool = False,
    ) -> None:
        self.key = key
        self.loader = loader
        self.options = options
        self.tags = exact_tags(tags) if tags else ()
        self.wants_context = wants_context
        self.is_reload = False

    def prefixed(self, prefix: str) -> Request:
        """Return the same request, its key and tags under ``prefix``."""
        return self._with(prefix + self.key, tuple(prefix + tag for tag in self.tags))

    def keyed(self, key: str) -> Request:
        """Return the same request for another key."""
        return self._with(key, self.tags)

    def tagged(self, tags: tuple[str, ...]) -> Request:
        """Return the same request with other tags."""
        return self._with(self.key, tags)

    def as_reload(self) -> Request:
        """Return the same request, to be loaded anew."""
        twin = self._with(self.key, self.tags)
        twin.is_reload = True
        return twin

    def _with(self, key: str, tags: tuple[str, ...]) -> Request:
        twin = object.__new__(Request)
        twin.key, twin.tags = key, tags
        twin.loader, twin.options, twin.wants_context = self.loader, self.options, self.wants_context
        twin.is_reload = self.is_reload
        return twin
