"""What a cache counts, and what people read from it."""

from __future__ import annotations

from cachery.statistics.stats import CacheStats

__all__ = ["CacheStats"]
