"""Reads the parts of a snapshot, one at a time. A length is compared with what is there before anything is read."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader, FileIO
from pathlib import Path
from typing import NamedTuple

from cachery.backends.places import refusal
from cachery.exceptions import CacheConnectionError, CacheValueError
from cachery.serializers.envelope import Unreadable
from cachery.serializers.keyring import Keyring
from cachery.snapshots.layout import COUNT, END, ENTRY, HEAD, MAGIC, PART, SIGNATURE, VERSION, Head, Seal

__all__ = ["Part", "Reading", "opened"]

_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_NOTHING = Head(b"", b"", 0.0, 0)


class Part(NamedTuple):
    """A part as it stands in the file, nothing checked."""

    number: int
    mark: bytes
    data: bytes
    signature: bytes


class Reading:
    """The snapshot in ``file``. ``is_whole``: its end was read, and nothing is missing.

    Raises ``CacheValueError`` for what is no snapshot, or one of a later version.
    """

    def __init__(self, file: FileIO, place: Path, keyring: Keyring) -> None:
        self._file = BufferedReader(file)
        self._place = place
        self._left = os.fstat(file.fileno()).st_size
        self.is_whole = self.is_trusted = False
        head, signature = self._taken(HEAD.size), self._taken(SIGNATURE)
        if not head.startswith(MAGIC):
            raise CacheValueError(f"{place} is no snapshot of a cache", path=str(place))
        self.head = _NOTHING
        if len(head) == HEAD.size:
            _, version, *said = HEAD.unpack(head)
            if version != VERSION:
                raise CacheValueError(
                    f"{place} is a snapshot of version {version}, and this release reads {VERSION}", path=str(place)
                )
            self.head = Head(*said)
        self._seal = Seal(keyring, head, self.head.key_id)
        self._refused = self._why_refused(keyring, head, signature)
        self.is_trusted = not self._refused

    def check(self, part: Part) -> None:
        """Raise ``Unreadable`` unless ``part`` belongs where it stands in this snapshot, and is as it was written."""
        if self._refused:
            raise Unreadable(self._refused)
        self._seal.check(*part)

    def entries(self) -> Iterator[Part]:
        """Yield the entries until the end, or until what follows is no part."""
        number = 0
        while (part := self._next(number)) is not None:
            if part.mark == END:
                self.is_whole = self._is_end(part)
                return
            yield part
            number += 1

    def _next(self, number: int) -> Part | None:
        head = self._taken(PART.size)
        if len(head) < PART.size:
            return None
        mark, size = PART.unpack(head)
        if mark not in {ENTRY, END} or size + SIGNATURE > self._left:
            return None
        return Part(number, mark, self._taken(size), self._taken(SIGNATURE))

    def _is_end(self, part: Part) -> bool:
        """Tell whether ``part`` is the end of this snapshot, as far as that can be known."""
        if self.is_trusted:
            try:
                self.check(part)
            except Unreadable:
                return False
        return part.data == COUNT.pack(part.number) and self._left == 0

    def _why_refused(self, keyring: Keyring, head: bytes, signature: bytes) -> str:
        """Return the reason why nothing here can be believed; empty where it can be."""
        try:
            keyring.check_apart(head, signature, self.head.key_id)
        except Unreadable as unreadable:
            return unreadable.reason
        return ""

    def _taken(self, size: int) -> bytes:
        """Return the next ``size`` bytes, fewer where there are no more."""
        size = min(size, self._left)
        try:
            data = self._file.read(size)
        except OSError as error:
            raise refusal(error, self._place, "read") from error
        self._left = self._left - size if len(data) == size else 0  # else somebody cut it short meanwhile
        return data


@contextmanager
def opened(place: Path) -> Iterator[FileIO]:
    """Give the file ``place``, to be read. Raises ``CacheConnectionError`` where that cannot be."""
    try:
        handle = os.open(place, _READ)
    except OSError as error:
        raise refusal(error, place, "read") from error
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise CacheConnectionError(f"cannot read {place}: it is no plain file", place=str(place))
        with FileIO(handle, "rb", closefd=False) as file:
            yield file
    finally:
        os.close(handle)
