"""What a cache offers that may stand behind a cache in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

__all__ = ["Tier"]


class Tier(Protocol):
    """Memory before a cache: copies of its entries, and how they are kept coherent.

    ``is_awaited``: whether stores are to be awaited. ``look``: a quick look at what is at hand, if there is one: it
    returns the value of a key, or ``MISSING``.
    """

    is_awaited: bool
    look: Callable[[str], Any] | None

    def blocking_store(self) -> Any:
        """Return the store for blocking code; where it is awaited, it never suspends."""

    @property
    def let_go(self) -> Callable[[], None]:
        """What ends all that goes on in the background, and waits for nothing. It keeps no cache alive."""

    def close(self) -> None:
        """End what goes on in the background."""
