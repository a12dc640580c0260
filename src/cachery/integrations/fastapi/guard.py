"""Who may look, and who may change something: by the API keys that a request shows."""

from __future__ import annotations

import logging
from typing import Any, Literal

from fastapi import HTTPException, Request, Security
from fastapi.security import APIKeyHeader, HTTPBearer

from cachery.exceptions import CacheValueError
from cachery.integrations.fastapi.keys import ApiKeys, KeyRing, KeySource, keys_shown

__all__ = ["Guard", "ReadAccess"]

ReadAccess = Literal["key", "anonymous"]

_log = logging.getLogger("cachery.fastapi")
_bearer = Security(HTTPBearer(scheme_name="CacheBearer", description="An API key of the cache.", auto_error=False))
_header = Security(
    APIKeyHeader(name="X-API-Key", scheme_name="CacheApiKey", description="An API key of the cache.", auto_error=False)
)


class Guard:
    """Dependencies of routes: ``may_read`` and ``may_write`` let a request pass or answer it with an error."""

    def __init__(self, api_keys: ApiKeys, read_access: ReadAccess) -> None:
        if read_access not in {"key", "anonymous"}:
            raise CacheValueError(f"read_access is 'key' or 'anonymous', not {read_access!r}")
        self._source = KeySource(api_keys)
        self.is_read_open = read_access == "anonymous"

    async def may_read(self, request: Request, _bearer: Any = _bearer, _header: Any = _header) -> None:
        """Let who shows a key pass, and who shows none where reading is for all."""
        await self._check(request, is_open=self.is_read_open)

    async def may_write(self, request: Request, _bearer: Any = _bearer, _header: Any = _header) -> None:
        """Let who shows a key pass."""
        await self._check(request, is_open=False)

    async def _check(self, request: Request, *, is_open: bool) -> None:
        shown = keys_shown(request.headers.raw)
        if is_open and not shown:
            return
        ring = await self._ring()
        if not (ring or is_open):
            raise HTTPException(403, "no API key is configured, so nobody may do this")
        if not ring.has_any(shown):
            said = "this API key is not known" if shown else "an API key is needed"
            raise HTTPException(401, said, {"WWW-Authenticate": "Bearer"})

    async def _ring(self) -> KeyRing:
        try:
            return await self._source.ring()
        except Exception as error:
            _log.error("the API keys cannot be read, so requests are refused: %s", type(error).__name__)
            raise HTTPException(503, "the API keys cannot be read") from error
