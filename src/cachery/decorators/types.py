"""What a decorated function is to a type checker: itself, and four things more."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, overload

__all__ = ["CachedCoroutine", "CachedFunction", "Decorator", "LoopDecorator"]

P = ParamSpec("P")
Q = ParamSpec("Q")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)
S = TypeVar("S")


class CachedFunction(Protocol[P, R_co]):
    """A function whose results are kept in ``cache``. On an object, the bound method has the same."""

    __name__: str
    __qualname__: str
    __wrapped__: Callable[..., Any]
    cache: Any
    """The cache that keeps the results."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co:
        """Return the kept result, or call the function and keep what it returns."""

    def key(self, *args: P.args, **kwargs: P.kwargs) -> str:
        """Return the key of a call with these arguments."""

    def invalidate(self, *args: P.args, **kwargs: P.kwargs) -> bool:
        """Delete the result of a call with these arguments; True if it was there."""

    def refresh(self, *args: P.args, **kwargs: P.kwargs) -> R_co:
        """Call the function whatever is there, keep and return the result."""

    @overload
    def __get__(self, instance: None, owner: type[Any]) -> CachedFunction[P, R_co]: ...
    @overload
    def __get__(
        self: CachedFunction[Concatenate[S, Q], R_co], instance: S, owner: type[Any] | None = None
    ) -> CachedFunction[Q, R_co]: ...


class CachedCoroutine(Protocol[P, R]):
    """A coroutine function whose results are kept in ``cache``. On an object, the bound method has the same."""

    __name__: str
    __qualname__: str
    __wrapped__: Callable[..., Any]
    cache: Any
    """The cache that keeps the results."""

    async def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Return the kept result, or await the function and keep what it returns."""

    def key(self, *args: P.args, **kwargs: P.kwargs) -> str:
        """Return the key of a call with these arguments."""

    async def invalidate(self, *args: P.args, **kwargs: P.kwargs) -> bool:
        """Delete the result of a call with these arguments; True if it was there."""

    async def refresh(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Await the function whatever is there, keep and return the result."""

    @overload
    def __get__(self, instance: None, owner: type[Any]) -> CachedCoroutine[P, R]: ...
    @overload
    def __get__(
        self: CachedCoroutine[Concatenate[S, Q], R], instance: S, owner: type[Any] | None = None
    ) -> CachedCoroutine[Q, R]: ...


class Decorator(Protocol):
    """What ``cached(...)`` returns."""

    def __call__(self, function: Callable[P, R], /) -> CachedFunction[P, R]:
        """Return ``function``, its results kept."""


class LoopDecorator(Protocol):
    """What ``cachery.aio``'s ``cached(...)`` returns."""

    def __call__(self, function: Callable[P, Awaitable[R]], /) -> CachedCoroutine[P, R]:
        """Return ``function``, its results kept."""
