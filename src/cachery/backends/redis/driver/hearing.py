"""A connection on which a server speaks unasked: what it invalidates, what is published."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import hiredis

from cachery.backends.redis.driver.address import Address
from cachery.backends.redis.driver.connections import blocking_connection, find_primary
from cachery.backends.redis.driver.failures import FOREIGN, failure
from cachery.backends.redis.driver.packing import pack
from cachery.backends.redis.driver.topology import Place, read_slots, slot_of
from cachery.backends.redis.link import Command
from cachery.exceptions import CacheConnectionError

__all__ = ["Ear", "places_to_hear", "slot_owner"]


def places_to_hear(address: Address) -> dict[Place, frozenset[int] | None]:
    """Return every primary of ``address`` now, each with the slots it owns; ``None`` where there are no slots.

    Raises ``CacheConnectionError`` or ``CacheTimeoutError``.
    """
    try:
        if address.service_name is not None:
            return {find_primary(address): None}
        if not address.is_cluster:
            return {address.nodes[0]: None}
        return _primaries_of(address)
    except FOREIGN as error:
        raise failure(error, address.name) from error


def _primaries_of(address: Address) -> dict[Place, frozenset[int] | None]:
    """Return what the first member that answers says."""
    error: Exception = CacheConnectionError("no member of the cluster answers")
    for place in address.nodes:
        ear = Ear(address, place)
        try:
            (reply,) = ear.open([("CLUSTER", "SLOTS")])
        except CacheConnectionError as failed:
            error = failed
            continue
        finally:
            ear.close()
        topology = read_slots(reply, place, address.options.get("address_remap"))
        return {
            primary: frozenset(slot for slot, owner in enumerate(topology.owners) if owner == primary)
            for primary in topology.primaries
        }
    raise error


def slot_owner(name: bytes) -> int:
    """Return the slot of ``name``."""
    slot = slot_of(("GET", name))
    assert slot is not None  # noqa: S101 - GET has a key
    return slot


class Ear:
    """Hears the server at ``place``. Used by one thread, but for ``close``."""

    def __init__(self, address: Address, place: Place) -> None:
        self._address = replace(address, options={**address.options, "protocol": 3})
        self._place = place
        self._connection: Any = None
        self._reader = hiredis.Reader()
        self.answer: list[Any] | None = None
        self._is_closed = False

    @property
    def name(self) -> str:
        """What messages call the server."""
        return self._address.path or "{}:{}".format(*self._place)

    def open(self, commands: Sequence[Command]) -> list[Any]:
        """Connect, send ``commands`` and return their replies.

        Raises ``CacheConnectionError``, also for a command that was refused, or ``CacheTimeoutError``.
        """
        try:
            connection = blocking_connection(self._address, *self._place)
            connection.connect()
            self._connection = connection
            if self._is_closed:
                raise ConnectionError("closed meanwhile")
            self._socket.settimeout(self._address.timeout)
            self.tell(commands)
            return [self._reply() for _ in commands]
        except FOREIGN as error:
            self.close()
            raise failure(error, self.name) from error

    def tell(self, commands: Sequence[Command]) -> None:
        """Send ``commands``, whose replies are heard like everything else. Raises ``CacheConnectionError``."""
        try:
            self._socket.sendall(pack(commands))
        except FOREIGN as error:
            raise failure(error, self.name) from error

    def heard(self) -> list[Any]:
        """Return what the server has said, after waiting until it says something.

        Of the replies to ``tell``, the last that is a list is ``answer``; the others say nothing.

        Raises ``CacheConnectionError`` when the connection is at its end, or a command was refused.
        """
        try:
            self._receive()
        except FOREIGN as error:
            raise failure(error, self.name) from error
        said: list[Any] = []
        while (item := self._reader.gets()) is not False:
            self._check(item)
            if isinstance(item, hiredis.PushNotification):
                said.append(item)
            elif isinstance(item, list):
                self.answer = item
        return said

    def fileno(self) -> int:
        """Return what ``select`` waits for; -1 when the connection is closed."""
        return int(self._socket.fileno())

    @property
    def _socket(self) -> Any:
        found = None if self._connection is None else self._connection._sock  # noqa: SLF001 - there is no public way
        if found is None:
            raise ConnectionResetError("the connection was closed")
        return found

    def _reply(self) -> Any:
        """Return the next reply; to a subscription it is pushed."""
        while True:
            while (item := self._reader.gets()) is False:
                self._receive()
            self._check(item)
            if not isinstance(item, hiredis.PushNotification) or item[0] == b"subscribe":
                return item

    def _receive(self) -> None:
        data = self._socket.recv(65536)
        if not data:
            raise ConnectionResetError("the server closed the connection")
        self._reader.feed(data)

    def _check(self, item: Any) -> None:
        if isinstance(item, Exception):
            raise CacheConnectionError(f"the server {self.name} refused: {item}", backend="redis") from item

    def close(self) -> None:
        """Close the connection, on whatever thread; who hears wakes up."""
        self._is_closed = True
        if self._connection is not None:
            with suppress(OSError):  # it may be at its end already
                self._socket.shutdown(socket.SHUT_RDWR)
            self._connection.disconnect()
