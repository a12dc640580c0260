"""``MemoryLog``: a log within this process, for tests and for several caches of one process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from secrets import token_hex
from threading import Condition

from cachery.locks import make_lock
from cachery.ports.clock import stopwatch
from cachery.replication.log import BEGINNING, LogState, Record, order_of

__all__ = ["MemoryLog"]


class MemoryLog:
    """Keeps the last ``max_length`` records in memory. ``clock``: a function that returns seconds.

    >>> log = MemoryLog(max_length=2)
    >>> log.append([{"text": b"one"}, {"text": b"two"}, {"text": b"three"}])
    >>> [record["text"] for _, record in log.read("0-0", count=10, block=0)], log.state().added
    ([b'two', b'three'], 3)
    """

    def __init__(self, max_length: int = 100_000, *, clock: Callable[[], float] = stopwatch) -> None:
        self.max_length = max_length
        self._clock = clock
        self._changed = Condition(make_lock())
        self._closings = 0
        self.forget()

    def append(self, records: Sequence[Record]) -> None:
        """Append ``records``."""
        with self._changed:
            for record in records:
                self._last = self._next_id()
                self._records.append((self._last, record))
                self._added += 1
            del self._records[: -self.max_length]
            self._changed.notify_all()

    def read(self, after: str, count: int, block: float) -> list[tuple[str, Record]]:
        """Return up to ``count`` records after the id ``after``; wait for the first at most ``block`` seconds."""
        with self._changed:
            if block > 0:
                closings = self._closings
                self._changed.wait_for(
                    lambda: order_of(self._last) > order_of(after) or self._closings != closings, block
                )
            return [one for one in self._records if order_of(one[0]) > order_of(after)][:count]

    def state(self) -> LogState:
        """Return how the log stands now."""
        with self._changed:
            return LogState(self._generation, self._last, self._added, len(self._records), self._clock())

    def trim(self, length: int) -> None:
        """Keep only the newest ``length`` records."""
        with self._changed:
            del self._records[: max(0, len(self._records) - length)]

    def forget(self) -> None:
        """Begin anew, empty, as a server does that was restarted and keeps nothing."""
        with self._changed:
            self._generation = token_hex(8)
            self._records: list[tuple[str, Record]] = []
            self._last = BEGINNING
            self._added = 0

    def close(self) -> None:
        """Let those who wait look again. The log stays open: others may use it."""
        with self._changed:
            self._closings += 1
            self._changed.notify_all()

    def _next_id(self) -> str:
        time, number = order_of(self._last)
        now = int(self._clock() * 1000)
        return f"{now}-0" if now > time else f"{time}-{number + 1}"
