"""Something done at once, and again after every interval, on a thread that keeps its owner alive no longer."""

from __future__ import annotations

import os
from collections.abc import Callable
from threading import Event, Thread, current_thread
from typing import Any
from weakref import ref

__all__ = ["Scheduler"]


class Scheduler:
    """Calls ``work(owner)`` now and ``interval`` seconds after each return, until ``finish`` or the owner's end."""

    def __init__(self, owner: Any, work: Callable[[Any], object], interval: float) -> None:
        self._finished = Event()
        self._pid = os.getpid()
        weak = ref(owner, lambda _: self._finished.set())
        arguments = (self._finished, weak, work, interval)
        self._thread = Thread(target=_repeat, args=arguments, name="cachery-warm-schedule", daemon=True)
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        """Whether it is at work in this process."""
        return self._pid == os.getpid() and self._thread.is_alive() and not self._finished.is_set()

    def finish(self, timeout: float = 5.0) -> None:
        """End it; wait for work in progress, at most ``timeout`` seconds, unless called by that."""
        self._finished.set()
        if self._pid == os.getpid() and self._thread is not current_thread():
            self._thread.join(timeout)


def _repeat(finished: Event, weak: Callable[[], Any], work: Callable[[Any], object], interval: float) -> None:
    while not finished.is_set():
        owner = weak()
        if owner is not None:
            work(owner)
        del owner
        finished.wait(interval)
