"""What the store asks of the way to the servers: commands in, replies out.

A link is awaited. The one for blocking code never suspends, so that one ``send(None)`` carries a call through
(``runtimes.step``); the one for event loops sends what one turn of the loop asks as one pipeline.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, NamedTuple, Protocol, TypeAlias

__all__ = ["Command", "ErrorReply", "Link"]

Command: TypeAlias = tuple[bytes | str | int | float, ...]


class ErrorReply(NamedTuple):
    """What a server answered to a command that it refused. ``text`` begins with a code: ``"NOSCRIPT ..."``."""

    text: str


class Link(Protocol):
    """The way to one server, whoever is primary now, or to the primaries of a cluster.

    What a connection raises comes out as ``CacheConnectionError`` or, when the budget of time is used up, as
    ``CacheTimeoutError``; whether the commands were carried out is then not known.
    """

    is_cluster: bool
    """Whether keys are spread over several servers. Then all keys of one command lie in one slot."""

    async def ask(self, commands: Sequence[Command]) -> list[Any]:
        """Send ``commands`` together; return a reply for each, in their order. What was refused is an ``ErrorReply``.

        In a cluster a command goes where its first key lies. Texts in replies are ``bytes``.
        """

    def post(self, commands: Sequence[Command]) -> None:
        """Send ``commands`` and forget them: nobody hears what became of them. Quick, and never fails."""

    def scan(self, match: bytes, batch: int = 500) -> AsyncIterator[list[bytes]]:
        """Return an iterator over all keys that match the server's glob ``match``, about ``batch`` at a time.

        A key that is there all the while comes at least once, from every primary.
        """

    async def close(self) -> None:
        """Close the connections. Closing again does nothing."""
