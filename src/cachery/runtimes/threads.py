"""The engine in blocking code: a caller's thread loads and waits, worker threads do what goes on in the background."""

from __future__ import annotations

import sys
import time
from _thread import TIMEOUT_MAX, allocate_lock
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from typing import Any

from cachery.exceptions import CacheRecursionError
from cachery.model.outcome import Failed, Loaded, Outcome
from cachery.ports.runtime import Signal
from cachery.runtimes.workers import Workers
from cachery.step import step

__all__ = ["ThreadRuntime"]

_MOST_WORKERS = 32


class ThreadRuntime:
    """Never suspends: what it cannot do at once it waits for, blocking the thread."""

    is_inline = True

    def __init__(self) -> None:
        self.workers = Workers(_MOST_WORKERS)

    async def attempt(self, loader: Callable[..., Any], arguments: tuple[Any, ...]) -> Outcome:
        """Call ``loader`` and return what became of it; its traceback begins with its own frame."""
        try:
            return Loaded(loader(*arguments))
        except BaseException as error:  # noqa: BLE001 - it is handed on as a value
            return Failed(error.with_traceback(error.__traceback__ and error.__traceback__.tb_next))

    def spawn(self, work: Coroutine[Any, Any, object], end: Signal) -> None:
        """Run ``work`` on a worker thread, with the caller's context variables."""
        del end
        context = copy_context()
        self.workers.submit(lambda: context.run(step, work))

    def cancel(self, end: Signal) -> None:
        """Let the thread go on: it cannot be cancelled."""

    def release(self, end: Signal) -> None:
        """Do nothing: the thread forgets its work by itself."""

    async def pause(self, seconds: float) -> None:
        """Block for ``seconds``."""
        time.sleep(seconds)  # noqa: ASYNC251 - blocking is what this runtime is for

    async def wait(self, signal: Signal, timeout: float | None) -> bool:
        """Block until ``signal`` happens, at most ``timeout`` seconds; True when it did.

        Raises ``CacheRecursionError`` when the event loop of this very thread is to bring it about.
        """
        if signal.home is not None and signal.home is _running_loop():
            raise CacheRecursionError(
                "a blocking call would wait for a load of the event loop that it blocks: await cachery.aio there"
            )
        gate = allocate_lock()
        gate.acquire()
        if not signal.attend(gate.release):
            return True
        try:
            return gate.acquire(timeout=-1 if timeout is None else min(timeout, TIMEOUT_MAX))
        finally:
            signal.desert(gate.release)

    async def drain(self, timeout: float) -> bool:
        """Block until the worker threads are done, at most ``timeout`` seconds; True when they are."""
        return self.workers.drain(timeout)


def _running_loop() -> object:
    """Return the event loop of this thread, without loading ``asyncio`` where nobody else has."""
    asyncio = sys.modules.get("asyncio")
    return None if asyncio is None else asyncio._get_running_loop()  # noqa: SLF001 - documented, in spite of its name
