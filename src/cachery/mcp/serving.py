"""Running the server until it is ended: over standard input and output, or over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Literal

from cachery.exceptions import CacheValueError
from cachery.mcp.server import build_server, http_app
from cachery.serializers.extras import import_extra

__all__ = ["serve"]


def serve(
    transport: Literal["stdio", "http"] = "stdio",
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    token: str | None = None,
    allowed_hosts: Sequence[str] = (),
) -> None:
    """Serve the tools of ``cachery.mcp_tools`` until the client goes, or the process is ended.

    ``"stdio"``: for the program that started this one. ``"http"``: at ``http://host:port/mcp``, for this machine only
    unless ``host`` says otherwise; calls that change something then need ``token`` as bearer token, and without one the
    server only reads. ``port`` 0 is a free one; the log says which.

    Raises ``ImportError`` when the extra ``mcp`` is missing, ``CacheValueError`` for another transport, a token that is
    easily guessed, and a host that others can reach without a token.
    """
    if transport == "stdio":
        asyncio.run(_serve_stdio())
    elif transport == "http":
        app = http_app(host=host, token=token, allowed_hosts=allowed_hosts)
        uvicorn: Any = import_extra("uvicorn", "mcp")
        uvicorn.run(app, host=host, port=port, log_level="info", access_log=False)
    else:
        raise CacheValueError(f"transport is 'stdio' or 'http', not {transport!r}")


async def _serve_stdio() -> None:
    stdio: Any = import_extra("mcp.server.stdio", "mcp")
    server = build_server()
    async with stdio.stdio_server() as (reading, writing):
        await server.run(reading, writing, server.create_initialization_options())
