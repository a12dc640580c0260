"""What the routes answer, for clients and for the OpenAPI description."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "CachePerformanceResponse",
    "ErrorResponse",
    "InvalidationResponse",
    "InvalidationStatsResponse",
    "Recommendation",
    "RecommendationsResponse",
    "StatusResponse",
]


class StatusResponse(BaseModel):
    """How the cache is."""

    status: Literal["ok", "degraded"] = Field(description="degraded: a server is wanted and does not answer")
    redis: dict[str, Any] = Field(description="the server: status is connected, unavailable, or disabled without one")
    memory: dict[str, Any] = Field(description="what the process that answers holds")
    performance: dict[str, Any] = Field(description="the numbers of the process that answers")


class InvalidationResponse(BaseModel):
    """What was invalidated."""

    message: str
    keys_invalidated: int = Field(description="how many entries were removed")
    degraded: bool = Field(description="the server is away, and removes what it has when it is back")


class InvalidationStatsResponse(BaseModel):
    """How often the cache is invalidated, as this process has seen it. Without invalidations only counts and limits."""

    model_config = ConfigDict(extra="allow")

    total_invalidations: int
    total_keys_invalidated: int
    rates: dict[str, float] | None = Field(None, description="last_hour, last_24_hours, average_per_hour")
    thresholds: dict[str, Any] | None = None
    patterns: dict[str, Any] | None = None
    efficiency: dict[str, float] | None = None
    no_invalidations: bool | None = None
    warning_threshold_per_hour: float | None = None
    critical_threshold_per_hour: float | None = None


class Recommendation(BaseModel):
    """What could be done better, and why."""

    model_config = ConfigDict(extra="allow")

    severity: str = Field(description="info, warning or critical")
    issue: str
    message: str
    suggestions: list[str]


class RecommendationsResponse(BaseModel):
    """What could be done better about invalidation."""

    recommendations: list[Recommendation]


class CachePerformanceResponse(BaseModel):
    """The numbers of the process that answers. A section is null while there is nothing to say."""

    model_config = ConfigDict(extra="allow")

    timestamp: str
    retention_hours: float | None = Field(description="the time that the numbers cover; null: since the cache was made")
    cache_hit_rate: float = Field(description="0 to 100")
    total_cache_operations: int
    cache_hits: int
    cache_misses: int
    window: dict[str, Any] | None = None
    lifetime: dict[str, Any] | None = None
    key_generation: dict[str, Any] | None = None
    cache_operations: dict[str, Any] | None = None
    compression: dict[str, Any] | None = None
    memory_usage: dict[str, Any] | None = None
    invalidation: dict[str, Any] | None = None


class ErrorResponse(BaseModel):
    """Why not."""

    detail: str
