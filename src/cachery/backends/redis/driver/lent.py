"""The pool of a client that a user gave: its connections are borrowed, never closed for good, and read its way."""

from __future__ import annotations

from typing import Any

import redis

from cachery.backends.redis.driver.failures import refusal_of
from cachery.backends.redis.driver.packing import Notes

__all__ = ["LentPool", "LentWire"]


class LentWire:
    """A connection of somebody else's pool. It may carry messages meant for its owner, so its own parser reads it."""

    __slots__ = ("connection", "name", "notes")

    def __init__(self, connection: Any, name: str) -> None:
        self.connection = connection
        self.name = name
        self.notes = Notes()

    def exchange(self, packed: bytes, count: int) -> list[Any]:
        """Send ``packed``, ``count`` commands, and return their replies. When it raises, the wire is of no more use."""
        self.connection.send_packed_command([packed], check_health=False)
        return [self._reply() for _ in range(count)]

    def post(self, packed: bytes, count: int) -> None:
        """Send ``packed``, ``count`` commands, and throw their replies away."""
        self.exchange(packed, count)

    def give_up(self) -> None:
        """Do nothing: how it is closed, redis-py decides."""

    def _reply(self) -> Any:
        try:
            reply = self.connection.read_response(disable_decoding=True, disconnect_on_error=True)
        except redis.ResponseError as error:
            refusal = refusal_of(error)
            return self.notes.refused(refusal.text)
        return reply if not isinstance(reply, list) else _plain(reply)


def _plain(replies: list[Any]) -> list[Any]:
    """Return ``replies`` with the errors among them as replies too."""
    return [refusal_of(reply) if isinstance(reply, redis.ResponseError) else reply for reply in replies]


class LentPool:
    """The pool of ``client``, as the link uses its own."""

    def __init__(self, client: redis.Redis, name: str) -> None:
        self._pool: Any = client.connection_pool
        self._name = name
        self.is_closed = False

    def take(self) -> LentWire:
        """Return a connection for the caller alone. Raises what redis-py raises."""
        return LentWire(self._pool.get_connection(), self._name)

    def take_quickly(self) -> LentWire | None:
        """Return a connection for the caller alone. Raises what redis-py raises."""
        return self.take()

    def give(self, wire: LentWire) -> None:
        """Give the connection back."""
        self._pool.release(wire.connection)

    def drop(self, wire: LentWire) -> None:
        """Give the connection back, closed: it is opened again by who uses it next, at whoever is primary then."""
        wire.connection.disconnect()
        self._pool.release(wire.connection)

    def renew(self) -> None:
        """Leave the other connections alone: each finds out by itself."""

    def close(self) -> None:
        """Leave the pool open: it is its owner's."""
        self.is_closed = True
