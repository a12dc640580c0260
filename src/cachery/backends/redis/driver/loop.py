"""The link for event loops: one server, or the primary that Sentinels name. What one turn asks travels together."""

from __future__ import annotations

import asyncio
import logging
from asyncio import get_running_loop
from collections.abc import AsyncIterator, Sequence
from typing import Any
from weakref import finalize

from cachery.backends.redis.driver.address import Address
from cachery.backends.redis.driver.channel import Channel
from cachery.backends.redis.driver.connections import find_primary_in_loop, loop_connection
from cachery.backends.redis.driver.failures import FOREIGN, failure
from cachery.backends.redis.driver.scanning import scan
from cachery.backends.redis.link import Command
from cachery.exceptions import CacheError
from cachery.forks import reset_in_child

__all__ = ["LoopLink"]

_logger = logging.getLogger("cachery.redis")

Channels = dict[asyncio.AbstractEventLoop, Channel]


class LoopLink:
    """Carries commands to ``address`` and replies back. Bound to no loop: each that asks has a connection of its own.

    A connection is opened when it is first needed, once for all who ask meanwhile, and again after it was lost.
    """

    is_cluster = False

    def __init__(self, address: Address) -> None:
        self._address = address
        self._channels: Channels = {}
        self._openings: dict[asyncio.AbstractEventLoop, asyncio.Task[Channel | BaseException]] = {}
        self._posts: set[asyncio.Task[None]] = set()
        self._is_closed = False
        finalize(self, _close_all, self._channels)
        reset_in_child(self)

    def __repr__(self) -> str:
        return f"<LoopLink {self._address.name}>"

    async def ask(self, commands: Sequence[Command]) -> list[Any]:
        """Send ``commands`` with this turn's others and return a reply for each. Raises what the port says."""
        if not commands:
            return []
        channel = self._channels.get(get_running_loop())
        if channel is None or not channel.is_open or channel.is_full:
            channel = await self._usable(channel)
        return await channel.ask(commands)

    def post(self, commands: Sequence[Command]) -> None:
        """Send ``commands`` with this turn's others; where there is no connection, open one in the background."""
        try:
            loop = get_running_loop()
        except RuntimeError:
            _logger.debug("commands that nobody waits for were not sent: no event loop runs here")
            return
        channel = self._channels.get(loop)
        if not commands:
            return
        if channel is not None and channel.is_open:
            channel.post(commands)
            return
        task = loop.create_task(self._post_later(commands), name="cachery-post")
        self._posts.add(task)
        task.add_done_callback(self._posts.discard)

    async def _post_later(self, commands: Sequence[Command]) -> None:
        try:
            (await self._usable(None)).post(commands)
        except CacheError as error:
            _logger.debug("commands that nobody waits for were not sent to %s: %s", self._address.name, error)

    def scan(self, match: bytes, batch: int = 500) -> AsyncIterator[list[bytes]]:
        """Return an iterator over the keys that match ``match``."""
        return scan(self, match, batch)

    async def close(self) -> None:
        """Close the connections of all loops; return when that of this loop is closed."""
        self._is_closed = True
        own = self._channels.pop(get_running_loop(), None)
        _close_all(self._channels)
        if own is not None:
            await own.close()

    def reset_after_fork(self) -> None:
        """Begin anew: the connections are the parent's, and so are the loops."""
        inherited = list(self._channels.values())
        self._channels.clear()
        self._openings, self._posts = {}, set()
        for channel in inherited:
            channel.forget(is_inherited=True)

    async def _usable(self, channel: Channel | None) -> Channel:
        """Return an open connection that takes more. Raises ``CacheConnectionError`` or ``CacheTimeoutError``."""
        if channel is None or not channel.is_open:
            channel = await self._opened()
        while channel.is_full:
            await channel.room()
            if not channel.is_open:
                channel = await self._opened()
        return channel

    async def _opened(self) -> Channel:
        """Return the connection of this loop, opening it together with all who ask meanwhile."""
        loop = get_running_loop()
        present = self._channels.get(loop)
        if present is not None and present.is_open:
            return present
        opening = self._openings.get(loop)
        if opening is None:
            self._openings[loop] = opening = loop.create_task(self._open(loop), name="cachery-connect")
            opening.add_done_callback(lambda _: self._openings.pop(loop, None))
        outcome = await asyncio.shield(opening)
        if isinstance(outcome, Channel):
            return outcome
        raise failure(outcome, self._address.name, was_sent=False) from outcome

    async def _open(self, loop: asyncio.AbstractEventLoop) -> Channel | BaseException:
        """Connect; return what came of it, an error as a value, so that each who waits raises one of its own."""
        _forget_closed(self._channels)
        try:
            channel = await self._connected(loop)
        except FOREIGN as error:
            return error
        if self._is_closed:
            await channel.close()
            return ConnectionAbortedError("the link is closed")
        self._channels[loop] = channel
        return channel

    async def _connected(self, loop: asyncio.AbstractEventLoop) -> Channel:
        address = self._address
        if self._is_closed:
            raise ConnectionAbortedError("the link is closed")
        host, port = address.nodes[0] if address.service_name is None else await find_primary_in_loop(address)
        connection = loop_connection(address, host, port)
        try:
            async with asyncio.timeout(address.connect_timeout):
                await connection.connect()
        except BaseException:
            await connection.disconnect(nowait=True)
            raise
        return Channel(connection, loop, address.timeout, name=address.path or f"{host}:{port}")


def _forget_closed(channels: Channels) -> None:
    """Close what belongs to loops that were closed without a word."""
    for loop, channel in list(channels.items()):
        if loop.is_closed():
            channels.pop(loop, None)
            channel.forget()


def _close_all(channels: Channels) -> None:
    while channels:
        _, channel = channels.popitem()
        channel.close_from_elsewhere()
