"""The caches that tools work on: those of the process-wide manager. A tool that only looks makes none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cachery.backends.places import default_place
from cachery.cache import Cache
from cachery.exceptions import CacheValueError
from cachery.manager import CacheManager, default_manager, get_cache
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
    return default_manager().backend_of(name) if backend is None else backend


def opened(name: str, backend: str | None) -> Cache:
    """Return the cache of that ``name``, made if it is not there yet."""
    return get_cache(name, kind_of(name, backend))


@contextmanager
def existing(name: str, backend: str | None) -> Iterator[Cache | None]:
    """Give the cache of that ``name``, if there is one: in this process, on disk, or, as far as is known, on Redis.

    One that was not open before is open only here: whoever may look could otherwise open any number. Raises
    ``CacheValueError`` for a backend that there is not.
    """
    kind = kind_of(name, backend)
    manager = default_manager()
    is_open = (name, kind) in {(record["name"], record["backend"]) for record in manager.list_caches()}
    if is_open or (manager.has_settings_of(name) and manager.backend_of(name) == kind):
        yield get_cache(name, kind)
    elif kind in _IN_PROCESS or (kind in _IN_DIRECTORIES and not _place(kind, name).is_dir()):
        yield None
    else:
        with CacheManager() as passing:  # of tiers, what memory would be before
            yield passing.get_cache(name, "redis" if kind == "tiered" else kind)


def _place(kind: str, name: str) -> Path:
    return default_place(kind, name, from_environment("CACHE_DIR"))
