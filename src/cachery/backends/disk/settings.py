"""What a store is made with."""

from __future__ import annotations

from collections.abc import Callable
from random import randbytes
from typing import NamedTuple

from cachery.ports.clock import Clock

__all__ = ["Bounds", "Settings"]


class Bounds(NamedTuple):
    """How much there may be: bytes, and entries, ``None`` for any number."""

    max_bytes: int
    max_size: int | None

    def are_near(self, total: int) -> bool:
        """Tell whether, of ``total`` bytes, so much is stored that it may soon matter what was used lately."""
        return self.max_size is not None or total * 2 > self.max_bytes


class Settings(NamedTuple):
    """Times are in seconds. ``clock``: for tests, in the place of the store's own; so is ``chance``, random bytes."""

    bounds: Bounds
    life: float
    is_synced: bool = False
    write_timeout: float = 30.0
    lease_timeout: float = 600.0
    clock: Clock | None = None
    name: str | None = None
    chance: Callable[[int], bytes] = randbytes
