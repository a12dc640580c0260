"""How a route of the management answers when the cache does not."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import HTTPException, Request, Response
from fastapi.routing import APIRoute

from cachery.exceptions import CacheError, CacheValueError

__all__ = ["ManagementRoute"]

_log = logging.getLogger("cachery.fastapi")


class ManagementRoute(APIRoute):
    """A route that says 503 for a cache that is closed or cannot be asked, and whose answers nobody keeps."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler, which also tells apart what the cache raises."""
        handle = super().get_route_handler()

        async def handle_or_refuse(request: Request) -> Response:
            try:
                response = await handle(request)
            except CacheValueError:  # a mistake of the app, not of who asks
                raise
            except CacheError as error:
                kind = type(error).__name__
                _log.warning("the cache cannot be asked: %s", kind)  # messages may name keys
                raise HTTPException(503, f"the cache cannot be asked: {kind}") from error
            response.headers["Cache-Control"] = "no-store"
            return response

        return handle_or_refuse
