"""The store of the memory cache. The cache over it is here too, by its public names."""

from __future__ import annotations

from cachery._lazy import lazy_exports

__all__ = ["InMemoryBackend", "InMemoryCache"]

__getattr__, __dir__ = lazy_exports(__name__, dict.fromkeys(__all__, "cachery.in_memory:InMemoryCache"))
