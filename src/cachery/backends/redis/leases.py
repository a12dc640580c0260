"""Leases of loads: of all who share a server, one loads a key and the others wait for what it stores.

A lease is a name on the server that ends by itself, held by a token that nobody else has. A thread renews it at a third
of its life, as long as its process runs; who dies or is stopped loses it, and another takes over. What the slow one
brings later, the fence of its load refuses. Where the server is away there is no lease to take: every process loads.

(The form is that of a lock on a single Redis server; it spares loads, and no correctness stands on it.)
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from os import urandom
from typing import NamedTuple

from cachery.backends.redis import scripts
from cachery.backends.redis.link import Command, Link
from cachery.backends.redis.names import Names, lease_of
from cachery.exceptions import CacheConnectionError, CacheFullError, CacheTimeoutError
from cachery.forks import reset_in_child
from cachery.serializers.pipeline import key_bytes

__all__ = ["Lease", "Leases", "Renewal"]


class Lease(NamedTuple):
    """The right to load: the name it has on the server, and the token that holds it; empty where nobody was asked."""

    name: bytes
    token: bytes


_NOBODY_ASKED = Lease(b"", b"")


class Leases:
    """Those of one door to a cache. ``timeout``: how many seconds a load waits for that of another."""

    def __init__(self, link: Link, names: Names, renewal: Renewal, timeout: float) -> None:
        self._link = link
        self._names = names
        self._renewal = renewal
        self.timeout = timeout

    async def take(self, key: str) -> Lease | None:
        """Return a lease to load ``key``; ``None`` while somebody else holds it."""
        lease = Lease(lease_of(self._names.entry(key_bytes(key))), urandom(12))
        command: Command = ("SET", lease.name, lease.token, "NX", "PX", self._renewal.life)
        try:
            (reply,) = await scripts.ask(self._link, [command])
        except (CacheConnectionError, CacheTimeoutError, CacheFullError):  # loads go on, each by itself
            return _NOBODY_ASKED
        if reply is None:
            return None
        self._renewal.begin(lease)
        return lease

    def drop(self, lease: Lease) -> None:
        """End ``lease``. Quick, and never fails."""
        if lease.token:
            self._renewal.end(lease)
            self._link.post([scripts.LEASE.post([lease.name], lease.token, 0)])


class Renewal:
    """Renews the leases of this process. ``life``: of a lease that is not renewed, in ms.

    ``send`` carries commands out, on whatever thread. The thread lives as long as a lease does.
    """

    def __init__(self, life: float, send: Callable[[Sequence[Command]], object]) -> None:
        self.life = int(life * 1000)
        self._send = send
        self.reset_after_fork()
        reset_in_child(self)

    def reset_after_fork(self) -> None:
        """Forget the leases of the parent."""
        self._changed = threading.Condition()
        self._held: set[Lease] = set()
        self._is_running = False

    def begin(self, lease: Lease) -> None:
        """Renew ``lease`` from now on."""
        with self._changed:
            self._held.add(lease)
            is_first = not self._is_running
            self._is_running = True
        if is_first:
            self._start()

    def _start(self) -> None:
        try:
            threading.Thread(target=self._work, name="cachery-leases", daemon=True).start()
        except RuntimeError:  # no thread can be started: the lease ends by itself
            with self._changed:
                self._is_running = False

    def end(self, lease: Lease) -> None:
        """Renew ``lease`` no more."""
        with self._changed:
            self._held.discard(lease)

    def _work(self) -> None:
        while held := self._due():
            try:
                self._send([scripts.LEASE.call([lease.name], lease.token, self.life) for lease in held])
            except (CacheConnectionError, CacheTimeoutError):  # reported by the link; the leases end by themselves
                continue

    def _due(self) -> list[Lease]:
        """Wait for a third of a life; return what is held since before, nothing when the thread is to end."""
        with self._changed:
            before = set(self._held)
            self._changed.wait(self.life / 3000)
            held = list(self._held & before)
            if not self._held:
                self._is_running = False
                return []
        return held or self._due()
