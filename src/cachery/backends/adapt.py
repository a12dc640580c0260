"""A blocking store as an engine asks it: its calls are awaited and never suspend."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from cachery.model.entry import Entry
from cachery.ports.backend import BlockingBackend

__all__ = ["Inline"]

Token = TypeVar("Token")


class Inline(Generic[Token]):
    """``backend``, called where it is awaited: for stores that answer at once, and for blocking callers."""

    def __init__(self, backend: BlockingBackend[Token]) -> None:
        self._backend = backend
        self.default_life = backend.default_life
        self.read_clock = backend.read_clock
        self.isolate = backend.isolate
        self.is_current = backend.is_current
        self.close_token = backend.close_token

    async def read_entry(self, key: str) -> Entry | None:
        """Return what stands under ``key``, stale or fresh, or ``None``."""
        return self._backend.read_entry(key)

    async def write_entry(self, key: str, entry: Entry, token: Any = None) -> bool:
        """Store ``entry``, fenced by ``token``; True when stored."""
        return self._backend.write_entry(key, entry, token)

    async def postpone_refresh(self, key: str, until: float, token: Token) -> None:
        """Let the entry under ``key`` be refreshed no sooner than ``until``."""
        self._backend.postpone_refresh(key, until, token)

    async def open_token(self, key: str) -> Token:
        """Note the moment: a load of ``key`` begins now."""
        return self._backend.open_token(key)
