"""What all parts of the suite stand on: a cache, and time to move."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

import pytest

from cachery.cache import Cache
from cachery.testing.clock import FakeClock
from cachery.testing.invariants import check_invariants

__all__ = ["Ground"]


class Ground(ABC):
    """Makes the cache under test, and looks inside it after each test."""

    clock: FakeClock
    tells_of_expiry = True
    """Whether the cache itself removes what is over, and says so; a server does without a word."""

    @abstractmethod
    def make_cache(self, **options: Any) -> Cache:
        """Return a new, empty cache; ``options`` are ``max_size`` and ``default_ttl``."""

    @abstractmethod
    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass for every cache made here."""

    @pytest.fixture(autouse=True)
    def _fresh_clock(self) -> None:
        self.clock = FakeClock()

    @pytest.fixture
    def cache(self) -> Iterator[Cache]:
        """Return a cache without a default TTL and room enough."""
        cache = self.make_cache()
        yield cache
        check_invariants(cache)
        cache.close()
