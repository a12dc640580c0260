"""What there is to know about this installation, as plain data."""

from __future__ import annotations

import math
import platform
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cachery import __version__, compiled
from cachery.cli.extras import EXTRAS, Extra
from cachery.configuration.finding import find_settings
from cachery.configuration.plan import Planned, read_plan
from cachery.exceptions import CacheValueError
from cachery.manager import CacheManager
from cachery.settings import VARIABLES, Variable, from_environment, is_set, masked

__all__ = ["ConfigFile", "Diagnosis", "ExtraState", "NamedCache", "Setting", "diagnose"]

_MEANINGS = {
    "compiled": "the memory cache runs as C",
    "interpreted": "the memory cache runs as ordinary Python: the same results, ten times slower and more",
}
_HOW_TO_COMPILE = (
    "with a C compiler at hand: CACHERY_REQUIRE_COMPILED=1 pip install --force-reinstall --no-cache-dir"
    " --no-binary cachery cachery"
)


@dataclass(frozen=True, slots=True)
class Setting:
    """An environment variable: the ``value`` in force and where it is from, or why it cannot be read: the ``error``."""

    name: str
    value: Any
    default: Any
    meaning: str
    is_from_environment: bool
    error: str | None


@dataclass(frozen=True, slots=True)
class ExtraState:
    """An extra, whether it ``is_present``, and by module whether that was found."""

    name: str
    purpose: str
    is_present: bool
    modules: dict[str, bool]
    install_command: str


@dataclass(frozen=True, slots=True)
class NamedCache:
    """A cache of the settings: its ``options`` without secrets, and why it cannot be made here: the ``error``."""

    name: str
    backend: str
    options: dict[str, Any]
    error: str | None


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """The TOML file the command line goes by, ``None`` for none; with ``is_named``, ``get_cache`` goes by it too.

    ``error``: why it cannot be read.
    """

    file: str | None
    is_named: bool
    default_backend: str | None
    default_ttl: float | str | None
    caches: list[NamedCache]
    error: str | None


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All of it. ``mode`` is ``"compiled"`` or ``"interpreted"``; ``default_ttl`` tells which caches have one."""

    version: str
    python: str
    mode: str
    mode_meaning: str
    how_to_compile: str | None
    extras: list[ExtraState]
    settings: list[Setting]
    config: ConfigFile
    default_ttl: str

    @property
    def errors(self) -> list[str]:
        """What is wrong, a line each."""
        found = [setting.error for setting in self.settings]
        found += [self.config.error, *[cache.error for cache in self.config.caches]]
        return [error for error in found if error is not None]

    def to_dict(self) -> dict[str, Any]:
        """Return all of it, the errors too, as JSON can carry it."""
        return {**asdict(self), "errors": self.errors}


def diagnose() -> Diagnosis:
    """Look at this installation and its environment. Never raises for a setting that cannot be read.

    >>> [setting.name for setting in diagnose().settings][:3]
    ['CACHE_BACKEND', 'CACHE_TTL_DEFAULT', 'CACHE_MAX_SIZE']
    """
    mode = "compiled" if compiled else "interpreted"
    return Diagnosis(
        version=__version__,
        python=f"{platform.python_implementation()} {platform.python_version()}",
        mode=mode,
        mode_meaning=_MEANINGS[mode],
        how_to_compile=None if compiled else _HOW_TO_COMPILE,
        extras=[_state_of(extra) for extra in EXTRAS.values()],
        settings=[_setting_of(variable) for variable in VARIABLES.values()],
        config=_config_in_force(),
        default_ttl=_about_default_ttl(),
    )


def _state_of(extra: Extra) -> ExtraState:
    missing = extra.missing_modules()
    modules = {module: module not in missing for module in extra.modules}
    return ExtraState(extra.name, extra.purpose, not missing, modules, extra.install_command)


def _setting_of(variable: Variable) -> Setting:
    value, error = None, None
    try:
        value = _value_in_force(variable.name)
        value = "forever" if value == math.inf else value
        if value is not None:
            value = variable.hide(value)
    except CacheValueError as unreadable:
        error = str(unreadable)
    return Setting(variable.name, value, variable.default, variable.meaning, is_set(variable.name), error)


def _value_in_force(name: str) -> Any:
    """Return what the variable says. Which backends there are, only the manager knows."""
    return CacheManager().default_backend if name == "CACHE_BACKEND" else from_environment(name)


def _config_in_force() -> ConfigFile:
    is_named = is_set("CACHERY_CONFIG")
    place = None
    try:
        place = find_settings()
        plan = None if place is None else read_plan(place)
    except CacheValueError as error:
        return ConfigFile(None if place is None else str(place), is_named, None, None, [], str(error))
    if plan is None:
        return ConfigFile(None, is_named, None, None, [], None)
    ttl = "forever" if plan.default_ttl == math.inf else plan.default_ttl
    caches = [_named_cache(planned) for planned in plan.caches.values()]
    return ConfigFile(str(place), is_named, plan.default_backend, ttl, caches, None)


def _named_cache(planned: Planned) -> NamedCache:
    error = None if planned.problem is None else str(planned.problem)
    options = {name: _plain(value) for name, value in masked(planned.options).items()}
    return NamedCache(planned.name, planned.backend, options, error)


def _plain(value: Any) -> Any:
    """Return ``value`` as JSON can carry it."""
    if value is None or value == math.inf:
        return "inf"
    return str(value) if isinstance(value, Path) else value


def _about_default_ttl() -> str:
    default = VARIABLES["CACHE_TTL_DEFAULT"].default
    return (
        "A cache from get_cache or a CacheManager has a default TTL: the one given, in code or in a settings file, "
        f"else CACHE_TTL_DEFAULT, {default:g} s unless set. "
        "A cache made by its constructor, InMemoryCache() for instance, has none."
    )
