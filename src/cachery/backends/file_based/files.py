"""Files, read and written by the fewest calls of the system: every one is replaced as a whole, or not at all.

What is read is looked at first: a plain file of this user, not larger than it may be. Links are not followed.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from cachery.backends.file_based.layout import Drafts
from cachery.backends.places import refusal
from cachery.serializers.envelope import Unreadable

__all__ = ["Draft", "Files"]

_READ = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_GONE = (errno.ENOENT, errno.ENOTDIR)
_MOST_AT_ONCE = 2**30
_TRIES = 3


class Draft(NamedTuple):
    """A file that is written and has no name of its own yet. ``state`` is what the system says about it, if asked."""

    path: str
    state: os.stat_result | None = None

    @property
    def number(self) -> int:
        """What the file system calls it; 0 when it was not asked."""
        return 0 if self.state is None else self.state.st_ino


class Files:
    """The files in the directory ``place``."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self._stem = f"{place}{os.sep}"
        self._drafts = Drafts()

    def read(self, name: str, limit: int, size: int | None = None) -> tuple[bytes, os.stat_result] | None:
        """Return what the file ``name`` holds and what the system says about it; ``None`` when there is none.

        Raises ``Unreadable`` for what is no plain file of this user, has more than ``limit`` bytes, or cannot be read.
        One that has not ``size`` bytes, if that is given, is not read: the bytes that come back are none.
        """
        for number in range(_TRIES):
            try:
                file = os.open(self._stem + name, _READ)
                try:
                    return self._content(file, limit, size)
                finally:
                    os.close(file)
            except OSError as error:
                if error.errno in _GONE:
                    return None
                if error.errno != errno.ESTALE or number + 1 == _TRIES:  # replaced on a server while it was read
                    raise Unreadable("damaged" if error.errno == errno.ELOOP else "file") from error
        return None

    def _content(self, file: int, limit: int, size: int | None) -> tuple[bytes, os.stat_result]:
        state = os.fstat(file)
        length = state.st_size
        if not stat.S_ISREG(state.st_mode) or length > limit:
            raise Unreadable("damaged")
        if _euid is not None and state.st_uid != _euid():
            raise Unreadable("signature")
        if size is not None and length != size:
            return b"", state
        data = os.read(file, length + 1)
        return (data if len(data) == length else self._rest(file, data, length)), state

    @staticmethod
    def _rest(file: int, data: bytes, length: int) -> bytes:
        """Return all ``length`` bytes of ``file``, which the system gave only in part, ``data`` being the first."""
        parts, have = [data], len(data)
        while have <= length and (part := os.read(file, min(length + 1 - have, _MOST_AT_ONCE))):
            parts.append(part)
            have += len(part)
        if have != length:
            raise Unreadable("damaged")
        return b"".join(parts)

    def draft(self, stem: str, data: bytes, *, is_looked_at: bool = False) -> Draft:
        """Write ``data`` under a name that says who writes it; with its ``state`` if it ``is_looked_at``.

        Raises ``CacheFullError``, ``CacheConnectionError``; then nothing is left of it.
        """
        path = self._stem + self._drafts.name(stem)
        try:
            file = os.open(path, _WRITE, 0o600)
        except OSError as error:
            raise refusal(error, path, "write") from error
        try:
            try:
                written = os.write(file, data)
                if written != len(data):
                    self._write_rest(file, data, written)
                state = os.fstat(file) if is_looked_at else None
            finally:
                os.close(file)
        except BaseException as error:
            self._unlink(path)
            if isinstance(error, OSError):
                raise refusal(error, path, "write") from error
            raise
        return Draft(path, state)

    @staticmethod
    def _write_rest(file: int, data: bytes, written: int) -> None:
        rest = memoryview(data)[written:]
        while rest:
            rest = rest[os.write(file, rest[:_MOST_AT_ONCE]) :]

    def publish(self, draft: Draft, name: str) -> None:
        """Give ``draft`` the name ``name``; what had it is gone. If that fails, so is the draft."""
        try:
            os.replace(draft.path, self._stem + name)  # noqa: PTH105 - a Path costs 2 µs
        except OSError as error:
            self._unlink(draft.path)
            raise refusal(error, self._stem + name, "write") from error

    def discard(self, draft: Draft) -> None:
        """Remove ``draft``."""
        self._unlink(draft.path)

    def write(self, name: str, data: bytes) -> None:
        """Let the file ``name`` hold ``data``."""
        self.publish(self.draft(name.strip(".").partition(".")[0], data), name)

    def remove(self, name: str) -> bool:
        """Remove the file ``name``; True if there was one. Raises ``CacheConnectionError``."""
        try:
            os.unlink(self._stem + name)  # noqa: PTH108
        except OSError as error:
            if error.errno in _GONE:
                return False
            raise refusal(error, self._stem + name, "remove") from error
        return True

    def has(self, name: str) -> bool:
        """Tell whether there is a file ``name``, or may be one: where the system does not say, removing it will."""
        try:
            os.lstat(self._stem + name)
        except OSError as error:
            return error.errno not in _GONE
        return True

    def state(self, name: str) -> os.stat_result | None:
        """Return what the system says about the file ``name``; ``None`` when there is none."""
        try:
            return os.lstat(self._stem + name)
        except OSError:
            return None

    def set_time(self, name: str, moment: float) -> None:
        """Let the file ``name`` say that it was changed at ``moment``, if it is there."""
        with suppress(OSError):  # how long ago an entry was used is a hint
            os.utime(self._stem + name, (moment, moment))

    def listed(self) -> Iterator[os.DirEntry[str]]:
        """Return an iterator over all files in the directory; over none when it is gone."""
        try:
            with os.scandir(self.place) as found:
                entries = list(found)
        except OSError as error:
            if error.errno in _GONE:
                return iter(())
            raise refusal(error, self.place, "read") from error
        return iter(entries)

    def is_abandoned(self, name: str) -> bool:
        """Tell whether the draft ``name`` was written by a process of this machine that is gone."""
        return self._drafts.is_abandoned(name)

    @staticmethod
    def _unlink(path: str) -> None:
        with suppress(OSError):
            os.unlink(path)  # noqa: PTH108


_euid = getattr(os, "geteuid", None)
