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
from cachery.settings import from_environment

__all__ = ["Plan", "Planned", "read_plan"]

_TOP = {"default_backend", "default_ttl", "caches"}


@dataclass(frozen=True, slots=True)
class Planned:
    """A named cache as the settings have it: its ``backend``, and ``options`` for the constructor.

    ``problem``: why it cannot be made here, a variable that is not set; the others can be made all the same.
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
    _refuse_unknown(source, source.table, _TOP)
    said = _optional(source, "default_backend", TEXT)
    if said is not None and said not in BACKENDS:
        raise source.error(f"{said!r} is not known; there are {', '.join(BACKENDS)}", "default_backend")
    ttl = _optional(source, "default_ttl", LIFE)
    fallback = backend or said or from_environment("CACHE_BACKEND")
    tables = source.table.get("caches", {})
    if not isinstance(tables, Mapping):
        raise source.error("write a table for each cache: [caches.NAME]", "caches")
    caches = {name: _planned(source, name, table, fallback) for name, table in tables.items()}
    return Plan(source, said, None if ttl is None else life_of(ttl), caches)


def _planned(source: Source, name: Any, table: Any, fallback: str) -> Planned:
    if not isinstance(name, str) or not isinstance(table, Mapping):
        raise source.error("write a table: [caches.NAME]", "caches", str(name))
    path = ("caches", name)
    try:
        backend = _value(source, table["backend"], TEXT, *path, "backend") if "backend" in table else fallback
    except Unset as unset:
        return Planned(name, fallback, {}, unset)
    if backend not in BACKENDS:
        said = (*path, "backend") if "backend" in table else path
        raise source.error(f"backend {backend!r} is not known; there are {', '.join(BACKENDS)}", *said)
    kinds = kinds_for(backend, table)
    _refuse_unknown(source, table, {*kinds, "backend"}, *path, backend=backend)
    options: dict[str, Any] = {}
    problem: CacheValueError | None = None
    for option, value in table.items():
        if option != "backend":
            try:
                options[option] = _value(source, value, kinds[option], *path, option)
            except Unset as unset:
                problem = problem or unset
    return Planned(name, backend, options, problem)


def _optional(source: Source, name: str, kind: Kind) -> Any:
    return _value(source, source.table[name], kind, name) if name in source.table else None


def _value(source: Source, value: Any, kind: Kind, *path: str) -> Any:
    """Return ``value`` as a constructor takes it. Raises ``Unset``, and ``CacheValueError`` for one of another kind."""
    written = value
    try:
        if isinstance(value, str) and has_variables(value):
            value = kind.parse(expanded(value))
        elif isinstance(value, list) and any(isinstance(each, str) and has_variables(each) for each in value):
            value = [expanded(each) if isinstance(each, str) else each for each in value]
        checked = kind.check(value)
    except Unset as unset:
        told = source.error(str(unset), *path)
        raise Unset(told.message, **told.context) from unset
    except CacheValueError as error:
        if value is written:
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

    closest = get_close_matches(name, sorted(known), 1, 0.7)
    if closest:
        return f"not known: did you mean {closest[0]}?"
    others = [] if backend is None else [other for other, kinds in BACKENDS.items() if name in kinds]
    if others:
        return f"not an option of backend {backend!r}, but of {', '.join(others)}"
    return f"not known; there are {', '.join(sorted(known))}"
