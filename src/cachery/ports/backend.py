"""What an engine asks of a store.

A load is fenced: the engine opens a token **before** the load starts and hands it back with the loaded entry. The store
refuses the entry when, in between, its key was written or deleted, one of its tags invalidated or the store cleared. So
no load ever brings back what was invalidated while it ran.

A store that several processes share may also lease: of all who would load a key, one holds its lease and loads; the
others wait, and find what it stored. A lease ends with its holder, so nobody waits for a process that is gone.

A store whose calls return when they are done is a ``BlockingBackend``; an engine asks a ``Backend``, whose calls are
awaited. ``cachery.backends.adapt`` turns the one into the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

from cachery.model.entry import Entry

__all__ = ["Backend", "BlockingBackend", "Leases", "Leasing", "Tokens"]

Token = TypeVar("Token")
Token_contra = TypeVar("Token_contra", contravariant=True)
"""A store's own note of the moment a load began. Opaque to the engine."""


class Tokens(Protocol[Token_contra]):
    """What every store answers at once, from what this process knows: its time, and what became of a token."""

    @property
    def default_life(self) -> float:
        """How long an entry lives that is stored without a TTL, in seconds; ``inf`` for ever."""

    def read_clock(self) -> float:
        """Return the time, in seconds, by which the stamps of entries go."""

    def isolate(self, value: Any) -> Any:
        """Return ``value`` as one more caller may have it: itself, or a copy where the store keeps copies."""

    def is_current(self, token: Token_contra, tags: tuple[str, ...] = ()) -> bool:
        """Tell whether nothing has changed the key of ``token``, hit ``tags`` or cleared all since it was opened."""

    def close_token(self, token: Token_contra) -> None:
        """Forget a token that ``open_token`` gave. Every token is closed once, whatever became of its load."""


class BlockingBackend(Tokens[Token], Protocol[Token]):
    """A store whose calls return when they are done."""

    def read_entry(self, key: str) -> Entry | None:
        """Return what stands under ``key``, stale or fresh, or ``None``. Neither recency nor counters change."""

    def write_entry(self, key: str, entry: Entry, token: Token | None = None) -> bool:
        """Store ``entry``; with a ``token``, only if nothing has invalidated it since. True when stored."""

    def postpone_refresh(self, key: str, until: float, token: Token) -> None:
        """Let the entry under ``key`` be refreshed no sooner than ``until``, unless ``token`` is no longer current."""

    def open_token(self, key: str) -> Token:
        """Note the moment: a load of ``key`` begins now."""

    def observe(self, keys: Sequence[str], sources: tuple[Any, ...]) -> tuple[str, ...]:
        """Return the tags of entries under ``keys`` that depend on ``sources`` as they are now.

        Raises ``CacheInvalidationError`` where one would depend on itself.
        """


class Leasing(Protocol):
    """A blocking store that says which of several processes may load a key."""

    @property
    def lease_timeout(self) -> float:
        """How many seconds a load waits for that of another process, before it goes on without a lease."""

    def take_lease(self, key: str) -> Any:
        """Return a lease to load ``key``; ``None`` while another process holds it."""

    def drop_lease(self, lease: Any) -> None:
        """End ``lease``. Quick, and never fails."""


class Leases(Protocol):
    """The same, awaited. Who has taken one looks into the store again and opens a token: that may be one question."""

    @property
    def timeout(self) -> float:
        """How many seconds a load waits for that of another process, before it goes on without a lease."""

    async def take(self, key: str, tags: tuple[str, ...]) -> Any:
        """Return a lease to load ``key``; ``None`` while another process holds it. ``tags``: of its token."""

    def found(self, lease: Any, key: str) -> Any:
        """Return the entry under ``key`` when ``lease`` was taken, or ``None``; ``MISSING``: ask the store."""

    def token(self, lease: Any) -> Any:
        """Return, once, the token that was opened when ``lease`` was taken; ``None``: ask the store."""

    def drop(self, lease: Any) -> None:
        """End ``lease``. Quick, and never fails."""


class Backend(Tokens[Token], Protocol[Token]):
    """A store, awaited. ``leases``: those of its loads; ``None`` when no other process shares it."""

    leases: Leases | None

    async def read_entry(self, key: str) -> Entry | None:
        """Return what stands under ``key``, stale or fresh, or ``None``. Neither recency nor counters change."""

    async def write_entry(self, key: str, entry: Entry, token: Token | None = None) -> bool:
        """Store ``entry``; with a ``token``, only if nothing has invalidated it since. True when stored."""

    async def postpone_refresh(self, key: str, until: float, token: Token) -> None:
        """Let the entry under ``key`` be refreshed no sooner than ``until``, unless ``token`` is no longer current."""

    async def open_token(self, key: str, tags: tuple[str, ...] = ()) -> Token:
        """Note the moment: a load of ``key`` begins now, whose value will carry ``tags``, as far as is known."""

    async def observe(self, keys: Sequence[str], sources: tuple[Any, ...]) -> tuple[str, ...]:
        """Return the tags of entries under ``keys`` that depend on ``sources`` as they are now.

        Raises ``CacheInvalidationError`` where one would depend on itself.
        """
