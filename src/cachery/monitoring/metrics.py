"""What was measured once: a record for each kind of measurement. Times are seconds, timestamps those of the clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["CompressionMetric", "InvalidationMetric", "MemoryUsageMetric", "PerformanceMetric"]


@dataclass(frozen=True, slots=True)
class PerformanceMetric:
    """How long one thing took: the making of a key, or an operation of a cache.

    >>> PerformanceMetric(0.002, text_length=120, timestamp=1000.0, operation_type="get").additional_data
    {}
    """

    duration: float
    text_length: int
    timestamp: float
    operation_type: str = ""
    additional_data: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Let there be data, if empty."""
        _fill(self)


@dataclass(frozen=True, slots=True)
class CompressionMetric:
    """How far something was compressed, in bytes; ``compression_ratio`` is computed where it is 0.

    >>> CompressionMetric(1000, 250, 0.0, compression_time=0.001, timestamp=1000.0).compression_ratio
    0.25
    """

    original_size: int
    compressed_size: int
    compression_ratio: float
    compression_time: float
    timestamp: float
    operation_type: str = ""

    def __post_init__(self) -> None:
        """Compute the ratio that was not given."""
        if not self.compression_ratio and self.original_size > 0:
            object.__setattr__(self, "compression_ratio", self.compressed_size / self.original_size)


@dataclass(frozen=True, slots=True)
class MemoryUsageMetric:
    """What a cache takes, at one moment.

    ``total_cache_size_bytes`` is the part in memory and, where it was told, that on a server (``redis_size_bytes``);
    ``cache_utilization_percent`` says how much of the warning threshold that is. ``process_memory_mb`` is all that the
    process has in memory, in MiB. ``max_entries``: how many there may be in memory, if that was told.
    """

    total_cache_size_bytes: int
    cache_entry_count: int
    avg_entry_size_bytes: float
    memory_cache_size_bytes: int
    memory_cache_entry_count: int
    process_memory_mb: float
    timestamp: float
    cache_utilization_percent: float
    warning_threshold_reached: bool = False
    additional_data: dict[str, Any] = field(default_factory=dict)
    redis_size_bytes: int = 0
    max_entries: int | None = None

    def __post_init__(self) -> None:
        """Let there be data, if empty."""
        _fill(self)


@dataclass(frozen=True, slots=True)
class InvalidationMetric:
    """One invalidation: of what, how many keys it hit, how long it took, by what and why."""

    pattern: str
    keys_invalidated: int
    duration: float
    timestamp: float
    invalidation_type: str = ""
    operation_context: str = ""
    additional_data: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Let there be data, if empty."""
        _fill(self)


def _fill(metric: Any) -> None:
    if metric.additional_data is None:
        object.__setattr__(metric, "additional_data", {})
