"""An MCP server whose tools are those of ``cachery.mcp_tools``, over standard input and output or over HTTP.

``serve()`` runs it; ``build_server()`` makes it for a transport of your own. Needs the extra ``mcp``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cachery._lazy import lazy_exports

if TYPE_CHECKING:
    from cachery.mcp.server import build_server, http_app
    from cachery.mcp.serving import serve

__all__ = ["build_server", "http_app", "serve"]

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "build_server": "cachery.mcp.server:build_server",
        "http_app": "cachery.mcp.server:http_app",
        "serve": "cachery.mcp.serving:serve",
    },
)
