"""Where an engine says what happened."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Sink"]


class Sink(Protocol):
    """Counts, and tells those who listen."""

    def hit(self, key: str) -> None:
        """Note that ``key`` was answered with a fresh value."""

    def miss(self, key: str) -> None:
        """Note that ``key`` was not there, so it is to be loaded."""

    def served_stale(self, key: str) -> None:
        """Note that ``key`` was answered with a value past its time."""

    def joined(self, key: str) -> None:
        """Note that a request for ``key`` waits for a load that another began."""

    def loaded(self, key: str, duration: float) -> None:
        """Note that a loader returned the value of ``key`` after ``duration`` seconds."""

    def load_failed(self, key: str, duration: float, error: BaseException) -> None:
        """Note that a loader raised ``error`` for ``key`` after ``duration`` seconds."""

    def stored(self, key: str) -> None:
        """Note that a loaded value of ``key`` was stored, which the store itself counts and reports."""

    def not_stored(self, key: str, error: Exception) -> None:
        """Note that the value of ``key`` was loaded and the store failed to take it."""
