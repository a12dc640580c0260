"""Decorated methods: what stands in the class, and what an object makes of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from inspect import Signature, signature
from typing import Any

__all__ = ["BoundCoroutine", "BoundFunction", "CachedMethod"]


class CachedMethod:
    """A decorated method as its class holds it: on an object, the object is its first argument, in all it does.

    ``call`` is the decorated function, with ``key``, ``invalidate``, ``refresh`` and ``cache``; ``is_of_class`` binds
    to the class in the place of an object.
    """

    __wrapped__: Callable[..., Any]

    def __init__(self, call: Any, *, is_of_class: bool, bound: type[BoundFunction]) -> None:
        update_wrapper(self, call)  # its attributes too: cache, key, invalidate, refresh
        self._call = call
        self._is_of_class = is_of_class
        self._bound = bound

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the method, its object first."""
        return self._call(*args, **kwargs)

    def __get__(self, instance: Any, owner: type[Any] | None = None) -> Any:
        if self._is_of_class:
            return self._bound(self._call, owner or type(instance))
        return self if instance is None else self._bound(self._call, instance)


class BoundFunction:
    """A decorated method of one object."""

    __slots__ = ("__func__", "__self__", "__weakref__")

    def __init__(self, function: Any, owner: Any) -> None:
        self.__func__ = function
        self.__self__ = owner

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return the kept result, or call the method and keep what it returns."""
        return self.__func__(self.__self__, *args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__func__, name)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, BoundFunction):
            return NotImplemented
        return self.__self__ is other.__self__ and self.__func__ is other.__func__

    def __hash__(self) -> int:
        return hash((id(self.__self__), self.__func__))

    def __reduce__(self) -> tuple[Any, ...]:
        return getattr, (self.__self__, self.__func__.__name__)

    def __repr__(self) -> str:
        return f"<cached method {self.__func__.__qualname__} of {self.__self__!r}>"

    @property
    def __doc__(self) -> str | None:  # type: ignore[override]
        """What the method says of itself."""
        doc: str | None = self.__func__.__doc__
        return doc

    @property
    def __signature__(self) -> Signature:
        whole = signature(self.__func__)
        return whole.replace(parameters=list(whole.parameters.values())[1:])

    def key(self, *args: Any, **kwargs: Any) -> str:
        """Return the key of a call with these arguments."""
        found: str = self.__func__.key(self.__self__, *args, **kwargs)
        return found

    def invalidate(self, *args: Any, **kwargs: Any) -> Any:
        """Delete the result of a call with these arguments."""
        return self.__func__.invalidate(self.__self__, *args, **kwargs)

    def refresh(self, *args: Any, **kwargs: Any) -> Any:
        """Call the method whatever is there, and keep the result."""
        return self.__func__.refresh(self.__self__, *args, **kwargs)


class BoundCoroutine(BoundFunction):
    """The same for a coroutine function: frameworks ask whether ``__call__`` is one."""

    __slots__ = ()

    async def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return the kept result, or await the method and keep what it returns."""
        return await self.__func__(self.__self__, *args, **kwargs)


BoundCoroutine.__doc__ = vars(BoundFunction)["__doc__"]  # type: ignore[method-assign]  # there too, it is the method that speaks
