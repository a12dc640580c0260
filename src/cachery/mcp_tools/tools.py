"""The tools: get, set, delete, numbers, and invalidation by tag."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from math import inf, isfinite
from typing import Any

from cachery.cache import Cache
from cachery.exceptions import CacheValueError
from cachery.keys.text import exact_key, exact_tags
from cachery.mcp_tools.caches import existing, kind_of, opened
from cachery.mcp_tools.metadata import BACKEND, CACHE_NAME, Answer, tool
from cachery.mcp_tools.values import checked_value, shown
from cachery.model.durations import Duration, seconds
from cachery.model.sentinels import MISSING
from cachery.ports.clock import wall
from cachery.settings import from_environment
from cachery.step import step

__all__ = ["cache_delete", "cache_get", "cache_invalidate_by_tag", "cache_set", "cache_stats"]

TTL_VARIABLE = "CODOMYRMEX_MCP_CACHE_TTL"
_KEY = {"type": "string", "description": "The key."}
_TAGS = {"type": "array", "items": {"type": "string"}, "description": "Names by which entries are invalidated."}
_WHERE = {"cache_name": CACHE_NAME, "backend": BACKEND}
_COUNTABLE = ("in_memory", "file_based", "disk", "null")


def _always(_: Mapping[str, Any]) -> bool:
    return True


def _never(_: Mapping[str, Any]) -> bool:
    return False


@tool(
    "Look up a key in a cache: status is hit, with the value and the seconds it has left (null: no end), or miss.",
    {"key": _KEY, **_WHERE},
    ["key"],
    is_read_only=_always,
)
def cache_get(key: str, cache_name: str = "default", backend: str | None = None) -> Answer:
    """Answer with the value of ``key``: ``status`` ``hit`` or ``miss``, ``value``, ``ttl_remaining``, ``metadata``.

    ``ttl_remaining`` is seconds, ``None`` without an end. A value larger than ``MOST_BYTES`` as JSON, or none that JSON
    carries, is an ``error``. A cache that is not there is not made.

    >>> cache_get("nothing")["status"]
    'miss'
    """
    exact = exact_key(key)
    about = {"cache_name": cache_name, "backend": kind_of(cache_name, backend)}
    with existing(cache_name, backend) as cache:
        value = MISSING if cache is None else cache.get(exact, MISSING)
        if cache is None or value is MISSING:
            return {"status": "miss", "key": exact, "value": None, "ttl_remaining": None, "metadata": about}
        left = cache.ttl(exact)
    remaining = None if left in (None, inf) else left
    return {"status": "hit", "key": exact, "value": shown(value), "ttl_remaining": remaining, "metadata": about}


@tool(
    "Store a JSON value under a key. ttl: seconds or text such as 5m; 300 seconds unless said or configured.",
    {
        "key": _KEY,
        "value": {"description": "Any JSON value."},
        "ttl": {"type": ["number", "string", "null"], "description": "Seconds, or text such as 5m.", "default": None},
        **_WHERE,
        "tags": _TAGS,
    },
    ["key", "value"],
    is_read_only=_never,
)
def cache_set(
    key: str,
    value: Any,
    ttl: Duration | None = None,
    cache_name: str = "default",
    backend: str | None = None,
    *,
    tags: Iterable[str] = (),
) -> Answer:
    """Store ``value``: ``status`` ``stored`` or ``not_stored``, ``expires_at`` in UTC.

    ``ttl``: seconds above 0, or text; ``None`` is what ``CODOMYRMEX_MCP_CACHE_TTL`` says. An ``error`` for a value that
    JSON does not carry or that is larger than ``MOST_BYTES``; what was there before is there then.

    >>> cache_set("report", "ready", ttl="10m", tags=["reports"])["status"]
    'stored'
    """
    exact, checked, names = exact_key(key), checked_value(value), exact_tags(tags)
    life = float(from_environment(TTL_VARIABLE)) if ttl is None else seconds(ttl)
    if not (life > 0 and isfinite(life)):
        raise CacheValueError(f"ttl is above 0 and has an end, not {ttl!r}")
    is_stored = opened(cache_name, backend).set(exact, checked, life, tags=names)
    expires_at = datetime.fromtimestamp(wall() + life, UTC).isoformat() if is_stored else None
    return {"status": "stored" if is_stored else "not_stored", "key": exact, "expires_at": expires_at}


@tool("Remove a key from a cache.", {"key": _KEY, **_WHERE}, ["key"], is_read_only=_never)
def cache_delete(key: str, cache_name: str = "default", backend: str | None = None) -> Answer:
    """Remove ``key``: ``status`` ``deleted`` or ``not_found``.

    >>> cache_delete("nothing")
    {'status': 'not_found', 'key': 'nothing'}
    """
    exact = exact_key(key)
    with existing(cache_name, backend) as cache:
        was_there = cache is not None and cache.delete(exact)
    return {"status": "deleted" if was_there else "not_found", "key": exact}


@tool("Show how a cache is doing: entries, hits, misses, hit rate.", dict(_WHERE), is_read_only=_always)
def cache_stats(cache_name: str = "default", backend: str | None = None) -> Answer:
    """Answer with the numbers of a cache, as ``CacheStats.to_dict`` has them: ``status`` ``ok`` or ``not_found``.

    >>> cache_stats("nobody knows it")["status"]
    'not_found'
    """
    about = {"cache_name": cache_name, "backend": kind_of(cache_name, backend)}
    with existing(cache_name, backend) as cache:
        if cache is None:
            return {"status": "not_found", **about}
        return {"status": "ok", **about, "statistics": shown(_finite(cache.stats.to_dict()))}


@tool(
    "Make every entry unreadable that carries one of the tags, or all of them with match_all.",
    {"tags": _TAGS, "match_all": {"type": "boolean", "default": False}, **_WHERE},
    ["tags"],
    is_read_only=_never,
)
def cache_invalidate_by_tag(
    tags: Iterable[str],
    match_all: bool = False,  # noqa: FBT001, FBT002 - the arguments of a tool are given by name
    cache_name: str = "default",
    backend: str | None = None,
) -> Answer:
    """Invalidate by tag: ``status`` ``invalidated`` or ``not_found`` (no such cache), ``invalidated_count``.

    The count is ``None`` where counting would mean to go through a server. ``match_all`` goes through all entries.

    >>> cache_set("a", 1, cache_name="tagged", tags=["one", "two"])["status"]
    'stored'
    >>> cache_invalidate_by_tag(["two"], cache_name="tagged")
    {'status': 'invalidated', 'tags': ['two'], 'invalidated_count': 1}
    """
    names = exact_tags(tags)
    if not names:
        raise CacheValueError("say which tags to invalidate")
    if not isinstance(match_all, bool):
        raise CacheValueError(f"match_all is true or false, not {type(match_all).__name__}")
    kind = kind_of(cache_name, backend)
    with existing(cache_name, backend) as cache:
        if cache is None:
            return {"status": "not_found", "tags": list(names), "invalidated_count": 0}
        count = _invalidated(cache, names, match_all=match_all, can_count=kind in _COUNTABLE)
    return {"status": "invalidated", "tags": list(names), "invalidated_count": count}


def _invalidated(cache: Cache, tags: tuple[str, ...], *, match_all: bool, can_count: bool) -> int | None:
    """Invalidate what carries one of ``tags``, or all of them; return how many that were, if that is known."""
    if match_all and len(tags) > 1:
        return cache.delete_many([key for key in list(cache.keys()) if tags_of(cache, key) >= set(tags)])
    before = len(list(cache.keys())) if can_count else 0
    cache.invalidate_tags(*tags)
    return max(before - len(list(cache.keys())), 0) if can_count else None


def tags_of(cache: Cache, key: str) -> set[str]:
    """Return the tags of ``key``."""
    core = cache.engine.core
    found = step(core.backend.read_entry(core.loading.prefix + key))
    prefix = core.loading.prefix
    return set() if found is None else {tag.removeprefix(prefix) for tag in found.tags}


def _finite(numbers: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``numbers`` with ``None`` for what JSON cannot carry."""
    return {name: None if isinstance(n, float) and not isfinite(n) else n for name, n in numbers.items()}
