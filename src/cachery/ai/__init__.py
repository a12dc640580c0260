"""Answers of models, kept: one call for equal requests, complete replies only, nothing ever shown to others.

>>> import asyncio
>>> from cachery.ai import AIResponseCache
>>> async def main():
...     async with AIResponseCache(redis_url=None) as cache:
...         return await cache.get_or_compute("A document", "summarize", {}, lambda: {"summary": "Brief"})
>>> asyncio.run(main())["summary"]
'Brief'
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cachery._lazy import lazy_exports

if TYPE_CHECKING:
    from cachery.ai.interface import CacheInterface
    from cachery.ai.keys import CacheKeyGenerator
    from cachery.ai.memory import InMemoryCache
    from cachery.ai.policy import OPERATION_TTLS, TEXT_SIZE_TIERS
    from cachery.ai.replies import why_incomplete
    from cachery.ai.requests import IRRELEVANT_FIELDS
    from cachery.ai.response_cache import AIResponseCache
    from cachery.ai.savings import Saving
    from cachery.monitoring import (
        CachePerformanceMonitor,
        CompressionMetric,
        InvalidationMetric,
        MemoryUsageMetric,
        PerformanceMetric,
    )

__all__ = [
    "IRRELEVANT_FIELDS",
    "OPERATION_TTLS",
    "TEXT_SIZE_TIERS",
    "AIResponseCache",
    "CacheInterface",
    "CacheKeyGenerator",
    "CachePerformanceMonitor",
    "CompressionMetric",
    "InMemoryCache",
    "InvalidationMetric",
    "MemoryUsageMetric",
    "PerformanceMetric",
    "Saving",
    "why_incomplete",
]

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "AIResponseCache": "cachery.ai.response_cache:AIResponseCache",
        "CacheInterface": "cachery.ai.interface:CacheInterface",
        "CacheKeyGenerator": "cachery.ai.keys:CacheKeyGenerator",
        "IRRELEVANT_FIELDS": "cachery.ai.requests:IRRELEVANT_FIELDS",
        "InMemoryCache": "cachery.ai.memory:InMemoryCache",
        "OPERATION_TTLS": "cachery.ai.policy:OPERATION_TTLS",
        "Saving": "cachery.ai.savings:Saving",
        "TEXT_SIZE_TIERS": "cachery.ai.policy:TEXT_SIZE_TIERS",
        "why_incomplete": "cachery.ai.replies:why_incomplete",
        **{
            name: f"cachery.monitoring:{name}"
            for name in (
                "CachePerformanceMonitor",
                "CompressionMetric",
                "InvalidationMetric",
                "MemoryUsageMetric",
                "PerformanceMetric",
            )
        },
    },
)
