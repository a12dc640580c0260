"""A bounded pool of wires: the one used last is used next, so that few stay warm."""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic
from weakref import WeakSet

from cachery.backends.redis.driver.wire import Wire
from cachery.exceptions import CacheConnectionError, CacheTimeoutError
from cachery.forks import reset_in_child

__all__ = ["Pool"]


class Pool:
    """At most ``most`` wires, opened by ``open_one`` when they are wanted. Thread-safe.

    Taking one that lies idle takes no lock: a list's ``pop`` decides. ``patience``: seconds to wait for one.
    """

    def __init__(self, open_one: Callable[[], Wire], most: int, patience: float) -> None:
        self._open_one = open_one
        self._most = most
        self._patience = patience
        self.is_closed = False
        self._generation = 0
        self._begin()
        reset_in_child(self)

    def _begin(self) -> None:
        self.idle: list[Wire] = []
        self._wires: WeakSet[Wire] = WeakSet()  # one that an interrupted thread has lost is not counted for ever
        self._opening = 0
        self._waiting = 0
        self._change = threading.Condition(threading.Lock())

    def reset_after_fork(self) -> None:
        """Begin anew: the wires are the parent's."""
        inherited = list(self.idle)
        self._generation += 1
        self._begin()
        for wire in inherited:
            wire.close()

    def take(self) -> Wire:
        """Return a wire for the caller alone.

        Raises ``CacheTimeoutError`` when none is given back in time, and what opening one raises.
        """
        while True:
            try:
                wire = self.idle.pop()
            except IndexError:
                return self._wait()
            if self._is_good(wire):
                return wire
            self.drop(wire)

    def take_quickly(self) -> Wire | None:
        """Return a wire, or ``None`` when one would have to be waited for. Raises what opening one raises."""
        with self._change:
            is_crowded = not self.idle and len(self._wires) + self._opening >= self._most
        return None if is_crowded else self.take()

    def give(self, wire: Wire) -> None:
        """Take ``wire`` back, which owes no reply that anybody waits for."""
        if wire.generation != self._generation:
            self.drop(wire)
            return
        self.idle.append(wire)
        if self._waiting:
            self._tell()

    def drop(self, wire: Wire) -> None:
        """Close ``wire``: it is broken, or of the past."""
        wire.close()
        with self._change:
            self._wires.discard(wire)
            self._change.notify()

    def renew(self) -> None:
        """Use none again of the wires that are open now: another server is primary."""
        self._generation += 1

    def close(self) -> None:
        """Close those that lie idle; the others follow when they are given back."""
        self.is_closed = True
        self.renew()
        while self.idle:
            self.drop(self.idle.pop())

    def _is_good(self, wire: Wire) -> bool:
        return wire.generation == self._generation and wire.is_fresh()

    def _tell(self) -> None:
        with self._change:
            self._change.notify()

    def _wait(self) -> Wire:
        """Return a wire that is given back, or a new one once there may be one more."""
        deadline = monotonic() + self._patience
        while True:
            if self.is_closed:
                raise CacheConnectionError("the connections to the server are closed", backend="redis", was_sent=False)
            with self._change:
                wire = self._idle_or_none(deadline)
            if wire is None:
                return self._opened()
            if self._is_good(wire):
                return wire
            self.drop(wire)

    def _idle_or_none(self, deadline: float) -> Wire | None:
        """Return a wire that lies idle, or ``None`` when one more may be opened, which is counted. Holding the lock."""
        self._waiting += 1
        try:
            while not self.idle:
                if len(self._wires) + self._opening < self._most:
                    self._opening += 1
                    return None
                if not self._change.wait(deadline - monotonic()):
                    self._refuse()
            return self.idle.pop()
        finally:
            self._waiting -= 1

    def _refuse(self) -> None:
        message = f"all {self._most} connections were busy for {self._patience:g} seconds"
        raise CacheTimeoutError(message, backend="redis", max_connections=self._most, was_sent=False)

    def _opened(self) -> Wire:
        generation = self._generation
        try:
            wire = self._open_one()
            wire.generation = generation
            self._wires.add(wire)
            return wire
        finally:
            with self._change:
                self._opening -= 1
                self._change.notify()
