"""The two threads of a replica: one that sends and one that follows, patient while the log is away."""

from __future__ import annotations

import logging
from collections.abc import Callable
from random import random
from threading import Event, Thread
from weakref import ref

from cachery.exceptions import CacheClosedError, CacheConnectionError
from cachery.locks import make_lock
from cachery.replication.replica import Replica

__all__ = ["Workers"]

_log = logging.getLogger("cachery")
_SHORTEST = 0.05
_LONGEST = 5.0


class Workers:
    """Sends and follows for ``replica``, which is held weakly, until ``stop``. ``block``: how long one read waits."""

    def __init__(self, replica: Replica, block: float, chance: Callable[[], float] = random) -> None:
        self._stopped = Event()
        self._has_work = replica.has_work
        self._reach = _Reach(chance)
        self._replica = ref(replica)
        self._sender = self._thread("send", self._send)
        self._follower = self._thread("follow", lambda replica: replica.follow(block))

    def _thread(self, name: str, work: Callable[[Replica], object]) -> Thread:
        thread = Thread(target=self._run, args=[name, work], name=f"cachery-replication-{name}", daemon=True)
        thread.start()
        return thread

    def finish(self, timeout: float) -> None:
        """End the one that sends, and send what is left unless the log is away; let the other one end."""
        self._stopped.set()
        self._has_work.set()
        self._sender.join(timeout)
        replica = self._replica()
        if replica is None or not replica.pending:
            return
        try:
            while not self._reach.is_away and replica.send():
                pass
        except CacheConnectionError as error:
            _log.debug("what was pending could not be sent: %s", error)
        if replica.pending:
            _log.warning("%r ends, and what is pending was told to nobody", replica)

    def stop(self, timeout: float) -> None:
        """Wait until both have ended, at most ``timeout`` seconds."""
        self._stopped.set()
        self._follower.join(timeout)

    def _send(self, replica: Replica) -> None:
        self._has_work.clear()
        while replica.send() and not self._stopped.is_set():
            pass

    def _run(self, name: str, work: Callable[[Replica], object]) -> None:
        is_sender, pause = name == "send", 0.0
        while not self._stopped.wait(pause):
            if is_sender and not pause:
                self._has_work.wait(1.0)  # now and then, to see whether the replica is still there
            replica = self._replica()
            if replica is None or self._stopped.is_set():
                return
            try:
                work(replica)
            except CacheClosedError:
                return
            except Exception as error:  # noqa: BLE001 - a thread that ends would leave the site behind for ever
                pause = 0.0 if self._stopped.is_set() else self._reach.failed(name, error, replica)
            else:
                pause = self._reach.succeeded(name, replica)
            del replica


class _Reach:
    """Whether the log can be reached, said once when that changes."""

    def __init__(self, chance: Callable[[], float]) -> None:
        self._chance = chance
        self._failures: dict[str, int] = {}
        self._lock = make_lock()

    @property
    def is_away(self) -> bool:
        """Whether the last attempt of one of them failed."""
        return bool(self._failures)

    def failed(self, name: str, error: Exception, replica: Replica) -> float:
        """Return for how many seconds to wait before trying again."""
        with self._lock:
            is_news = not self._failures
            count = self._failures[name] = self._failures.get(name, 0) + 1
        if not isinstance(error, CacheConnectionError):
            _log.error("%r failed and tries again", replica, exc_info=error)
        elif is_news:
            _log.warning("%r goes on by itself: %s", replica, error)
        return float(min(_LONGEST, _SHORTEST * 2 ** min(count, 10)) * (0.5 + self._chance() / 2))

    def succeeded(self, name: str, replica: Replica) -> float:
        """Return 0: there is no reason to wait."""
        with self._lock:
            is_news = self._failures.pop(name, 0) and not self._failures
        if is_news:
            _log.info("%r has reached the log again", replica)
        return 0.0
