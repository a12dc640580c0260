"""Where entries are kept. The cache classes over them are here too, by their public names."""

from __future__ import annotations

from cachery._lazy import lazy_exports

__all__ = [
    "DiskCache",
    "FileBasedBackend",
    "FileBasedCache",
    "InMemoryBackend",
    "InMemoryCache",
    "NullCache",
    "RedisBackend",
    "RedisCache",
    "TieredCache",
]

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "DiskCache": "cachery.disk:DiskCache",
        "FileBasedBackend": "cachery.file_based:FileBasedCache",
        "FileBasedCache": "cachery.file_based:FileBasedCache",
        "InMemoryBackend": "cachery.in_memory:InMemoryCache",
        "InMemoryCache": "cachery.in_memory:InMemoryCache",
        "NullCache": "cachery.null:NullCache",
        "RedisBackend": "cachery.redis:RedisCache",
        "RedisCache": "cachery.redis:RedisCache",
        "TieredCache": "cachery.tiered:TieredCache",
    },
)
