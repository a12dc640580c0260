"""LMDB, as the store uses it: one environment for a directory and a process, however many caches stand over it.

The only file that knows the library. What it raises leaves as a ``CacheError``.

* A forked child must not use its parent's, nor close it: that would free the places of the parent's readers. So it is
  closed before a fork, and both open their own; it takes a sixth of a millisecond.
* The map is four times the budget: pages that an old reader still sees are not used again, and growing the map would
  need every reader of every process to stop.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cachery.backends.disk.calls import Calls
from cachery.backends.disk.gate import Gate
from cachery.backends.places import refusal
from cachery.exceptions import CacheConnectionError, CacheError, CacheFullError

try:
    import lmdb
except ImportError as error:
    raise ImportError('DiskCache needs the package lmdb: pip install "cachery[disk]"') from error

__all__ = ["Environment", "LmdbError", "MapFullError"]

LmdbError = lmdb.Error
MapFullError = lmdb.MapFullError

TABLES = (b"records", b"index", b"tags")
_MOST_READERS = 2048
_SPARE_READERS = 16
_LEAST_MAP = 2**24


class Environment:
    """The database in ``place``, for this process. ``records``, ``index`` and ``tags`` are its tables."""

    def __init__(self, place: Path, budget: int, gate: Gate, *, is_synced: bool) -> None:
        self.place = place
        self.is_synced = is_synced
        self._gate = gate
        self._map_size = max(budget * 4, _LEAST_MAP)
        self._database: Any = None
        self.calls = Calls(gate)
        self._is_suspended = False
        self._enter()

    def _enter(self) -> None:
        """Open the database, unless it is. To LMDB, finding its tables is a write, so it would wait for ever."""
        if self._gate.is_mine:
            self._open()
        else:
            with self._gate:
                self._open()

    def _open(self) -> None:
        if self._database is not None and not self._is_suspended:
            return
        try:
            self._database = lmdb.open(
                str(self.place),
                map_size=self._map_size,
                max_dbs=len(TABLES),
                max_readers=_MOST_READERS,
                max_spare_txns=_SPARE_READERS,
                mode=0o600,
                sync=self.is_synced,
                metasync=self.is_synced,
            )
            self._check_size()
            self._database.reader_check()
            self.records, self.index, self.tags = [self._database.open_db(name) for name in TABLES]
        except lmdb.Error as error:
            raise self.failure(error, "open") from error
        self._is_suspended = False
        self.begin = self._database.begin

    def suspend(self) -> None:
        """Close the database, as the process is about to fork: parent and child open it again when they use it next."""
        if self._database is not None and not self._is_suspended:
            self._database.close()
            self._is_suspended = True
            self.begin = self._begin_anew

    def reset_after_fork(self) -> None:
        """Begin as another process. A database that could not be closed before is of no use to it."""
        self.calls.restart()
        if not self._is_suspended:
            self.begin = self._refuse

    def _begin_anew(self, table: Any = None, *args: Any, **options: Any) -> Any:
        """Open the database again and begin a transaction; ``table`` may be one of before."""
        tables = (self.records, self.index, self.tags)
        self._enter()
        place = tables.index(table) if table in tables else None
        found = None if place is None else (self.records, self.index, self.tags)[place]
        return self.begin(found, *args, **options)

    def _refuse(self, *_: object, **__: object) -> Any:
        raise CacheConnectionError(
            f"this process was forked in the midst of a transaction, so it cannot use {self.place}",
            place=str(self.place),
        )

    def _check_size(self) -> None:
        """Raise ``lmdb.CorruptedError`` if the file ends before its last page, which would end the process."""
        pages = self._database.info()["last_pgno"] + 1
        if (self.place / "data.mdb").stat().st_size < pages * self._database.stat()["psize"]:
            raise lmdb.CorruptedError("it is cut off")

    def failure(self, error: BaseException, action: str) -> CacheError:
        """Return what ``error`` means to a caller."""
        if isinstance(error, lmdb.MapFullError):
            return CacheFullError(f"the store in {self.place} is full: readers keep it from using space again")
        if isinstance(error, lmdb.MapResizedError):
            return CacheConnectionError(
                f"the store in {self.place} was opened elsewhere with a larger max_bytes: give all the same"
            )
        if isinstance(error, lmdb.VersionMismatchError | lmdb.InvalidError | lmdb.CorruptedError):
            return CacheConnectionError(
                f"{self.place} holds no store that can be read, or a damaged one ({error}): remove it to begin anew"
            )
        return refusal(error, self.place, action)

    @contextmanager
    def reading(self) -> Iterator[Any]:
        """Give a transaction that reads: all of it sees one moment."""
        self.calls.enter()
        try:
            with self.begin() as transaction:
                yield transaction
        except lmdb.Error as error:
            raise self.failure(error, "read") from error
        finally:
            self.calls.leave()

    def sync(self) -> None:
        """Write everything through to the device."""
        self._enter()
        self._database.sync(True)

    def close(self) -> None:
        """Let go of it."""
        if self._database is not None:
            self._database.close()
            self._database = None
