"""Threads for what goes on in the background: started when there is work, gone when there is none.

Unlike those of ``concurrent.futures`` they are daemons, so a loader that hangs does not keep the interpreter from
ending, and an idle cache keeps no thread.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable

from cachery.forks import reset_in_child

__all__ = ["Workers"]


class Workers:
    """Runs jobs on ``limit`` threads; more wait in a queue, first come, first served.

    A job of a job waits for no other: its thread may be waiting for it, so it gets one of its own, beyond the limit.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.reset_after_fork()
        reset_in_child(self)

    def reset_after_fork(self) -> None:
        """Forget the threads and what they had to do: the parent does it."""
        self._changed = threading.Condition(threading.RLock())  # a finalizer may submit in the middle of a submission
        self._queue: deque[Callable[[], object]] = deque()
        self._threads: set[threading.Thread] = set()

    def submit(self, job: Callable[[], object]) -> None:
        """Run ``job`` on a thread. Raises ``RuntimeError`` when there is none and none can be started.

        An interrupt is raised too, and whatever became of the thread, a job that is not lost is run.
        """
        thread = threading.Thread(target=self._work, name="cachery-load", daemon=True)
        with self._changed:
            if threading.current_thread() in self._threads:
                self._queue.appendleft(job)
            else:
                self._queue.append(job)
                if len(self._threads) >= self._limit:
                    return
            self._threads.add(thread)
        self._start(thread, job)

    def _start(self, thread: threading.Thread, job: Callable[[], object]) -> None:
        try:
            thread.start()
        except BaseException as error:
            with self._changed:
                if thread.ident is None:  # it never began
                    self._threads.discard(thread)
                is_lost = job in self._queue and not self._threads  # else this thread or another takes it
                if is_lost:
                    self._queue.remove(job)
            if is_lost or not isinstance(error, RuntimeError):
                raise

    def drain(self, timeout: float) -> bool:
        """Wait until all jobs are done, at most ``timeout`` seconds; True when they are.

        Called by a job, it waits for nothing: it would wait for itself.
        """
        with self._changed:
            if threading.current_thread() in self._threads:
                return True
            return self._changed.wait_for(lambda: not self._threads, timeout)

    def _work(self) -> None:
        while (job := self._next()) is not None:
            try:
                job()
            except BaseException:  # somebody ends this thread from outside; others' jobs are waiting
                logging.getLogger("cachery").exception("a job in the background was ended")

    def _next(self) -> Callable[[], object] | None:
        """Return the next job; where there is none, ``None``, and this thread is struck off in the same moment."""
        with self._changed:
            if self._queue:
                return self._queue.popleft()
            self._threads.discard(threading.current_thread())
            self._changed.notify_all()
            return None
