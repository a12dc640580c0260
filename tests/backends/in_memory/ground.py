"""What the tests of snapshots share."""

from __future__ import annotations

import random
from typing import Any

from cachery import FOREVER, InMemoryCache
from cachery.testing import FakeClock

SECRET = "the secret of these tests"


def live(cache: InMemoryCache) -> dict[str, Any]:
    return cache.get_many(cache.keys())


def lives(cache: InMemoryCache) -> dict[str, float | None]:
    return {key: cache.ttl(key) for key in live(cache)}


def turn(cache: InMemoryCache) -> list[str]:
    return [node.key for node in cache.in_turn()]


def leaving(cache: InMemoryCache, count: int) -> list[str]:
    """Return the keys that leave as ``count`` new ones come."""
    before = set(turn(cache))
    gone: list[str] = []
    for number in range(count):
        cache.set(f"new {number}", number, FOREVER)
        after = set(turn(cache))
        gone += before - after
        before = after
    return gone


def used(policy: str, *, size: int = 100, clock: FakeClock | None = None) -> InMemoryCache:
    """Return a full cache whose entries were used unequally often."""
    chance = random.Random(policy)
    cache = InMemoryCache(size, policy=policy, clock=clock)
    for number in range(20 * size):
        key = f"{min(int(chance.expovariate(3 / size)), 2 * size)}"
        if cache.get(key) is None:
            cache.set(key, number, chance.randrange(1000, 1010))
    return cache


class Closing:
    """A value that closes its cache when it is written."""

    def __init__(self, cache: InMemoryCache) -> None:
        self.cache = cache

    def __reduce__(self) -> tuple[Any, ...]:
        self.cache.close()
        return int, (1,)
