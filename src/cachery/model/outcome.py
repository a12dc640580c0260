"""What became of a load, as a value.

A loader may raise anything, ``StopIteration`` too, which a coroutine cannot let through. So results cross the engine as
values, and are raised outside of it, by ``result``.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, Literal, TypeAlias

__all__ = ["ABANDONED", "Failed", "Loaded", "Outcome", "twin_of"]


class Loaded:
    """A value. One is made a load, so it is as plain as can be."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def result(self) -> Any:
        """Return the value."""
        return self.value


@dataclass(frozen=True, slots=True)
class Failed:
    """An exception in the place of a value."""

    error: BaseException

    def result(self) -> Any:
        """Raise the exception."""
        raise self.error

    def for_another(self) -> Failed:
        """Return the same failure with an exception of its own, for another caller to raise."""
        return Failed(twin_of(self.error))


class _Abandoned(Enum):
    ABANDONED = "ABANDONED"


ABANDONED: Final = _Abandoned.ABANDONED
"""Nobody finished the load: its loop ended, its thread was killed, or those who waited went away."""

Outcome: TypeAlias = Loaded | Failed
Landing: TypeAlias = Outcome | Literal[_Abandoned.ABANDONED]


def twin_of(error: BaseException) -> BaseException:
    """Return a copy of ``error`` with its traceback, cause and notes; ``error`` itself when it cannot be copied.

    >>> first = KeyError("user:42")
    >>> second = twin_of(first)
    >>> second is first, repr(second)
    (False, "KeyError('user:42')")
    """
    twin = _copied(error)
    if type(twin) is not type(error):
        return error
    twin.__cause__, twin.__context__ = error.__cause__, error.__context__
    twin.__suppress_context__ = error.__suppress_context__
    return twin.with_traceback(error.__traceback__)


def _copied(error: BaseException) -> BaseException | None:
    try:
        return copy(error)
    except Exception:  # noqa: BLE001 - an __init__ that takes other arguments than it hands on
        return _copied_without_init(error)


def _copied_without_init(error: BaseException) -> BaseException | None:
    try:
        twin = type(error).__new__(type(error), *error.args)
        twin.args = error.args
        vars(twin).update(vars(error))
    except Exception:  # noqa: BLE001 - then there is one exception for all
        return None
    return twin
