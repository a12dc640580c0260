"""What an agent is told of a tool, and how a tool says that it cannot do something."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from inspect import signature
from typing import Any, TypeAlias, TypeVar

from cachery.exceptions import CacheError

__all__ = ["BACKEND", "CACHE_NAME", "TOOLS", "Answer", "Tool", "failure", "tool"]

Answer: TypeAlias = dict[str, Any]
"""What a tool answers: JSON can carry it, and ``status`` says what became of the call."""

F = TypeVar("F", bound=Callable[..., Answer])

CACHE_NAME = {"type": "string", "description": "The name of the cache.", "default": "default"}
BACKEND = {
    "type": "string",
    "enum": ["in_memory", "file_based", "disk", "redis", "tiered", "null"],
    "description": "Where the cache keeps its entries; CACHE_BACKEND unless said.",
}


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool: its ``name``, what it does, the JSON schema of its arguments, and the ``function``.

    ``is_read_only``: whether a call with these arguments changes nothing.
    """

    name: str
    description: str
    schema: Mapping[str, Any]
    function: Callable[..., Answer]
    is_read_only: Callable[[Mapping[str, Any]], bool]

    def call(self, arguments: Mapping[str, Any]) -> Answer:
        """Call the function; answer with an error, and call nothing, for arguments that it does not have."""
        try:
            signature(self.function).bind(**arguments)
        except TypeError as error:
            return failure(TypeError(f"{self.name}: {error}"))
        return self.function(**arguments)


TOOLS: dict[str, Tool] = {}
"""All tools, by name."""


def tool(
    description: str,
    properties: Mapping[str, Any],
    required: list[str] | None = None,
    *,
    is_read_only: Callable[[Mapping[str, Any]], bool],
) -> Callable[[F], F]:
    """Return a decorator that makes a function a tool: it is listed, and answers with an error in place of raising."""

    def decorate(function: F) -> F:
        schema = {
            "type": "object",
            "properties": dict(properties),
            "required": required or [],
            "additionalProperties": False,
        }

        @wraps(function)
        def answer(*args: Any, **kwargs: Any) -> Answer:
            try:
                return function(*args, **kwargs)
            except (CacheError, ImportError) as error:
                return failure(error)

        made: Any = answer
        name = function.__name__
        made._mcp_tool_meta = {  # noqa: SLF001 - a mark that frameworks of tools look for
            "name": f"cachery.{name}",
            "description": description,
            "schema": schema,
            "category": "cache",
            "module": function.__module__,
        }
        TOOLS[name] = Tool(name, description, schema, made, is_read_only)
        checked: F = made
        return checked

    return decorate


def failure(error: Exception, **details: Any) -> Answer:
    """Return the answer for ``error``."""
    return {"status": "error", "error_type": type(error).__name__, "message": str(error), **details}
