"""``CircuitBreaker``: leaves a loader alone that fails again and again.

Closed, it lets every call through. After ``failure_threshold`` failures in a row it opens: for ``recovery_time``
seconds no call is let through, so a source in trouble is not asked a thousand times a second, and callers do not wait
for it. Then it is half open: one call may try; if that succeeds the breaker closes, if not it opens again. (Nygard,
*Release It!*, 2007.)
"""

from __future__ import annotations

from typing import Literal

from cachery.exceptions import CacheValueError
from cachery.locks import make_lock
from cachery.model.durations import Duration, seconds
from cachery.ports.clock import Clock, monotonic

__all__ = ["CircuitBreaker"]


class CircuitBreaker:
    """Counts failures of a source. One breaker may guard any number of loaders and keys; it is thread-safe.

    ``failure_threshold``: failures in a row that open it. ``recovery_time``: how long it then stays open. ``clock``: a
    function that returns seconds, for tests.

    >>> from cachery import InMemoryCache
    >>> breaker = CircuitBreaker(failure_threshold=2, recovery_time="10s")
    >>> cache = InMemoryCache()
    >>> for _ in range(3):
    ...     try:
    ...         cache.get_or_set("key", lambda: 1 / 0, breaker=breaker)
    ...     except Exception as error:
    ...         print(type(error).__name__)
    ZeroDivisionError
    ZeroDivisionError
    CacheCircuitOpenError
    >>> breaker.state
    'open'
    """

    def __init__(
        self, failure_threshold: int = 5, recovery_time: Duration = 30.0, *, clock: Clock | None = None
    ) -> None:
        if isinstance(failure_threshold, bool) or not isinstance(failure_threshold, int) or failure_threshold < 1:
            raise CacheValueError(f"failure_threshold is a number of failures, 1 or more, not {failure_threshold!r}")
        self.failure_threshold = failure_threshold
        self.recovery_time = seconds(recovery_time, "recovery_time")
        if not 0 < self.recovery_time < float("inf"):
            raise CacheValueError(f"recovery_time must be above 0 and finite, not {recovery_time!r}")
        self._clock = clock or monotonic
        self._lock = make_lock()
        self._failures = 0
        self._opened_at = 0.0
        self._is_open = False
        self._probe_began: float | None = None

    def __repr__(self) -> str:
        return f"<CircuitBreaker {self.state}>"

    @property
    def state(self) -> Literal["closed", "open", "half-open"]:
        """``"closed"``, ``"open"``, or ``"half-open"``: one call may be tried, or is."""
        if not self._is_open:
            return "closed"
        return "open" if self._clock() < self._opened_at + self.recovery_time else "half-open"

    @property
    def is_untroubled(self) -> bool:
        """Whether it is closed and the last call succeeded: then ``allow`` and a success change nothing."""
        return not self._is_open and not self._failures

    def allow(self) -> float:
        """Return 0.0 when a call may be tried now, else the seconds until one may.

        Who is allowed to call says by ``record`` what became of it.
        """
        now = self._clock()
        with self._lock:
            if not self._is_open:
                return 0.0
            # A trial nobody reports on, its thread was killed for instance, is given up after one recovery time.
            blocked_since = self._opened_at if self._probe_began is None else self._probe_began
            left = blocked_since + self.recovery_time - now
            if left > 0:
                return left
            self._probe_began = now
            return 0.0

    def record(self, *, is_success: bool) -> None:
        """Note what became of a call."""
        now = self._clock()
        with self._lock:
            self._probe_began = None
            self._failures = 0 if is_success else self._failures + 1
            self._is_open = self._failures >= self.failure_threshold
            if self._is_open:
                self._opened_at = now

    def withdraw(self) -> None:
        """Note that a call was cancelled: another may be tried in its place."""
        with self._lock:
            self._probe_began = None

    def reset(self) -> None:
        """Close it, as if nothing had failed."""
        self.record(is_success=True)
