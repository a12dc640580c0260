"""What is decorated: a function, a coroutine function, a generator of either kind; plain, or a method of some kind."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import partial
from types import FrameType
from typing import Any

from cachery.decorators.methods import CachedMethod
from cachery.engine.context import is_context
from cachery.exceptions import CacheValueError
from cachery.keys.signature import CallSignature

__all__ = ["Binding", "Kind", "Subject", "defines_cache_key"]


class Kind(Enum):
    """What a call returns."""

    FUNCTION = "function"
    COROUTINE = "coroutine function"
    GENERATOR = "generator function"
    ASYNC_GENERATOR = "asynchronous generator function"


class Binding(Enum):
    """What the first argument is."""

    NONE = "an argument like any other"
    OBJECT = "the object, self"
    CLASS = "the class, cls"
    STATIC = "an argument like any other, in a class"


@dataclass(frozen=True, slots=True)
class Subject:
    """A function with what it is. ``is_wrapped``: it came as a ``classmethod`` or ``staticmethod`` object.

    ``context``: the parameter that is annotated ``LoadContext``, which is given by the cache and no part of the key.
    """

    function: Callable[..., Any]
    kind: Kind
    binding: Binding
    is_wrapped: bool
    context: str | None
    signature: CallSignature

    @classmethod
    def of(cls, decorated: Any) -> Subject:
        """Return what ``decorated`` is. Raises ``CacheValueError`` for what cannot be called."""
        is_wrapped = isinstance(decorated, classmethod | staticmethod)
        function = decorated.__func__ if is_wrapped else decorated
        if isinstance(function, type) or not callable(function):
            hint = (
                f"; if that is the TTL, write cached(ttl={function!r})"
                if isinstance(function, int | float | str)
                else ""
            )
            raise CacheValueError(f"cached decorates a function, not {function!r}{hint}")
        context = _context_of(function)
        signature = CallSignature(function if context is None else _given(function, context))
        if isinstance(decorated, classmethod):
            binding = Binding.CLASS
        elif isinstance(decorated, staticmethod):
            binding = Binding.STATIC
        else:
            binding = _binding_of(function, signature.first)
        return cls(function, _kind_of(function), binding, is_wrapped, context, signature)

    @property
    def name(self) -> str:
        """What to call it in a message."""
        return getattr(self.function, "__qualname__", None) or repr(self.function)


def defines_cache_key(function: Callable[..., Any]) -> bool:
    """Tell whether the class in whose body ``function`` is decorated now defines ``__cache_key__``, above or below."""
    owner, _, _ = function.__qualname__.rpartition(".")
    frame: FrameType | None = sys._getframe()  # noqa: SLF001 - what a class is going to define, nobody else knows yet
    while frame is not None:
        if frame.f_code.co_name == owner.rpartition(".")[2] and frame.f_locals.get("__qualname__") == owner:
            return "__cache_key__" in frame.f_code.co_names
        frame = frame.f_back
    return False


def _context_of(function: Callable[..., Any]) -> str | None:
    """Return the name of the parameter that is annotated ``LoadContext``, or ``None``."""
    annotations = getattr(function, "__annotations__", {})
    names = [name for name, annotation in annotations.items() if is_context(annotation) and name != "return"]
    return names[0] if names else None


def _given(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    """Return ``function`` with the argument ``name`` given, as far as its signature goes."""
    given = partial(function, **{name: None})
    given.__qualname__ = function.__qualname__  # type: ignore[attr-defined]
    return given


def _kind_of(function: Callable[..., Any]) -> Kind:
    if isinstance(function, CachedMethod):
        function = function.__wrapped__
    if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__):
        return Kind.COROUTINE
    if inspect.isasyncgenfunction(function):
        return Kind.ASYNC_GENERATOR
    return Kind.GENERATOR if inspect.isgeneratorfunction(function) else Kind.FUNCTION


def _binding_of(function: Callable[..., Any], first: str | None) -> Binding:
    """Return what the first argument is of a function that may stand in the body of a class."""
    outer, _, _ = getattr(function, "__qualname__", "").rpartition(".")
    if not outer or outer.endswith("<locals>") or inspect.ismethod(function):
        return Binding.NONE
    return {"self": Binding.OBJECT, "cls": Binding.CLASS}.get(first or "", Binding.STATIC)
