"""Directories that belong to one user, and what to say when the system refuses."""

from __future__ import annotations

import errno
import os
import stat
import sys
import tempfile
from pathlib import Path

from cachery.exceptions import CacheConnectionError, CacheError, CacheFullError, CacheValueError

__all__ = ["default_place", "private_directory", "refusal"]

_PROBE = 2**16
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def default_place(kind: str, name: str | None, root: str | os.PathLike[str] | None = None) -> Path:
    """Return the directory of the ``kind`` of cache called ``name``, under ``root`` or this user's cache directory."""
    return (_user_caches() if root is None else Path(root)) / "cachery" / kind / _file_name(name or "default")


def private_directory(place: str | os.PathLike[str]) -> Path:
    """Return ``place`` as an absolute path without links, a directory of this user, made if it is not there.

    Raises ``CacheValueError`` for what is no path, ``CacheConnectionError`` for a path that is no directory, that
    another user owns or may write to, or that cannot be made.
    """
    if not isinstance(place, str | os.PathLike) or not str(place):
        raise CacheValueError(f"the place of a cache is the path of a directory, not {place!r}")
    path = Path(place).expanduser()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = path.resolve(strict=True)
        state = path.stat()
    except (OSError, ValueError, RuntimeError) as error:
        if os.path.exists(path) and not os.path.isdir(path):  # noqa: PTH110, PTH112 - these never raise
            raise CacheConnectionError(f"{path} is a file, and a cache needs a directory", place=str(path)) from error
        raise refusal(error, path, "make") from error
    if hasattr(os, "geteuid") and state.st_uid != os.geteuid():
        raise CacheConnectionError(
            f"{path} belongs to another user, who could change what is read from it: use a directory of your own",
            place=str(path),
        )
    if state.st_mode & stat.S_IWOTH and os.name == "posix":
        raise CacheConnectionError(
            f"everybody may write into {path}, and so change what is read from it: chmod o-w {path}", place=str(path)
        )
    return path


def refusal(error: BaseException, place: str | os.PathLike[str], action: str) -> CacheError:
    """Return the error that says why ``place`` could not be used, to be raised from ``error``."""
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    message = f"cannot {action} {os.fspath(place)}: {reason}"
    number = getattr(error, "errno", None) or getattr(error, "code", None)  # of the system, of LMDB
    if number in _FULL or (number == errno.EIO and _has_no_room(place)):
        return CacheFullError(message, place=os.fspath(place))
    return CacheConnectionError(message, place=os.fspath(place))


def _has_no_room(place: str | os.PathLike[str]) -> bool:
    """Tell whether nothing can be written to ``place``: half a write is all that some tell of a full device."""
    try:
        with tempfile.TemporaryFile(dir=place) as probe:
            probe.write(bytes(_PROBE))
    except OSError as error:
        return error.errno in _FULL
    return _is_at_its_limit(place)


def _is_at_its_limit(place: str | os.PathLike[str]) -> bool:
    """Tell whether a file in ``place`` is as large as a file of this process may be."""
    if sys.platform == "win32":
        return False
    import resource  # noqa: PLC0415 - only here, and only where there is one

    most = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    return most != resource.RLIM_INFINITY and any(
        entry.is_file() and entry.stat().st_size + _PROBE > most for entry in os.scandir(place)
    )


def _user_caches() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home())
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def _file_name(name: str) -> str:
    """Return ``name`` as the name of one directory: no two names share one, whatever the file system does to case."""
    kept = "".join(letter if letter.isdigit() or "a" <= letter <= "z" or letter in "-_" else "%" for letter in name)
    if kept == name and len(name) < 100:  # noqa: PLR2004 - what any file system takes
        return name
    from cachery.keys.digest import digest  # noqa: PLC0415 - only for unusual names

    return f"{kept.replace('%', '_')[:40]}.{digest(name.encode('utf-8', 'surrogatepass'))}"
