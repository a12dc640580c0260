"""How a call to a model is made: with the request, with its fields by name, or with nothing."""

from __future__ import annotations

import typing
from collections.abc import Callable, Mapping
from inspect import Parameter, isawaitable, signature
from typing import Any

from cachery.ai.requests import as_plain
from cachery.exceptions import CacheSerializationError, CacheValueError

__all__ = ["answer_type", "called", "caller_of", "plain_reply", "rebuilt"]

_BY_POSITION = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD, Parameter.VAR_POSITIONAL)


def caller_of(call: Callable[..., Any]) -> Callable[[Any], Any]:
    """Return a function of the request that makes ``call``.

    One parameter is given the request; several that are called like its fields, or parameters by name only, as the
    methods of clients have them, are given its fields by name; none, nothing. Raises ``CacheValueError`` for what
    cannot be called.

    >>> caller_of(lambda *, model, messages: model)({"model": "small-1", "messages": []})
    'small-1'
    """
    if not callable(call):
        raise CacheValueError(f"call is a function that asks the model, not {type(call).__name__}")
    try:
        parameters = list(signature(call).parameters.values())
    except (TypeError, ValueError):  # a builtin that does not tell
        return call
    if not parameters:
        return lambda _: call()
    positional = [each.name for each in parameters if each.kind in _BY_POSITION]
    if not positional:
        return lambda request: call(**_fields(request))
    return call if len(positional) == 1 else lambda request: _called_by(positional[0], call, request)


def _called_by(first: str, call: Callable[..., Any], request: Any) -> Any:
    """Return what ``call`` returns, whose first parameter is a field of the request, or the request."""
    fields = _fields(request)
    return call(**fields) if first in fields else call(request)


async def called(call: Callable[[], Any]) -> Any:
    """Return what ``call`` returns, awaited where that is to be."""
    result = call()
    return await result if isawaitable(result) else result


def answer_type(call: Callable[..., Any]) -> Any:
    """Return the class that ``call`` is annotated to return, if it can be made from plain data again."""
    try:
        kind = typing.get_type_hints(call).get("return")
    except Exception:  # noqa: BLE001 - annotations may be anything, and names in them unknown
        return None
    return kind if hasattr(kind, "model_validate") else None


def rebuilt(reply: Any, response_type: Any) -> Any:
    """Return plain data as ``response_type``: a class of pydantic, or a function; ``None`` leaves it as it is."""
    if response_type is None:
        return reply
    validate = getattr(response_type, "model_validate", response_type)
    return validate(reply)


def plain_reply(reply: Any) -> Any:
    """Return ``reply`` as plain data. Raises ``CacheSerializationError`` for an object that has none."""
    plain = as_plain(reply)
    if isinstance(plain, dict | list | str | int | float | bool | None):
        return plain
    kind = type(reply).__name__
    message = f"a call returned {kind}, which is no plain data: return a mapping, or an object with model_dump"
    raise CacheSerializationError(message, value_type=kind)


def _fields(request: Any) -> Mapping[str, Any]:
    found = request if isinstance(request, Mapping) else as_plain(request)
    if not isinstance(found, Mapping):
        raise CacheValueError(f"a request is a mapping or an object with fields, not {type(request).__name__}")
    return found
