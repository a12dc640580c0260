"""A function that asks a model, with its replies kept."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from functools import wraps
from typing import Any, ParamSpec, Protocol, TypeVar

from cachery.ai.calling import answer_type, check_call, request_reader, source_of
from cachery.ai.completions import Completion, Completions
from cachery.ai.loads import AnswerOptions
from cachery.model.durations import Duration

__all__ = ["Asking", "AskingOptions", "kept_function"]

P = ParamSpec("P")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class AskingOptions(AnswerOptions, total=False):
    """How ``completions`` keeps replies.

    ``operation``: what ``invalidate_by_operation`` and the table of times to live know them by; where it is given, the
    name of the function is no part of the key. ``scope``: whose the replies are. ``ttl``: how long they live.
    ``response_type``: what they are made into. ``is_complete``: a function that tells whether a reply may be kept. The
    others are those of ``get_or_set``.
    """

    operation: str
    scope: str | None
    ttl: Duration | None
    response_type: Any
    is_complete: Callable[[Any], Any] | None


class Asking(Protocol[P, R_co]):
    """A function with its replies kept. ``refresh`` asks anew, ``invalidate`` forgets the reply to these arguments."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, R_co]:
        """Return the reply, kept or by a call."""

    def __get__(self, instance: object, owner: type | None = None, /) -> Callable[..., Coroutine[Any, Any, R_co]]:
        """Return the method of ``instance``."""

    def refresh(self, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, R_co]:
        """Return the reply of a new call, which replaces the one that is kept if it may be kept itself."""

    def invalidate(self, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, bool]:
        """Forget the reply; True if there was one."""

    def key(self, *args: P.args, **kwargs: P.kwargs) -> str:
        """Return the key of the reply."""


def kept_function(
    call: Callable[P, Awaitable[R]],
    completions: Completions,
    how_of: Callable[..., Completion],
    options: Mapping[str, Any],
) -> Asking[P, R]:
    """Return ``call`` with its replies kept by ``completions``; ``how_of`` reads ``options`` at each call."""
    check_call(call)
    given = {"response_type": answer_type(call), **options} if "response_type" not in options else dict(options)
    read = request_reader(call)
    source = tuple(source_of(call, is_named="operation" not in options))

    @wraps(call)
    async def ask(*args: P.args, **kwargs: P.kwargs) -> Any:
        request = read(args, kwargs)
        return await completions.answer(request, lambda: call(*args, **kwargs), how_of(source, **given))

    async def refresh(*args: P.args, **kwargs: P.kwargs) -> Any:
        request, how = read(args, kwargs), how_of(source, **given)
        return await completions.answer(request, lambda: call(*args, **kwargs), how._replace(is_refresh=True))

    async def invalidate(*args: P.args, **kwargs: P.kwargs) -> bool:
        return await completions.forget(read(args, kwargs), how_of(source, **given))

    def key(*args: P.args, **kwargs: P.kwargs) -> str:
        return completions.key_of(read(args, kwargs), how_of(source, **given))

    asking: Any = ask
    asking.refresh, asking.invalidate, asking.key = refresh, invalidate, key
    kept: Asking[P, R] = asking
    return kept
