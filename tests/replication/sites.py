"""Sites that are led step by step, and a log that fails on request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from cachery import Cache, CacheConnectionError, InMemoryCache
from cachery.replication import Log, MemoryLog, Record, ReplicatedCache
from cachery.testing import FakeClock


class FlakyLog(MemoryLog):
    """Fails by ``plan``, from its end: before an append (``"not sent"``) or after it (``"not answered"``)."""

    def __init__(self, max_length: int = 100_000) -> None:
        self.clock = FakeClock()
        super().__init__(max_length, clock=self.clock)
        self.plan: list[str] = []

    def append(self, records: Sequence[Record]) -> None:
        fate = self.plan.pop() if self.plan else "well"
        if fate == "not sent":
            raise CacheConnectionError("away")
        super().append(records)
        if fate == "not answered":
            raise CacheConnectionError("away")


def made(log: Log, number: int = 1, cache: Cache | None = None, **options: Any) -> ReplicatedCache:
    """Return a site that does nothing by itself, at the end of ``log``."""
    options.setdefault("site", f"site {number}")
    beneath = InMemoryCache() if cache is None else cache
    replicated = ReplicatedCache(beneath, log, is_started=False, **options)
    replicated.replica.follow()
    return replicated


def send(site: ReplicatedCache, limit: int = 100) -> int:
    """Send a batch; return how many changes that were, or 1 when it has to be tried again."""
    try:
        return site.replica.send(limit)
    except CacheConnectionError:
        return 1


def settle(*sites: ReplicatedCache) -> None:
    """Let all be sent and read, for as long as anybody has something to say."""
    for _ in range(1000):
        if not sum(send(site) + site.replica.follow() + site.replica.pending for site in sites):
            waiting = [site.replica._snapshots for site in sites if site.replica._snapshots.is_asking]
            if not waiting:
                return
            for snapshots in waiting:  # nobody has anything to give
                snapshots._end()
    pytest.fail("they talk for ever")


def contents(site: ReplicatedCache) -> dict[str, Any]:
    return dict(sorted(site.cache.get_many(site.keys()).items()))
