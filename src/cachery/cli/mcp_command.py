"""The command ``cachery mcp``: caches as tools for agents."""

from __future__ import annotations

import os
from typing import Annotated

import typer

__all__ = ["mcp"]


_TOKEN = "CACHERY_MCP_TOKEN"  # noqa: S105 - the name of a variable

_Http = Annotated[bool, typer.Option("--http", help="Serve over HTTP in place of standard input and output.")]
_Host = Annotated[
    str | None,
    typer.Option("--host", help="With --http: the address to listen at, 127.0.0.1 unless said; another needs a token."),
]
_Port = Annotated[
    int | None,
    typer.Option("--port", help="With --http: the port, 8000 unless said; 0 is a free one.", min=0, max=65535),
]
_TokenEnv = Annotated[
    str | None,
    typer.Option("--token-env", help="The variable that holds the token over HTTP, CACHERY_MCP_TOKEN unless said."),
]
_Hosts = Annotated[
    list[str] | None,
    typer.Option(
        "--allowed-host", help="With --http: what else a client may call it, name:port; then all needs the token."
    ),
]


def mcp(
    *,
    http: _Http = False,
    host: _Host = None,
    port: _Port = None,
    token_env: _TokenEnv = None,
    allowed_host: _Hosts = None,
) -> None:
    """Serve the caches of this process as tools of the Model Context Protocol."""
    from cachery.exceptions import CacheConnectionError  # noqa: PLC0415 - when it is run
    from cachery.mcp import serve  # noqa: PLC0415 - needs an extra

    said = {"--host": host, "--port": port, "--allowed-host": allowed_host or None, "--token-env": token_env}
    idle = [option for option, value in said.items() if value is not None]
    if idle and not http:
        raise typer.BadParameter(f"{idle[0]} goes with --http: standard input and output need none")
    token = _token(token_env)
    where = {"host": host or "127.0.0.1", "port": 8000 if port is None else port}
    try:
        serve("http" if http else "stdio", **where, token=token, allowed_hosts=allowed_host or [])  # type: ignore[arg-type]
    except (CacheConnectionError, ImportError) as error:
        typer.secho(f"cachery: {error}", fg="red", err=True)
        raise typer.Exit(2) from error


def _token(variable: str | None) -> str | None:
    """Return the token in ``variable``, which must be there if it is named."""
    token = os.environ.get(variable or _TOKEN) or None
    if token is None and variable is not None:
        raise typer.BadParameter(f"the variable {variable} is not set, so there is no token", param_hint="--token-env")
    return token
