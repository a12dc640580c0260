"""Commands as the bytes that a server reads, and bytes as the replies to them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import hiredis

from cachery.backends.redis.driver.failures import UNFIT
from cachery.backends.redis.link import Command, ErrorReply

__all__ = ["INCOMPLETE", "Notes", "pack", "reader_for"]

INCOMPLETE = object()
"""What a reader returns while a reply has not wholly arrived."""

_pack_one: Callable[[Command], bytes] = hiredis.pack_command  # type: ignore[assignment]  # so says its stub


def pack(commands: Sequence[Command]) -> bytes:
    r"""Return ``commands`` as one piece. Raises ``TypeError`` for what is neither bytes, text nor a number.

    >>> pack([("GET", "key")])
    b'*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n'
    """
    if len(commands) == 1:
        return _pack_one(commands[0])
    return b"".join(map(_pack_one, commands))


class Notes:
    """What the refusals of a server say about the connection itself.

    ``is_spent``: whether another is to be opened. This server is primary no more, or, says ``unfitness``, cannot serve.
    """

    __slots__ = ("is_spent", "unfitness")

    def __init__(self) -> None:
        self.is_spent = False
        self.unfitness: str | None = None

    def refused(self, text: str) -> ErrorReply:
        """Return ``text`` as a reply, having looked at its code."""
        if "unauthenticated" in text:  # what it says of a long command that comes before any other
            text = "NOAUTH Authentication required."
        if text.startswith(UNFIT):
            self.is_spent, self.unfitness = True, text
        elif text.startswith("READONLY"):
            self.is_spent = True
        return ErrorReply(text)


def reader_for(notes: Notes) -> Any:
    """Return a reader of replies, in which a refusal is an ``ErrorReply``."""
    make: Any = hiredis.Reader  # its stub wants an exception where any object will do
    return make(replyError=notes.refused, notEnoughData=INCOMPLETE)
