"""What differs between blocking code and event loops when several servers are asked."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeVar

from cachery.backends.redis.driver.address import Address
from cachery.backends.redis.driver.blocking import BlockingLink
from cachery.backends.redis.driver.loop import LoopLink
from cachery.backends.redis.driver.topology import Topology
from cachery.backends.redis.link import Link
from cachery.forks import reset_in_child

__all__ = ["Loops", "Manner", "Threads"]

T = TypeVar("T")


class Manner(Protocol):
    """How one waits, for one server or for several."""

    def link_to(self, address: Address) -> Link:
        """Return a link to the one server at ``address``."""

    async def together(self, works: Sequence[Awaitable[T]]) -> Sequence[T]:
        """Await all ``works``, which do not raise."""

    async def pause(self, seconds: float) -> None:
        """Let ``seconds`` pass."""

    async def once(self, work: Callable[[], Awaitable[Topology]]) -> Topology:
        """Return what ``work()`` does, which is never under way twice."""


class Threads:
    """One server after another; ``work`` that others do is waited for under a lock."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        reset_in_child(self)

    def reset_after_fork(self) -> None:
        """Begin with a lock that nobody holds."""
        self._lock = threading.Lock()

    def link_to(self, address: Address) -> Link:
        """Return a blocking link."""
        return BlockingLink(address)

    async def together(self, works: Sequence[Awaitable[T]]) -> Sequence[T]:
        """Await one after another."""
        return [await work for work in works]

    async def pause(self, seconds: float) -> None:
        """Sleep."""
        time.sleep(seconds)  # noqa: ASYNC251 - it is blocking code, stepped through

    async def once(self, work: Callable[[], Awaitable[Topology]]) -> Topology:
        """Await ``work()`` alone."""
        with self._lock:
            return await work()


class Loops:
    """All servers at once; ``work`` is a task, so that a caller who is cancelled does not take it from the others."""

    def __init__(self) -> None:
        self._tasks: dict[asyncio.AbstractEventLoop, asyncio.Task[Topology]] = {}

    def link_to(self, address: Address) -> Link:
        """Return a link for loops."""
        return LoopLink(address)

    async def together(self, works: Sequence[Awaitable[T]]) -> Sequence[T]:
        """Await all at once."""
        return [await works[0]] if len(works) == 1 else await asyncio.gather(*works)

    async def pause(self, seconds: float) -> None:
        """Let the others go on meanwhile."""
        await asyncio.sleep(seconds)

    async def once(self, work: Callable[[], Awaitable[Topology]]) -> Topology:
        """Wait for the task of this loop that does it, or begin one."""
        loop = asyncio.get_running_loop()
        task = self._tasks.get(loop)
        if task is None:
            self._tasks[loop] = task = loop.create_task(_awaited(work), name="cachery-topology")
            task.add_done_callback(lambda done: self._forget(loop, done))
        return await asyncio.shield(task)

    def _forget(self, loop: asyncio.AbstractEventLoop, task: asyncio.Task[Any]) -> None:
        self._tasks.pop(loop, None)
        if not task.cancelled():
            task.exception()  # who waits hears of it; nobody may be waiting any more


async def _awaited(work: Callable[[], Awaitable[Topology]]) -> Topology:
    return await work()
