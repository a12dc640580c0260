"""Going over the keys of one server, a batch at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from cachery.backends.redis.link import ErrorReply, Link
from cachery.exceptions import CacheConnectionError

__all__ = ["scan"]


async def scan(link: Link, match: bytes, batch: int) -> AsyncIterator[list[bytes]]:
    """Yield the keys of the server of ``link`` that match the glob ``match``. Raises what ``link.ask`` raises."""
    cursor: Any = b"0"
    while True:
        (reply,) = await link.ask([("SCAN", cursor, "MATCH", match, "COUNT", batch)])
        if isinstance(reply, ErrorReply):
            raise CacheConnectionError(f"the server refuses to list its keys: {reply.text}", backend="redis")
        cursor, keys = reply
        if keys:
            yield keys
        if int(cursor) == 0:
            return
