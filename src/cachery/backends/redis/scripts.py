"""The Lua scripts beside this file, called by their hash; a server that does not know one yet is sent its text."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha1
from importlib.resources import files
from typing import Any, NamedTuple

from cachery.backends.redis.link import Command, ErrorReply, Link
from cachery.exceptions import CacheConnectionError, CacheError, CacheFullError

__all__ = [
    "BEGIN",
    "CLOSE",
    "COUNT",
    "DROP",
    "FETCH",
    "INVALIDATE",
    "LEASE",
    "PUT",
    "REMOVE",
    "STAMP",
    "SWAP",
    "ask",
    "checked",
]

_TEXTS = files("cachery.backends.redis") / "lua"
_RECORDS = (_TEXTS / "records.lua").read_text("utf-8")


class Script(NamedTuple):
    """A script by its text and its hash."""

    text: str
    digest: str

    def post(self, keys: Sequence[bytes], *arguments: bytes | str | int) -> Command:
        """Return the command that calls it by its text: nobody hears whether the server knew its hash."""
        return ("EVAL", self.text, len(keys), *keys, *arguments)

    def call(self, keys: Sequence[bytes], *arguments: bytes | str | int) -> Command:
        """Return the command that calls it."""
        return ("EVALSHA", self.digest, len(keys), *keys, *arguments)


def _script(name: str, *, knows_records: bool = True) -> Script:
    text = (_RECORDS if knows_records else "") + (_TEXTS / f"{name}.lua").read_text("utf-8")
    return Script(text, sha1(text.encode(), usedforsecurity=False).hexdigest())


FETCH = _script("fetch")
REMOVE = _script("remove")
PUT = _script("put")
SWAP = _script("swap")
BEGIN = _script("begin", knows_records=False)
COUNT = _script("count")
CLOSE = _script("close", knows_records=False)
STAMP = _script("stamp")
INVALIDATE = _script("invalidate")
DROP = _script("drop")
LEASE = _script("lease", knows_records=False)
ALL = {
    script.digest: script for script in (FETCH, REMOVE, PUT, SWAP, COUNT, BEGIN, CLOSE, STAMP, INVALIDATE, DROP, LEASE)
}


async def ask(link: Link, commands: Sequence[Command]) -> list[Any]:
    """Return the replies to ``commands``. Raises as ``checked`` does, when any of them was refused."""
    replies = await link.ask(commands)
    for reply in replies:
        if type(reply) is ErrorReply:
            return [checked(reply) for reply in await _asked_again(link, commands, replies)]
    return replies


async def _asked_again(link: Link, commands: Sequence[Command], replies: list[Any]) -> list[Any]:
    """Return ``replies``, those of scripts that were not known fetched again with their texts.

    What followed them and is no script comes again too: it tells, or asks, what became of the cache after them.
    """
    unknown = [at for at, reply in enumerate(replies) if _is_unknown_script(reply)]
    if unknown:
        places = [at for at in range(unknown[0], len(commands)) if at in unknown or commands[at][0] != "EVALSHA"]
        again = await link.ask([_with_text(commands[at]) if at in unknown else commands[at] for at in places])
        for at, reply in zip(places, again, strict=True):
            replies[at] = reply
    return replies


def _is_unknown_script(reply: object) -> bool:
    """Tell whether a server answered that it does not know a script."""
    return type(reply) is ErrorReply and reply.text.startswith("NOSCRIPT")


def _with_text(command: Command) -> Command:
    return ("EVAL", ALL[str(command[1])].text, *command[2:])


def checked(reply: Any) -> Any:
    """Return ``reply``; raise ``CacheFullError`` or ``CacheConnectionError`` for one that says what went wrong."""
    if type(reply) is not ErrorReply:
        return reply
    raise _refusal(reply.text)


def _refusal(text: str) -> CacheError:
    text = text.partition(" script: ")[0]  # of no use to who reads it
    if text.startswith("OOM"):
        return CacheFullError(f"the server has no memory left and may not evict: {text}")
    return CacheConnectionError(f"the server refused: {text}", backend="redis", is_refusal=True)
