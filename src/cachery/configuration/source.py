"""Where settings stand: a TOML file or a mapping, and how a complaint about one of them is worded."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any, TypeAlias

from cachery.exceptions import CacheValueError

__all__ = ["Config", "Source", "open_source"]

Config: TypeAlias = str | PathLike[str] | Mapping[str, Any]
"""The path of a TOML file, or the same settings as a mapping."""

_PYPROJECT = "pyproject.toml"
_SECTION = ("tool", "cachery")


@dataclass(frozen=True, slots=True)
class Source:
    """Settings as they were found: ``table``; of a file also ``place``, ``text``, and the ``section`` they are in."""

    table: Mapping[str, Any] = field(repr=False)
    place: Path | None = None
    text: str = field(default="", repr=False)
    section: tuple[str, ...] = ()

    def error(self, complaint: str, *path: str) -> CacheValueError:
        """Return the error that says what is wrong with the setting under ``path``, and where that stands."""
        setting = ".".join(path)
        line = _line_of(self.text, (*self.section, *path)) if path else None
        where = "config" if self.place is None else str(self.place)
        if line is not None:
            where = f"{where}, line {line}"
        told = f"{where}: {setting}: {complaint}" if setting else f"{where}: {complaint}"
        file = None if self.place is None else str(self.place)
        return CacheValueError(told, file=file, line=line, setting=setting or None)

    @property
    def folder(self) -> Path | None:
        """What relative paths are relative to; ``None`` for the working directory."""
        return None if self.place is None else self.place.parent


def open_source(config: Config) -> Source:
    """Return the settings in ``config``: of a ``pyproject.toml`` its table ``[tool.cachery]``, else all of it.

    Raises ``CacheValueError`` for a file that cannot be read, and for text that is no TOML.

    >>> open_source({"default_ttl": "5m"}).table
    {'default_ttl': '5m'}
    """
    if isinstance(config, Mapping):
        return Source(config)
    if not isinstance(config, str | PathLike) or not str(config):
        raise CacheValueError(f"config is the path of a TOML file, or a mapping, not {config!r}")
    try:
        place = Path(config).expanduser().absolute()
    except RuntimeError as error:
        raise CacheValueError(
            f"the user of {str(config)!r} has no home here that is known", file=str(config)
        ) from error
    section = _SECTION if place.name == _PYPROJECT else ()
    try:
        text = place.read_text(encoding="utf-8-sig")
        whole = tomllib.loads(text)
    except OSError as error:
        raise CacheValueError(f"the settings in {place} cannot be read: {error.strerror}", file=str(place)) from error
    except ValueError as error:  # no TOML, or no UTF-8
        raise CacheValueError(f"{place} is no TOML: {error}", file=str(place)) from error
    table = _beneath(whole, section)
    return Source({} if table is None else table, place, text, section)


def _beneath(table: Any, path: Iterable[str]) -> Any:
    """Return what stands in ``table`` under ``path``; ``None`` when nothing does."""
    for name in path:
        if not isinstance(table, Mapping) or name not in table:
            return None
        table = table[name]
    return table


def _line_of(text: str, path: tuple[str, ...]) -> int | None:
    """Return the line on which the value under ``path`` begins, in a TOML ``text`` that can be read.

    It is in the shortest beginning of the text that has it; so this needs no TOML reader of its own, and time only when
    something is wrong.
    """
    lines = text.splitlines(keepends=True)
    start = 1
    for count in range(1, len(lines) + 1):
        try:
            table = tomllib.loads("".join(lines[:count]))
        except ValueError:  # in the middle of a value that takes several lines
            continue
        if _beneath(table, path) is not None:
            return start
        start = count + 1
    return None
