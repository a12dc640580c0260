"""``Guarded``: a link that leaves servers alone for a while that failed again and again."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from cachery.backends.redis.link import Command, Link
from cachery.breaker import CircuitBreaker
from cachery.exceptions import CacheConnectionError, CacheTimeoutError
from cachery.locks import make_lock

__all__ = ["Guarded"]


class _Outages:
    """Whether servers are down, told once each, however many links lead to them."""

    def __init__(self, on_down: Callable[[Exception], object], on_up: Callable[[], object]) -> None:
        self._on_down = on_down
        self._on_up = on_up
        self._is_telling = False
        self._news: deque[Callable[[], object]] = deque()
        self._lock = make_lock()
        self.is_down = False

    def begin(self, error: Exception) -> None:
        """Note that they are down, because of ``error``."""
        self._note(lambda: self._on_down(error), is_down=True)

    def end(self) -> None:
        """Note that they answer."""
        self._note(self._on_up, is_down=False)

    def _note(self, tell: Callable[[], object], *, is_down: bool) -> None:
        """Note whether the servers are down, and tell it if it is news. News are told in their order."""
        with self._lock:
            if self.is_down is is_down:
                return
            self.is_down = is_down
            self._news.append(tell)
            if self._is_telling:  # who tells will tell this too
                return
            self._is_telling = True
        self._tell()

    def _tell(self) -> None:
        try:
            while (tell := self._next()) is not None:
                tell()
        except BaseException:
            self._is_telling = False
            raise

    def _next(self) -> Callable[[], object] | None:
        with self._lock:
            self._is_telling = bool(self._news)
            return self._news.popleft() if self._news else None


class Guarded:
    """Asks through ``link`` as long as ``breaker`` allows it; else refuses at once.

    ``on_down`` is called with the error that opened the breaker, ``on_up`` when a call has succeeded again: once each
    per outage, in this order, by one of those who ask, and never while a lock is held. They should not raise: who asked
    would get it.
    """

    def __init__(
        self,
        link: Link,
        breaker: CircuitBreaker,
        on_down: Callable[[Exception], object],
        on_up: Callable[[], object],
    ) -> None:
        self._link = link
        self._breaker = breaker
        self._outages = _Outages(on_down, on_up)
        self.is_cluster = link.is_cluster

    def beside(self, link: Link) -> Guarded:
        """Return ``link``, another way to the same servers, with the same breaker; news are told once for both."""
        other = Guarded(link, self._breaker, self._outages.begin, self._outages.end)
        other._outages = self._outages
        return other

    def __repr__(self) -> str:
        return f"<Guarded {self._link!r}, {self._breaker.state}>"

    async def ask(self, commands: Sequence[Command]) -> list[Any]:
        """Send ``commands`` together and return a reply for each.

        Raises what the link raises, and ``CacheConnectionError`` while the breaker is open.
        """
        if not self._breaker.is_untroubled:
            self._enter()
        try:
            replies = await self._link.ask(commands)
        except BaseException as error:
            self._failed(error)
            raise
        if self._outages.is_down or not self._breaker.is_untroubled:
            self._succeeded()
        return replies

    def post(self, commands: Sequence[Command]) -> None:
        """Send ``commands`` and forget them; forget them at once while the servers are left alone."""
        if self._breaker.state == "closed":
            self._link.post(commands)

    async def scan(self, match: bytes, batch: int = 500) -> AsyncIterator[list[bytes]]:
        """Iterate over the keys that match ``match``. Raises what ``ask`` raises."""
        self._enter()
        try:
            async for keys in self._link.scan(match, batch):
                if self._breaker.state != "closed":
                    self._succeeded()  # at once: who goes through the keys asks about them meanwhile
                yield keys
        except BaseException as error:
            self._failed(error)
            raise
        self._succeeded()

    async def close(self) -> None:
        """Close the link."""
        await self._link.close()

    def _enter(self) -> None:
        left = self._breaker.allow()
        if left:
            message = f"the servers failed too often and are left alone: tried again in {left:.3g} seconds"
            raise CacheConnectionError(message, backend="redis", retry_after=left, was_sent=False)

    def _failed(self, error: BaseException) -> None:
        """Count ``error`` if it is the servers'; tell that they are down if it is the one too many."""
        if not isinstance(error, CacheConnectionError | CacheTimeoutError):
            self._breaker.withdraw()
            return
        self._breaker.record(is_success=False)
        if self._breaker.state != "closed" and not self._outages.is_down:
            self._outages.begin(error)

    def _succeeded(self) -> None:
        self._breaker.record(is_success=True)
        if self._outages.is_down:
            self._outages.end()
