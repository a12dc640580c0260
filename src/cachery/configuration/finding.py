"""Which file has the settings, for the command line: the one that is named, or the next from the working directory up.

A library that read files of the working directory by itself would let whoever writes there decide where its values go.
So ``get_cache`` does not; and here, a file that is found rather than named must belong to this user or the system.
"""

from __future__ import annotations

import os
import stat
import tomllib
from collections.abc import Iterator
from pathlib import Path

from cachery.exceptions import CacheValueError
from cachery.settings import from_environment

__all__ = ["find_settings"]

_FILE = "cachery.toml"
_PYPROJECT = "pyproject.toml"


def find_settings(start: Path | None = None) -> Path | None:
    """Return the file that ``CACHERY_CONFIG`` names; else the first of ``start`` and the directories above it.

    In each, that is ``cachery.toml``, or a ``pyproject.toml`` with a table ``[tool.cachery]``. ``None`` when there is
    none. ``start``: ``None`` for the working directory.

    Raises ``CacheValueError`` for a file that is found, not named, and that others could have written.
    """
    named = from_environment("CACHERY_CONFIG")
    if named is not None:
        try:
            return Path(named).expanduser().absolute()
        except RuntimeError as error:
            raise CacheValueError(f"CACHERY_CONFIG={named!r}: that user has no home here that is known") from error
    for place in _candidates(start or Path.cwd()):
        if place.is_file() and (place.name == _FILE or _has_section(place)):
            _refuse_of_others(place)
            return place
    return None


def _candidates(start: Path) -> Iterator[Path]:
    for folder in (start, *start.parents):
        yield folder / _FILE
        yield folder / _PYPROJECT


def _has_section(place: Path) -> bool:
    """Tell whether ``place`` has settings for caches. What cannot be read is the concern of other tools."""
    try:
        tools = tomllib.loads(place.read_text(encoding="utf-8-sig")).get("tool")
    except (OSError, ValueError):
        return False
    return isinstance(tools, dict) and "cachery" in tools


def _refuse_of_others(place: Path) -> None:
    if not hasattr(os, "geteuid"):
        return
    state = place.stat()
    if state.st_uid not in {os.geteuid(), 0} or state.st_mode & stat.S_IWOTH:
        raise CacheValueError(
            f"others could have written {place}, which was found on the way up from the working directory: "
            f"name it if you trust it, CACHERY_CONFIG={place}",
            file=str(place),
        )
