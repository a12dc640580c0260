"""``LoadContext``: what a loader may know and decide, for those that ask for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum
from inspect import Parameter, signature
from types import FunctionType, MethodType
from typing import Any, Final

from cachery.exceptions import CacheValueError
from cachery.model.durations import Duration
from cachery.model.sentinels import MISSING

__all__ = ["NOT_MODIFIED", "LoadContext", "check_callable", "is_context", "wants_context"]


class _NotModified(Enum):
    NOT_MODIFIED = "NOT_MODIFIED"


NOT_MODIFIED: Final = _NotModified.NOT_MODIFIED
"""What a loader returns to keep the value that is there."""


class LoadContext:
    """Given to a loader whose one parameter is annotated with this class.

    ``key``: what is loaded. ``stale``: the value that is there already, past its time or about to be, or ``MISSING``.
    ``ttl`` and ``tags`` may be set by the loader, once it knows them; ``None`` leaves what the caller asked for. So may
    ``cost``: what the value took, in seconds or money.

    >>> from cachery import InMemoryCache
    >>> def load(context: LoadContext) -> str:
    ...     context.ttl, context.tags = "1h", ["drafts"]
    ...     return "text"
    >>> cache = InMemoryCache()
    >>> cache.get_or_set("document", load)
    'text'
    >>> round(cache.ttl("document"))
    3600
    """

    __slots__ = ("cost", "key", "stale", "tags", "ttl")

    def __init__(self, key: str, stale: Any = MISSING) -> None:
        self.key = key
        self.stale = stale
        self.ttl: Duration | None = None
        self.tags: Iterable[str] | None = None
        self.cost: float | None = None

    def not_modified(self) -> Any:
        """Return what the loader is to return so that the stale value is kept, as good as newly loaded.

        Raises ``CacheValueError`` when there is none.
        """
        if self.stale is MISSING:
            raise CacheValueError(
                f"there is no value of {self.key!r} to keep; look at context.stale first", key=self.key
            )
        return NOT_MODIFIED


def wants_context(loader: Callable[..., Any]) -> bool:
    """Tell whether ``loader`` is to be called with a ``LoadContext`` rather than with nothing.

    Raises ``CacheValueError`` for what cannot be called in either way.
    """
    plain, given = loader, 0
    if type(loader) is MethodType:
        plain, given = loader.__func__, 1
    if type(plain) is FunctionType:
        code = plain.__code__
        if code.co_argcount == given and not code.co_kwonlyargcount:
            return False
    check_callable(loader)
    return _asks_for_context(loader)


def check_callable(loader: object) -> None:
    """Raise ``CacheValueError`` for a loader that cannot be called."""
    if not callable(loader):
        raise CacheValueError(f"a loader is a function that returns what is to be kept, not {type(loader).__name__}")


def _asks_for_context(loader: Callable[..., Any]) -> bool:
    parameters = _parameters(loader)
    asking = [each for each in parameters[:1] if is_context(each.annotation)]
    needed = [each for each in parameters if each.default is Parameter.empty and each not in asking]
    if needed or any(each.kind is Parameter.KEYWORD_ONLY for each in asking):
        names = ", ".join(each.name for each in needed or asking)
        raise CacheValueError(
            f"a loader takes no argument, or one annotated LoadContext, by position; this one needs {names}: "
            f"write lambda: load({names}), or use @cache.cached"
        )
    return bool(asking)


def is_context(annotation: object) -> bool:
    """Tell whether a parameter that is annotated so is to be given a ``LoadContext``, or may be."""
    return annotation is LoadContext or "LoadContext" in str(annotation)


def _parameters(loader: Callable[..., Any]) -> list[Parameter]:
    try:
        found = signature(loader).parameters.values()
    except (TypeError, ValueError):  # a builtin that does not tell
        return []
    variable = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)
    return [each for each in found if each.kind not in variable]
