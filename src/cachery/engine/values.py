"""What a loader must not return."""

from __future__ import annotations

from types import CoroutineType, GeneratorType

from cachery.model.outcome import Failed, Loaded, Outcome
from cachery.model.values import is_used_up, used_up

__all__ = ["checked"]


def checked(outcome: Outcome) -> Outcome:
    """Return ``outcome``, or a failure when its value is a coroutine or a generator."""
    if isinstance(outcome, Loaded) and is_used_up(outcome.value):
        if isinstance(outcome.value, CoroutineType | GeneratorType):
            outcome.value.close()
        return Failed(used_up(outcome.value))
    return outcome
