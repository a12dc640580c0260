"""Memory before a store that other processes share: what was read stays at hand, as long as the store says it is good.

The store is written to, and decides. What memory holds are copies with guards, looked at at each read, so that a change
by any process is seen by the next read of all.
"""

from __future__ import annotations

from typing import Any, Protocol

from cachery.backends.disk.copies import copy_of
from cachery.backends.disk.store import DiskStore
from cachery.backends.disk.writing import digest_of
from cachery.model.sentinels import MISSING
from cachery.serializers.pipeline import key_bytes

__all__ = ["Near", "TieredStore"]


class Near(Protocol):
    """The cache in memory, as far as it is needed here."""

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of ``key``, or ``default``."""

    def set(self, key: str, value: Any, ttl: Any = None) -> bool:
        """Store ``value`` for ``ttl`` seconds."""

    def delete(self, key: str) -> bool:
        """Remove ``key``."""

    def clear(self) -> bool:
        """Remove everything."""


class TieredStore:
    """``near`` before ``far``. What is not said here, ``far`` does: only reading differs."""

    def __init__(self, near: Near, far: DiskStore, life: float) -> None:
        self._near = near
        self._far = far
        self._life = life

    def __getattr__(self, name: str) -> Any:
        return getattr(self._far, name)

    def fetch(self, key: str, *, is_first_look: bool = False) -> Any:
        """Return the value of ``key`` if it is fresh, else ``MISSING``."""
        value = self.glance(key, is_first_look=is_first_look)
        if value is not MISSING:
            return value
        copy = copy_of(self._far, key, digest_of(key_bytes(key)))
        if copy is None:  # absent, or just being changed
            return self._far.fetch(key, is_first_look=is_first_look)
        self._far.note_digest(copy.digest)
        now = self._far.read_clock()
        self._near.set(key, copy, min(copy.fresh_until - now, self._life))
        return MISSING if is_first_look and copy.refresh_at <= now else copy.value

    def fetch_many(self, keys: list[str]) -> dict[str, Any]:
        """Return the fresh values among those of ``keys``."""
        found = {key: self.fetch(key) for key in keys}
        return {key: value for key, value in found.items() if value is not MISSING}

    def glance(self, key: str, *, is_first_look: bool = True) -> Any:
        """Return the value of ``key`` if it is fresh and in memory, else ``MISSING``."""
        copy = self._near.get(key)
        if copy is None:
            return MISSING
        if not copy.guard.is_current():
            self._near.delete(key)
            return MISSING
        if copy.fresh_until != float("inf"):
            now = self._far.read_clock()
            if copy.fresh_until <= now or (is_first_look and copy.refresh_at <= now):
                return MISSING
        self._far.note_digest(copy.digest)
        return copy.value

    def clear(self) -> int:
        """Remove everything; return how many entries were live."""
        self._near.clear()
        return self._far.clear()
