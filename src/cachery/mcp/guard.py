"""Who may change something, and who may look: over HTTP, who shows the token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hmac import compare_digest
from typing import Any

from cachery.exceptions import CacheValueError
from cachery.mcp_tools.metadata import Answer, Tool

__all__ = ["LOOPBACK", "Guard", "checked_token"]

LOOPBACK = ("127.0.0.1", "localhost", "::1")
_SHORTEST = 16


def checked_token(token: str | None) -> str | None:
    """Return ``token``. Raises ``CacheValueError`` for one that is easily guessed, or that a header cannot carry.

    >>> checked_token("a" * 32) is not None, checked_token(None)
    (True, None)
    """
    if token is not None and not isinstance(token, str):
        raise CacheValueError(f"a token is text, not {type(token).__name__}")
    if token is not None and (len(token) < _SHORTEST or not token.isascii() or token != "".join(token.split())):
        raise CacheValueError(f"a token is {_SHORTEST} or more ASCII characters without spaces")
    return token


@dataclass(frozen=True, slots=True)
class Guard:
    """Lets calls pass whose request has ``token``, and those that change nothing unless ``is_closed``."""

    token: str | None
    is_closed: bool = False

    def refusal_of(self, tool: Tool, arguments: Mapping[str, Any], request: Any) -> Answer | None:
        """Return the answer to a call that is not allowed; ``None`` for one that is. ``request`` has ``headers``."""
        if not self.is_closed and tool.is_read_only(arguments):
            return None
        if self.token is None:
            return _refused("this server only reads: it was started without a token, which changes need over HTTP")
        shown = "" if request is None else request.headers.get("authorization", "")
        if compare_digest(shown.encode("utf-8", "surrogateescape"), f"Bearer {self.token}".encode()):
            return None
        what = "others can reach this server" if self.is_closed else "this tool changes something"
        return _refused(f"{what}: send the header 'Authorization: Bearer' with the server's token")


def _refused(message: str) -> Answer:
    return {"status": "error", "error_type": "Unauthorized", "message": message}
