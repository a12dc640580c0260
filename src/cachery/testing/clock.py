"""A clock that only moves when told to."""

from __future__ import annotations

from cachery.exceptions import CacheValueError

__all__ = ["FakeClock"]


class FakeClock:
    """A clock for tests: called, it returns its time in seconds.

    >>> from cachery import InMemoryCache
    >>> clock = FakeClock()
    >>> cache = InMemoryCache(default_ttl="5m", clock=clock)
    >>> cache.set("a", 1)
    True
    >>> clock.advance(300)
    >>> cache.get("a") is None
    True
    """

    def __init__(self, start: float = 1000.0) -> None:
        self._now = float(start)

    def __call__(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        """Move on by ``seconds``, 0 or more."""
        if not seconds >= 0:
            raise CacheValueError(f"a monotonic clock moves on, not by {seconds!r}")
        self._now += seconds

    def jump(self, to: float) -> None:
        """Show ``to`` from now on, as a clock that was set does, back too."""
        self._now = float(to)
