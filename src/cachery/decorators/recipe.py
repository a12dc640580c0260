"""What a decorated function needs to know: how to call, find, load and keep."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from cachery.decorators.keying import FindKey, FindSources, FindTags
from cachery.decorators.subject import Subject
from cachery.engine.context import LoadContext
from cachery.engine.request import Request
from cachery.model.options import LoadOptions

__all__ = ["Recipe"]


@dataclass(frozen=True, slots=True)
class Recipe:
    """One decoration: what ``subject`` returns is kept in ``cache``, under the key and with the tags that are found."""

    subject: Subject
    cache: Any
    find_key: FindKey
    find_tags: FindTags
    options: LoadOptions
    find_sources: FindSources | None = None

    def request(self, key: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Request:
        """Return the request for the call with ``args`` and ``kwargs``, which has ``key``."""
        call = partial(self.subject.function, *args, **kwargs)
        name = self.subject.context
        loader = call if name is None else _in_context(call, name)
        find = self.find_sources
        sources = () if find is None else find(args, kwargs)
        return Request(key, loader, self.options, self.find_tags(args, kwargs), sources, wants_context=name is not None)

    def finish(self, call: Any, refresh: Callable[..., Any], invalidate: Callable[..., Any]) -> Any:
        """Return ``call`` with what a decorated function has besides."""
        find = self.find_key
        call.cache = self.cache
        call.key = lambda *args, **kwargs: find(args, kwargs)
        call.refresh, call.invalidate = refresh, invalidate
        return call

    def loading(self, function: Callable[..., Any]) -> Recipe:
        """Return the same recipe for ``function`` in the place of the one decorated."""
        return replace(self, subject=replace(self.subject, function=function))


def _in_context(call: Callable[..., Any], name: str) -> Callable[[LoadContext], Any]:
    """Return a loader that hands its context to ``call``, as the argument ``name``."""
    return lambda context: call(**{name: context})
