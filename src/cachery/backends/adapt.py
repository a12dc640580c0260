"""A blocking store as an engine asks it: awaited, and called at once or on another thread."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, TypeVar

from cachery.model.entry import Entry
from cachery.model.sentinels import MISSING
from cachery.ports.backend import BlockingBackend, Leases, Leasing

__all__ = ["Inline", "OffLoop"]

Token = TypeVar("Token")


class Inline(Generic[Token]):
    """``backend``, called where it is awaited: for stores that answer at once, and for blocking callers.

    ``blocking`` is the backend itself, for who asks it so often that a coroutine each is too much.
    """

    def __init__(self, backend: BlockingBackend[Token]) -> None:
        self.blocking = self._backend = backend
        self.default_life = backend.default_life
        self.read_clock = backend.read_clock
        self.isolate = backend.isolate
        self.is_current = backend.is_current
        self.close_token = backend.close_token
        self.leases: Leases | None = _Leases(backend, self._take_lease) if _can_lease(backend) else None

    async def read_entry(self, key: str) -> Entry | None:
        """Return what stands under ``key``, stale or fresh, or ``None``."""
        return self._backend.read_entry(key)

    async def write_entry(self, key: str, entry: Entry, token: Any = None) -> bool:
        """Store ``entry``, fenced by ``token``; True when stored."""
        return self._backend.write_entry(key, entry, token)

    async def postpone_refresh(self, key: str, until: float, token: Token) -> None:
        """Let the entry under ``key`` be refreshed no sooner than ``until``."""
        self._backend.postpone_refresh(key, until, token)

    async def open_token(self, key: str, tags: tuple[str, ...] = ()) -> Token:
        """Note the moment: a load of ``key`` begins now."""
        del tags
        return self._backend.open_token(key)

    async def observe(self, keys: Sequence[str], sources: tuple[Any, ...]) -> tuple[str, ...]:
        """Return the tags of entries under ``keys`` that depend on ``sources`` as they are now."""
        return self._backend.observe(keys, sources)

    async def _take_lease(self, key: str) -> Any:
        leasing: Any = self._backend
        return leasing.take_lease(key)


class OffLoop(Generic[Token]):
    """``backend``, called by ``run`` on another thread: for stores that may wait, under an event loop."""

    def __init__(self, backend: BlockingBackend[Token], run: Callable[..., Awaitable[Any]]) -> None:
        self._backend = backend
        self._run = run
        self.default_life = backend.default_life
        self.read_clock = backend.read_clock
        self.isolate = backend.isolate
        self.is_current = backend.is_current
        self.close_token = backend.close_token
        self.leases: Leases | None = _Leases(backend, self._take_lease) if _can_lease(backend) else None

    async def read_entry(self, key: str) -> Entry | None:
        """Return what stands under ``key``, stale or fresh, or ``None``."""
        found: Entry | None = await self._run(self._backend.read_entry, key)
        return found

    async def write_entry(self, key: str, entry: Entry, token: Any = None) -> bool:
        """Store ``entry``, fenced by ``token``; True when stored."""
        is_stored: bool = await self._run(self._backend.write_entry, key, entry, token)
        return is_stored

    async def postpone_refresh(self, key: str, until: float, token: Token) -> None:
        """Let the entry under ``key`` be refreshed no sooner than ``until``."""
        await self._run(self._backend.postpone_refresh, key, until, token)

    async def open_token(self, key: str, tags: tuple[str, ...] = ()) -> Token:
        """Note the moment: a load of ``key`` begins now."""
        del tags
        token: Token = await self._run(self._backend.open_token, key)
        return token

    async def observe(self, keys: Sequence[str], sources: tuple[Any, ...]) -> tuple[str, ...]:
        """Return the tags of entries under ``keys`` that depend on ``sources`` as they are now."""
        tags: tuple[str, ...] = await self._run(self._backend.observe, keys, sources)
        return tags

    async def _take_lease(self, key: str) -> Any:
        leasing: Any = self._backend
        return await self._run(leasing.take_lease, key)


class _Leases:
    """The leases of ``blocking``, which ``take`` takes; the store is asked apart."""

    def __init__(self, blocking: Any, take: Callable[[str], Awaitable[Any]]) -> None:
        leasing: Leasing = blocking
        self.timeout = leasing.lease_timeout
        self.drop = leasing.drop_lease
        self._take = take

    async def take(self, key: str, tags: tuple[str, ...]) -> Any:
        """Return a lease to load ``key``; ``None`` while another process holds it."""
        del tags
        return await self._take(key)

    def found(self, lease: Any, key: str) -> Any:
        """Return ``MISSING``: the store is to be asked."""
        del lease, key
        return MISSING

    def token(self, lease: Any) -> Any:
        """Return ``None``: the store is to be asked."""
        del lease


def _can_lease(backend: object) -> bool:
    return hasattr(backend, "take_lease")
