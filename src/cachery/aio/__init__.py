"""The same names for event loops: what ``cachery`` calls, ``cachery.aio`` awaits.

    >>> import asyncio
    >>> from cachery.aio import get_cache
    >>> async def main():
    ...     cache = get_cache("answers")
    ...     await cache.set("question", "answer", ttl="5m")
    ...     return await cache.get("question")
    >>> asyncio.run(main())
    'answer'

``cachery.get_cache("answers")`` is the other door to the same store.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cachery._lazy import lazy_exports

if TYPE_CHECKING:
    from cachery.aio.cache import Cache
    from cachery.aio.disk import DiskCache
    from cachery.aio.file_based import FileBasedCache
    from cachery.aio.file_based import FileBasedCache as FileBasedBackend
    from cachery.aio.in_memory import InMemoryCache
    from cachery.aio.in_memory import InMemoryCache as InMemoryBackend
    from cachery.aio.manager import CacheManager, cached, get_cache
    from cachery.aio.namespaced import NamespacedCache
    from cachery.aio.null import NullCache
    from cachery.aio.redis import RedisCache
    from cachery.aio.redis import RedisCache as RedisBackend
    from cachery.aio.tiered import TieredCache
    from cachery.aio.ttl_manager import TTLManager
    from cachery.breaker import CircuitBreaker
    from cachery.engine.context import LoadContext
    from cachery.exceptions import (
        CacheCircuitOpenError,
        CacheClosedError,
        CacheConnectionError,
        CacheError,
        CacheExpiredError,
        CacheFullError,
        CacheInvalidationError,
        CacheKeyError,
        CacheRecursionError,
        CacheSerializationError,
        CacheTimeoutError,
        CacheValueError,
    )
    from cachery.manager import configure
    from cachery.model.sentinels import FOREVER, MISSING
    from cachery.statistics.stats import CacheStats

__all__ = [
    "FOREVER",
    "MISSING",
    "Cache",
    "CacheCircuitOpenError",
    "CacheClosedError",
    "CacheConnectionError",
    "CacheError",
    "CacheExpiredError",
    "CacheFullError",
    "CacheInvalidationError",
    "CacheKeyError",
    "CacheManager",
    "CacheRecursionError",
    "CacheSerializationError",
    "CacheStats",
    "CacheTimeoutError",
    "CacheValueError",
    "CircuitBreaker",
    "DiskCache",
    "FileBasedBackend",
    "FileBasedCache",
    "InMemoryBackend",
    "InMemoryCache",
    "LoadContext",
    "NamespacedCache",
    "NullCache",
    "RedisBackend",
    "RedisCache",
    "TTLManager",
    "TieredCache",
    "cached",
    "configure",
    "get_cache",
]

_ALL = tuple(__all__)
if not TYPE_CHECKING:
    del __all__  # whoever asks gets those that can be had here: see __getattr__

_OWN = {
    "Cache": "cache:Cache",
    "CacheManager": "manager:CacheManager",
    "FileBasedBackend": "file_based:FileBasedCache",
    "FileBasedCache": "file_based:FileBasedCache",
    "InMemoryBackend": "in_memory:InMemoryCache",
    "DiskCache": "disk:DiskCache",
    "InMemoryCache": "in_memory:InMemoryCache",
    "NamespacedCache": "namespaced:NamespacedCache",
    "NullCache": "null:NullCache",
    "RedisBackend": "redis:RedisCache",
    "RedisCache": "redis:RedisCache",
    "TTLManager": "ttl_manager:TTLManager",
    "TieredCache": "tiered:TieredCache",
    "cached": "manager:cached",
    "get_cache": "manager:get_cache",
}

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        **{name: f"cachery.exceptions:{name}" for name in _ALL if name.endswith("Error")},
        **{name: f"cachery.aio.{place}" for name, place in _OWN.items()},
        "CacheStats": "cachery.statistics.stats:CacheStats",
        "CircuitBreaker": "cachery.breaker:CircuitBreaker",
        "FOREVER": "cachery.model.sentinels:FOREVER",
        "LoadContext": "cachery.engine.context:LoadContext",
        "MISSING": "cachery.model.sentinels:MISSING",
        "configure": "cachery.manager:configure",
    },
    _ALL,
    {"DiskCache": ("lmdb",), **dict.fromkeys(["RedisBackend", "RedisCache"], ("redis", "hiredis"))},
)
