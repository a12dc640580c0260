"""What is loaded through a replicated cache goes this way to the store, so that the others are told of it."""

from __future__ import annotations

from typing import Any

from cachery.model.entry import Entry
from cachery.ports.backend import Backend, Leases
from cachery.replication.outbox import KEY
from cachery.replication.replica import Replica

__all__ = ["ReplicatedBackend"]


class ReplicatedBackend:
    """``backend``, which answers at once; what it stores, ``replica`` tells."""

    def __init__(self, backend: Backend[Any], replica: Replica) -> None:
        self._backend = backend
        self._replica = replica
        self.default_life = backend.default_life
        self.read_clock = backend.read_clock
        self.isolate = backend.isolate
        self.is_current = backend.is_current
        self.close_token = backend.close_token
        self.read_entry = backend.read_entry
        self.open_token = backend.open_token
        self.observe = backend.observe
        self.postpone_refresh = backend.postpone_refresh
        self.leases: Leases | None = backend.leases

    async def write_entry(self, key: str, entry: Entry, token: Any = None) -> bool:
        """Store ``entry``, fenced by ``token``; True when stored. A remembered failure stays at this site."""
        with self._replica.telling(KEY, [key]) as told:
            is_stored = await self._backend.write_entry(key, entry, token)
            told.is_needed = is_stored and entry.fresh_until > self.read_clock()
        return is_stored
