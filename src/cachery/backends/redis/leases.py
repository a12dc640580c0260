"""Leases of loads: of all who share a server, one loads a key and the others wait for what it stores.

Who dies or is stopped loses its lease (``renewal``), and another takes over. What the slow one brings later, the fence
of its load refuses. Where the server is away there is no lease to take: every process loads.

(The form is that of a lock on a single Redis server; it spares loads, and no correctness stands on it.)
"""

from __future__ import annotations

from collections.abc import Callable
from os import urandom
from typing import Any

from cachery.backends.redis import scripts
from cachery.backends.redis.loads import Loads
from cachery.backends.redis.names import lease_of
from cachery.backends.redis.reach import seen
from cachery.backends.redis.renewal import Lease
from cachery.backends.redis.tokens import LoadToken
from cachery.model.sentinels import MISSING
from cachery.serializers.pipeline import key_bytes

__all__ = ["Lease", "Leases"]


class Leases:
    """Those of one door to a cache, whose loads are ``loads``.

    ``timeout``: how many seconds a load waits for that of another. ``doubts`` tells whether the server knows less of a
    key than this process does.
    """

    def __init__(self, loads: Loads, timeout: float) -> None:
        self._loads = loads
        self.timeout = timeout
        self.doubts: Callable[[str], bool] = lambda _: False

    async def take(self, key: str, tags: tuple[str, ...]) -> Lease | None:
        """Return a lease to load ``key``; ``None`` while somebody else holds it.

        In the same round trip a token is opened and, on one server, the entry is looked at.
        """
        entry = self._loads.names.entry(key_bytes(key))
        lease = Lease(lease_of(entry), urandom(12), MISSING)
        looking = self._loads.reach.looking(entry)
        lease.load, replies = await self._loads.begin(key, tags, lease, looking)
        if lease.load.state is None:  # nobody could be asked: loads go on, each by itself
            lease.token, lease.found = b"", None
            return lease
        if not replies[0]:
            return None
        self._loads.renewal.begin(lease)
        if looking:
            row = seen(replies[1])
            if row is not None and not await self._loads.stands(row):
                row = None
            found = None if row is None else self._loads.opened(key, key_bytes(key), row)
            lease.found = self._loads.entry_of(key, found)
        return lease

    def found(self, lease: Lease, key: str) -> Any:
        """Return the entry that stood under ``key`` when ``lease`` was taken; ``MISSING`` where that is not known."""
        return MISSING if self.doubts(key) else lease.found

    def token(self, lease: Lease) -> LoadToken | None:
        """Return, once, the token that was opened when ``lease`` was taken."""
        load, lease.load = lease.load, None
        return load

    def drop(self, lease: Lease) -> None:
        """End ``lease``. Quick, and never fails."""
        if lease.load is not None:
            self._loads.close_token(lease.load)
        if lease.token:
            self._loads.renewal.end(lease)
            self._loads.link.post([scripts.LEASE.post([lease.name], lease.token, 0)])
