"""Requests to models, as they are: plain data, and what of it decides about the answer.

Every field counts, also one that nobody here has heard of, but for those in ``IRRELEVANT_FIELDS``, which say who asks
and how the call is made, never what is answered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, NamedTuple

from cachery.exceptions import CacheKeyError, CacheValueError

__all__ = ["IRRELEVANT_FIELDS", "ModelRequest", "as_plain", "model_request"]

IRRELEVANT_FIELDS = frozenset(
    {
        "metadata",  # labels of the caller
        "prompt_cache_key",  # how the provider caches
        "prompt_cache_retention",
        "safety_identifier",  # who asks, for the provider
        "service_tier",  # how fast, at what price
        "timeout",  # of the client
        "user",
    }
)
"""Fields that do not decide about the answer. All others do."""

_DEEPEST = 100
_ABSENT = {"NotGiven", "Omit"}
_LEAVES = (str, int, float, bool, bytes, type(None))


class ModelRequest(NamedTuple):
    """A request: the ``fields`` that count, its ``model``, and why its answer is never kept, if it is not."""

    fields: dict[str, Any]
    model: str
    reason: str | None


def model_request(request: object, irrelevant: Iterable[str] = IRRELEVANT_FIELDS) -> ModelRequest:
    """Return what counts of ``request``: a mapping, or an object of pydantic, a dataclass.

    Raises ``CacheValueError`` for anything else, ``CacheKeyError`` for what has no place in a key.

    >>> asked = model_request({"model": "small-1", "messages": [{"role": "user", "content": "Hi"}], "user": "ada"})
    >>> asked.model, sorted(asked.fields)
    ('small-1', ['messages', 'model'])
    """
    plain = as_plain(request)
    if not isinstance(plain, dict):
        raise CacheValueError(f"a request is a mapping or an object with fields, not {type(request).__name__}")
    left_out = frozenset(irrelevant)
    model = plain.get("model", "")
    return ModelRequest(
        {name: value for name, value in plain.items() if name not in left_out},
        model if isinstance(model, str) else "",
        _reason(plain),
    )


def as_plain(value: Any, depth: int = _DEEPEST) -> Any:
    """Return ``value`` as dicts, lists and plain values; what it cannot read stays as it is.

    Fields that a client leaves out (its ``NOT_GIVEN`` and ``omit``) are left out. Raises ``CacheKeyError`` for what is
    nested deeper than 100 levels.
    """
    if isinstance(value, _LEAVES):
        return value
    if not depth:
        raise CacheKeyError(f"a request is nested deeper than {_DEEPEST} levels", reason="nested too deeply")
    if isinstance(value, Mapping):
        members = value.items()
        return {key: as_plain(member, depth - 1) for key, member in members if type(member).__name__ not in _ABSENT}
    if isinstance(value, list | tuple):
        return [as_plain(member, depth - 1) for member in value]
    return _schema(value) if isinstance(value, type) else _opened(value, depth)


def _opened(value: Any, depth: int) -> Any:
    """Return an object by its fields, if it tells them."""
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json", by_alias=True, exclude_unset=True)
    if is_dataclass(value):
        return {field.name: as_plain(getattr(value, field.name), depth - 1) for field in fields(value)}
    return value


def _schema(kind: type) -> Any:
    """Return what a class asks a model for, where it is given as the form of an answer."""
    describe = getattr(kind, "model_json_schema", None)
    return kind if describe is None else {"class": f"{kind.__module__}.{kind.__qualname__}", "schema": describe()}


def _reason(plain: dict[str, Any]) -> str | None:
    """Return why the answer is never kept: it comes in pieces, later, or changes something at the provider's."""
    if plain.get("stream"):
        return "it is a stream"
    if plain.get("background"):
        return "it goes on in the background"
    if plain.get("conversation") is not None:
        return "it continues a conversation that the provider keeps"
    return None
