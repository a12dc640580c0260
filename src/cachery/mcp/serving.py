"""Running the server until it is ended: over standard input and output, or over HTTP."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Literal

from cachery.exceptions import CacheConnectionError, CacheValueError
from cachery.keys.text import check_whole
from cachery.mcp.server import build_server, http_app
from cachery.serializers.extras import import_extra

__all__ = ["serve"]

_log = logging.getLogger("uvicorn.error")
_HIGHEST_PORT = 65535
_BACKLOG = 2048


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
    unless ``host`` or ``allowed_hosts`` say otherwise; calls that change something then need ``token`` as bearer token,
    and without one the server only reads. Where others can reach it, every call needs the token. ``port`` 0 is a free
    one; the log says which.

    Raises ``ImportError`` when the extra ``mcp`` is missing; ``CacheValueError`` for another transport, a token that is
    easily guessed, a host that others can reach without a token, and a port that is none; ``CacheConnectionError``
    where it cannot listen there: something else does, for instance.
    """
    if transport == "stdio":
        asyncio.run(_serve_stdio())
    elif transport == "http":
        _serve_http(http_app(host=host, token=token, allowed_hosts=allowed_hosts), host, _checked_port(port))
    else:
        raise CacheValueError(f"transport is 'stdio' or 'http', not {transport!r}")


def _checked_port(port: int) -> int:
    check_whole(port=port)
    if not 0 <= port <= _HIGHEST_PORT:
        raise CacheValueError(f"port is 0 to {_HIGHEST_PORT}, not {port}")
    return port


def _serve_http(app: Any, host: str, port: int) -> None:
    uvicorn: Any = import_extra("uvicorn", "mcp")
    config = uvicorn.Config(app, host=host, port=port, log_level="info", access_log=False)
    with _listening(host, port) as listening, suppress(KeyboardInterrupt):
        place = f"[{host}]" if ":" in host else host
        _log.info("cachery is running on http://%s:%d/mcp (CTRL+C ends it)", place, listening.getsockname()[1])
        _log.addFilter(_is_no_interruption)
        try:
            uvicorn.Server(config).run(sockets=[listening])
        finally:
            _log.removeFilter(_is_no_interruption)


def _is_no_interruption(record: logging.LogRecord) -> bool:
    """Leave out that whoever ended the server ended what it was doing."""
    error = record.exc_info[1] if record.exc_info else None
    return "asyncio.exceptions.CancelledError" not in str(record.msg) and not isinstance(error, asyncio.CancelledError)


def _listening(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise CacheConnectionError(f"the server cannot listen at {host}:{port}: {error.strerror or error}") from error


async def _serve_stdio() -> None:
    stdio: Any = import_extra("mcp.server.stdio", "mcp")
    server = build_server()
    async with stdio.stdio_server() as (reading, writing):
        await server.run(reading, writing, server.create_initialization_options())
