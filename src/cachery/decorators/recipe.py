"""What a decorated function needs to know: how to call, find, load and keep."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from cachery.decorators.keying import FindKey, FindTags
from cachery.decorators.subject import Subject
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

    def request(self, key: str, args: tuple[Any, ...], kwargs: dict[str, Any], load: Callable[[], Any]) -> Request:
        """Return the request for the call with ``args`` and ``kwargs``, whose value ``load`` returns."""
        request = Request(key, load, self.options)
        request.tags = self.find_tags(args, kwargs)
        return request

    def loading(self, function: Callable[..., Any]) -> Recipe:
        """Return the same recipe for ``function`` in the place of the one decorated."""
        return replace(self, subject=replace(self.subject, function=function))
