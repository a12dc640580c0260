"""What the environment says about caches. Only the manager asks; constructors never do.

A variable that is set and cannot be read raises ``CacheValueError`` naming it; one that is empty counts as not set.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cachery.exceptions import CacheValueError
from cachery.model.durations import seconds
from cachery.model.sentinels import FOREVER

__all__ = ["VARIABLES", "Variable", "from_environment", "hide_password", "is_set", "masked"]

_SECRET_OPTIONS = frozenset({"secret", "encryption", "password", "connection_options"})


_DAY = 86400.0


@dataclass(frozen=True, slots=True)
class Variable:
    """One environment variable: its ``default``, what ``read`` makes of its text, and its ``meaning``.

    ``hide``: what of its value may be shown.
    """

    name: str
    default: Any
    read: Callable[[str], Any]
    meaning: str
    hide: Callable[[Any], Any] = lambda value: value


def _ttl(text: str) -> float:
    if text.lower() in ("inf", "forever"):
        return FOREVER
    if seconds(text) <= 0:
        raise CacheValueError("write a time span above 0, or forever")
    return seconds(text)


def _tool_ttl(text: str) -> float:
    number = seconds(text)
    if not 0 < number < _DAY:
        raise CacheValueError("write seconds above 0 and below 86400")
    return number


def _max_size(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise CacheValueError("write a whole number of entries, 1 or more")
    return int(text)


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65535:  # noqa: PLR2004 - the ports there are
        raise CacheValueError("write a port, 1 to 65535")
    return int(text)


def hide_password(url: str) -> str:
    """Return ``url`` as it may be shown.

    >>> hide_password("redis://ada:pass@db:6379/0")
    'redis://ada:***@db:6379/0'
    """
    return re.sub(r"(://[^:/@]*):[^@]*@", r"\1:***@", url)


VARIABLES = {
    variable.name: variable
    for variable in (
        Variable("CACHE_BACKEND", "in_memory", str, "backend of a cache that names none"),
        Variable("CACHE_TTL_DEFAULT", 300.0, _ttl, "TTL in seconds of a cache that names none"),
        Variable("CACHE_MAX_SIZE", 1000, _max_size, "entries in a memory cache that names no size"),
        Variable("CACHE_DIR", None, str, "directory of the caches on disk that name none"),
        Variable(
            "REDIS_URL", "redis://localhost:6379", str, "the server of a cache on redis that names none", hide_password
        ),
        Variable("REDIS_HOST", "localhost", str, "the same, for RedisCache() without arguments"),
        Variable("REDIS_PORT", 6379, _port, "its port"),
        Variable("CACHERY_CONFIG", None, str, "the TOML file with the settings of get_cache"),
        Variable("CODOMYRMEX_MCP_CACHE_TTL", 300.0, _tool_ttl, "seconds that a tool stores for which names no TTL"),
        Variable("CACHERY_SECRET", None, str, "signs what is stored outside of the process", lambda _: "(set)"),
    )
}


def masked(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ``options`` of a cache as they may be shown: no secret, no password of a URL.

    >>> masked({"max_size": 5, "secret": "of the tests", "redis_url": "redis://ada:pass@db"})
    {'max_size': 5, 'secret': '***', 'redis_url': 'redis://ada:***@db'}
    """
    return {name: "***" if name in _SECRET_OPTIONS else _shown(value) for name, value in options.items()}


def _shown(value: Any) -> Any:
    return hide_password(value) if isinstance(value, str) and "://" in value else value


def from_environment(name: str) -> Any:
    """Return what the variable ``name`` says, or its default.

    >>> from_environment("CACHE_MAX_SIZE")
    1000
    """
    variable = VARIABLES[name]
    text = _text(name)
    if not text:
        return variable.default
    try:
        return variable.read(text)
    except ValueError as error:
        raise CacheValueError(f"{name}={text!r} cannot be read: {error}", variable=name, value=text) from error


def is_set(name: str) -> bool:
    """Tell whether the environment says anything of ``name``."""
    return bool(_text(name))


def _text(name: str) -> str:
    return os.environ.get(name, "").strip()
