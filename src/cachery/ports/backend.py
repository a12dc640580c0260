"""What an engine asks of a store.

A load is fenced: the engine opens a token **before** the load starts and hands it back with the loaded entry. The store
refuses the entry when, in between, its key was written or deleted, one of its tags invalidated or the store cleared. So
no load ever brings back what was invalidated while it ran.
"""

from __future__ import annotations

from typing import Protocol, TypeVar

from cachery.model.entry import Entry

__all__ = ["BlockingBackend"]

Token = TypeVar("Token")
"""A store's own note of the moment a load began. Opaque to the engine."""


class BlockingBackend(Protocol[Token]):
    """A store whose calls return when they are done."""

    def read_entry(self, key: str) -> Entry | None:
        """Return what stands under ``key``, stale or fresh, or ``None``. Neither recency nor counters change."""

    def write_entry(self, key: str, entry: Entry, token: Token | None = None) -> bool:
        """Store ``entry``; with a ``token``, only if nothing has invalidated it since. True when stored."""

    def open_token(self, key: str) -> Token:
        """Note the moment: a load of ``key`` begins now."""

    def close_token(self, token: Token) -> None:
        """Forget a token that ``open_token`` gave. Every token is closed once, whatever became of its load."""

    def is_current(self, token: Token) -> bool:
        """Tell whether the key of ``token`` has stayed untouched since it was opened."""
