"""The caches that tools work on: those of the process-wide manager. A tool that only looks makes none."""

from __future__ import annotations

from typing import Any

from cachery.backends.places import default_place
from cachery.cache import Cache
from cachery.exceptions import CacheValueError
from cachery.manager import default_manager, get_cache
from cachery.settings import from_environment

__all__ = ["existing", "kind_of", "opened"]

_IN_PROCESS = ("in_memory", "null")
_IN_DIRECTORIES = ("disk", "file_based")


def kind_of(name: Any, backend: Any) -> str:
    """Return the backend that is meant. Raises ``CacheValueError`` for a name or a backend that is no text."""
    if not isinstance(name, str):
        raise CacheValueError(f"cache_name is text, not {type(name).__name__}")
    if backend is not None and not isinstance(backend, str):
        raise CacheValueError(f"backend is text, not {type(backend).__name__}")
    return default_manager().default_backend if backend is None else backend


def opened(name: str, backend: str | None) -> Cache:
    """Return the cache of that ``name``, made if it is not there yet."""
    return get_cache(name, kind_of(name, backend))


def existing(name: str, backend: str | None) -> Cache | None:
    """Return the cache of that ``name``, if there is one: in this process, on disk, or, as far as is known, on Redis.

    Raises ``CacheValueError`` for a backend that there is not.
    """
    kind = kind_of(name, backend)
    known = {(record["name"], record["backend"]) for record in default_manager().list_caches()}
    if (name, kind) in known:
        return get_cache(name, kind)
    if kind in _IN_PROCESS:
        return None
    if kind in _IN_DIRECTORIES and not default_place(kind, name, from_environment("CACHE_DIR")).is_dir():
        return None
    return get_cache(name, kind)
