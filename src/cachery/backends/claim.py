"""What a directory is: a small file in it says which kind of cache is there, in which format, under which name.

So nobody opens a directory as what it is not, and whoever opens it later, a command line for instance, knows the name
that the signatures are bound to.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from typing import Any, NamedTuple

from cachery.backends.places import refusal
from cachery.exceptions import CacheConnectionError, CacheValueError

__all__ = ["Claim", "claim", "read_claim"]

FILE = "cachery.json"
_LARGEST = 65536


class Claim(NamedTuple):
    """The ``kind`` of cache in a directory, ``"disk"`` or ``"file_based"``, its ``format`` and ``name``."""

    kind: str
    format: int
    name: str


def claim(place: Path, kind: str, version: int, name: str | None) -> str:
    """Make ``place`` a cache of that ``kind``, ``version`` and ``name``, or check that it is; return its name.

    Raises ``CacheConnectionError`` for a directory that holds something else or a newer format, ``CacheValueError`` for
    one that was made under another name; ``None`` takes any.
    """
    found = read_claim(place)
    if found is None:
        _write(place, Claim(kind, version, name or ""))
        found = read_claim(place) or Claim(kind, version, name or "")
    if found.kind != kind:
        raise CacheConnectionError(f"{place} holds a cache of the kind {found.kind!r}, not {kind!r}", place=str(place))
    if found.format > version:
        raise CacheConnectionError(
            f"the cache in {place} has format {found.format}, and this version of cachery knows {version}: "
            "upgrade, or use another directory",
            place=str(place),
        )
    if name is not None and found.name != name:
        raise CacheValueError(f"the cache in {place} was made with name={found.name!r}, not {name!r}")
    return found.name


def read_claim(place: Path) -> Claim | None:
    """Return what ``place`` says that it is; ``None`` when it says nothing."""
    path = place / FILE
    try:
        with path.open("rb") as file:
            said: dict[str, Any] = json.loads(file.read(_LARGEST))
        return Claim(str(said["kind"]), int(said["format"]), str(said["name"]))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise refusal(error, path, "read") from error
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise CacheConnectionError(f"{path} is not what cachery wrote: remove it, or use another directory") from error


def _write(place: Path, said: Claim) -> None:
    """Write ``said``; of two who do so at once, one wins."""
    draft = place / f"{FILE}.{token_hex(8)}"
    try:
        file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(file, "w", encoding="ascii") as stream:
            json.dump(said._asdict(), stream)
        with suppress(FileExistsError):
            os.link(draft, place / FILE)
    except OSError as error:
        raise refusal(error, place, "write to") from error
    finally:
        with suppress(OSError):
            draft.unlink()
