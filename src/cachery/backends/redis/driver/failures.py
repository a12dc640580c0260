"""What redis-py and sockets raise, as errors of this package: the one place where they cross over."""

from __future__ import annotations

import asyncio
from typing import TypeAlias

import hiredis
import redis
from redis.exceptions import RedisClusterException

from cachery.backends.redis.link import ErrorReply
from cachery.exceptions import CacheConnectionError, CacheTimeoutError

__all__ = ["FOREIGN", "UNFIT", "LinkFailure", "failure", "refusal_of"]

LinkFailure: TypeAlias = CacheConnectionError | CacheTimeoutError

FOREIGN = (redis.RedisError, RedisClusterException, OSError, asyncio.TimeoutError, hiredis.HiredisError, EOFError)
"""What a connection may raise, to be handed to ``failure``."""

UNFIT = ("LOADING", "NOAUTH", "MASTERDOWN", "ERR max number of clients")
"""How refusals begin of a server that cannot serve anybody now: these replies are failures of the connection."""

_LATE = (redis.TimeoutError, TimeoutError, asyncio.TimeoutError)

_CODES: dict[type[Exception], str] = {
    redis.exceptions.NoScriptError: "NOSCRIPT",
    redis.exceptions.ReadOnlyError: "READONLY",
    redis.exceptions.OutOfMemoryError: "OOM",
    redis.exceptions.NoPermissionError: "NOPERM",
    redis.exceptions.ExecAbortError: "EXECABORT",
    redis.exceptions.MovedError: "MOVED",
    redis.exceptions.AskError: "ASK",
    redis.exceptions.TryAgainError: "TRYAGAIN",
    redis.exceptions.MasterDownError: "MASTERDOWN",
    redis.exceptions.ClusterDownError: "CLUSTERDOWN",
    redis.exceptions.ClusterCrossSlotError: "CROSSSLOT",
}


def failure(error: BaseException, name: str, *, was_sent: bool = True) -> LinkFailure:
    """Return what to raise from ``error``, which befell the connection to the server called ``name``.

    ``was_sent`` stands in the context: when it is False, no command has reached the server.
    """
    host, _, port = name.rpartition(":")
    place = {"host": host, "port": int(port)} if port.isdigit() else {"host": name}
    if isinstance(error, _LATE):
        message = f"the server {name} did not answer in time"
        return CacheTimeoutError(message, backend="redis", was_sent=was_sent, **place)
    message = f"no connection to the server {name}: {_text_of(error)}"
    return CacheConnectionError(message, backend="redis", was_sent=was_sent, **place)


def refusal_of(error: redis.ResponseError) -> ErrorReply:
    """Return the reply that redis-py made ``error`` of, which strips the codes that it knows."""
    text = str(error)
    code = getattr(error, "status_code", None) or _CODES.get(type(error))
    if code is None:
        first = text.partition(" ")[0]
        code = None if first.isalpha() and first.isupper() else "ERR"
    return ErrorReply(text if code is None else f"{code} {text}")


def _text_of(error: BaseException) -> str:
    return str(error) or type(error).__name__
