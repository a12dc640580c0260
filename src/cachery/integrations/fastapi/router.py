"""The routes by which a cache is managed over HTTP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from enum import Enum
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Response

from cachery.exceptions import CacheKeyError, CacheValueError
from cachery.integrations.fastapi.guard import Guard, ReadAccess
from cachery.integrations.fastapi.keys import ApiKeys
from cachery.integrations.fastapi.manageable import Manageable, manageable
from cachery.integrations.fastapi.opening import is_finished_cache
from cachery.integrations.fastapi.requests import Invalidation
from cachery.integrations.fastapi.responses import (
    CachePerformanceResponse,
    ErrorResponse,
    InvalidationResponse,
    InvalidationStatsResponse,
    RecommendationsResponse,
    StatusResponse,
)
from cachery.integrations.fastapi.route import ManagementRoute
from cachery.monitoring import CachePerformanceMonitor

__all__ = ["cache_router"]

Asked = Annotated[Invalidation, Query()]


def cache_router(
    cache: Any,
    *,
    api_keys: ApiKeys,
    prefix: str = "/cache",
    read_access: ReadAccess = "key",
    tags: Sequence[str | Enum] = ("cache",),
) -> APIRouter:
    """Return a router with ``/status``, ``/invalidate``, ``/metrics`` and two reports about invalidations.

    ``cache``: an ``AIResponseCache`` or a cache of ``cachery.aio``, or a dependency that gives one, such as
    ``CacheLifespan.dependency(name)``. ``api_keys``: a key, several, or a function that returns them at each request; a
    request shows one as ``Authorization: Bearer`` or ``X-API-Key``. Invalidating needs a key in any case, and where
    there is none, nobody may. Reading does too, unless ``read_access`` is ``"anonymous"``.

    Raises ``CacheValueError`` for what cannot be managed, and for keys that no header can carry.

    >>> from cachery.ai import AIResponseCache
    >>> router = cache_router(AIResponseCache(redis_url=None), api_keys="a-long-random-key", prefix="/internal/cache")
    >>> [route.path for route in router.routes][:2]
    ['/internal/cache/status', '/internal/cache/invalidate']
    """
    guard = Guard(api_keys, read_access)
    router = APIRouter(prefix=prefix, tags=list(tags), route_class=ManagementRoute)
    given = Depends(_giving(cache))
    for_readers = _for_readers(guard)
    _add_status(router, given, for_readers)
    _add_invalidate(router, given, guard)
    _add_reports(router, given, for_readers)
    return router


def _giving(cache: Any) -> Callable[..., Awaitable[Manageable]]:
    """Return the dependency that gives the routes what they ask."""
    monitor = CachePerformanceMonitor()
    if is_finished_cache(cache) or not callable(cache):
        managed = manageable(cache, monitor)

        async def the_one() -> Manageable:
            return managed

        return the_one

    asked_for = Depends(cache)

    async def of_the_app(found: Any = asked_for) -> Manageable:
        return manageable(found, monitor)

    return of_the_app


def _for_readers(guard: Guard) -> dict[str, Any]:
    """Return what all routes that change nothing have in common."""
    optional: dict[str, Any] = {"openapi_extra": {"security": [{}]}} if guard.is_read_open else {}
    return {"dependencies": [Depends(guard.may_read)], "responses": _REFUSALS, **optional}


def _add_status(router: APIRouter, given: Any, for_readers: dict[str, Any]) -> None:
    @router.get("/status", summary="State of the cache", **for_readers)
    async def cache_status(cache: Manageable = given) -> StatusResponse:
        """Tell the state of the server and of memory, and the numbers. A cache whose server is away is degraded."""
        told = await cache.status()
        return StatusResponse(status="degraded" if cache.is_degraded() else "ok", **told)


def _add_invalidate(router: APIRouter, given: Any, guard: Guard) -> None:
    @router.post(
        "/invalidate",
        summary="Invalidate entries",
        dependencies=[Depends(guard.may_write)],
        responses={**_REFUSALS, **_INVALIDATIONS},
    )
    async def cache_invalidate(asked: Asked, response: Response, cache: Manageable = given) -> InvalidationResponse:
        """Remove what matches a pattern, what belongs to an operation, a model or a scope, or all. Say exactly one."""
        try:
            what, value = asked.chosen()
            count = await cache.invalidate(what, value, asked.operation_context)
        except (CacheKeyError, CacheValueError) as error:
            raise HTTPException(400, str(error)) from error
        is_degraded = cache.is_degraded()
        if is_degraded:
            response.status_code = 202
        said = "Cache invalidated" if what == "all" else f"Cache invalidated for {what}: {value}"
        return InvalidationResponse(message=said, keys_invalidated=count, degraded=is_degraded)


def _add_reports(router: APIRouter, given: Any, for_readers: dict[str, Any]) -> None:
    @router.get(
        "/invalidation-stats", summary="How often it is invalidated", response_model_exclude_unset=True, **for_readers
    )
    async def cache_invalidation_stats(cache: Manageable = given) -> InvalidationStatsResponse:
        """Tell how often entries are invalidated, by which patterns, and how many go."""
        return InvalidationStatsResponse(**cache.invalidation_stats())

    @router.get("/invalidation-recommendations", summary="What could be invalidated better", **for_readers)
    async def cache_invalidation_recommendations(cache: Manageable = given) -> RecommendationsResponse:
        """Tell what could be done better about invalidation."""
        return RecommendationsResponse.model_validate({"recommendations": cache.recommendations()})

    @router.get("/metrics", summary="Numbers of the cache", **for_readers)
    async def cache_metrics(cache: Manageable = given) -> CachePerformanceResponse:
        """Tell hits, times, compression, memory and invalidations, within the time that the monitor looks back."""
        return CachePerformanceResponse(**cache.metrics())


def _refused(description: str) -> dict[str, Any]:
    return {"model": ErrorResponse, "description": description}


_REFUSALS: dict[int | str, dict[str, Any]] = {
    401: _refused("No API key, or one that is not known"),
    403: _refused("No API key is configured"),
    503: _refused("The cache is closed or cannot be asked, or the API keys cannot be read"),
}
_INVALIDATIONS: dict[int | str, dict[str, Any]] = {
    202: {"model": InvalidationResponse, "description": "The server is away, and removes what it has when it is back"},
    400: _refused("Nothing to invalidate, more than one thing, or what this cache does not know"),
}
