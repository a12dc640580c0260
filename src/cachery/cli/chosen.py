"""Which cache a command works on: a name, a directory or a URL, and how it is opened.

::

    redis://host/0      what is a URL: the cache there, of the name --name, if that is given
    sessions            a name of the settings file: the cache as it says
    ./answers           else a directory with a cache in it
    sessions            else a name: with the defaults of a manager, as get_cache has them
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from cachery.backends.claim import Claim, read_claim
from cachery.backends.places import default_place
from cachery.configuration.finding import find_settings
from cachery.exceptions import CacheConnectionError, CacheValueError
from cachery.manager import CacheManager
from cachery.settings import from_environment, hide_password
from cachery.stored import StoredCache

__all__ = ["IN_PROCESS", "Chosen", "choose", "manager_in_force", "open_directory"]

IN_PROCESS = frozenset({"in_memory", "null"})
"""Backends of which each process has its own."""

_LARGEST = 2**44


@dataclass(frozen=True, slots=True)
class Chosen:
    """A cache that is not opened yet: as it was ``said``, its ``backend``, its directory if it is in one.

    ``make`` opens it, making it where it is not there.
    """

    said: str
    backend: str
    place: Path | None
    make: Callable[[], StoredCache]

    @property
    def claim(self) -> Claim | None:
        """What its directory says that it is; ``None`` when there is no cache there."""
        return None if self.place is None or not self.place.is_dir() else read_claim(self.place)

    def open(self, *, is_new_welcome: bool = False) -> StoredCache:
        """Return the cache. ``is_new_welcome``: made where it is not there yet.

        Raises ``CacheConnectionError`` when it is not there, or its server is away.
        """
        if self.place is not None and self.claim is None and not is_new_welcome:
            raise CacheConnectionError(f"there is no cache in {self.place}")
        cache = self.make()
        try:
            _check_server(cache)
        except BaseException:
            cache.close()
            raise
        return cache


def choose(said: str, name: str | None = None) -> Chosen:
    """Return the cache that ``said`` stands for; ``name``: of one at a URL.

    Raises ``CacheValueError`` for one in memory, and for settings that are wrong.
    """
    if "://" in said:
        return Chosen(hide_password(said), "redis", None, lambda: _at_url(said, name))
    if name is not None:
        raise CacheValueError("--name goes with a URL: a directory and the settings know the name of their cache")
    manager = manager_in_force()
    planned = manager.plan is not None and said in manager.plan.caches
    if not planned and _is_directory(said):
        place = _expanded(said)
        claim = read_claim(place) if place.is_dir() else None
        return Chosen(said, "" if claim is None else claim.kind, place, lambda: open_directory(place))
    return _named(manager, said)


def _expanded(said: str) -> Path:
    try:
        return Path(said).expanduser()
    except RuntimeError as error:
        raise CacheValueError(f"the user of {said!r} has no home here that is known") from error


def manager_in_force() -> CacheManager:
    """Return a manager that goes by the settings file in force, if there is one."""
    return CacheManager(config=find_settings())


def open_directory(place: Path) -> StoredCache:
    """Return the cache that is in ``place``, bounded by nothing: nothing leaves because somebody looks."""
    claim = read_claim(place) if place.is_dir() else None
    if claim is None:
        raise CacheConnectionError(f"there is no cache in {place}")
    if claim.kind == "disk":
        from cachery.disk import DiskCache  # noqa: PLC0415 - needs an extra

        return DiskCache(place, max_bytes=_LARGEST)
    from cachery.file_based import FileBasedCache  # noqa: PLC0415 - loaded when it is used

    return FileBasedCache(place)


def _is_directory(said: str) -> bool:
    has_separator = any(separator in said for separator in (os.sep, os.altsep) if separator)
    return has_separator or said.startswith(("~", ".")) or Path(said).is_dir()


def _at_url(url: str, name: str | None) -> StoredCache:
    from cachery.redis import RedisCache  # noqa: PLC0415 - needs an extra

    return RedisCache(url, name=name)


def _named(manager: CacheManager, name: str) -> Chosen:
    planned = None if manager.plan is None else manager.plan.caches.get(name)
    backend = manager.default_backend if planned is None else planned.backend
    if backend in IN_PROCESS:
        raise CacheValueError(
            f"{_about(manager, name)} is {backend}: each process has its own, which no other can look into; "
            "choose a cache on disk or on Redis, a directory or a URL, with --cache"
        )
    options = {} if planned is None else planned.checked_options()
    own = {"fallback": None} if backend == "redis" else {}  # what is said to be stored, is stored there
    return Chosen(name, backend, _place_of(name, backend, options), lambda: _stored(manager, name, backend, own))


def _about(manager: CacheManager, name: str) -> str:
    """Return what there is to say of a ``name``: that the settings do not have it, and which one it is like."""
    plan = manager.plan
    if plan is None or name in plan.caches:
        return f"the cache {name!r}"
    closest = get_close_matches(name, list(plan.caches), 1)
    guess = f" (did you mean {closest[0]}?)" if closest else ""
    return f"the cache {name!r} is not in {plan.place}{guess}, and so"


def _place_of(name: str, backend: str, options: Any) -> Path | None:
    if backend == "redis" or (backend == "tiered" and options.get("over") != "disk"):
        return None
    kind, option = ("file_based", "cache_dir") if backend == "file_based" else ("disk", "path")
    place: Path = options.get(option) or default_place(kind, name, from_environment("CACHE_DIR"))
    return place


def _stored(manager: CacheManager, name: str, backend: str, options: dict[str, Any]) -> StoredCache:
    cache: Any = manager.get_cache(name, backend, **options)
    return cache  # type: ignore[no-any-return]


def _check_server(cache: Any) -> None:
    """Raise ``CacheConnectionError`` when the server beneath memory is away: the command would work on that alone."""
    for tier in getattr(cache, "tiers", ()):
        if hasattr(tier, "ping") and not tier.ping():
            raise CacheConnectionError(f"cannot reach {tier!r}")
