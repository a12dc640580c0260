"""What a file looks like: to the system, which costs a microsecond or two, or by its content."""

from __future__ import annotations

import os
from hashlib import file_digest
from typing import Literal

from cachery.exceptions import CacheInvalidationError

__all__ = ["ABSENT", "Check", "is_unchanged", "look_at"]

Check = Literal["stat", "hash", "never"]

ABSENT = "absent"
_MOST_REMEMBERED = 4096

_known: dict[str, tuple[str, str]] = {}
"""Of files whose stamps have changed and whose content has not: the stamp, and the digest."""


def look_at(path: str, check: Check) -> str:
    """Return what the file at ``path`` looks like: its stamp, and for ``"hash"`` the digest of its content behind it.

    Raises ``CacheInvalidationError`` when it cannot be looked at; that there is none is an answer.
    """
    try:
        stamp = _stamp(path)
        if check != "hash" or stamp == ABSENT:
            return stamp
        if not os.path.isfile(path):  # noqa: PTH113 - what is a directory or a pipe has no content to go by
            message = f"{path} is no regular file, so only its stamps can be depended on: File(path, 'stat')"
            raise CacheInvalidationError(message, path=path)
        return f"{stamp}:{_digest(path)}"
    except FileNotFoundError:
        return ABSENT
    except OSError as error:
        raise CacheInvalidationError(f"{path} cannot be depended on: {error.strerror}", path=path) from error


def is_unchanged(path: str, seen: str) -> bool:
    """Tell whether the file at ``path`` looks as it was ``seen``; one that cannot be looked at does not."""
    stamp, _, digest = seen.partition(":")
    try:
        now = _stamp(path)
        return now == stamp or (bool(digest) and now != ABSENT and _digest_of(path, now) == digest)
    except OSError:
        return False


def _stamp(path: str) -> str:
    try:
        state = os.stat(path)  # noqa: PTH116 - a Path takes twice the time
    except (FileNotFoundError, NotADirectoryError):
        return ABSENT
    return f"{state.st_mtime_ns:x}-{state.st_size:x}-{state.st_ino:x}"


def _digest_of(path: str, stamp: str) -> str:
    """Return the digest of a file with that ``stamp``; it is read once."""
    known = _known.get(path)
    if known is not None and known[0] == stamp:
        return known[1]
    digest = _digest(path)
    if len(_known) >= _MOST_REMEMBERED:
        _known.clear()
    _known[path] = stamp, digest  # the stamp is the older of the two: a change in between shows at the next look
    return digest


def _digest(path: str) -> str:
    with open(path, "rb") as file:  # noqa: PTH123
        return file_digest(file, "blake2b").hexdigest()[:32]
