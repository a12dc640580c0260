"""Named caches: get the same one by the same name, anywhere in the process.

What a cache is made with, the first of these says that says anything: the call, what ``config`` has for that cache, the
manager's own arguments, the defaults in ``config``, the environment, the defaults of the library. So a cache from the
manager always has a default TTL; ``FOREVER`` gives it none. The constructors of the cache classes know none of that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, ParamSpec, Self, TypeVar, Unpack, overload

from cachery.backends.places import default_place
from cachery.cache import Cache
from cachery.exceptions import CacheClosedError, CacheValueError
from cachery.in_memory import InMemoryCache
from cachery.locks import make_lock
from cachery.model.durations import Duration, seconds
from cachery.model.options import CachedOptions
from cachery.null import NullCache
from cachery.ports.clock import wall
from cachery.settings import from_environment, is_set, masked

if TYPE_CHECKING:  # loaded when something is decorated, or there are settings to be read
    from cachery.configuration.plan import Plan, Planned
    from cachery.configuration.source import Config
    from cachery.decorators.types import CachedFunction, Decorator

__all__ = ["CacheManager", "cached", "configure", "default_manager", "get_cache"]


P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class _Named:
    """A cache with what was asked for when it was made."""

    cache: Cache
    options: Mapping[str, Any]
    created_at: float


class CacheManager:
    """Makes caches and keeps them by name.

    ``default_backend``: ``"in_memory"``, ``"file_based"``, ``"disk"``, ``"redis"``, ``"tiered"`` or ``"null"``;
    ``None`` for ``CACHE_BACKEND``. ``default_ttl``: of the caches made here, ``None`` for ``CACHE_TTL_DEFAULT``. One on
    Redis that names no server is at ``REDIS_URL``, and goes on in memory while that is away. Those on disk that name no
    directory have one each under ``CACHE_DIR``, or this user's cache directory. Thread-safe.

    ``config``: settings of named caches and further defaults, the path of a TOML file or a mapping. What is wrong there
    raises ``CacheValueError`` at once, with file and line, and nothing is opened.

    >>> manager = CacheManager(default_ttl="10m", config={"caches": {"pages": {"max_size": 50}}})
    >>> cache = manager.get_cache("sessions", max_size=100)
    >>> manager.get_cache("sessions") is cache, cache.default_ttl, manager.get_cache("pages").max_size
    (True, 600.0, 50)
    """

    def __init__(
        self,
        default_backend: str | None = None,
        default_ttl: Duration | None = None,
        *,
        config: Config | None = None,
    ) -> None:
        self._backend = None if default_backend is None else _known(default_backend)
        self._ttl = None if default_ttl is None else _checked_ttl(default_ttl)
        self.plan: Plan | None = None if config is None else _read(config, self._backend)
        self._named: dict[tuple[str, str], _Named] = {}
        self._lock = make_lock()
        self._is_closed = False

    def __repr__(self) -> str:
        return f"<CacheManager of {self.cache_count} caches>"

    @property
    def default_backend(self) -> str:
        """The backend of a cache that names none."""
        planned = None if self.plan is None else self.plan.default_backend
        return self._backend or planned or _known(from_environment("CACHE_BACKEND"), "CACHE_BACKEND")

    @property
    def default_ttl(self) -> float:
        """The default TTL, in seconds, of a cache that names none; ``inf`` for no end."""
        planned = None if self.plan is None else self.plan.default_ttl
        own = planned if self._ttl is None else self._ttl
        return from_environment("CACHE_TTL_DEFAULT") if own is None else own

    def backend_of(self, name: str) -> str:
        """Return the backend on which ``get_cache`` has the cache of that ``name``, if none is asked for.

        >>> CacheManager(config={"caches": {"builds": {"backend": "disk"}}}).backend_of("builds")
        'disk'
        """
        planned = self._planned(name)
        return self.default_backend if planned is None else planned.backend

    def has_settings_of(self, name: str) -> bool:
        """Tell whether ``config`` says anything of a cache of that ``name``."""
        return self._planned(name) is not None

    def _planned(self, name: str) -> Planned | None:
        return None if self.plan is None else self.plan.caches.get(name)

    def get_cache(self, name: str = "default", backend: str | None = None, **options: Any) -> Cache:
        """Return the cache of that ``name`` and ``backend``, made with ``options`` when it is not there yet.

        ``options`` are those of the cache's constructor; what ``config`` says of this name and backend holds where they
        say nothing. The same name with other options raises ``CacheValueError``; without options it is the cache as it
        is. A backend that is not known raises ``CacheValueError`` with the list.
        """
        if not isinstance(name, str) or "name" in options:
            raise CacheValueError("the name of a cache is a str, and the first argument", cache_name=repr(name))
        planned = self._planned(name)
        kind = self.backend_of(name) if backend is None else _known(backend)
        found = self._find(name, kind)
        if planned is not None and planned.backend == kind and (options or found is None):
            options = {**planned.checked_options(), **options}
        if found is None:
            made = _Named(self._made(name, kind, options, planned), options, wall())  # no lock: it may wait for others
            with self._lock:
                found = self._find(name, kind)
                if found is None:
                    found = self._named[name, kind] = made
            if found is not made:
                made.cache.close()
        if options and options != found.options:
            raise CacheValueError(
                f"the cache {name!r} was made with {masked(found.options)}, not {masked(options)}",
                cache_name=name,
                backend=kind,
            )
        return found.cache

    def _find(self, name: str, kind: str) -> _Named | None:
        """Return the open cache of that ``name`` and ``kind``."""
        with self._lock:
            if self._is_closed:
                raise CacheClosedError("the manager was closed")
            found = self._named.get((name, kind))
        return found if found is not None and _is_open(found.cache) else None

    def _made(self, name: str, kind: str, options: Mapping[str, Any], planned: Planned | None) -> Cache:
        """Return a new cache; what is wrong with a planned one, is wrong with a file."""
        if planned is None or self.plan is None or planned.backend != kind:
            return self._make(name, kind, options)
        try:
            return self._make(name, kind, options)
        except CacheValueError as error:
            raise self.plan.source.error(str(error), "caches", name) from error

    def _make(self, name: str, kind: str, options: Mapping[str, Any]) -> Cache:
        defaults: dict[str, Any] = {"name": name}
        if "default_ttl" not in options:
            defaults["default_ttl"] = self.default_ttl
        try:
            return _BACKENDS[kind](**defaults, **options)
        except TypeError as error:
            raise CacheValueError(f"the cache {name!r} cannot be made: {error}", backend=kind) from error

    def has_cache(self, name: str) -> bool:
        """Tell whether there is a cache of that ``name``, on any backend."""
        with self._lock:
            return any(known == name for known, _ in self._named)

    def remove_cache(self, name: str) -> bool:
        """Close and forget the caches of that ``name``, on every backend; True if there was one."""
        with self._lock:
            gone = [self._named.pop(place) for place in list(self._named) if place[0] == name]
        for named in gone:
            named.cache.close()
        return bool(gone)

    def list_caches(self) -> list[dict[str, Any]]:
        """Return a record of each cache: ``key`` (``name:backend``), ``name``, ``backend``, ``created_at`` (epoch)."""
        with self._lock:
            named = sorted(self._named.items())
        return [
            {"key": f"{name}:{kind}", "name": name, "backend": kind, "created_at": found.created_at}
            for (name, kind), found in named
        ]

    def clear_all(self) -> int:
        """Clear every open cache; return how many there are."""
        with self._lock:
            caches = [found.cache for found in self._named.values() if _is_open(found.cache)]
        for cache in caches:
            cache.clear()
        return len(caches)

    @property
    def cache_count(self) -> int:
        """How many caches there are."""
        return len(self._named)

    def summary(self) -> dict[str, Any]:
        """Return how many caches there are, on which backends, and the defaults in force.

        ``default_ttl`` is in seconds and holds for every cache made here without one of its own, on whatever backend.
        """
        with self._lock:
            backends = sorted({kind for _, kind in self._named})
        return {
            "total_caches": self.cache_count,
            "backends_used": backends,
            "default_backend": self.default_backend,
            "default_ttl": self.default_ttl,
        }

    def close(self) -> None:
        """Close and forget every cache. ``get_cache`` raises ``CacheClosedError`` from then on."""
        with self._lock:
            self._is_closed = True
            gone = [found.cache for found in self._named.values()]
            self._named.clear()
        for cache in gone:
            cache.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def _in_memory(**options: Any) -> InMemoryCache:
    if "max_size" not in options and options.get("max_bytes") is None:
        options["max_size"] = from_environment("CACHE_MAX_SIZE")
    return InMemoryCache(**options)


def _null(**options: Any) -> Cache:
    """Return a cache that stores nothing, made with any options that a memory cache takes."""
    _in_memory(**options).close()
    return NullCache(name=options["name"])


def _file_based(**options: Any) -> Cache:
    from cachery.file_based import FileBasedCache  # noqa: PLC0415 - loaded when one is asked for

    if options.get("cache_dir") is None:
        options["cache_dir"] = default_place("file_based", options["name"], from_environment("CACHE_DIR"))
    return FileBasedCache(**options)


def _disk(**options: Any) -> Cache:
    from cachery.disk import DiskCache  # noqa: PLC0415 - needs an extra

    if options.get("path") is None:
        options["path"] = default_place("disk", options["name"], from_environment("CACHE_DIR"))
    return DiskCache(**options)


def _placed(options: dict[str, Any]) -> dict[str, Any]:
    """Return the options of a cache on Redis, which is at ``REDIS_URL`` unless they or the environment say where."""
    if _PLACES & options.keys() or (not is_set("REDIS_URL") and (is_set("REDIS_HOST") or is_set("REDIS_PORT"))):
        return options
    return {**options, "redis_url": from_environment("REDIS_URL")}


def _redis(**options: Any) -> Cache:
    """Return a cache on Redis that goes on in memory while that is away, now for instance."""
    from cachery.redis import RedisCache  # noqa: PLC0415 - needs an extra

    if "fallback" not in options:
        options["fallback"] = InMemoryCache(from_environment("CACHE_MAX_SIZE"), clock=options.get("clock"))
    cache = RedisCache(**_placed(options))
    cache.ping()
    return cache


def _before_redis(memory: InMemoryCache, options: dict[str, Any], channel: dict[str, Any]) -> Cache:
    """Return ``memory`` before a cache on Redis, which both go on in memory while that is away, now for instance."""
    from cachery.redis import RedisCache  # noqa: PLC0415 - needs an extra
    from cachery.tiered import TieredCache  # noqa: PLC0415 - needs an extra

    far = RedisCache(**_placed(options))
    cache = TieredCache(memory, far, **channel)
    far.ping()  # heard by both, and the way back begins
    return cache


def _tiered(**options: Any) -> Cache:
    """Return memory before a cache ``over`` ``"redis"`` or ``"disk"``, which takes the other options."""
    from cachery.tiered import TieredCache  # noqa: PLC0415 - needs an extra

    over = options.pop("over", "redis")
    if over not in {"disk", "redis"}:
        raise CacheValueError(f"over is disk or redis, not {over!r}")
    near = {name: options.pop(name) for name in ("max_size", "policy", "copy") if name in options}
    channel: dict[str, Any] = {name: options.pop(name) for name in ("bus", "max_stale_when_blind") if name in options}
    memory = _in_memory(**near, clock=options.get("clock"), name=options["name"])
    if over == "redis":
        return _before_redis(memory, options, channel)
    return TieredCache(memory, _disk(**options), **channel)


_PLACES = {"url_or_host", "redis_url", "host", "port", "sentinels", "client"}

_BACKENDS: dict[str, Callable[..., Cache]] = {
    "disk": _disk,
    "file_based": _file_based,
    "in_memory": _in_memory,
    "null": _null,
    "redis": _redis,
    "tiered": _tiered,
}


def _is_open(cache: Cache) -> bool:
    try:
        cache.check_open()
    except CacheClosedError:
        return False
    return True


def _known(backend: str, source: str = "backend") -> str:
    if backend not in _BACKENDS:
        raise CacheValueError(f"{source}={backend!r} is not known; there are {', '.join(sorted(_BACKENDS))}")
    return backend


def _read(config: Config, backend: str | None) -> Plan:
    from cachery.configuration.plan import read_plan  # noqa: PLC0415 - loaded where there are settings to be read

    return read_plan(config, backend)


def _checked_ttl(default_ttl: Duration) -> float:
    life = seconds(default_ttl, "default_ttl")
    if life <= 0:
        raise CacheValueError(f"default_ttl must be above 0, not {default_ttl!r}")
    return life


_lock = make_lock()
_managers: list[CacheManager] = []


def default_manager() -> CacheManager:
    """Return the manager of this process, behind ``get_cache``. It goes by the file that ``CACHERY_CONFIG`` names."""
    with _lock:
        if not _managers:
            _managers.append(CacheManager(config=from_environment("CACHERY_CONFIG")))
        return _managers[0]


def configure(config: Config) -> None:
    """Let ``get_cache`` go by the settings in ``config``, whatever ``CACHERY_CONFIG`` names.

    ``config``: the path of a TOML file, or a mapping. Call it when the program starts: raises ``CacheValueError`` when
    ``get_cache`` has made a cache already, and for settings that are wrong, with file and line.

    >>> configure({"caches": {"pages": {"max_size": 50, "default_ttl": "1h"}}})
    >>> get_cache("pages").max_size, get_cache("pages").default_ttl
    (50, '1h')
    """
    made = CacheManager(config=config)
    with _lock:
        there = [record["name"] for manager in _managers for record in manager.list_caches()]
        if there:
            raise CacheValueError(f"configure() comes before the first get_cache(): there is {there[0]!r} already")
        _managers[:] = [made]


def get_cache(name: str = "default", backend: str | None = None, **options: Any) -> Cache:
    """Return the cache of that ``name``, the same one wherever in the process it is asked for.

    ``backend`` and ``options`` are those of ``CacheManager.get_cache``; so is the default TTL of 300 seconds.

    >>> get_cache("answers") is get_cache("answers")
    True
    """
    return default_manager().get_cache(name, backend, **options)


@overload
def cached(function: Callable[P, R], /) -> CachedFunction[P, R]: ...
@overload
def cached(function: None = None, /, ttl: Duration | None = None, **options: Unpack[CachedOptions]) -> Decorator: ...
def cached(function: Any = None, /, ttl: Duration | None = None, **options: Any) -> Any:
    """Return a decorator that keeps results in ``get_cache()``, the default cache, as ``Cache.cached`` does.

    >>> @cached(ttl="5m")
    ... def double(number: int) -> int:
    ...     return 2 * number
    >>> double(21), double.key(21) in get_cache()
    (42, True)
    """
    return get_cache().cached(function, ttl, **options)
