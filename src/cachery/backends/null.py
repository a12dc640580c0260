"""The store that keeps nothing, as an engine sees it: loads through it are shared and never kept."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from cachery.model.entry import Entry
from cachery.ports.clock import monotonic

__all__ = ["NullStore"]


class _Token:
    """The moment a load began: current until anything is invalidated."""

    def __init__(self, number: int) -> None:
        self.number = number


class NullStore:
    """Reads nothing, writes nothing. ``check_open`` raises where the cache is closed.

    An invalidation is passed on by ``invalidate``, so that nobody joins a load that began before it.
    """

    default_life = math.inf

    def __init__(self, check_open: Callable[[], None]) -> None:
        self._check_open = check_open
        self._invalidations = 0

    def invalidate(self) -> None:
        """Outdate every load that has begun."""
        self._invalidations += 1

    def read_clock(self) -> float:
        """Return the time in seconds."""
        return monotonic()

    def isolate(self, value: Any) -> Any:
        """Return ``value``."""
        return value

    def read_entry(self, key: str) -> Entry | None:
        """Return ``None``."""
        del key
        self._check_open()
        return None

    def write_entry(self, key: str, entry: Entry, token: _Token | None = None) -> bool:
        """Store nothing; False."""
        del key, entry, token
        return False

    def postpone_refresh(self, key: str, until: float, token: _Token) -> None:
        """Do nothing."""

    def open_token(self, key: str) -> _Token:
        """Note the moment: a load of ``key`` begins now."""
        del key
        self._check_open()
        return _Token(self._invalidations)

    def observe(self, keys: Sequence[str], sources: tuple[Any, ...]) -> tuple[str, ...]:
        """Return nothing: what is never kept depends on nothing."""
        del keys, sources
        return ()

    def close_token(self, token: _Token) -> None:
        """Do nothing."""

    def is_current(self, token: _Token, tags: tuple[str, ...] = ()) -> bool:
        """Tell whether nothing was invalidated since ``token`` was opened."""
        del tags
        return token.number == self._invalidations
