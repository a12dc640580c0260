"""What must not be kept as a value: an object that one caller uses up."""

from __future__ import annotations

from types import AsyncGeneratorType, CoroutineType, GeneratorType

from cachery.exceptions import CacheValueError
from cachery.model.outcome import Failed, Loaded, Outcome

__all__ = ["checked"]

_ADVICE = {
    CoroutineType: "a coroutine, which can be awaited once: use cachery.aio, whose loaders are awaited",
    GeneratorType: "a generator, which can be read once: return a list of it, or decorate the function with cached",
    AsyncGeneratorType: "an asynchronous generator, which can be read once: decorate the function with cached",
}


def checked(outcome: Outcome) -> Outcome:
    """Return ``outcome``, or a failure when its value is a coroutine or a generator."""
    if isinstance(outcome, Loaded) and type(outcome.value) in _ADVICE:
        return _refused(outcome.value)
    return outcome


def _refused(value: object) -> Failed:
    if isinstance(value, CoroutineType | GeneratorType):
        value.close()
    return Failed(CacheValueError(f"the loader returned {_ADVICE[type(value)]}"))
