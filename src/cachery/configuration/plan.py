"""From settings to what a manager makes caches with: everything is checked, and nothing opened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cachery.configuration.kinds import LIFE, TEXT, Kind
from cachery.configuration.options import BACKENDS, kinds_for
from cachery.configuration.source import Config, Source, open_source
from cachery.configuration.variables import Unset, expanded, has_variables
from cachery.exceptions import CacheValueError
from cachery.model.durations import life_of
from cachery.settings import from_environment, is_set

__all__ = ["Plan", "Planned", "read_plan"]

_TOP = {"default_backend", "default_ttl", "caches"}
_CHOICE = "CACHE_BACKEND"
_TWINS = {("file_based", "path"): "cache_dir", ("disk", "cache_dir"): "path", ("tiered", "cache_dir"): "path"}


class _Unusable(Exception):  # noqa: N818 - it never leaves this module
    """A setting that cannot be used here and now, for the reason that ``told`` tells."""

    def __init__(self, told: CacheValueError) -> None:
        super().__init__(str(told))
        self.told = told


@dataclass(frozen=True, slots=True)
class Planned:
    """A named cache as the settings have it: its ``backend``, and ``options`` for the constructor.

    ``problem``: why it cannot be made here, a variable that is not set or chose a backend that its options are not of;
    the others can be made all the same.
    """

    name: str
    backend: str
    options: Mapping[str, Any] = field(repr=False)
    problem: CacheValueError | None = None

    def checked_options(self) -> Mapping[str, Any]:
        """Return ``options``; raise ``CacheValueError`` where there is a problem."""
        if self.problem is not None:
            raise self.problem
        return self.options


@dataclass(frozen=True, slots=True)
class Plan:
    """All settings of ``source``. What is ``None`` they do not say."""

    source: Source
    default_backend: str | None
    default_ttl: float | None
    caches: Mapping[str, Planned]

    @property
    def place(self) -> Path | None:
        """The file they are from; ``None`` for those from code."""
        return self.source.place


def read_plan(config: Config, backend: str | None = None) -> Plan:
    """Return the settings in ``config``. ``backend``: of caches that name none, in spite of what is said there.

    Raises ``CacheValueError`` for what is not known, of the wrong kind, or no TOML: it names the file, the line and the
    setting.

    >>> plan = read_plan({"default_ttl": "5m", "caches": {"pages": {"max_size": 50}}})
    >>> plan.default_ttl, plan.caches["pages"].backend, plan.caches["pages"].options
    (300.0, 'in_memory', {'max_size': 50})
    """
    source = open_source(config)
    if source.place is not None and not source.section and "tool" in source.table:
        advice = (
            f"the settings stand at the top level of {source.place.name}: [caches.NAME], not [tool.cachery.caches.NAME]"
        )
        raise source.error(advice, "tool")
    _refuse_unknown(source, source.table, _TOP)
    said = _optional(source, "default_backend", TEXT)
    if said is not None and said not in BACKENDS:
        raise source.error(f"{said!r} is not known; there are {', '.join(BACKENDS)}", "default_backend")
    ttl = _optional(source, "default_ttl", LIFE)
    fallback = backend or said
    tables = source.table.get("caches", {})
    if not isinstance(tables, Mapping):
        raise source.error("write a table for each cache: [caches.NAME]", "caches")
    caches = {name: _planned(source, name, table, fallback) for name, table in tables.items()}
    return Plan(source, said, None if ttl is None else life_of(ttl), caches)


def _planned(source: Source, name: Any, table: Any, fallback: str | None) -> Planned:
    """Return the cache of a ``table``. ``fallback``: its backend if it names none; ``None``: as the variable says."""
    if not isinstance(name, str) or not isinstance(table, Mapping):
        raise source.error("write a table: [caches.NAME]", "caches", str(name))
    path = ("caches", name)
    try:
        said = _value(source, table["backend"], TEXT, *path, "backend") if "backend" in table else fallback
    except _Unusable as unusable:
        return Planned(name, fallback or from_environment(_CHOICE), {}, unusable.told)
    if said is not None and said not in BACKENDS:
        where = (*path, "backend") if "backend" in table else path
        raise source.error(f"backend {said!r} is not known; there are {', '.join(BACKENDS)}", *where)
    backend: str = said or from_environment(_CHOICE)
    kinds = _kinds_of(source, table, path, backend, is_chosen=said is not None or not is_set(_CHOICE))
    if isinstance(kinds, CacheValueError):
        return Planned(name, backend, {}, kinds)
    options: dict[str, Any] = {}
    problem: CacheValueError | None = None
    for option, value in table.items():
        if option != "backend":
            try:
                options[option] = _value(source, value, kinds[option], *path, option)
            except _Unusable as unusable:
                problem = problem or unusable.told
    return Planned(name, backend, options, problem)


def _kinds_of(
    source: Source, table: Mapping[str, Any], path: tuple[str, ...], backend: str, *, is_chosen: bool
) -> Mapping[str, Kind] | CacheValueError:
    """Return the options that a cache of ``backend`` takes, each of ``table`` among them.

    Where the variable chose the backend, and not the settings, what does not fit it is returned as an error: of this
    cache, while that variable says so. Raises ``CacheValueError`` for what fits no backend.
    """
    if is_chosen:
        kinds = kinds_for(backend, table)
        _refuse_unknown(source, table, {*kinds, "backend"}, *path, backend=backend)
        return kinds
    every = {option: kind for kinds in BACKENDS.values() for option, kind in kinds.items()}
    _refuse_unknown(source, table, {*every, "backend"}, *path)
    chosen = f"it names no backend, and {_CHOICE}={backend!r}"
    if backend not in BACKENDS:
        return source.error(f"{chosen} is not known; there are {', '.join(BACKENDS)}", *path)
    kinds = kinds_for(backend, table)
    for option in table:
        if option not in kinds:
            return source.error(f"{chosen}: {_advice(option, {*kinds}, backend)}", *path, option)
    return kinds


def _optional(source: Source, name: str, kind: Kind) -> Any:
    try:
        return _value(source, source.table[name], kind, name) if name in source.table else None
    except _Unusable as unusable:
        raise unusable.told from None


def _value(source: Source, value: Any, kind: Kind, *path: str) -> Any:
    """Return ``value`` as a constructor takes it.

    Raises ``_Unusable`` for a variable that is not set, and ``CacheValueError`` for a value of another kind.
    """
    written = value
    try:
        if isinstance(value, str) and has_variables(value):
            value = kind.parse(expanded(value))
        elif isinstance(value, list) and any(isinstance(each, str) and has_variables(each) for each in value):
            value = [expanded(each) if isinstance(each, str) else each for each in value]
        checked = kind.check(value)
    except Unset as unset:
        raise _Unusable(source.error(str(unset), *path)) from None
    except CacheValueError as error:
        if value is written or kind.is_discreet:
            raise source.error(str(error), *path) from error
        raise source.error("what its variables say does not fit here", *path) from None  # it may be a secret
    return source.folder / checked if kind.is_path and source.folder is not None else checked


def _refuse_unknown(
    source: Source, table: Mapping[str, Any], known: set[str], *path: str, backend: str | None = None
) -> None:
    for name in table:
        if name not in known:
            raise source.error(_advice(str(name), known, backend), *path, str(name))


def _advice(name: str, known: set[str], backend: str | None) -> str:
    """Return what to do about ``name``, which is not among the ``known``."""
    from difflib import get_close_matches  # noqa: PLC0415 - only where something is wrong

    twin = _TWINS.get((backend or "", name))
    if twin in known:
        return f"not an option of backend {backend!r}, where it is called {twin}"
    closest = get_close_matches(name, sorted(known), 1, 0.7)
    if closest:
        return f"not known: did you mean {closest[0]}?"
    others = [] if backend is None else [other for other, kinds in BACKENDS.items() if name in kinds]
    if others:
        return f"not an option of backend {backend!r}, but of {', '.join(others)}"
    return f"not known; there are {', '.join(sorted(known))}"
