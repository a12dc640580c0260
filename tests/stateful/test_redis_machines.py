"""The cache on Redis, alone and behind memory, against a plain dictionary; two objects over one server, in turns."""

from __future__ import annotations

import importlib.util
from itertools import count
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule
from tests.conformance.test_redis import SHIFT
from tests.servers.redis_servers import HOST, RedisServer

from cachery import InMemoryCache, RedisCache, TieredCache
from cachery.model.entry import Entry
from cachery.testing import check_invariants

_SPEC = importlib.util.spec_from_file_location("cache_machine", Path(__file__).with_name("test_cache_machine.py"))
assert _SPEC is not None
assert _SPEC.loader is not None
_MODULE = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_MODULE)
CacheMachine = _MODULE.CacheMachine

_names = count()
_running: list[Any] = []


def server() -> RedisServer:
    """Return the server of these machines; it goes with the process."""
    if not _running:
        place = TemporaryDirectory()
        _running.extend([RedisServer(Path(place.name)).start(), place])
    running: RedisServer = _running[0]
    return running


def teardown_module() -> None:
    if _running:
        _running[0].stop()
        _running[1].cleanup()
        _running.clear()


SLOWNESS = 1000
"""How many seconds of the caches one of the model is: what passes in truth meanwhile is none of either."""


class Slow:
    """A cache in which all takes so much longer."""

    def life(self, ttl: Any) -> float:
        """Return ``ttl`` in seconds."""
        life: float = super().life(ttl)  # type: ignore[misc]
        return life if ttl is None else life * SLOWNESS


class SlowRedis(Slow, RedisCache):
    """On Redis."""


class SlowTiers(Slow, TieredCache):
    """Behind memory."""


class RedisMachine(CacheMachine):  # type: ignore[misc, valid-type]
    """Time is moved on the server, by shortening what is left of every entry, and on the clock of the process."""

    cache: Any

    def make_cache(self, policy: str, default_ttl: float | None) -> Any:
        del policy
        self.options: dict[str, Any] = {
            "port": server().port,
            "prefix": f"t-{token_hex(4)}",
            "name": str(next(_names)),
            "default_ttl": None if default_ttl is None else default_ttl * SLOWNESS,
            "clock": self.read_clock,
        }
        self.other = self.open_cache()
        return self.open_cache()

    def read_clock(self) -> float:
        now: float = self.clock()
        return now * SLOWNESS

    def open_cache(self) -> Any:
        return SlowRedis(HOST, **self.options)

    def write(self, key: str, entry: Entry) -> bool:
        times = entry.fresh_until, entry.refresh_at, entry.stale_until
        fresh_until, refresh_at, stale_until = (time * SLOWNESS for time in times)
        slow = entry._replace(fresh_until=fresh_until, refresh_at=refresh_at, stale_until=stale_until)
        is_stored: bool = self.cache.store.write_entry(key, slow)
        return is_stored

    @rule(seconds=st.sampled_from([0.5, 1, 3, 10]))
    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)
        server().ask("EVAL", SHIFT, 0, self.options["prefix"], int(seconds * SLOWNESS * 1000))

    @rule()
    def swap(self) -> None:
        """Go on with the other one, which counts for itself."""
        self.cache, self.other = self.other, self.cache
        self.cache.stats.reset()
        self.hits = self.misses = 0

    @rule()
    def count(self) -> None:
        self.cache.cleanup_expired()
        assert len(self.cache) == len(self.live())

    @invariant()
    def agrees(self) -> None:
        """Look at all, but for the end of an entry, which a server knows to the millisecond."""
        if not hasattr(self, "cache"):
            return
        live = self.live()
        assert set(self.cache.keys()) == set(live)
        for key, (_, end, _) in self.model.items():
            left = self.cache.ttl(key)
            assert left is not None
            expected = end - self.clock()
            assert left == expected or abs(left / SLOWNESS - expected) < 0.1
        assert (self.cache.stats.hits, self.cache.stats.misses) == (self.hits, self.misses)
        check_invariants(self.cache)

    def teardown(self) -> None:
        super().teardown()
        if hasattr(self, "cache"):
            self.cache.close()
            self.other.close()


class TieredMachine(RedisMachine):
    """Memory before it; what the other one did is taken for heard before this one goes on."""

    def open_cache(self) -> Any:
        return SlowTiers(InMemoryCache(3, clock=self.read_clock), RedisCache(HOST, **self.options))

    @rule()
    def swap(self) -> None:
        """Go on with the other one, as if its channel had been interrupted meanwhile."""
        super().swap()
        self.cache.tier.copies.marks.move_all()


for machine in (RedisMachine, TieredMachine):
    machine.TestCase.settings = settings(max_examples=25, stateful_step_count=25)

TestRedis = RedisMachine.TestCase
TestTiered = TieredMachine.TestCase
