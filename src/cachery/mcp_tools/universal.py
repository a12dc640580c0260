"""``call_module_function``: some functions of this package by their name, and no others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cachery.exceptions import CacheValueError
from cachery.manager import default_manager, get_cache
from cachery.mcp_tools.caches import kind_of
from cachery.mcp_tools.metadata import TOOLS, Answer, tool
from cachery.mcp_tools.values import shown

__all__ = ["call_module_function"]

_MODULES = ("cache", "cachery")
_OPTIONS = frozenset({"name", "backend", "default_ttl", "max_size", "policy"})


def _get_cache(name: str = "default", backend: str | None = None, **options: Any) -> Answer:
    cache = get_cache(name, kind_of(name, backend), **options)
    return {"name": name, "backend": kind_of(name, backend), "size": len(cache)}


def _has_cache(name: str) -> bool:
    return default_manager().has_cache(name)


def _remove_cache(name: str) -> bool:
    return default_manager().remove_cache(name)


def _list_caches() -> list[dict[str, Any]]:
    return default_manager().list_caches()


def _summary() -> dict[str, Any]:
    return default_manager().summary()


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "get_cache": _get_cache,
    "has_cache": _has_cache,
    "list_caches": _list_caches,
    "remove_cache": _remove_cache,
    "summary": _summary,
}
_READING = frozenset({"has_cache", "list_caches", "summary"})


def _is_read_only(arguments: Mapping[str, Any]) -> bool:
    """Tell whether the call changes nothing; to ask for a cache that is there does not."""
    function, kwargs = arguments.get("function"), arguments.get("kwargs") or {}
    if not isinstance(function, str) or not isinstance(kwargs, Mapping):
        return False
    if function in TOOLS:
        return function != "call_module_function" and TOOLS[function].is_read_only(kwargs)
    if function != "get_cache":
        return function in _READING
    name, backend = kwargs.get("name", "default"), kwargs.get("backend")
    kind = default_manager().default_backend if backend is None else backend
    return any((known["name"], known["backend"]) == (name, kind) for known in default_manager().list_caches())


@tool(
    "Call a function of the cache module by name: get_cache, has_cache, list_caches, remove_cache, summary, or one of "
    "the other tools. get_cache answers with a descriptor: name, backend, size.",
    {
        "module": {"type": "string", "enum": list(_MODULES)},
        "function": {"type": "string"},
        "kwargs": {"type": "object", "description": "Its arguments, by name.", "default": {}},
    },
    ["module", "function"],
    is_read_only=_is_read_only,
)
def call_module_function(module: str, function: str, kwargs: Mapping[str, Any] | None = None) -> Answer:
    """Call ``function`` of ``module``, one of a fixed list, with ``kwargs``: ``status`` ``ok`` and its ``result``.

    ``module`` is ``"cache"`` or ``"cachery"``. A tool answers as it does by itself.

    >>> call = {"module": "cache", "function": "get_cache", "kwargs": {"name": "llm_responses", "backend": "in_memory"}}
    >>> call_module_function(**call)
    {'status': 'ok', 'result': {'name': 'llm_responses', 'backend': 'in_memory', 'size': 0}}
    """
    if module not in _MODULES:
        raise CacheValueError(f"there is no module {module!r} to call: use 'cache'")
    given = {} if kwargs is None else kwargs
    if not isinstance(given, Mapping):
        raise CacheValueError(f"kwargs is an object of arguments by name, not {type(given).__name__}")
    if isinstance(function, str) and function in TOOLS and function != "call_module_function":
        return TOOLS[function].call(given)
    known = _FUNCTIONS.get(function) if isinstance(function, str) else None
    if known is None:
        names = ", ".join(sorted({*_FUNCTIONS, *TOOLS} - {"call_module_function"}))
        raise CacheValueError(f"there is no function {function!r} to call; there are {names}")
    if function == "get_cache" and (unknown := set(given) - _OPTIONS):
        raise CacheValueError(f"get_cache takes {', '.join(sorted(_OPTIONS))} here, not {', '.join(sorted(unknown))}")
    try:
        return {"status": "ok", "result": shown(known(**given))}
    except TypeError as error:
        raise CacheValueError(f"{function}: {str(error).removeprefix(f'_{function}() ')}") from error
