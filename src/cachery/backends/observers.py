"""Several who hear what one store did."""

from __future__ import annotations

from cachery.ports.store import Cause, Observer

__all__ = ["Both"]


class Both:
    """Two who hear what a store did of itself."""

    def __init__(self, first: Observer, second: Observer) -> None:
        self._all = (first, second)

    def stored(self, key: str) -> None:
        """Note that a value was written."""
        for one in self._all:
            one.stored(key)

    def evicted(self, key: str, cause: Cause) -> None:
        """Note that an entry left."""
        for one in self._all:
            one.evicted(key, cause)

    def expired(self, key: str) -> None:
        """Note that the time of an entry is over."""
        for one in self._all:
            one.expired(key)

    def removed(self, count: int) -> None:
        """Note that entries were removed that were dead by a tag."""
        for one in self._all:
            one.removed(count)

    def unreadable(self, key: str, reason: str) -> None:
        """Note that something cannot be read."""
        for one in self._all:
            one.unreadable(key, reason)

    def tier_down(self, tier: str, error: str) -> None:
        """Note that a server is away."""
        for one in self._all:
            one.tier_down(tier, error)

    def tier_up(self, tier: str) -> None:
        """Note that a server is back."""
        for one in self._all:
            one.tier_up(tier)
