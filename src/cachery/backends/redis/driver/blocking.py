"""The link for blocking code: one server, or the primary that Sentinels name."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Sequence
from typing import Any
from weakref import finalize

from cachery.backends.redis.driver.address import Address
from cachery.backends.redis.driver.connections import find_primary
from cachery.backends.redis.driver.failures import FOREIGN, LinkFailure, failure
from cachery.backends.redis.driver.lent import LentPool
from cachery.backends.redis.driver.packing import pack
from cachery.backends.redis.driver.pool import Pool
from cachery.backends.redis.driver.scanning import scan
from cachery.backends.redis.driver.wire import Wire, open_wire
from cachery.backends.redis.link import Command
from cachery.exceptions import CacheConnectionError, CacheTimeoutError

__all__ = ["BlockingLink"]

_logger = logging.getLogger("cachery.redis")


class BlockingLink:
    """Carries commands to ``address`` and replies back, on the thread of the caller; never suspends. Thread-safe.

    Each ``ask`` has a connection to itself meanwhile. A forked child opens its own.
    """

    is_cluster = False

    def __init__(self, address: Address) -> None:
        self._address = address
        self._pool: Any
        if address.client is not None:
            self._pool = LentPool(address.client, address.name)
        else:
            self._pool = Pool(self._open, address.max_connections, address.timeout)
            finalize(self, _close_all, self._pool.idle).atexit = False

    def __repr__(self) -> str:
        return f"<BlockingLink {self._address.name}>"

    async def ask(self, commands: Sequence[Command]) -> list[Any]:
        """Send ``commands`` together and return a reply for each. Raises what the port says."""
        if not commands:
            return []
        packed = pack(commands)
        wire = self._take()
        try:
            replies: list[Any] = wire.exchange(packed, len(commands))
        except BaseException as error:  # an interrupt too leaves replies under way: nobody may read them
            wire.give_up()
            self._drop(wire)
            if isinstance(error, FOREIGN):
                raise failure(error, wire.name) from error
            raise
        if wire.notes.is_spent:
            return self._without(wire, replies)
        self._pool.give(wire)
        return replies

    def post(self, commands: Sequence[Command]) -> None:
        """Send ``commands``, unless there is no connection to be had at once."""
        try:
            wire = self._pool.take_quickly() if commands else None
            if wire is not None:
                self._post(wire, commands)
        except (*FOREIGN, CacheConnectionError, CacheTimeoutError) as error:
            _logger.debug("commands that nobody waits for were not sent to %s: %s", self._address.name, error)

    def _post(self, wire: Any, commands: Sequence[Command]) -> None:
        try:
            wire.post(pack(commands), len(commands))
        except BaseException:
            self._drop(wire)
            raise
        self._pool.give(wire)

    def scan(self, match: bytes, batch: int = 500) -> AsyncIterator[list[bytes]]:
        """Return an iterator over the keys that match ``match``."""
        return scan(self, match, batch)

    async def close(self) -> None:
        """Close the connections; those in use follow when they are given back."""
        self._pool.close()

    def _take(self) -> Any:
        try:
            return self._pool.take()
        except FOREIGN as error:
            if isinstance(error, CacheTimeoutError):
                raise
            raise failure(error, self._address.name, was_sent=False) from error

    def _drop(self, wire: Any) -> None:
        """Close ``wire``, which is lost; behind Sentinels another server may be primary now."""
        if self._address.service_name is not None:
            self._pool.renew()
        self._pool.drop(wire)

    def _without(self, wire: Any, replies: list[Any]) -> list[Any]:
        """Let go of a server that is primary no more, or cannot serve; return what it replied. Raises in the latter."""
        self._pool.renew()
        self._pool.drop(wire)
        if wire.notes.unfitness:
            raise self._unfit(wire)
        return replies

    def _unfit(self, wire: Any) -> LinkFailure:
        return failure(ConnectionError(wire.notes.unfitness), wire.name)

    def _open(self) -> Wire:
        address = self._address
        host, port = address.nodes[0] if address.service_name is None else find_primary(address)
        return open_wire(address, host, port)


def _close_all(wires: list[Wire]) -> None:
    """Close what a link has left behind that was dropped without being closed."""
    for wire in list(wires):
        wire.close()
