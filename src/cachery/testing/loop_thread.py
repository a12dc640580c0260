"""An event loop on a thread of its own, for blocking tests of asynchronous code."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, Self, TypeVar

from cachery.step import step

__all__ = ["LoopThread"]

T = TypeVar("T")


class LoopThread:
    """A running loop. ``run`` may be called from any thread, the loop's own too, where only what never waits can run.

    >>> async def answer():
    ...     return 42
    >>> with LoopThread() as loop:
    ...     loop.run(answer())
    42
    """

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="cachery-test-loop", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T], timeout: float = 60.0) -> T:
        """Return what ``work`` returns, in the context of the caller. Raises ``RuntimeError`` on a closed loop."""
        if threading.current_thread() is self._thread:
            return step(work)
        if self.loop.is_closed():
            work.close()
            raise RuntimeError("the loop was closed")
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(timeout)

    def close(self) -> None:
        """Cancel what still runs, and end the thread."""
        if self._thread.is_alive():
            self.run(_finish())
            self.loop.call_soon_threadsafe(self.loop.stop)
            self._thread.join()
            self.loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()


async def _finish() -> None:
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
    await asyncio.get_running_loop().shutdown_default_executor()
