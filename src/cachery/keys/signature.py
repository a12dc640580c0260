"""Calls as the function sees them: which parameter has which value, however the call is spelled."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from inspect import Parameter

from cachery.exceptions import CacheValueError

__all__ = ["CallSignature"]

_POSITIONAL = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
_VARIADIC = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)


class CallSignature:
    """Binds calls of ``function`` to its parameters.

    ``names`` are those of the parameters, ``first`` is the first that takes a positional argument, or ``None``. Raises
    ``CacheValueError`` if the signature cannot be read, as that of some functions written in C.

    >>> def load(user_id, fields=("name",), *, fresh=False): ...
    >>> signature = CallSignature(load)
    >>> signature.names, signature.first
    (('user_id', 'fields', 'fresh'), 'user_id')
    >>> signature.bind((), {"user_id": 7, "fresh": True})
    {'user_id': 7, 'fields': ('name',), 'fresh': True}
    """

    __slots__ = ("_keywords", "_label", "_signature", "_unbound", "first", "names")

    def __init__(self, function: Callable[..., object]) -> None:
        self._label = getattr(function, "__qualname__", type(function).__qualname__)
        self._signature = _signature_of(function, self._label)
        parameters = list(self._signature.parameters.values())
        self.names = tuple(parameter.name for parameter in parameters)
        self.first = self.names[0] if parameters and parameters[0].kind in _POSITIONAL else None
        self._unbound = {parameter.name: parameter.default for parameter in parameters}
        self._keywords = _keywords_of(parameters)

    def bind(self, args: tuple[object, ...], kwargs: dict[str, object]) -> dict[str, object]:
        """Return the value of each parameter, in their order: defaults, a tuple for ``*args``, a dict for ``**kwargs``.

        Raises ``TypeError``, naming the function, where the call itself would.
        """
        count = len(args)
        if count < len(self._keywords):
            needed, allowed = self._keywords[count]
            if needed <= kwargs.keys() <= allowed:
                arguments = self._unbound.copy()
                arguments.update(zip(self.names, args))  # noqa: B905 - saying strict=False takes as long as the rest
                arguments.update(kwargs)
                return arguments
        return self._bind_slowly(args, kwargs)

    def _bind_slowly(self, args: tuple[object, ...], kwargs: dict[str, object]) -> dict[str, object]:
        """Bind a call of a function with ``*args`` or ``**kwargs``, or one that cannot be bound."""
        try:
            bound = self._signature.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{self._label}() {error}") from None
        bound.apply_defaults()
        missing = [name for name in self.names if name not in bound.arguments]
        if missing:  # CPython 3.13.0 takes a keyword for a positional-only parameter of the same name
            raise TypeError(f"{self._label}() missing a required argument: {missing[0]!r}")
        return bound.arguments


def _signature_of(function: Callable[..., object], label: str) -> inspect.Signature:
    try:
        return inspect.signature(function)
    except (TypeError, ValueError) as error:
        message = f"the parameters of {label} cannot be read: wrap it in a function of your own, or write key='...'"
        raise CacheValueError(message, function=label) from error


def _keywords_of(parameters: Sequence[Parameter]) -> list[tuple[frozenset[str], frozenset[str]]]:
    """Return, for each number of positional arguments, the keywords that must come with them and those that may.

    There are none for a function that takes any number of arguments.
    """
    if any(parameter.kind in _VARIADIC for parameter in parameters):
        return []
    most = sum(parameter.kind in _POSITIONAL for parameter in parameters)
    return [(_needed(parameters[count:]), _allowed(parameters[count:])) for count in range(most + 1)]


def _needed(parameters: Sequence[Parameter]) -> frozenset[str]:
    return frozenset(parameter.name for parameter in parameters if parameter.default is Parameter.empty)


def _allowed(parameters: Sequence[Parameter]) -> frozenset[str]:
    return frozenset(parameter.name for parameter in parameters if parameter.kind is not Parameter.POSITIONAL_ONLY)
