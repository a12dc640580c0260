"""The command ``cachery mcp``: caches as tools for agents."""

from __future__ import annotations

import os
from typing import Annotated

import typer

__all__ = ["mcp"]


_Http = Annotated[bool, typer.Option("--http", help="Serve over HTTP in place of standard input and output.")]
_Host = Annotated[str, typer.Option("--host", help="The address to listen at; one that others reach needs a token.")]
_Port = Annotated[int, typer.Option("--port", help="The port to listen at; 0 is a free one.", min=0, max=65535)]
_TokenEnv = Annotated[str, typer.Option("--token-env", help="The variable that holds the token for changes over HTTP.")]
_Hosts = Annotated[list[str] | None, typer.Option("--allowed-host", help="What else a client may call it: name:port.")]


def mcp(
    *,
    http: _Http = False,
    host: _Host = "127.0.0.1",
    port: _Port = 8000,
    token_env: _TokenEnv = "CACHERY_MCP_TOKEN",  # noqa: S107 - the name of a variable
    allowed_host: _Hosts = None,
) -> None:
    """Serve the caches of this process as tools of the Model Context Protocol."""
    from cachery.mcp import serve  # noqa: PLC0415 - needs an extra

    token = os.environ.get(token_env) or None
    try:
        serve("http" if http else "stdio", host=host, port=port, token=token, allowed_hosts=allowed_host or [])
    except ImportError as error:
        typer.secho(f"cachery: {error}", fg="red", err=True)
        raise typer.Exit(2) from error
