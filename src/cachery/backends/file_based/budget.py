"""How much there may be, and who leaves when it is too much.

Each cache counts for itself: all files once, then what it adds and removes, and all again when it has written a tenth
of what there may be. So with one writer the number of entries is exact, and with several each adds at most a tenth.

Reading writes nothing. What was used is remembered in memory, by the clock of the file system; a file that nobody here
used was used last at the time that it bears. Before anybody leaves, the times in memory go into the files, where other
processes see them. Those used longest ago leave, a tenth of the bytes at a time; the order is found for many at once.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import NamedTuple

from cachery.backends.file_based.layout import BODY, META, parts_of
from cachery.backends.file_based.pairs import Change
from cachery.backends.file_based.site import Site
from cachery.exceptions import CacheTimeoutError
from cachery.forks import reset_in_child

__all__ = ["Bounds", "Budget"]

_MOST_USES = 16384
_FEWEST = 16
_EXACT = 0.000001
_TICK = 0.02
"""How much the times of files may be ahead of ``now``: they move on in steps."""
_NOTHING: AbstractContextManager[None] = nullcontext()


class Bounds(NamedTuple):
    """The most bytes of all files, and the most entries; ``None`` for any number."""

    max_bytes: int | None = None
    max_size: int | None = None


class Budget:
    """Keeps the entries in ``site`` within ``bounds``.

    ``evict`` is given the hash of an entry and removes it, unless somebody is just changing it; it calls ``note``.
    """

    def __init__(self, site: Site, bounds: Bounds, timeout: float, evict: Callable[[str], object]) -> None:
        self._site = site
        self._evict = evict
        self._timeout = min(timeout, threading.TIMEOUT_MAX)
        self.bounds = bounds
        self.is_bounded = bounds != Bounds()
        self.entries = self.size = 0
        self._entries_since = self._size_since = 0
        self._uses: dict[str, float] = {}
        self._queue: deque[tuple[str, float]] = deque()
        self.reset_after_fork()
        reset_in_child(self)

    def reset_after_fork(self) -> None:
        """Forget what the threads of the parent hold."""
        self._making_room = threading.RLock()  # a finalizer may come in between
        self._counting = threading.RLock()
        self.is_counted = False

    def room(self, key_hash: str, size: int) -> AbstractContextManager[None]:
        """Return a context that begins with room for the entry of ``size`` bytes under a key.

        One thread at a time is within; it may take the lock of the key, not have it already. What goes on outside only
        makes more room.
        """
        return self._room(key_hash, size) if self.is_bounded else _NOTHING

    @contextmanager
    def _room(self, key_hash: str, size: int) -> Iterator[None]:
        if not self._making_room.acquire(timeout=self._timeout):
            raise CacheTimeoutError(f"another thread has been writing for {self._timeout:g} seconds")
        try:
            self._make_room(key_hash, size)
            yield
        finally:
            self._making_room.release()

    def changing(self) -> AbstractContextManager[object]:
        """Return a context for a change of files together with its ``note``. Nothing is counted meanwhile."""
        return self._counting if self.is_bounded else _NOTHING

    def note(self, change: Change) -> None:
        """Count ``change``."""
        self.entries += change.entries
        self.size += change.size
        self._entries_since += max(change.entries, 0)
        self._size_since += max(change.size, 0)

    # Counting

    def count(self) -> None:
        """Count all files."""
        if not self.is_bounded:
            return
        with self._counting:
            entries = size = 0
            for entry in self._site.files.listed():
                parts = parts_of(entry.name)
                if parts is None or parts[1] not in {META, BODY}:
                    continue
                entries += parts[1] == META
                size += _state_of(entry)[1]
            self.entries, self.size = entries, size
            self._entries_since = self._size_since = 0
            self.is_counted = True

    def _is_doubtful(self) -> bool:
        """Tell whether so much was written since the last count that others matter."""
        most_bytes, most = self.bounds
        return (
            not self.is_counted
            or (most_bytes is not None and self._size_since * 10 > most_bytes)
            or (most is not None and self._entries_since * 10 > most)
        )

    # Making room

    def _make_room(self, key_hash: str, size: int) -> None:
        files = self._site.files
        meta = files.state(key_hash + META)
        body = None if meta is None else files.state(key_hash + BODY)
        more = size - sum(state.st_size for state in (meta, body) if state is not None)
        newcomers = int(meta is None)
        if self._is_doubtful():
            self.count()
        most_bytes = self.bounds.max_bytes
        if most_bytes is not None and self.size + more > most_bytes:
            self._shrink(most_bytes - most_bytes // 10 - more, key_hash)
        most = self.bounds.max_size
        while most is not None and newcomers and self.entries + 1 > most:
            if not self._evict_one(key_hash):
                return

    def _shrink(self, goal: int, spared: str) -> None:
        """Let entries leave until there are ``goal`` bytes."""
        while self.size > goal and self._evict_one(spared):
            pass

    def _evict_one(self, spared: str) -> bool:
        """Let the entry leave that was used longest ago; False when there is none that may."""
        for is_fresh in (False, True):
            if is_fresh:
                self._find_oldest()
            while self._queue:
                key_hash, used = self._queue.popleft()
                if key_hash != spared and self._leaves(key_hash, used):
                    return True
        return False

    def _leaves(self, key_hash: str, used: float) -> bool:
        """Remove the entry, unless it was used since it was found to be old; True when there is one less."""
        state = self._site.files.state(key_hash + META)
        if state is None or state.st_mtime > used + _TICK or self._uses.get(key_hash, used) > used:
            return False
        self._uses.pop(key_hash, None)
        before = self.entries, self.size
        self._evict(key_hash)
        return (self.entries, self.size) != before

    def _find_oldest(self) -> None:
        """Put those used longest ago in a queue: a tenth of all, and some for those that are being changed."""
        noted = list(self._uses.items())
        last_used = {}
        for entry in self._site.files.listed():
            parts = parts_of(entry.name)
            if parts is not None and parts[1] == META:
                last_used[parts[0]] = _state_of(entry)[0]
        for key_hash, moment in noted:
            if key_hash in last_used and last_used[key_hash] < moment + _TICK:
                if last_used[key_hash] < moment - _EXACT:
                    self._site.files.set_time(key_hash + META, moment)
                last_used[key_hash] = moment
        order = {key_hash: number for number, (key_hash, _) in enumerate(noted)}
        oldest = sorted(last_used.items(), key=lambda item: (item[1], order.get(item[0], -1)))
        self._queue.extend(oldest[: max(_FEWEST, len(oldest) // 10)])

    # Uses

    def note_use(self, key_hash: str) -> None:
        """Remember that an entry is used now."""
        if not self.is_bounded:
            return
        uses = self._uses
        uses.pop(key_hash, None)
        uses[key_hash] = self._site.now()
        if len(uses) > _MOST_USES:
            with suppress(RuntimeError, StopIteration):  # another thread is doing the same
                uses.pop(next(iter(uses)), None)

    def fold_uses(self) -> None:
        """Write what was used into the times of files."""
        uses, self._uses = self._uses, {}
        for key_hash, moment in list(uses.items()):
            state = self._site.files.state(key_hash + META)
            if state is not None and state.st_mtime < moment:
                self._site.files.set_time(key_hash + META, moment)


def _state_of(entry: os.DirEntry[str]) -> tuple[float, int]:
    """Return when a file was changed last, and its size; zeros when it is gone."""
    try:
        state = entry.stat(follow_symlinks=False)
    except OSError:
        return 0.0, 0
    return state.st_mtime, state.st_size
