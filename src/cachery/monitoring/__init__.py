"""What a cache does, measured: a monitor with reports and alerts, and exporters.

>>> from cachery.monitoring import CachePerformanceMonitor
>>> monitor = CachePerformanceMonitor()
>>> monitor.record_cache_operation_time("get", 0.002, cache_hit=True)
>>> monitor.get_performance_stats()["cache_hit_rate"]
100.0

For Prometheus there is ``cachery.monitoring.prometheus``, with the extra ``prometheus``; for OpenTelemetry
``cachery.monitoring.opentelemetry``, with the extra ``opentelemetry``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cachery._lazy import lazy_exports

if TYPE_CHECKING:
    from cachery.monitoring.alerts import Alert, AlertRule, Reading
    from cachery.monitoring.metrics import CompressionMetric, InvalidationMetric, MemoryUsageMetric, PerformanceMetric
    from cachery.monitoring.monitor import CachePerformanceMonitor

__all__ = [
    "Alert",
    "AlertRule",
    "CachePerformanceMonitor",
    "CompressionMetric",
    "InvalidationMetric",
    "MemoryUsageMetric",
    "PerformanceMetric",
    "Reading",
]

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "Alert": "cachery.monitoring.alerts:Alert",
        "AlertRule": "cachery.monitoring.alerts:AlertRule",
        "CachePerformanceMonitor": "cachery.monitoring.monitor:CachePerformanceMonitor",
        "CompressionMetric": "cachery.monitoring.metrics:CompressionMetric",
        "InvalidationMetric": "cachery.monitoring.metrics:InvalidationMetric",
        "MemoryUsageMetric": "cachery.monitoring.metrics:MemoryUsageMetric",
        "PerformanceMetric": "cachery.monitoring.metrics:PerformanceMetric",
        "Reading": "cachery.monitoring.alerts:Reading",
    },
)
