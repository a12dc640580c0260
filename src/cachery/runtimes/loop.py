"""The engine under ``asyncio``: loads are tasks of the cache, so that a caller who is cancelled cancels only itself."""

from __future__ import annotations

import asyncio
from asyncio import get_running_loop
from collections.abc import Callable, Coroutine, Generator
from inspect import isawaitable
from types import CoroutineType, coroutine
from typing import Any

from cachery.model.outcome import Failed, Loaded, Outcome
from cachery.ports.runtime import Signal

__all__ = ["LoopRuntime"]

get_running_loop_or_none = asyncio._get_running_loop  # noqa: SLF001 - documented, for those who must not raise


class LoopRuntime:
    """Bound to no loop: each call uses the one it runs in."""

    is_inline = False

    def __init__(self) -> None:
        self._tasks: dict[Signal, asyncio.Task[object]] = {}
        self._begun_last: Signal | None = None

    async def attempt(self, loader: Callable[..., Any], arguments: tuple[Any, ...]) -> Outcome:
        """Call ``loader``, await what it returns if that can be, and return what became of it."""
        try:
            value = loader(*arguments)
            if type(value) is CoroutineType or isawaitable(value):  # the first is quick, and nearly always so
                value = await value
            return Loaded(value)
        except BaseException as error:  # it is handed on as a value
            if isinstance(error, asyncio.CancelledError) and _is_being_cancelled():
                raise
            return Failed(error.with_traceback(error.__traceback__ and error.__traceback__.tb_next))

    def spawn(self, work: Coroutine[Any, Any, object], end: Signal) -> None:
        """Run ``work`` as a task, which is held until it is released."""
        loop = end.home = get_running_loop()
        self._tasks[end] = loop.create_task(work, name="cachery-load")
        self._begun_last = end

    def cancel(self, end: Signal) -> None:
        """Cancel the task that is to bring about ``end``, on whatever thread its loop runs."""
        task = self._tasks.get(end)
        if task is not None:
            _call_in(task.get_loop(), self._cancel_here, task, end)

    def _cancel_here(self, task: asyncio.Task[object], end: Signal) -> None:
        task.cancel()
        task.add_done_callback(lambda _: self.release(end))  # it may never have begun

    def release(self, end: Signal) -> None:
        """Forget the task that has brought about ``end``."""
        self._tasks.pop(end, None)
        if self._begun_last is end:
            self._begun_last = None

    async def pause(self, seconds: float) -> None:
        """Let ``seconds`` pass, and others go on meanwhile."""
        await asyncio.sleep(seconds)

    async def wait(self, signal: Signal, timeout: float | None) -> bool:
        """Wait until ``signal`` happens, at most ``timeout`` seconds; True when it did.

        Who has just begun the work gives it one turn of the loop before anything else: what has nothing to wait for is
        done then, and needs no future and no second turn.
        """
        if self._begun_last is signal:
            self._begun_last = None
            await _one_turn()
            if signal.is_over:
                return True
        return await _happening(signal, timeout)

    async def drain(self, timeout: float) -> bool:
        """Let the tasks of this loop end, at most ``timeout`` seconds, then cancel them; True when none was late.

        Those of other loops are cancelled at once.
        """
        loop, here = asyncio.get_running_loop(), asyncio.current_task()
        for task in [task for task in self._tasks.values() if task.get_loop() is not loop]:
            _call_in(task.get_loop(), task.cancel)
        own = {task for task in self._tasks.values() if task.get_loop() is loop and task is not here}
        if not own:
            return True
        _, late = await asyncio.wait(own, timeout=timeout)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        return not late


async def _happening(signal: Signal, timeout: float | None) -> bool:
    """Wait until ``signal`` happens, at most ``timeout`` seconds; True when it did."""
    loop = get_running_loop()
    happened: asyncio.Future[bool] = loop.create_future()

    def wake() -> None:
        if get_running_loop_or_none() is loop:
            if not happened.done():
                happened.set_result(True)
        else:
            _call_in(loop, _settle, happened, True)

    if not signal.attend(wake):
        return True
    timer = None if timeout is None else loop.call_later(timeout, _settle, happened, False)
    has_happened = False
    try:
        has_happened = await happened
    finally:
        if timer is not None:
            timer.cancel()
        if not has_happened:
            signal.desert(wake)
    return has_happened


@coroutine
def _one_turn() -> Generator[None, None, None]:
    """Let everything that is ready run once: what ``asyncio.sleep(0)`` does."""
    yield


def _settle(future: asyncio.Future[bool], outcome: bool) -> None:  # noqa: FBT001 - a callback of the loop
    if not future.done():
        future.set_result(outcome)


def _call_in(loop: asyncio.AbstractEventLoop, function: Callable[..., object], *arguments: object) -> None:
    """Call ``function`` on the thread of ``loop``; at once when that is this one, never when the loop is closed."""
    if get_running_loop_or_none() is loop:
        function(*arguments)
        return
    try:
        loop.call_soon_threadsafe(function, *arguments)
    except RuntimeError:  # the loop is closed: nobody waits there any more
        if not loop.is_closed():
            raise


def _is_being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
