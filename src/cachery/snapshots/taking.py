"""Takes a snapshot: entry after entry into a file beside, which then takes the place of the old one."""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from tempfile import mkstemp

from cachery.backends.in_memory.portable import Carried, PortableStore
from cachery.backends.places import refusal
from cachery.exceptions import CacheSerializationError
from cachery.model.marks import marks_in
from cachery.serializers.pipeline import TooLarge
from cachery.snapshots.layout import COUNT, END, ENTRY, PART, Head, Seal, packed_entry
from cachery.snapshots.options import Means, SnapshotOptions, checked_place, means_of

__all__ = ["take_snapshot"]

_BYTES_A_WRITE = 2**20
_log = logging.getLogger("cachery")


def take_snapshot(cache: PortableStore, path: str | os.PathLike[str], options: SnapshotOptions) -> int:
    """Write every live entry of ``cache`` to the file ``path``; return how many (``InMemoryCache.snapshot``)."""
    place = checked_place(path)
    means = means_of(cache.name, options)
    nodes = cache.in_turn()
    with _replaced(place) as file:
        writing = Writing(cache, means, file)
        while nodes:
            carried = cache.carried(nodes.pop())
            if carried is not None:
                writing.add(carried)
        writing.finish()
    if writing.left_out:
        _log.warning("%d entries of %r are not in the snapshot %s: %s", writing.left_out, cache, place, writing.reason)
    return writing.written


class Writing:
    """A snapshot that is being written to ``file``."""

    def __init__(self, cache: PortableStore, means: Means, file: FileIO) -> None:
        self._codec = means.codec
        self._file = file
        self._serials = cache.last_serial()
        self._now = cache.read_clock()
        head = Head(means.keyring.key_id, secrets.token_bytes(16), means.clock(), self._serials).packed
        self._seal = Seal(means.keyring, head, means.keyring.key_id)
        self._waiting = [head, means.keyring.sign(head)]
        self._bytes_waiting = 0
        self.written = self.left_out = 0
        self.reason = ""

    def add(self, carried: Carried) -> None:
        """Write what is ``carried``; what cannot be written is counted."""
        settled = self._settled(carried)
        if settled is None:
            return
        try:
            data = packed_entry(self._codec, settled, self._now)
        except CacheSerializationError as error:
            what = error.context.get("value_type", type(carried.entry.value).__name__)
            self._leave_out(f"{self._codec.recipe.serializer.name} carries no {what}")
        except TooLarge:
            self._leave_out("the value is larger than max_value_bytes")
        else:
            self._put(ENTRY, data)
            self.written += 1

    def finish(self) -> None:
        """Write the end."""
        self._put(END, COUNT.pack(self.written))
        self._flush()

    def _leave_out(self, reason: str) -> None:
        self.reason = self.reason or reason
        self.left_out += 1

    def _settled(self, carried: Carried) -> Carried | None:
        """Return ``carried`` as if nothing depended on anything only since the snapshot began.

        ``None`` where it depends on an entry that got its serial since: the head knows no such serial.
        """
        for mark in marks_in(carried.entry.tags):
            if mark.kind == "key" and mark.seen.isdecimal() and int(mark.seen) > self._serials:
                return None
        return carried._replace(serial=0) if carried.serial > self._serials else carried

    def _put(self, mark: bytes, data: bytes) -> None:
        self._waiting += (PART.pack(mark, len(data)), data, self._seal.sign(self.written, mark, data))
        self._bytes_waiting += len(data)
        if self._bytes_waiting >= _BYTES_A_WRITE:
            self._flush()

    def _flush(self) -> None:
        """Write what waits. No buffer of the file holds it, for a child of a fork would write that again."""
        left = memoryview(b"".join(self._waiting))
        self._waiting, self._bytes_waiting = [], 0
        while left:
            left = left[self._file.write(left) :]


@contextmanager
def _replaced(place: Path) -> Iterator[FileIO]:
    """Give a new file beside ``place``, which takes its place when all went well, and is removed when not.

    Raises ``CacheConnectionError`` or ``CacheFullError`` where the system refuses.
    """
    written = None
    try:
        handle, written = mkstemp(dir=place.parent, prefix=f".{place.name}.")  # 0600
        with FileIO(handle, "wb") as file:
            yield file
            os.fsync(file.fileno())
        Path(written).replace(place)
    except BaseException as error:
        if written is not None:
            Path(written).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise refusal(error, place, "write") from error
        raise
