"""cachery: one cache for Python services, agents and data tools.

    >>> from cachery import get_cache
    >>> cache = get_cache("answers")
    >>> cache.set("question", "answer", ttl="5m")
    True
    >>> cache.get("question")
    'answer'

Importing the package needs the standard library only, and loads what is used of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cachery._lazy import lazy_exports

if TYPE_CHECKING:
    from cachery import (
        ai,
        aio,
        async_ops,
        backends,
        distributed,
        events,
        invalidation,
        mcp_tools,
        monitoring,
        policies,
        replication,
        serializers,
        testing,
        warmers,
    )
    from cachery.breaker import CircuitBreaker
    from cachery.cache import Cache
    from cachery.disk import DiskCache
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
    from cachery.file_based import FileBasedCache
    from cachery.file_based import FileBasedCache as FileBasedBackend
    from cachery.in_memory import InMemoryCache
    from cachery.in_memory import InMemoryCache as InMemoryBackend
    from cachery.manager import CacheManager, cached, configure, get_cache
    from cachery.model.sentinels import FOREVER, MISSING
    from cachery.namespaced import NamespacedCache
    from cachery.null import NullCache
    from cachery.policies.node import is_compiled as compiled
    from cachery.redis import RedisCache
    from cachery.redis import RedisCache as RedisBackend
    from cachery.statistics.stats import CacheStats
    from cachery.tiered import TieredCache
    from cachery.ttl_manager import TTLManager

__version__ = "0.1.0"

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
    "ai",
    "aio",
    "async_ops",
    "backends",
    "cached",
    "compiled",
    "configure",
    "distributed",
    "events",
    "get_cache",
    "invalidation",
    "mcp_tools",
    "monitoring",
    "policies",
    "replication",
    "serializers",
    "testing",
    "warmers",
]

_ALL = tuple(__all__)
if not TYPE_CHECKING:
    del __all__  # whoever asks gets those that can be had here: see __getattr__

_EXCEPTIONS = [name for name in _ALL if name.endswith("Error")]

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "Cache": "cachery.cache:Cache",
        "CacheManager": "cachery.manager:CacheManager",
        "CacheStats": "cachery.statistics.stats:CacheStats",
        "CircuitBreaker": "cachery.breaker:CircuitBreaker",
        "DiskCache": "cachery.disk:DiskCache",
        "FOREVER": "cachery.model.sentinels:FOREVER",
        "FileBasedBackend": "cachery.file_based:FileBasedCache",
        "FileBasedCache": "cachery.file_based:FileBasedCache",
        "InMemoryBackend": "cachery.in_memory:InMemoryCache",
        "InMemoryCache": "cachery.in_memory:InMemoryCache",
        "LoadContext": "cachery.engine.context:LoadContext",
        "MISSING": "cachery.model.sentinels:MISSING",
        "NamespacedCache": "cachery.namespaced:NamespacedCache",
        "NullCache": "cachery.null:NullCache",
        "RedisBackend": "cachery.redis:RedisCache",
        "RedisCache": "cachery.redis:RedisCache",
        "TTLManager": "cachery.ttl_manager:TTLManager",
        "TieredCache": "cachery.tiered:TieredCache",
        "ai": "cachery.ai",
        "aio": "cachery.aio",
        "async_ops": "cachery.async_ops",
        "backends": "cachery.backends",
        "cached": "cachery.manager:cached",
        "compiled": "cachery.policies.node:is_compiled",
        "configure": "cachery.manager:configure",
        "distributed": "cachery.distributed",
        "events": "cachery.events",
        "get_cache": "cachery.manager:get_cache",
        "invalidation": "cachery.invalidation",
        "mcp_tools": "cachery.mcp_tools",
        "monitoring": "cachery.monitoring",
        "policies": "cachery.policies",
        "replication": "cachery.replication",
        "serializers": "cachery.serializers",
        "testing": "cachery.testing",
        "warmers": "cachery.warmers",
        **{name: f"cachery.exceptions:{name}" for name in _EXCEPTIONS},
    },
    _ALL,
    {"DiskCache": ("lmdb",), **dict.fromkeys(["RedisBackend", "RedisCache"], ("redis", "hiredis"))},
)
