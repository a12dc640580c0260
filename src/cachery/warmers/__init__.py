"""Warming: what a cache is going to be asked for is loaded before anybody asks.

>>> from cachery import InMemoryCache
>>> from cachery.warmers import CacheWarmer, CallableValueLoader, StaticKeyProvider, WarmingConfig
>>> cache = InMemoryCache()
>>> loader = CallableValueLoader(str.upper)
>>> warmer = CacheWarmer(cache, StaticKeyProvider(["a", "b"]), loader, WarmingConfig(retry_on_failure=False))
>>> warmer.warm().keys_warmed, cache.get("a")
(2, 'A')

Retries need the extra ``warm``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cachery._lazy import lazy_exports

if TYPE_CHECKING:
    from cachery.warmers.async_warmer import AsyncCacheWarmer
    from cachery.warmers.config import WarmingConfig, WarmingStrategy
    from cachery.warmers.loaders import BatchValueLoader, CallableValueLoader, ValueLoader
    from cachery.warmers.providers import AdaptiveKeyProvider, CallableKeyProvider, KeyProvider, StaticKeyProvider
    from cachery.warmers.remembered import RememberedKeyProvider
    from cachery.warmers.stats import WarmingStats
    from cachery.warmers.tracker import AccessTracker
    from cachery.warmers.warmer import CacheWarmer

__all__ = [
    "AccessTracker",
    "AdaptiveKeyProvider",
    "AsyncCacheWarmer",
    "BatchValueLoader",
    "CacheWarmer",
    "CallableKeyProvider",
    "CallableValueLoader",
    "KeyProvider",
    "RememberedKeyProvider",
    "StaticKeyProvider",
    "ValueLoader",
    "WarmingConfig",
    "WarmingStats",
    "WarmingStrategy",
]

_PLACES = {
    "AccessTracker": "tracker",
    "AdaptiveKeyProvider": "providers",
    "AsyncCacheWarmer": "async_warmer",
    "BatchValueLoader": "loaders",
    "CacheWarmer": "warmer",
    "CallableKeyProvider": "providers",
    "CallableValueLoader": "loaders",
    "KeyProvider": "providers",
    "RememberedKeyProvider": "remembered",
    "StaticKeyProvider": "providers",
    "ValueLoader": "loaders",
    "WarmingConfig": "config",
    "WarmingStats": "stats",
    "WarmingStrategy": "config",
}

__getattr__, __dir__ = lazy_exports(
    __name__, {name: f"cachery.warmers.{place}:{name}" for name, place in _PLACES.items()}
)
