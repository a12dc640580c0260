"""How a call to a model is made, what its function is called, and what its reply is as plain data."""

from __future__ import annotations

import asyncio
import typing
from collections.abc import Callable, Mapping
from functools import partial
from inspect import Parameter, Signature, isasyncgenfunction, isawaitable, signature
from types import UnionType
from typing import Any

from cachery.ai.plain import fields_of
from cachery.exceptions import CacheSerializationError, CacheValueError

__all__ = ["answer_type", "called", "caller_of", "check_call", "plain_reply", "rebuilt", "request_reader", "source_of"]

_NAMED = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
_OWNERS = {"self", "cls"}


def check_call(call: object) -> None:
    """Raise ``CacheValueError`` for what cannot be called, and for an asynchronous generator, which answers nothing."""
    if not callable(call):
        raise CacheValueError(f"call is a function that asks the model, not {type(call).__name__}")
    if isasyncgenfunction(call):
        raise CacheValueError("an asynchronous generator streams its answer, which is never kept: call it directly")


def caller_of(call: Callable[..., Any]) -> Callable[[Any], Any]:
    """Return a function of the request that makes ``call``.

    One parameter is given the request; several, the first of which is called like a field of it, or parameters by name
    only, as the methods of clients have them, are given its fields by name; none, nothing. Raises ``CacheValueError``
    for what cannot be called.

    >>> caller_of(lambda *, model, messages: model)({"model": "small-1", "messages": []})
    'small-1'
    """
    check_call(call)
    form = _form(call)
    if form is None:
        return call
    if not form.parameters:
        return lambda _: call()
    named = [each.name for each in form.parameters.values() if each.kind in _NAMED]
    has_others = len(form.parameters) > 1
    return lambda request: _called_by(named, call, request) if has_others or not named else call(request)


def _called_by(named: list[str], call: Callable[..., Any], request: Any) -> Any:
    """Return what ``call`` returns: given the fields by name, unless its first parameter is none of them."""
    found = fields_of(request)
    if found is None:
        raise CacheValueError(f"a request is a mapping or an object with fields, not {type(request).__name__}")
    return call(request) if named and named[0] not in found else call(**found)


def request_reader(call: Callable[..., Any]) -> Callable[[tuple[Any, ...], Mapping[str, Any]], Any]:
    """Return a function that makes a request of the arguments of ``call``: what they are called, but for ``self``.

    Defaults are part of it. A function of one mapping or object is given the request itself.

    >>> request_reader(lambda model, temperature=0: None)(("small-1",), {})
    {'model': 'small-1', 'temperature': 0}
    """
    form = _form(call)
    return _read_untold if form is None else partial(_read, form)


def _read_untold(arguments: tuple[Any, ...], named: Mapping[str, Any]) -> Any:
    return {"arguments": arguments, **named} if arguments else dict(named)


def _read(form: Signature, arguments: tuple[Any, ...], named: Mapping[str, Any]) -> Any:
    bound = form.bind(*arguments, **named)
    bound.apply_defaults()
    found, parameters = dict(bound.arguments), list(form.parameters.values())
    for each in parameters:
        if each.kind is Parameter.VAR_KEYWORD:
            found.update(found.pop(each.name))
        elif each.kind is Parameter.VAR_POSITIONAL and not found[each.name]:
            del found[each.name]
    if parameters and parameters[0].name in _OWNERS:
        del found[parameters[0].name]
    only = next(iter(found.values()), None)
    return only if len(found) == 1 and not isinstance(only, str) and fields_of(only) is not None else found


def source_of(call: Callable[..., Any], *, is_named: bool) -> list[str]:
    """Return what tells the answers of ``call`` from those of others: its name, if it ``is_named``, and its server."""
    plain = call
    while isinstance(plain, partial):  # a blocking function on a thread goes by its own name
        plain = plain.args[0] if plain.func is asyncio.to_thread and plain.args else plain.func
    owner = getattr(plain, "__self__", None)
    urls = [getattr(holder, "base_url", None) for holder in (owner, getattr(owner, "_client", None))]
    kind = plain if hasattr(plain, "__qualname__") else type(plain)
    names = [f"{kind.__module__}.{kind.__qualname__}"] if is_named else []
    return names + [str(url) for url in urls if url is not None][:1]


async def called(call: Callable[[], Any]) -> Any:
    """Return what ``call`` returns, awaited where that is to be."""
    result = call()
    return await result if isawaitable(result) else result


def answer_type(call: Callable[..., Any]) -> Any:
    """Return the class that ``call`` is annotated to return, the one of a union that can be made from plain data again.

    Raises ``CacheValueError`` for one that is not whole, as a method that parses has it: nobody knows its own class.
    """
    try:
        hint = typing.get_type_hints(call).get("return")
    except Exception:  # noqa: BLE001 - annotations may be anything, and names in them unknown
        return None
    members = typing.get_args(hint) if typing.get_origin(hint) in {typing.Union, UnionType} else (hint,)
    kinds = [kind for kind in members if hasattr(kind, "model_validate")]
    if len(kinds) != 1:
        return None
    generic = getattr(kinds[0], "__pydantic_generic_metadata__", {})
    is_open = any(each is Any or isinstance(each, typing.TypeVar) for each in generic.get("args", ()))
    if is_open or generic.get("parameters"):
        name = kinds[0].__name__.partition("[")[0]
        raise CacheValueError(f"what is returned is a {name} of something: write response_type={name}[...], or None")
    return kinds[0]


def rebuilt(reply: Any, response_type: Any) -> Any:
    """Return plain data as ``response_type``: a class of pydantic, or a function; ``None`` leaves it as it is.

    Classes of clients that are made without a check by their own clients (``construct``) are so where a check fails.
    """
    if response_type is None:
        return reply
    validate = getattr(response_type, "model_validate", None)
    if validate is None:
        return response_type(reply)
    try:
        return validate(reply)
    except ValueError:
        construct = getattr(response_type, "construct", None)
        owner = getattr(construct, "__func__", construct)
        if not isinstance(reply, dict) or str(getattr(owner, "__module__", "pydantic")).startswith("pydantic"):
            raise
        return construct(**reply)  # type: ignore[misc]


def plain_reply(reply: Any) -> Any:
    """Return ``reply`` as plain data, as its own library writes it.

    Raises ``CacheSerializationError`` for an object that has none.
    """
    if isinstance(reply, dict | list | str | int | float | bool | None):
        return reply
    try:
        if hasattr(reply, "model_dump"):
            return reply.model_dump(mode="json", by_alias=True, exclude_unset=True, warnings=False)
        found = fields_of(reply)
    except Exception as error:
        message = f"a call returned {type(reply).__name__}, which cannot be written: {type(error).__name__}"
        raise CacheSerializationError(message, value_type=type(reply).__name__) from error
    if found is None:
        kind = type(reply).__name__
        message = f"a call returned {kind}, which is no plain data: return a mapping, or an object with model_dump"
        raise CacheSerializationError(message, value_type=kind)
    return {name: plain_reply(member) for name, member in found.items()}


def _form(call: Callable[..., Any]) -> Signature | None:
    try:
        return signature(call)
    except (TypeError, ValueError):  # a builtin that does not tell
        return None
