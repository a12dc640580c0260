"""``Namespace``: how the part of a cache under one name is told from the rest of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from cachery.events import (
    Event,
    Evicted,
    Expired,
    Hit,
    Invalidated,
    Loaded,
    LoadFailed,
    Miss,
    ServedStale,
    Stored,
)
from cachery.exceptions import CacheValueError
from cachery.keys.glob import escape_glob, glob_matcher
from cachery.keys.text import exact_key, exact_tags
from cachery.model.marks import is_source, prefixed

__all__ = ["Namespace"]

_ESCAPED = {ord(letter): f"%{ord(letter):02X}" for letter in "%:*?[]\x1f"}
_KEYED = (Hit, Miss, Stored, Evicted, Expired, Loaded, LoadFailed, ServedStale)


class Namespace:
    """Keys and tags that begin with ``prefix``: the name, what is special in it escaped, and a colon.

    >>> Namespace("llm").key("query"), Namespace("a:b").key("c")
    ('llm:query', 'a%3Ab:c')
    """

    __slots__ = ("name", "prefix")

    def __init__(self, name: str) -> None:
        if not isinstance(name, str) or not name:
            raise CacheValueError(f"namespace is a str that is not empty, not {name!r}")
        self.name = name
        self.prefix = str.__str__(name).translate(_ESCAPED) + ":"

    def key(self, key: str) -> str:
        """Return ``key`` as the whole cache knows it."""
        return self.prefix + exact_key(key)

    def own(self, key: str) -> str:
        """Return a key of the whole cache as the namespace knows it."""
        return key[len(self.prefix) :]

    def tags(self, tags: Iterable[str]) -> tuple[str, ...]:
        """Return ``tags`` as the whole cache knows them."""
        return prefixed(self.prefix, exact_tags(tags))

    def pattern(self, pattern: str) -> str:
        """Return the glob ``pattern`` as the whole cache knows it."""
        glob_matcher(pattern)
        return escape_glob(self.prefix) + pattern

    def hottest(self, ranked: Iterable[tuple[str, int]], n: int) -> list[tuple[str, int]]:
        """Return the first ``n`` of ``ranked`` keys that are the namespace's."""
        return [(self.own(key), count) for key, count in ranked if key.startswith(self.prefix)][:n]

    def event(self, event: Event) -> Event | None:
        """Return ``event`` as the namespace sees it; ``None`` when it is none of its own."""
        if isinstance(event, Invalidated):
            return self._invalidation(event)
        if isinstance(event, _KEYED) and event.key.startswith(self.prefix):
            return replace(event, key=self.own(event.key))
        return None

    def _invalidation(self, event: Invalidated) -> Event | None:
        if event.cause == "clear":
            return event
        if event.cause == "tag" and is_source(event.target):
            return event
        prefix = escape_glob(self.prefix) if event.cause == "pattern" else self.prefix
        if not event.target.startswith(prefix):
            return None
        if event.cause == "pattern" and event.target == prefix + "*":
            return replace(event, cause="clear", target="")
        return replace(event, target=event.target[len(prefix) :])
