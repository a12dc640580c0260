"""What can wait, done by a thread every half a minute while there is something to do: none is kept by an idle store."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any
from weakref import WeakMethod

from cachery.exceptions import CacheError
from cachery.forks import reset_in_child

__all__ = ["Keeper"]

_INTERVAL = 30.0


class Keeper:
    """Calls ``work``, a method, until that says that there is nothing left. Its object is held weakly."""

    def __init__(self, work: Callable[[], bool]) -> None:
        self._work: WeakMethod[Any] = WeakMethod(work)
        self.reset_after_fork()
        reset_in_child(self)

    def reset_after_fork(self) -> None:
        """Forget the thread of the parent."""
        self._end = threading.Event()
        self._thread: threading.Thread | None = None
        self.is_awake = False

    def wake(self) -> None:
        """Say that there is something to do."""
        if self._thread is None and not self._end.is_set():
            self.is_awake = True
            thread = self._thread = threading.Thread(target=self._run, name="cachery-keeper", daemon=True)
            try:
                thread.start()
            except RuntimeError:  # no thread can be started now: the next one to call tries again
                self._sleep()

    def _sleep(self) -> None:
        self._thread = None
        self.is_awake = False

    def stop(self) -> None:
        """Let the thread end."""
        self._end.set()

    def _run(self) -> None:
        while not self._end.wait(_INTERVAL):
            work = self._work()
            if work is None or not self._attempt(work):
                break
        self._sleep()

    def _attempt(self, work: Callable[[], bool]) -> bool:
        try:
            return work()
        except CacheError as error:  # others write for too long, for instance: it is tried again later
            logging.getLogger("cachery").warning("what can wait is not done yet: %s", error)
            return True
        except Exception:
            logging.getLogger("cachery").exception("keeping a store in order failed")
            return False
