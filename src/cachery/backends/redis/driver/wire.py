"""One open connection of blocking code: bytes out, replies in, and nothing in between.

redis-py connects, encrypts and authenticates; then its socket is read here, by a reader of our own, which costs
less than half of what its ``read_response`` does.
"""

from __future__ import annotations

import os
import select
from contextlib import suppress
from socket import SO_LINGER, SOL_SOCKET
from struct import pack
from time import monotonic
from typing import Any

from cachery.backends.redis.driver.address import Address
from cachery.backends.redis.driver.connections import blocking_connection
from cachery.backends.redis.driver.failures import FOREIGN
from cachery.backends.redis.driver.packing import INCOMPLETE, Notes, reader_for

__all__ = ["Wire", "forget_unsent", "open_wire"]

_AT_ONCE = pack("ii", 1, 0)

_BUFFER_SIZE = 65536
_HAS_POLL = hasattr(select, "poll")


def open_wire(address: Address, host: str, port: int) -> Wire:
    """Return a new connection to the server at ``host`` and ``port``. Raises what redis-py raises."""
    connection = blocking_connection(address, host, port)
    connection.connect()
    return Wire(connection, address.timeout, name=address.path or f"{host}:{port}")


def forget_unsent(socket: Any) -> None:
    """Let what ``socket`` has not sent yet be forgotten when it is closed: late, it would come after what is newer."""
    with suppress(OSError):  # it may be at its end already, or of another kind
        socket.setsockopt(SOL_SOCKET, SO_LINGER, _AT_ONCE)


class Wire:
    """A connection with no replies under way but those to ``post``; used by one thread at a time.

    ``name`` is what messages call the server, ``notes`` what its refusals said about it, ``generation`` its pool's.
    """

    __slots__ = (
        "__weakref__", "_buffer", "_connection", "_is_readable", "_owed", "_process", "_reader", "_socket", "_timeout",
        "generation", "name", "notes",
    )  # fmt: skip

    def __init__(self, connection: Any, timeout: float, *, name: str) -> None:
        self.name = name
        self.notes = Notes()
        self.generation = 0
        self._connection = connection
        self._socket = connection._sock  # noqa: SLF001 - redis-py has no public way to it
        self._socket.settimeout(timeout)
        self._timeout = timeout
        self._buffer = bytearray(_BUFFER_SIZE)
        self._reader = reader_for(self.notes)
        self._owed = 0
        self._is_readable = _watch(self._socket)
        self._process = os.getpid()

    def exchange(self, packed: bytes, count: int) -> list[Any]:
        """Send ``packed``, ``count`` commands, and return their replies. When it raises, the wire is of no more use."""
        self._socket.sendall(packed)
        deadline = monotonic() + self._timeout
        gets = self._reader.gets
        replies: list[Any] = []
        missing = count + self._owed
        while missing:
            self._read(deadline)
            while missing and (reply := gets()) is not INCOMPLETE:
                replies.append(reply)
                missing -= 1
        if self._owed:
            del replies[: self._owed]
            self._owed = 0
        return replies

    def post(self, packed: bytes, count: int) -> None:
        """Send ``packed``, ``count`` commands; their replies are thrown away by who comes next."""
        self._socket.sendall(packed)
        self._owed += count

    def _read(self, deadline: float) -> None:
        if monotonic() > deadline:  # a server that sends a little now and then
            raise TimeoutError
        received = self._socket.recv_into(self._buffer)
        if not received:
            raise ConnectionResetError("the server closed the connection")
        self._reader.feed(self._buffer, 0, received)

    def is_fresh(self) -> bool:
        """Whether the server has kept it open, and has said nothing unasked."""
        if self._is_readable(0):
            return self._owed > 0 and self._has_settled()
        return True

    def _has_settled(self) -> bool:
        """Read what is there of the replies to ``post``; False when the connection is at its end."""
        try:
            while self._is_readable(0):  # the end of the connection too is something to read
                self._read(monotonic() + self._timeout)
                while self._owed and self._reader.gets() is not INCOMPLETE:
                    self._owed -= 1
        except FOREIGN:  # who asked whether it is fresh opens another
            return False
        return not self._reader.has_data() or self._owed > 0

    def give_up(self) -> None:
        """Let nothing that was not sent yet be sent when the connection is closed."""
        if self._process == os.getpid():
            forget_unsent(self._socket)

    def close(self) -> None:
        """Close the connection; in a forked child only this process's end of it, so that the parent keeps it."""
        if self._process == os.getpid():
            self._connection.disconnect()
        else:
            self._socket.close()


def _watch(socket: Any) -> Any:
    """Return a function of a time in milliseconds that returns something true once there is something to read."""
    if not _HAS_POLL:
        return lambda milliseconds: select.select([socket], [], [], milliseconds / 1000)[0]
    poll = select.poll()
    poll.register(socket.fileno(), select.POLLIN)
    return poll.poll
