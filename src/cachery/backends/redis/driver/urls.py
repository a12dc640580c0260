"""What a URL says: ``redis://``, ``rediss://``, ``unix://``, and the same under the name of Valkey."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from redis.connection import parse_url

from cachery.exceptions import CacheValueError

__all__ = ["settings_of_url"]

_SCHEMES = {"redis": "redis", "rediss": "rediss", "unix": "unix", "valkey": "redis", "valkeys": "rediss"}
_parse: Any = parse_url
_DIRECT = {"db", "username", "password"}
_TIMEOUTS = {"socket_timeout": "timeout", "socket_connect_timeout": "connect_timeout"}


def settings_of_url(url: str) -> dict[str, Any]:
    """Return the fields of an address that ``url`` names; what stands behind ``?`` are options of the connection.

    Raises ``CacheValueError``, which never shows the password.
    """
    scheme, _, rest = url.partition("://")
    known = _SCHEMES.get(scheme.lower())
    if known is None:
        raise CacheValueError(
            f"{scheme}:// is no scheme of a server: use {', '.join(f'{name}://' for name in _SCHEMES)}"
        )
    try:
        parts = urlsplit(f"{known}://{rest}")
        said: dict[str, Any] = dict(_parse(f"{known}://{rest}"))
        port = parts.port
    except ValueError as error:
        raise CacheValueError(f"a URL that cannot be read: {_harmless(error)}") from None
    if known != "unix" and port == 0:
        raise CacheValueError("port must be 1 to 65535, not 0")
    if known != "unix" and "db" not in said and parts.path.strip("/"):
        raise CacheValueError(f"the path of the URL is the number of a database, not {parts.path!r}")
    return _fields(said, is_tls=known == "rediss")


def _fields(said: dict[str, Any], *, is_tls: bool) -> dict[str, Any]:
    said.pop("connection_class", None)
    fields: dict[str, Any] = {"is_tls": is_tls}
    host, port, path = said.pop("host", "localhost"), said.pop("port", 6379), said.pop("path", None)
    fields |= {"path": path} if path else {"nodes": ((host, port),)}
    for name in [name for name in said if name in _DIRECT or name == "max_connections"]:
        fields[name] = said.pop(name)
    for name, ours in _TIMEOUTS.items():
        if name in said:
            fields[ours] = said.pop(name)
    return {**fields, "options": _without_refused(said)}


def _without_refused(said: dict[str, Any]) -> dict[str, Any]:
    """Leave out what the link decides itself, whoever wrote the URL for another client."""
    theirs = ("protocol", "decode_responses", "encoding", "encoding_errors", "timeout", "retry_on_error")
    return {name: value for name, value in said.items() if name not in theirs}


def _harmless(error: ValueError) -> str:
    """Return what ``error`` says, unless it repeats a part of the URL, which may be a password."""
    text = str(error)
    return text if text.startswith(("Port out of range", "Invalid value for")) else "is the port a number?"
