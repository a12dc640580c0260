"""Requests to models: what of one decides about the answer.

Every field counts, also one that nobody here has heard of, but for those in ``IRRELEVANT_FIELDS``, which say who asks
and how the call is made, never what is answered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from cachery.ai.plain import fields_of, plain
from cachery.exceptions import CacheValueError

__all__ = ["IRRELEVANT_FIELDS", "ModelRequest", "checked_irrelevant", "model_request"]

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
"""Fields that do not decide about the answer, where a request has ``messages`` or an ``input``. All others do."""

_OF_PROVIDERS = {"messages", "input"}


class ModelRequest(NamedTuple):
    """A request: what counts of it, its ``model``, and why its answer is never kept, if it is not."""

    content: Any
    model: str
    reason: str | None


def model_request(request: object, irrelevant: Iterable[str] = IRRELEVANT_FIELDS) -> ModelRequest:
    """Return what counts of ``request``: a mapping, or an object with fields, of pydantic or a dataclass for instance.

    Raises ``CacheValueError`` for anything else, ``CacheKeyError`` for what has no place in a key.

    >>> asked = model_request({"model": "small-1", "messages": [{"role": "user", "content": "Hi"}], "user": "ada"})
    >>> asked.model, sorted(asked.content[1])
    ('small-1', ['messages', 'model'])
    """
    found = fields_of(request)
    if found is None:
        raise CacheValueError(f"a request is a mapping or an object with fields, not {type(request).__name__}")
    left_out = frozenset(irrelevant) if _OF_PROVIDERS & found.keys() else frozenset()
    counting = {name: plain(value) for name, value in found.items() if name not in left_out}
    model = counting.get("model", "")
    kind = "" if isinstance(request, Mapping) else f"{type(request).__module__}.{type(request).__qualname__}"
    return ModelRequest((kind, counting), model if isinstance(model, str) else "", _reason(found))


def checked_irrelevant(names: Iterable[str]) -> frozenset[str]:
    """Return ``names`` of fields; raise ``CacheValueError`` for one text, which would be taken for its letters."""
    if isinstance(names, str):
        raise CacheValueError(f"irrelevant_fields are several names: write [{names!r}]")
    return frozenset(names)


def _reason(found: Mapping[str, Any]) -> str | None:
    """Return why the answer is never kept: it comes in pieces, later, or changes something at the provider's."""
    extra = found.get("extra_body")
    if found.get("stream") or (isinstance(extra, Mapping) and extra.get("stream")):
        return "it is a stream"
    if found.get("background"):
        return "it goes on in the background"
    conversation = found.get("conversation")
    if isinstance(conversation, str) or (isinstance(conversation, Mapping) and "id" in conversation):
        return "it continues a conversation that the provider keeps"
    return None
