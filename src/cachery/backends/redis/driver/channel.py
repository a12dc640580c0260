"""One open connection of an event loop, shared by all who ask in that loop: what one turn asks is one write.

redis-py connects, encrypts and authenticates; then this protocol takes its transport over. Replies come in the order of
the questions, so a queue says whose they are. The reply of a caller who was cancelled is read and thrown away.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from time import monotonic
from typing import Any, NamedTuple

import hiredis

from cachery.backends.redis.driver.departing import let_go
from cachery.backends.redis.driver.failures import failure
from cachery.backends.redis.driver.packing import INCOMPLETE, Notes, pack, reader_for
from cachery.backends.redis.driver.wire import forget_unsent
from cachery.backends.redis.link import Command

__all__ = ["Channel"]

_CLOSING_TIME = 1.0


class _Question(NamedTuple):
    """Some commands under way: who waits for the replies, how many there will be, and since when."""

    future: asyncio.Future[list[Any]] | None
    size: int
    asked_at: float


class Channel(asyncio.Protocol):
    """A connection of ``loop`` to the server called ``name``. When replies take longer than ``timeout``, it breaks.

    ``is_open``: whether it may be asked. ``is_full``: whether more has been written than the server takes just now.
    """

    def __init__(self, connection: Any, loop: asyncio.AbstractEventLoop, timeout: float, *, name: str) -> None:
        self.name = name
        self.is_open = True
        self.is_full = False
        self._loop = loop
        self._timeout = timeout
        self._notes = Notes()
        self._reader = reader_for(self._notes)
        self._questions: deque[_Question] = deque()
        self._replies: list[Any] = []
        self._outgoing: list[bytes] = []
        self._is_flushing = False
        self._is_forgotten = False
        self._timer: asyncio.TimerHandle | None = None
        self._room: asyncio.Future[None] | None = None
        self._closed: asyncio.Future[None] = loop.create_future()
        self._writer = _taken_over(connection)  # it would close the transport if it were collected
        self._transport: asyncio.Transport = self._writer.transport
        self._transport.set_protocol(self)

    def ask(self, commands: Sequence[Command]) -> asyncio.Future[list[Any]]:
        """Send ``commands`` with this turn's others; the future returned gets their replies."""
        packed = pack(commands)
        future: asyncio.Future[list[Any]] = self._loop.create_future()
        self._questions.append(_Question(future, len(commands), monotonic()))
        self._send(packed)
        return future

    def post(self, commands: Sequence[Command]) -> None:
        """Send ``commands`` with this turn's others; their replies are thrown away."""
        packed = pack(commands)
        self._questions.append(_Question(None, len(commands), monotonic()))
        self._send(packed)

    def _send(self, packed: bytes) -> None:
        self._outgoing.append(packed)
        if not self._is_flushing:
            self._is_flushing = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._is_flushing = False
        outgoing, self._outgoing = self._outgoing, []
        if self._transport.is_closing():  # perhaps since before anybody asked: then nobody else would tell them
            self._fail(ConnectionResetError("the connection was lost"))
            return
        if not outgoing:
            return
        self._transport.write(outgoing[0] if len(outgoing) == 1 else b"".join(outgoing))
        if self._timer is None:
            self._timer = self._loop.call_later(self._timeout, self._look_at_clock)

    async def room(self) -> None:
        """Wait until the server takes more, or the connection is lost."""
        while self.is_full and self.is_open:
            if self._room is None or self._room.done():
                self._room = self._loop.create_future()
            await asyncio.shield(self._room)

    # What the transport calls.

    def data_received(self, data: bytes) -> None:
        """Hand the replies in ``data`` to those who asked."""
        try:
            self._reader.feed(data)
            self._deliver()
        except (hiredis.HiredisError, IndexError) as error:  # a reply to nothing, or no reply at all
            self.break_off(error)

    def _deliver(self) -> None:
        gets, questions, replies = self._reader.gets, self._questions, self._replies
        while (reply := gets()) is not INCOMPLETE:
            replies.append(reply)
            question = questions[0]
            if len(replies) == question.size:
                questions.popleft()
                self._replies = replies = self._answer(question.future, replies)
        if self._notes.is_spent:
            self._retire()

    def _answer(self, future: asyncio.Future[list[Any]] | None, replies: list[Any]) -> list[Any]:
        """Hand ``replies`` over, unless nobody waits any more; return an empty list for the next."""
        unfitness = self._notes.unfitness
        if unfitness is not None:
            if future is not None and not future.done():
                future.set_exception(failure(ConnectionError(unfitness), self.name))
        elif future is not None and not future.done():
            future.set_result(replies)
        return []

    def _retire(self) -> None:
        """Take no more questions, since another server is to be asked; close after the last reply."""
        self.is_open = False
        if not self._questions:
            self._transport.close()

    def pause_writing(self) -> None:
        """Note that the transport's buffer is full."""
        self.is_full = True

    def resume_writing(self) -> None:
        """Let those go on who wait for room."""
        self.is_full = False
        if self._room is not None and not self._room.done():
            self._room.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        """Tell all who wait."""
        if self._is_forgotten:
            return
        self._fail(error or ConnectionResetError("the server closed the connection"))
        if not self._closed.done():
            self._closed.set_result(None)

    # How it ends.

    def _look_at_clock(self) -> None:
        """Break off when the oldest question has waited too long. One timer serves all questions."""
        self._timer = None
        if not self._questions:
            return
        due = self._questions[0].asked_at + self._timeout
        left = due - monotonic()
        if left <= 0:
            self.break_off(TimeoutError())
        else:
            self._timer = self._loop.call_later(left, self._look_at_clock)

    def break_off(self, error: Exception) -> None:
        """Fail all questions with ``error`` and close at once, so that no late reply reaches anybody."""
        self._fail(error)
        forget_unsent(self._transport.get_extra_info("socket"))
        self._transport.abort()

    def _fail(self, error: Exception) -> None:
        self.is_open = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        questions, self._questions = self._questions, deque()
        self._outgoing.clear()
        for question in questions:
            if question.future is not None and not question.future.done():
                reason = failure(error, self.name)
                reason.__cause__ = error
                question.future.set_exception(reason)
        self.resume_writing()

    async def close(self) -> None:
        """Send what was posted, fail what is unanswered, and close. In the loop's own thread."""
        self._flush()
        self._fail(ConnectionAbortedError("the link was closed"))
        self._transport.close()
        await asyncio.wait([self._closed], timeout=_CLOSING_TIME)
        if not self._closed.done():
            self._transport.abort()
            await asyncio.wait([self._closed], timeout=_CLOSING_TIME)

    def close_from_elsewhere(self) -> None:
        """Close, on whatever thread this is called, whether the loop still runs or not."""
        if not self._loop.is_closed():
            try:
                self._loop.call_soon_threadsafe(self.break_off, ConnectionAbortedError("the link was closed"))
            except RuntimeError:  # it was closed meanwhile
                pass
            else:
                return
        self.forget()

    def forget(self, *, is_inherited: bool = False) -> None:
        """Close without the loop, which is closed, or the parent's (``is_inherited``). Nobody waits any more."""
        self.is_open = False
        self._is_forgotten = True
        self._questions.clear()
        self._timer = None
        let_go(self._transport, is_inherited=is_inherited)


def _taken_over(connection: Any) -> Any:
    """Return the writer of ``connection``, which has it no more. redis-py has no public way to it."""
    writer = connection._writer  # noqa: SLF001
    connection._writer = connection._reader = None  # noqa: SLF001
    return writer
