"""What must not be kept as a value: an object that one caller uses up."""

from __future__ import annotations

from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import Any

from cachery.exceptions import CacheValueError

__all__ = ["check_value", "is_used_up", "used_up"]

_ADVICE: dict[type[Any], str] = {
    CoroutineType: "a coroutine, which can be awaited once: await it, or load it through cachery.aio",
    GeneratorType: "a generator, which can be read once: make a list of it, or decorate its function with cached",
    AsyncGeneratorType: "an asynchronous generator, which can be read once: decorate its function with cached",
}


def is_used_up(value: object) -> bool:
    """Tell whether ``value`` can be used only once."""
    return type(value) in _ADVICE


def used_up(value: object) -> CacheValueError:
    """Return the error for such a value, which says what to do instead."""
    return CacheValueError(f"this value is {_ADVICE[type(value)]}")


def check_value(value: object) -> None:
    """Raise ``CacheValueError`` for a coroutine or a generator.

    >>> check_value(number for number in range(3))
    Traceback (most recent call last):
    cachery.exceptions.CacheValueError: this value is a generator, which can be read once: make a list of it, or \
decorate its function with cached
    """
    if is_used_up(value):
        raise used_up(value)
