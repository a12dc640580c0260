"""What an ``AIResponseCache`` is given, checked."""

from __future__ import annotations

from cachery.ai.record import Recipe
from cachery.exceptions import CacheValueError
from cachery.model.sizes import Size, bytes_of
from cachery.monitoring import CachePerformanceMonitor
from cachery.serializers.compression import Compression
from cachery.serializers.registry import create_serializer
from cachery.serializers.serializer import CacheSerializer

__all__ = ["checked_monitor", "named", "recipe_of"]


def checked_monitor(monitor: object) -> CachePerformanceMonitor:
    """Return ``monitor``, or a new one for ``None``; raise ``CacheValueError`` for anything else."""
    if monitor is None:
        return CachePerformanceMonitor()
    if not isinstance(monitor, CachePerformanceMonitor):
        raise CacheValueError(f"performance_monitor is a CachePerformanceMonitor, not {type(monitor).__name__}")
    return monitor


def recipe_of(serializer: str | CacheSerializer, compression: str, level: int, threshold: int, limit: Size) -> Recipe:
    """Return how responses become bytes; raise ``CacheValueError`` for what cannot be, or runs code when it is read."""
    made = create_serializer(serializer)
    if made.can_run_code:
        raise CacheValueError(f"an answer is plain data, and {made.name} runs code when it is read: take another")
    if type(threshold) is not int or threshold < 0:
        raise CacheValueError(f"compression_threshold is a number of bytes, 0 or more, not {threshold!r}")
    most = bytes_of(limit, "max_response_bytes")
    return Recipe(made, Compression(compression, level, limit=most), threshold)


def named(name: object, recipe: Recipe) -> str:
    """Return the name of the cache on the server: answers by different serializers never meet there."""
    if not isinstance(name, str):
        raise CacheValueError(f"the name of a cache is a str, not {type(name).__name__}")
    return name if recipe.serializer.name == "json" else f"{name}+{recipe.serializer.name}"
