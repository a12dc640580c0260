"""The server: tools listed and called. With ``serving.py``, the files that know the MCP SDK."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from cachery import __version__
from cachery.exceptions import CacheValueError
from cachery.mcp.guard import LOOPBACK, Guard, checked_token
from cachery.mcp_tools import TOOLS
from cachery.mcp_tools.metadata import Answer, failure
from cachery.serializers.extras import import_extra

__all__ = ["build_server", "http_app"]

_INSTRUCTIONS = (
    "Caches by name. cache_get before doing something costly, cache_set after it; tag what belongs together, and "
    "cache_invalidate_by_tag when its source changes."
)


def build_server(*, is_over_http: bool = False, token: str | None = None, is_closed: bool = False) -> Any:
    """Return a low-level ``mcp.server.Server`` with the tools of ``cachery.mcp_tools``.

    ``is_over_http``: then a call that changes something needs ``token`` as bearer token, and is refused where there is
    none; with ``is_closed`` so does one that only looks. Else whoever is connected may do all. Raises ``ImportError``
    when the extra is missing, ``CacheValueError`` for a token that is easily guessed.

    >>> build_server().name
    'cachery'
    """
    sdk: Any = import_extra("mcp.server", "mcp")
    types: Any = import_extra("mcp.types", "mcp")
    secret = checked_token(token)
    guard = Guard(secret, is_closed) if is_over_http else None
    listing = types.ListToolsResult(tools=[_described(types, name) for name in TOOLS])

    async def list_tools(context: Any, params: Any) -> Any:
        del context, params
        return listing

    async def call_tool(context: Any, params: Any) -> Any:
        answer = await _answer(params.name, params.arguments or {}, context.request, guard)
        text = types.TextContent(type="text", text=json.dumps(answer))
        return types.CallToolResult(content=[text], structured_content=answer, is_error=answer["status"] == "error")

    return sdk.Server(
        "cachery",
        version=__version__,
        instructions=_INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


def http_app(*, host: str = "127.0.0.1", token: str | None = None, allowed_hosts: Sequence[str] = ()) -> Any:
    """Return a Starlette application that serves at ``/mcp`` over streamable HTTP.

    Requests whose ``Host`` is not this machine or one of ``allowed_hosts`` (``"cache.example.com:*"``), or whose
    ``Origin`` is another, are refused: a page in a browser cannot reach it. Where others can, because ``host`` is not
    this machine alone or there are ``allowed_hosts``, every call needs the ``token``: without one ``CacheValueError``
    is raised.

    >>> [route.path for route in http_app(token="a" * 32).routes]
    ['/mcp']
    """
    if not isinstance(host, str) or isinstance(allowed_hosts, str):
        raise CacheValueError("host is text, and allowed_hosts a list of texts")
    is_closed = host not in LOOPBACK or bool(allowed_hosts)
    if checked_token(token) is None and is_closed:
        where = f"at {host}" if host not in LOOPBACK else f"as {allowed_hosts[0]}"
        raise CacheValueError(f"{where} others can reach this server: it needs a token")
    security: Any = import_extra("mcp.server.transport_security", "mcp")
    hosts = ["127.0.0.1:*", "localhost:*", "[::1]:*", *allowed_hosts]
    settings = security.TransportSecuritySettings(
        enable_dns_rebinding_protection=True,
        allowed_hosts=hosts,
        allowed_origins=[f"{scheme}://{name}" for name in hosts for scheme in ("http", "https")],
    )
    server = build_server(is_over_http=True, token=token, is_closed=is_closed)
    return server.streamable_http_app(host=host, transport_security=settings)


def _described(types: Any, name: str) -> Any:
    tool = TOOLS[name]
    hints = types.ToolAnnotations(read_only_hint=tool.is_read_only({}), open_world_hint=False)
    return types.Tool(name=name, description=tool.description, input_schema=dict(tool.schema), annotations=hints)


async def _answer(name: str, arguments: dict[str, Any], request: Any, guard: Guard | None) -> Answer:
    """Return what the tool answers, on a thread: a cache may have to wait."""
    tool = TOOLS.get(name)
    if tool is None:
        return failure(CacheValueError(f"there is no tool {name!r}; there are {', '.join(TOOLS)}"))
    refused = None if guard is None else await asyncio.to_thread(guard.refusal_of, tool, arguments, request)
    return await asyncio.to_thread(tool.call, arguments) if refused is None else refused
