"""Records what a live cache is asked for, as a trace to simulate with."""

from __future__ import annotations

import json
import logging
import os
import zlib
from collections import deque
from collections.abc import Callable
from io import FileIO
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any, Protocol, Self

from cachery.events import Event, Hit, Listener, Miss, ServedStale
from cachery.exceptions import CacheError, CacheValueError
from cachery.forks import reset_in_child
from cachery.recording.headers import TABLES, has_known_header

__all__ = ["TraceRecording", "record_trace"]

_REQUESTS_A_WRITE = 4096
_GZIP_WINDOW = 31
_log = logging.getLogger("cachery")


class Observable(Protocol):
    """What is recorded: a cache of ``cachery`` or of ``cachery.aio``."""

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` with each event; return a function that ends it."""

    def check_open(self) -> None:
        """Raise ``CacheClosedError`` on a closed cache."""


def record_trace(cache: Observable, path: str | os.PathLike[str]) -> TraceRecording:
    """Write the key of every request to ``cache`` to ``path`` from now on, a line each, until ``close``.

    A request is a hit, a stale one too, or a miss. A file that is there is written over; one whose name ends with
    ``.gz`` is packed. A key that a line cannot carry, with a newline or blanks around it for instance, is written as
    JSON, so different keys stay different. The file is whole after ``close``. A child of a fork records nothing.

    Raises ``CacheValueError`` for a file that cannot be written, or that would be read as a table or unpacked from xz,
    ``CacheClosedError`` for a cache that is closed. ``cache.record_trace(path)`` is the same.

    >>> from tempfile import TemporaryDirectory
    >>> from cachery import InMemoryCache
    >>> from cachery.simulation import read_trace
    >>> cache = InMemoryCache(max_size=100)
    >>> with TemporaryDirectory() as folder:
    ...     with record_trace(cache, f"{folder}/requests.trace.gz"):
    ...         values = [cache.get(key) for key in ("a", "b", "a")]
    ...     read_trace(f"{folder}/requests.trace.gz")
    ['a', 'b', 'a']
    """
    cache.check_open()
    place = Path(path)
    if place.suffix == ".xz" or place.name.lower().removesuffix(".gz").endswith(TABLES):
        raise CacheValueError(
            f"a recorded trace is text, packed with gzip or not: {str(place)!r} says else", path=str(place)
        )
    try:
        file = FileIO(place, "wb")
    except OSError as error:
        raise CacheValueError(f"cannot record to {str(place)!r}: {error.strerror}", path=str(place)) from error
    recording = TraceRecording(file, is_packed=place.suffix == ".gz")
    recording.follow(cache)
    return recording


class TraceRecording:
    """A recording under way, made by ``record_trace``. It ends with ``close``, or as a context manager.

    Any number of threads may use the cache meanwhile. Keys wait in memory, some thousand, until they are written by
    the thread that brought the last of them.
    """

    def __init__(self, file: FileIO, *, is_packed: bool) -> None:
        self._file = file
        self._packer: Any = zlib.compressobj(wbits=_GZIP_WINDOW) if is_packed else None
        self._keys: deque[str] = deque()
        self._lock = Lock()
        self._written = 0
        self._is_over = False
        self._failure: OSError | None = None
        self._unsubscribe: Callable[[], None] | None = None
        reset_in_child(self)

    def follow(self, cache: Observable) -> None:
        """Begin to listen to ``cache``."""
        self._unsubscribe = cache.subscribe(self._note)

    @property
    def requests(self) -> int:
        """How many requests were recorded so far."""
        return self._written + len(self._keys)

    def close(self) -> None:
        """Stop listening and write what is left; again it does nothing.

        Raises ``CacheError`` when the trace could not be written; what was recorded is cut short then.
        """
        if self._unsubscribe is not None:
            self._unsubscribe()
        with self._lock:
            if self._is_over:
                return
            self._write()
            self._is_over = True
            self._finish()
        if self._failure is not None:
            path = str(self._file.name)
            raise CacheError(f"the trace {path!r} is cut short: {self._failure.strerror}", path=path) from self._failure

    def reset_after_fork(self) -> None:
        """Record nothing in a child: the file is its parent's."""
        self._lock = Lock()
        self._is_over = True
        self._keys = deque()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def _note(self, event: Event) -> None:
        if not isinstance(event, Hit | Miss | ServedStale) or self._is_over:
            return
        self._keys.append(event.key)
        if len(self._keys) >= _REQUESTS_A_WRITE and self._lock.acquire(blocking=False):
            try:
                self._write()
            finally:
                self._lock.release()

    def _write(self) -> None:
        """Write the keys that wait. Called under the lock."""
        keys = [self._keys.popleft() for _ in range(len(self._keys))]
        if not keys or self._failure is not None or self._is_over:
            return
        lines = [_line_of(key) for key in keys]
        if not self._written and has_known_header(lines[0]):
            lines[0] = json.dumps(keys[0])
        data = "".join(f"{line}\n" for line in lines).encode()
        self._put(data if self._packer is None else self._packer.compress(data))
        self._written += len(keys)

    def _finish(self) -> None:
        if self._packer is not None and self._failure is None:
            self._put(self._packer.flush())
        self._file.close()

    def _put(self, data: bytes) -> None:
        """Write ``data`` at once, so that no buffer is left for a child of a fork to write again."""
        left = memoryview(data)
        try:
            while left:
                left = left[self._file.write(left) :]
        except OSError as error:
            _log.warning("the recording to %r ends: %s", str(self._file.name), error)
            self._failure = error


def _line_of(key: str) -> str:
    r"""Return ``key`` if it is read back from a line as it is, else as JSON.

    >>> _line_of("user:42"), _line_of("two\nlines")
    ('user:42', '"two\\nlines"')
    """
    is_plain = key.isprintable() and key == key.strip() and key not in {"", "*"} and not key.startswith('"')
    return key if is_plain else json.dumps(key)
