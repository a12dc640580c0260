"""Values too large for the database: each in a file beside it.

A file is written under a name that says whose it is, and gets its own name, made at random, in the transaction that
stores the record referring to it. So a file with a name of its own to which no record refers was left by a crash, and
one under a writer's name was when that process is gone.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from secrets import token_hex
from struct import Struct

from cachery.backends.places import refusal

__all__ = ["BigFiles", "Reference"]

_REFERENCE = Struct("<16s32sQ")
_READING = os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
_NO_FILE = (errno.ENOENT, errno.ELOOP, errno.ENXIO)
"""Nothing is there, a link, or something that is no file."""


class Reference:
    """What a record holds in the place of a large body: the name of its file, its digest and its size."""

    __slots__ = ("digest", "name", "size")

    def __init__(self, name: str, digest: bytes, size: int) -> None:
        self.name = name
        self.digest = digest
        self.size = size

    def pack(self) -> bytes:
        """Return it as bytes."""
        return _REFERENCE.pack(bytes.fromhex(self.name), self.digest, self.size)

    @classmethod
    def unpack(cls, data: bytes) -> Reference | None:
        """Return the reference that ``data`` holds; ``None`` when it is none."""
        if len(data) != _REFERENCE.size:
            return None
        name, digest, size = _REFERENCE.unpack(data)
        return cls(name.hex(), digest, size)


class BigFiles:
    """The files in the directory ``place``. ``is_synced``: a file reaches the device before it is referred to."""

    def __init__(self, place: Path, *, is_synced: bool) -> None:
        self.place = place
        self._is_synced = is_synced

    def write(self, data: bytes) -> Reference:
        """Write ``data``, not yet under its own name; return what will refer to it."""
        reference = Reference(token_hex(16), blake2b(data, digest_size=32).digest(), len(data))
        draft = self._draft(reference)
        try:
            self.place.mkdir(mode=0o700, exist_ok=True)
            file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(file, "wb") as stream:
                stream.write(data)
                stream.flush()
                if self._is_synced:
                    os.fsync(stream.fileno())
        except OSError as error:
            with suppress(OSError):
                draft.unlink()
            raise refusal(error, draft, "write") from error
        return reference

    def publish(self, reference: Reference) -> None:
        """Give the file of ``reference`` its own name."""
        try:
            self._draft(reference).rename(self.place / reference.name)
        except OSError as error:
            raise refusal(error, self.place, "write to") from error

    def discard_draft(self, reference: Reference) -> None:
        """Remove what was written for ``reference`` and not published."""
        with suppress(OSError):
            self._draft(reference).unlink()

    def read(self, reference: Reference) -> bytes | None:
        """Return what ``reference`` refers to; ``None`` when it is gone or was changed."""
        try:
            file = os.open(self.place / reference.name, _READING)
            try:
                state = os.fstat(file)
                if not stat.S_ISREG(state.st_mode) or state.st_size != reference.size:
                    return None
                with os.fdopen(file, "rb", closefd=False) as stream:
                    data = stream.read()
            finally:
                os.close(file)
        except OSError as error:
            if error.errno in _NO_FILE:
                return None
            raise refusal(error, self.place / reference.name, "read") from error
        return data if blake2b(data, digest_size=32).digest() == reference.digest else None

    def remove(self, names: list[str]) -> None:
        """Remove the files of these names; one that is gone already is none to remove."""
        for name in names:
            with suppress(OSError):
                (self.place / name).unlink()

    def names(self) -> Iterator[str]:
        """Return the names of all files that have one of their own."""
        return (name for name in self._listed() if "." not in name)

    def abandoned(self) -> list[str]:
        """Return the names of all files but those that are being written now."""
        return [name for name in self._listed() if not _is_being_written(name)]

    def _listed(self) -> list[str]:
        try:
            return [entry.name for entry in os.scandir(self.place)]
        except FileNotFoundError:
            return []

    def _draft(self, reference: Reference) -> Path:
        return self.place / f"{reference.name}.{os.getpid()}"


def _is_being_written(name: str) -> bool:
    """Tell whether ``name`` is that of a draft whose writer lives."""
    _, dot, process = name.partition(".")
    if not dot or not process.isdecimal():
        return False
    if os.name != "posix":  # there, asking for a process by a signal ends it
        return True
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except OSError:  # it lives, and is not ours
        return True
    return True
