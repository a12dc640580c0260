"""From what was said of a cache to the open cache, and to what closes it."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from inspect import isawaitable
from typing import Any

import cachery.aio.cache
import cachery.cache
from cachery.ai.interface import CacheInterface
from cachery.exceptions import CacheValueError

__all__ = ["Shared", "is_finished_cache", "opened"]

_log = logging.getLogger("cachery.fastapi")


@dataclass(frozen=True, slots=True)
class Shared:
    """A cache, or a function that returns one, that others use too."""

    source: Any


def is_finished_cache(source: Any) -> bool:
    """Tell whether ``source`` is a cache itself."""
    return isinstance(source, cachery.aio.cache.Cache | cachery.cache.Cache | CacheInterface)


async def opened(stack: AsyncExitStack, name: str, source: Any) -> Any:
    """Return the cache that ``source`` makes or is; ``stack`` closes it, unless it is shared.

    Raises ``CacheValueError`` for what is no cache, and whatever the function raises.
    """
    async with AsyncExitStack() as own:
        if isinstance(source, Shared):
            cache = await _made(source.source)
        else:
            cache = await _entered(own, await _made(source))
        if not is_finished_cache(cache):
            raise CacheValueError(f"what is to be the cache {name!r} is {type(cache).__name__}, no cache")
        stack.push_async_exit(partial(_left, name, own.pop_all()))
    return cache


async def _left(name: str, own: AsyncExitStack, *error: Any) -> bool | None:
    """Leave ``own``. What that raises is logged too: of several that raise, the last is all that the app hears of."""
    try:
        return await own.__aexit__(*error)
    except BaseException:
        _log.exception("the cache %r could not be closed", name)
        raise


async def _made(source: Any) -> Any:
    if is_finished_cache(source):
        return source
    made = source()
    return await made if isawaitable(made) else made


async def _entered(stack: AsyncExitStack, made: Any) -> Any:
    """Enter ``made``, a cache or what gives one as a context manager; ``stack`` leaves it."""
    if hasattr(made, "__aenter__"):
        return await stack.enter_async_context(made)
    if hasattr(made, "__enter__"):
        entered = await asyncio.to_thread(made.__enter__)
        stack.push_async_exit(lambda *error: asyncio.to_thread(made.__exit__, *error))
        return entered
    close = getattr(made, "close", None)
    if close is not None:
        stack.push_async_callback(_closed, close)
    return made


async def _closed(close: Any) -> None:
    answer = close()
    if isawaitable(answer):
        await answer
