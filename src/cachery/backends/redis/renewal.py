"""Leases that are held, and the thread that renews them.

A lease is a name on the server that ends by itself, held by a token that nobody else has. It is renewed at a third of
its life, as long as its process runs; who dies or is stopped loses it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from cachery.backends.redis import scripts
from cachery.backends.redis.link import Command
from cachery.backends.redis.tokens import LoadToken
from cachery.exceptions import CacheConnectionError, CacheTimeoutError
from cachery.forks import reset_in_child

__all__ = ["Lease", "Renewal"]


@dataclass(slots=True, eq=False)
class Lease:
    """The right to load: the name it has on the server, and the token that holds it; empty where nobody was asked.

    ``found``: what stood there when it was taken, ``MISSING`` if that was not looked at. ``load``: the token that was
    opened then, until it is handed over.
    """

    name: bytes
    token: bytes
    found: Any = None
    load: LoadToken | None = None


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
