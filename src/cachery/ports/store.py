"""What a facade asks of a store that is not memory: on disk, on a server, or several of them in tiers.

Keys and tags that come here are checked, times are in seconds. A store reports facts to its ``Observer`` when its own
locks and transactions are over, so that a listener may call it again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, NamedTuple, Protocol, TypeVar

from cachery.model.entry import Entry
from cachery.ports.backend import BlockingBackend

__all__ = ["Cause", "Description", "Observer", "Store", "Summary"]

Token = TypeVar("Token")

Cause = Literal["size", "too_large"]


class Summary(NamedTuple):
    """An entry as an operator sees it: its size in bytes, and when it is over by the store's clock; ``inf`` for never.

    ``dead_at``: until then it may be served stale.
    """

    key: str
    size: int
    fresh_until: float
    dead_at: float


class Description(NamedTuple):
    """All that is known of what stands under a key, its value aside. Times are by the store's clock.

    ``size``: in bytes. ``entry``: its stamps, tags and cost, without a value; ``None`` when it cannot be read.
    ``written_at``: when it was stored, ``None`` where nobody has noted it. ``is_invalidated``: dead by a tag or a
    clearing. ``fault``: why its value cannot be read, as ``events.Unreadable`` says it, ``None`` when nothing speaks
    against it.
    """

    size: int
    entry: Entry | None = None
    written_at: float | None = None
    serializer: str | None = None
    compression: str | None = None
    is_encrypted: bool = False
    is_signed: bool = False
    is_invalidated: bool = False
    fault: str | None = None


class Observer(Protocol):
    """Hears what a store did of itself."""

    def stored(self, key: str) -> None:
        """Note that a value was written under ``key``."""

    def evicted(self, key: str, cause: Cause) -> None:
        """Note that ``key`` left to make room, or because a value for it was too large."""

    def expired(self, key: str) -> None:
        """Note that ``key`` was removed, or is about to be, because its time is over."""

    def removed(self, count: int) -> None:
        """Note that ``count`` entries were removed that were dead by a tag."""

    def tier_down(self, tier: str, error: str) -> None:
        """Note that the server ``tier`` is away. Once an episode."""

    def tier_up(self, tier: str) -> None:
        """Note that the server ``tier`` is back."""

    def unreadable(self, key: str, reason: str) -> None:
        """Note that what stands under ``key`` cannot be read."""


class Store(BlockingBackend[Token], Protocol[Token]):
    """A store of entries. Each call is one step: others see all of what it does or nothing."""

    def fetch(self, key: str, *, is_first_look: bool = False) -> Any:
        """Return the value of ``key`` if it is fresh, else ``MISSING``.

        ``is_first_look``: also ``MISSING`` when a refresh is due, and what is over is not reported.
        """

    def fetch_many(self, keys: list[str]) -> dict[str, Any]:
        """Return the fresh values among those of ``keys``."""

    def glance(self, key: str) -> Any:
        """Return the value of ``key`` if it is fresh and at hand in memory, else ``MISSING``."""

    def put(self, key: str, entry: Entry) -> bool:
        """Store ``entry``; False when it is too large, and then there is nothing under ``key``."""

    def put_new(self, key: str, entry: Entry) -> bool:
        """Store ``entry`` if nothing live stands under ``key``; True when stored."""

    def put_many(self, entries: Mapping[str, Entry]) -> bool:
        """Store all ``entries``; True when none was too large."""

    def increment(self, key: str, by: int, absent: Entry) -> int:
        """Add ``by`` to the whole number under ``key`` and return the sum; where there is none, store ``absent``.

        Raises ``CacheValueError`` when something else than a whole number is there.
        """

    def prolong(self, key: str, life: float) -> bool:
        """Let what is live under ``key`` live for ``life`` seconds from now on; True if there was something."""

    def expiry(self, key: str) -> float | None:
        """Return when what is live under ``key`` is over, by the store's clock; ``None`` when nothing is."""

    def remove(self, key: str) -> bool:
        """Remove ``key``; True if it was live."""

    def remove_many(self, keys: list[str]) -> int:
        """Remove ``keys``; return how many were live."""

    def remove_matching(self, matches: Callable[[str], object]) -> int:
        """Remove every key that ``matches``; return how many were live. Loads under way are overtaken, whatever key."""

    def clear(self) -> int:
        """Remove everything; return how many entries were live."""

    def hit_tags(self, tags: tuple[str, ...]) -> None:
        """Make every entry that carries one of ``tags`` unreadable."""

    def live_keys(self) -> Iterator[str]:
        """Return an iterator over the live keys, those of this moment."""

    def count(self) -> int:
        """Return how many entries are live; those dead by a tag may count."""

    def summaries(self) -> Iterator[Summary]:
        """Return an iterator over all entries, the dead among them."""

    def describe(self, key: str) -> Description | None:
        """Return what is known of what stands under ``key``, dead or alive; ``None`` when nothing does.

        Nothing is deserialized, reported or counted.
        """

    def verify(self) -> Iterator[tuple[str, str]]:
        """Return an iterator over all keys, each with what is wrong with its record: empty, or as ``Unreadable`` says.

        Nothing is deserialized.
        """

    def sweep(self) -> int:
        """Remove what is dead, and what a crash left behind; return how many entries that were."""

    def note_use(self, key: str) -> None:
        """Remember that ``key`` was used now, for eviction. Nothing is written at once."""

    def close(self) -> None:
        """Let go of everything. Closing again does nothing."""
