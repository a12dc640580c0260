"""The refuge of a cache, and the thread that tells the server what it missed as soon as it is back."""

from __future__ import annotations

import logging
import threading
from random import Random

from cachery.backends.redis.refuge import Memory, Refuge
from cachery.backends.redis.sheltered import ShelteredStore
from cachery.backends.redis.store import RedisStore
from cachery.exceptions import CacheError
from cachery.forks import reset_in_child
from cachery.step import step

__all__ = ["Shelter"]

_chance = Random()  # noqa: S311 - our own: who has seeded that of the program is not disturbed by a thread
_logger = logging.getLogger("cachery.redis")
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 2.0


class Shelter:
    """Keeps what is changed while the server is away, in ``memory``, for all doors to a cache.

    ``blocking``: the store over which the server is told; its link never suspends. ``longest``: the most seconds that
    what is loaded meanwhile is served. ``tier``: what the server is called; one that answers and refuses is away too.
    """

    def __init__(self, blocking: RedisStore, memory: Memory, *, tier: str = "", longest: float = float("inf")) -> None:
        self._tier = tier
        self._is_refused = False
        self.refuge = Refuge(memory, longest=longest)
        self.blocking = self.over(blocking)
        self._is_closed = False
        self.reset_after_fork()
        reset_in_child(self)

    def reset_after_fork(self) -> None:
        """Begin anew in a child; the parent tells what it has done."""
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._is_telling = self._is_called = False

    def over(self, far: RedisStore) -> ShelteredStore:
        """Return ``far`` with this shelter."""
        return ShelteredStore(far, self.refuge, self.recover)

    def recover(self) -> None:
        """Begin to try again and again to tell the server what it missed, until it knows."""
        self._is_called = True
        with self._lock:
            if self._is_telling or self._is_closed:
                return
            self._is_telling = True
        try:
            threading.Thread(target=self._work, name="cachery-recovery", daemon=True).start()
        except RuntimeError:  # no thread can be started now; the next change tries again
            self._is_telling = False

    def close(self) -> None:
        """Try once more, and give up what the server cannot be told then."""
        self._is_closed = True
        self._closing.set()
        if self.refuge.is_dirty and not self._try():
            _logger.warning("what was changed while the server was away is told to nobody: the cache is closed")

    def _work(self) -> None:
        pause = _FIRST_PAUSE
        while not self._closing.wait(pause * _chance.uniform(0.5, 1)):  # so that not all come back at once
            self._is_called = False
            if self._try() and self._is_over():
                return
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _is_over(self) -> bool:
        """Let the thread end, unless there is something to tell again."""
        with self._lock:
            self._is_telling = self._is_called or self.refuge.is_dirty
            return not self._is_telling

    def _try(self) -> bool:
        try:
            is_told = step(self.blocking.tell())
        except CacheError as error:
            self._note_refusal(error)
            return False
        if self._is_refused:
            self._is_refused = False
            self.blocking.observer.tier_up(self._tier)
        return is_told

    def _note_refusal(self, error: CacheError) -> None:
        """Tell once that the server answers and refuses. That it is away, the link has told."""
        if self._is_refused or not error.context.get("is_refusal"):
            return
        self._is_refused = True
        _logger.warning("all goes on in memory, for %s refuses what it is asked: %s", self._tier, error)
        self.blocking.observer.tier_down(self._tier, str(error))
