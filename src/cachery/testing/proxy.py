"""``TcpProxy``: a bad network on demand, between a client and a server, to see what becomes of the client."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any, NamedTuple, Self

from cachery.exceptions import CacheTimeoutError, CacheValueError
from cachery.testing.loop_thread import LoopThread

__all__ = ["Link", "TcpProxy"]

_CHUNK = 65536
_REMEMBERED = 4096
_WAITING = 256
_TURNS_TO_ACCEPT = 10
_NO_LINGER = struct.pack("ii", 1, 0)


class _Stream(NamedTuple):
    """One of the two connections of a link."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


class _Chunk(NamedTuple):
    """Bytes on their way. ``share``: which part of the jitter is theirs, 0 to 1."""

    data: bytes
    arrived: float
    share: float


class _Faults:
    """What is wrong with the network now."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)  # noqa: S311 - repeatable on purpose
        self.delay = self.jitter = 0.0
        self.is_silent = False
        self.changed = asyncio.Event()

    def change(self, *, delay: float = 0.0, jitter: float = 0.0, is_silent: bool = False) -> None:
        """Let this be wrong from now on, and nothing else; wake those who wait."""
        self.delay, self.jitter, self.is_silent = delay, jitter, is_silent
        before, self.changed = self.changed, asyncio.Event()
        before.set()

    async def hold(self, chunk: _Chunk) -> None:
        """Wait until ``chunk`` may go on, by what is wrong meanwhile."""
        now = asyncio.get_running_loop().time
        while (left := chunk.arrived + self.delay + self.jitter * chunk.share - now()) > 0:
            changed = asyncio.ensure_future(self.changed.wait())
            try:
                await asyncio.wait([changed], timeout=left)
            finally:
                changed.cancel()


class Link:
    """One connection through a proxy. ``first_bytes``: what the client sent first, up to 4,096 bytes."""

    def __init__(self, client: _Stream, server: _Stream, faults: _Faults, loop: LoopThread) -> None:
        self.first_bytes = b""
        self._client = client
        self._server = server
        self._faults = faults
        self._loop = loop
        self._is_silent = self._has_lost = False
        self._task = asyncio.current_task()

    def __repr__(self) -> str:
        return f"<Link {self.first_bytes[:40]!r}, {'open' if self.is_open else 'closed'}>"

    @property
    def is_open(self) -> bool:
        """Whether it still carries something, or seems to."""
        return self._task is not None and not self._task.done()

    def cut(self) -> None:
        """Close both ends now. What was on its way is lost."""
        self._do(self.end())

    def reset(self) -> None:
        """Close both ends now by a reset, as a machine does that knows nothing of the connection."""
        self._do(self.end(is_reset=True))

    def black_hole(self) -> None:
        """Take what comes from now on and carry nothing, as a network that lost its way. It never heals."""
        self._do(self._fall_silent())

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        if self.is_open:
            self._loop.run(work)
        else:
            work.close()

    async def _fall_silent(self) -> None:
        self._is_silent = True

    async def end(self, *, is_reset: bool = False) -> None:
        """Close both ends, on the loop of the proxy."""
        for stream in (self._client, self._server):
            end = stream.writer.get_extra_info("socket")
            if is_reset and end.fileno() >= 0:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()
            await asyncio.wait([self._task])

    async def carry(self) -> None:
        """Carry both ways until both ends have said all, or one is gone."""
        ways = [
            asyncio.ensure_future(work)
            for work in (*self._way(self._client, self._server), *self._way(self._server, self._client))
        ]
        try:
            done, _ = await asyncio.wait(ways, return_when=asyncio.FIRST_EXCEPTION)
            if any(way.exception() for way in done):  # one end was reset, so the other is
                await self.end(is_reset=True)
            else:
                await asyncio.gather(_finished(self._client), _finished(self._server), return_exceptions=True)
        finally:
            for stream in (self._client, self._server):  # at once: who cuts may interrupt what is waited for here
                stream.writer.transport.abort()
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            await asyncio.gather(_closed(self._client), _closed(self._server), return_exceptions=True)

    def _way(self, source: _Stream, target: _Stream) -> tuple[Coroutine[Any, Any, None], Coroutine[Any, Any, None]]:
        chunks: asyncio.Queue[_Chunk] = asyncio.Queue(_WAITING)
        return self._take(source, chunks), self._give(target, chunks)

    async def _take(self, source: _Stream, chunks: asyncio.Queue[_Chunk]) -> None:
        now, data = asyncio.get_running_loop().time, b"."
        while data:
            try:
                data = await source.reader.read(_CHUNK)
            except ConnectionError:
                if self._loses():  # and so is the news of a reset
                    return
                raise
            if source is self._client and len(self.first_bytes) < _REMEMBERED:
                self.first_bytes = (self.first_bytes + data)[:_REMEMBERED]
            await chunks.put(_Chunk(data, now(), self._faults.chance.random()))

    async def _give(self, target: _Stream, chunks: asyncio.Queue[_Chunk]) -> None:
        data = b"."
        while data:
            chunk = await chunks.get()
            await self._faults.hold(chunk)
            data = chunk.data
            if self._loses():
                data = b"."  # the end of a stream is lost too
            elif data:
                target.writer.write(data)
                await target.writer.drain()
        target.writer.write_eof()

    def _loses(self) -> bool:
        """Tell whether what has come now is lost. After a gap in a stream, all the rest is."""
        self._has_lost = self._has_lost or self._is_silent or self._faults.is_silent
        return self._has_lost


async def _take_in() -> None:
    """Let those be accepted wholly who half are: a server of asyncio leaves their sockets open when it is closed."""
    for _ in range(_TURNS_TO_ACCEPT):
        await asyncio.sleep(0)


async def _finished(stream: _Stream) -> None:
    stream.writer.close()
    await stream.writer.wait_closed()


async def _closed(stream: _Stream) -> None:
    stream.writer.transport.abort()
    await stream.writer.wait_closed()


class TcpProxy:
    """Listens on a free port of this machine and carries bytes to and from a server, as well as it is told to.

    A fault holds for the connections there are and for those to come, until another one or ``heal`` takes its place.
    Each call returns when the fault is there. A link of ``links`` can be cut or lost by itself.

    ``seed``: what the jitter of ``delay`` follows.

    >>> import socket, threading
    >>> from cachery.testing import TcpProxy
    >>> def echo(server):
    ...     connection, _ = server.accept()
    ...     with connection:
    ...         while data := connection.recv(100):
    ...             connection.sendall(data)
    >>> server = socket.create_server(("127.0.0.1", 0))
    >>> thread = threading.Thread(target=echo, args=[server], daemon=True)
    >>> thread.start()
    >>> with server, TcpProxy(*server.getsockname()) as proxy:
    ...     with socket.create_connection(proxy.address, timeout=5) as client:
    ...         client.sendall(b"hello")
    ...         print(client.recv(100), proxy.links[0].first_bytes)
    ...         proxy.cut()
    ...         print(client.recv(100), proxy.connections)
    b'hello' b'hello'
    b'' 0
    >>> thread.join()
    """

    def __init__(self, target_host: str, target_port: int, *, seed: int = 0) -> None:
        self._target = (target_host, target_port)
        self._loop = LoopThread()
        self._links: list[Link] = []
        self._opening: set[asyncio.Task[Any]] = set()
        self._server: asyncio.Server | None = None
        self._accepted = 0
        self._faults = self._loop.run(self._begin(seed))
        self.port: int = self._loop.run(self._listen(0))

    @property
    def address(self) -> tuple[str, int]:
        """Where clients connect to: host and port, the same for the life of the proxy."""
        return ("127.0.0.1", self.port)

    @property
    def links(self) -> list[Link]:
        """The connections that are open now, the oldest first."""
        return list(self._links)

    @property
    def connections(self) -> int:
        """How many connections are open now."""
        return len(self._links)

    @property
    def accepted(self) -> int:
        """How many connections there have been."""
        return self._accepted

    def find(self, text: bytes, timeout: float = 5.0) -> Link:
        """Return the newest open link whose first bytes hold ``text``; wait for one, at most ``timeout`` seconds.

        Raises ``CacheTimeoutError`` when there is none until then.
        """
        return self._loop.run(self._found(text, timeout))

    def delay(self, seconds: float, jitter: float = 0.0) -> None:
        """Let each piece of data take ``seconds`` longer, and up to ``jitter`` more, in either direction and in order.

        What is on its way already goes by this too. Raises ``CacheValueError`` for times below 0.
        """
        if seconds < 0 or jitter < 0:
            raise CacheValueError("a delay and its jitter are 0 seconds or more")
        self._do(lambda: self._faults.change(delay=seconds, jitter=jitter))

    def cut(self) -> None:
        """Close all connections now. New ones are carried."""
        self._loop.run(self._end())

    def reset(self) -> None:
        """Close all connections now by a reset. New ones are carried."""
        self._loop.run(self._end(is_reset=True))

    def black_hole(self) -> None:
        """Accept what connects, take what comes, and carry nothing; close nothing either.

        A connection that has lost something by then stays lost after ``heal``, until it is cut.
        """
        self._do(lambda: self._faults.change(is_silent=True))

    def refuse(self) -> None:
        """Refuse new connections. Those there are go on; ``cut`` ends them."""
        self._loop.run(self._stop_listening())

    def heal(self) -> None:
        """Carry everything at once again."""
        self._do(self._faults.change)
        self._loop.run(self._listen(self.port))

    def close(self) -> None:
        """Close the connections and the port. Closing again does nothing."""
        if not self._loop.loop.is_closed():
            self.refuse()
            self.cut()
            self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()

    def _do(self, change: Callable[[], object]) -> None:
        async def work() -> None:
            change()

        self._loop.run(work())

    async def _begin(self, seed: int) -> _Faults:
        return _Faults(seed)

    async def _listen(self, port: int) -> int:
        if self._server is None:
            self._server = await asyncio.start_server(self._accept, "127.0.0.1", port)
        return int(self._server.sockets[0].getsockname()[1])

    async def _stop_listening(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            for listening in server.sockets:
                asyncio.get_running_loop().remove_reader(listening.fileno())  # before those accepted are taken in
            await _take_in()
            server.close()

    async def _end(self, *, is_reset: bool = False) -> None:
        for task in self._opening:
            task.cancel()
        await asyncio.gather(*(link.end(is_reset=is_reset) for link in self._links), *self._opening)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            link = await self._opened(_Stream(reader, writer))
        except (OSError, asyncio.CancelledError):  # the server is away: so are we
            writer.transport.abort()
            return
        self._links.append(link)
        self._accepted += 1
        try:
            await link.carry()
        except asyncio.CancelledError:
            pass  # it was cut
        finally:
            self._links.remove(link)

    async def _opened(self, client: _Stream) -> Link:
        task = asyncio.current_task()
        assert task is not None
        self._opening.add(task)
        try:
            server = _Stream(*await asyncio.open_connection(*self._target))
        finally:
            self._opening.discard(task)
        return Link(client, server, self._faults, self._loop)

    async def _found(self, text: bytes, timeout: float) -> Link:
        loop = asyncio.get_running_loop()
        end = loop.time() + timeout
        while not (found := [link for link in self._links if text in link.first_bytes]):
            if loop.time() > end:
                raise CacheTimeoutError(f"no connection began with {text!r} within {timeout} s")
            await asyncio.sleep(0.002)
        return found[-1]
