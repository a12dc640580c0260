"""What the processes over one store share besides the database: a file that each has in its memory.

It holds what is written often and may be counted again, so that it costs no transaction: how many bytes are stored, the
earliest expiry, the number of the last invalidation, what time it is. And it holds the *marks*: a number for each of
2**18 groups of keys, changed with every change of a key in the group. A copy of an entry, wherever it is kept, is good
as long as the mark of its key is the one that stood when it was read: that is looked up in tens of nanoseconds.

Only who holds the writers' lock changes anything. A mark is changed **before** the change itself is committed, to the
number of the transaction that commits. So a reader who sees a mark above the number of its own snapshot knows that the
change is under way, or was never finished, and keeps no copy. Nothing has to be done after the commit, so that a
process which ends at any moment leaves nothing wrong.

Time is the time since the machine was started plus an offset that all processes share, so that setting the clock of the
machine moves no expiry. After a restart of the machine time goes on from its clock, or from where it stood, whichever
is later.
"""

from __future__ import annotations

try:
    import cython

    if not cython.compiled:
        raise ImportError
except ImportError:
    from cachery import _cython as cython  # type: ignore[no-redef]

import mmap
import os
from pathlib import Path
from struct import Struct
from typing import Any

from cachery.backends.places import refusal
from cachery.exceptions import CacheConnectionError
from cachery.ports.clock import since_boot, wall

__all__ = ["EVERYTHING", "State", "boot_id", "is_settled"]

MAGIC = b"cachery\0"
VERSION = 1
EVERYTHING = 0
"""The group that stands for all keys: its mark changes when the store is cleared or a pattern removed."""

_GROUPS = 2**18
_MARKS_AT = 512
_SIZE = 8 * (_MARKS_AT + _GROUPS)
_NONCES = 2**16
_HEADER = Struct("<8sII16s")
_OFFSET, _LATEST, _TOTAL, _SOONEST, _SINCE_SURVEY, _SEQUENCE, _FORGOTTEN, _NONCE, _UNSAFE, _COMMITS, _ASKED = range(
    4, 15
)


@cython.final
@cython.cclass
class State:
    """The file ``path`` in memory, as long as this object lives. ``is_new``: it was not there before."""

    path: Path
    is_new: bool
    _map: mmap.mmap
    _numbers: memoryview[int]
    _times: memoryview[float]
    marks: memoryview[int]

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.is_new = not path.exists()
            file = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | os.O_CLOEXEC, 0o600)
            try:
                self._check(os.pread(file, _HEADER.size, 0))
                if os.fstat(file).st_size < _SIZE:
                    self.is_new = True
                    os.ftruncate(file, _SIZE)
                self._map = mmap.mmap(file, _SIZE)
            finally:
                os.close(file)
        except OSError as error:
            raise refusal(error, path, "open") from error
        view = memoryview(self._map)
        self._numbers, self._times = view.cast("Q"), view.cast("d")
        self.marks = view[8 * _MARKS_AT :].cast("Q")

    def _check(self, header: bytes) -> None:
        if len(header) < _HEADER.size or header == bytes(_HEADER.size):
            return
        if not header.startswith(MAGIC):
            raise CacheConnectionError(f"{self.path} is not of cachery", place=str(self.path))

    @property
    def boot(self) -> bytes:
        """The machine's start in which the store was opened last; zeros for none."""
        boot: bytes = _HEADER.unpack_from(self._map)[3]
        return boot

    @property
    def is_unsafe(self) -> bool:
        """Whether something may not have reached the device."""
        return self._numbers[_UNSAFE] != 0

    @property
    def commits(self) -> int:
        """How many writes there were."""
        return self._numbers[_COMMITS]

    def note_write(self) -> None:
        """Note that something is about to be written that may not reach the device. That itself does, at once."""
        self._numbers[_COMMITS] += 1
        if not self._numbers[_UNSAFE]:
            self._numbers[_UNSAFE] = 1
            self._map.flush(0, mmap.PAGESIZE)

    def note_sync(self, commits: Any) -> None:
        """Note that everything has reached the device, unless there were more than ``commits`` writes."""
        if self._numbers[_COMMITS] == commits:
            self._numbers[_UNSAFE] = 0

    def begin(self, boot: bytes) -> None:
        """Note that the store is in use, in the machine's start ``boot``."""
        if self.boot != boot:
            self._times[_OFFSET] = max(wall(), self._times[_LATEST]) - since_boot()
        if self.is_new:
            self._times[_SOONEST] = float("inf")
        _HEADER.pack_into(self._map, 0, MAGIC, VERSION, 0, boot)

    @cython.ccall
    def now(self) -> cython.double:
        """Return the time of the store, in seconds."""
        return since_boot() + self._times[_OFFSET]

    @cython.ccall
    @cython.exceptval(check=False)
    def note_time(self, now: cython.double) -> cython.void:
        """Remember that time has come so far."""
        self._times[_LATEST] = now

    def ask_for_way(self, seconds: Any) -> None:
        """Ask the other processes, for ``seconds``, to let this one write."""
        self._times[_ASKED] = since_boot() + seconds

    @cython.ccall
    def is_way_asked_for(self) -> cython.bint:
        """Tell whether a process asks to be let through."""
        return self._times[_ASKED] != 0.0 and self._times[_ASKED] > since_boot()

    @property
    def total(self) -> int:
        """Bytes stored."""
        return self._numbers[_TOTAL]

    @total.setter
    def total(self, value: Any) -> None:
        self._numbers[_TOTAL] = max(value, 0)

    @property
    def soonest(self) -> float:
        """Nothing is over before this time."""
        return self._times[_SOONEST]

    @soonest.setter
    def soonest(self, value: Any) -> None:
        self._times[_SOONEST] = value

    @cython.ccall
    @cython.exceptval(check=False)
    def note_expiry(self, moment: cython.double) -> cython.void:
        """Note that something will be over at ``moment``."""
        self._times[_SOONEST] = min(self._times[_SOONEST], moment)
        self._times[_SINCE_SURVEY] = min(self._times[_SINCE_SURVEY], moment)

    def begin_survey(self) -> None:
        """Begin to look for the soonest expiry anew."""
        self._times[_SINCE_SURVEY] = float("inf")

    def end_survey(self, soonest: Any) -> None:
        """Note that ``soonest`` was found; what was written since counts too."""
        self._times[_SOONEST] = min(soonest, self._times[_SINCE_SURVEY])

    @property
    def forgotten(self) -> int:
        """Up to this number of an invalidation, the tags that were hit may be forgotten."""
        return self._numbers[_FORGOTTEN]

    @forgotten.setter
    def forgotten(self, value: Any) -> None:
        self._numbers[_FORGOTTEN] = value

    @property
    def sequence(self) -> int:
        """The number of the last invalidation."""
        return self._numbers[_SEQUENCE]

    @sequence.setter
    def sequence(self, value: Any) -> None:
        self._numbers[_SEQUENCE] = value

    @cython.ccall
    def group_of(self, digest: bytes) -> cython.longlong:
        """Return the group of the key with ``digest``."""
        number: cython.longlong = digest[0] + 256 * (digest[1] + 256 * (digest[2] + 256 * digest[3]))
        return number % (_GROUPS - 1) + 1

    @cython.ccall
    @cython.exceptval(check=False)
    def mark(self, group: cython.longlong, transaction: cython.longlong) -> cython.void:
        """Note that something in ``group`` is changed by the transaction of that number."""
        self._numbers[_NONCE] = (self._numbers[_NONCE] + 1) % _NONCES
        self._numbers[_MARKS_AT + group] = transaction * _NONCES + self._numbers[_NONCE]


def is_settled(mark: Any, snapshot: Any) -> bool:
    """Tell whether the change that ``mark`` stands for is in ``snapshot``, the number of a reader's transaction."""
    settled: bool = mark // _NONCES <= snapshot
    return settled


def boot_id() -> bytes:
    """Return 16 bytes that change when the machine is started again; zeros where that cannot be known."""
    try:
        text = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")
        return bytes.fromhex(text.strip().replace("-", ""))
    except (OSError, ValueError):
        return bytes(16)
