"""The caches that survive against a plain dictionary, closed and opened again at any time."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import rule

from cachery import Cache, DiskCache, FileBasedCache, InMemoryCache, TieredCache
from cachery.model.entry import Entry
from cachery.stored import StoredCache

_SPEC = importlib.util.spec_from_file_location("cache_machine", Path(__file__).with_name("test_cache_machine.py"))
assert _SPEC is not None
assert _SPEC.loader is not None
_MODULE = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_MODULE)
CacheMachine = _MODULE.CacheMachine
SECRET = "a secret of the tests"


class StoredMachine(CacheMachine):  # type: ignore[misc, valid-type]
    """A cache in a directory of its own."""

    cache: Any

    def make_cache(self, policy: str, default_ttl: float | None) -> Cache:
        del policy
        self.place = TemporaryDirectory()
        self.default_ttl = default_ttl
        return self.open_cache()

    def open_cache(self) -> StoredCache:
        return DiskCache(self.place.name, self.default_ttl, clock=self.clock, secret=SECRET)

    def write(self, key: str, entry: Entry) -> bool:
        is_stored: bool = self.cache.store.write_entry(key, entry)
        return is_stored

    @rule(is_closed_first=st.booleans())
    def reopen(self, *, is_closed_first: bool) -> None:
        """Go on with another object over the same directory; the numbers begin anew."""
        old = self.cache
        if is_closed_first:
            old.close()
        self.cache = self.open_cache()
        self.hits = self.misses = 0
        if not is_closed_first:
            old.close()

    def teardown(self) -> None:
        super().teardown()
        if hasattr(self, "place"):
            self.cache.close()
            self.place.cleanup()


class FileMachine(StoredMachine):
    """Files."""

    def open_cache(self) -> StoredCache:
        return FileBasedCache(self.place.name, self.default_ttl, clock=self.clock, secret=SECRET)


class TieredMachine(StoredMachine):
    """Memory before disk."""

    def open_cache(self) -> StoredCache:
        disk = DiskCache(self.place.name, self.default_ttl, clock=self.clock, secret=SECRET)
        return TieredCache(InMemoryCache(3, clock=self.clock), disk)


class TwoDoorsMachine(StoredMachine):
    """Two objects over one directory, used in turns."""

    def open_cache(self) -> StoredCache:
        self.other = DiskCache(self.place.name, self.default_ttl, clock=self.clock, secret=SECRET)
        return super().open_cache()

    @rule()
    def swap(self) -> None:
        """Go on with the other one, which counts for itself."""
        self.cache, self.other = self.other, self.cache
        self.cache.stats.reset()
        self.hits = self.misses = 0

    def reopen(self, *, is_closed_first: bool = True) -> None:
        """Leave both open."""

    def teardown(self) -> None:
        if hasattr(self, "other"):
            self.other.close()
        super().teardown()


for machine in (StoredMachine, FileMachine, TieredMachine, TwoDoorsMachine):
    machine.TestCase.settings = settings(max_examples=60, stateful_step_count=40)

TestDisk = StoredMachine.TestCase
TestFiles = FileMachine.TestCase
TestTiers = TieredMachine.TestCase
TestTwoDoors = TwoDoorsMachine.TestCase
