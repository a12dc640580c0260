"""What a decorated function is to a type checker: itself, and four things more."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, overload

__all__ = ["CachedAsyncGenerator", "CachedCoroutine", "CachedFunction", "Decorator", "LoopDecorator", "OfClass"]

P = ParamSpec("P")
Q = ParamSpec("Q")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)
C_co = TypeVar("C_co", covariant=True)
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


class CachedAsyncGenerator(Protocol[P, R]):
    """An asynchronous generator function whose items are kept in ``cache``."""

    __name__: str
    __qualname__: str
    __wrapped__: Callable[..., Any]
    cache: Any
    """The cache that keeps the items."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> AsyncGenerator[R, None]:
        """Return a generator over the kept items, or run the function to its end and keep what it yields."""

    def key(self, *args: P.args, **kwargs: P.kwargs) -> str:
        """Return the key of a call with these arguments."""

    async def invalidate(self, *args: P.args, **kwargs: P.kwargs) -> bool:
        """Delete the items of a call with these arguments; True if they were there."""

    async def refresh(self, *args: P.args, **kwargs: P.kwargs) -> AsyncGenerator[R, None]:
        """Run the function to its end whatever is there, keep the items and return a generator over them."""

    @overload
    def __get__(self, instance: None, owner: type[Any]) -> CachedAsyncGenerator[P, R]: ...
    @overload
    def __get__(
        self: CachedAsyncGenerator[Concatenate[S, Q], R], instance: S, owner: type[Any] | None = None
    ) -> CachedAsyncGenerator[Q, R]: ...


class OfClass(Protocol[C_co]):
    """A decorated class method: on the class or an object, it is bound to the class."""

    def __get__(self, instance: Any, owner: type[Any] | None = None) -> C_co:
        """Return it, bound to the class."""


class Decorator(Protocol):
    """What ``cached(...)`` returns."""

    @overload
    def __call__(self, function: classmethod[Any, P, R], /) -> OfClass[CachedFunction[P, R]]: ...
    @overload
    def __call__(self, function: Callable[P, R], /) -> CachedFunction[P, R]: ...
    def __call__(self, function: Any, /) -> Any:
        """Return ``function``, its results kept."""


class LoopDecorator(Protocol):
    """What ``cachery.aio``'s ``cached(...)`` returns."""

    @overload
    def __call__(self, function: classmethod[Any, P, Coroutine[Any, Any, R]], /) -> OfClass[CachedCoroutine[P, R]]: ...
    @overload
    def __call__(self, function: Callable[P, AsyncGenerator[R, None]], /) -> CachedAsyncGenerator[P, R]: ...
    @overload
    def __call__(self, function: Callable[P, AsyncIterator[R]], /) -> CachedAsyncGenerator[P, R]: ...
    @overload
    def __call__(self, function: Callable[P, Awaitable[R]], /) -> CachedCoroutine[P, R]: ...
    def __call__(self, function: Any, /) -> Any:
        """Return ``function``, its results kept."""
