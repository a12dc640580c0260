"""The store in files as the backend of an engine: stamps, and loads that never bring back what was invalidated."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, rule
from tests.backends.file_based.children import file_cache

from cachery.exceptions import CacheClosedError, CacheValueError
from cachery.file_based import FileBasedCache
from cachery.model.entry import Entry
from cachery.model.sentinels import MISSING
from cachery.ports.store import Store
from cachery.testing import FakeClock, check_invariants


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def cache(tmp_path: Path, clock: FakeClock) -> Iterator[FileBasedCache]:
    with file_cache(tmp_path, clock=clock) as cache:
        yield cache
        cache.cleanup_expired()
        check_invariants(cache)


def fences_in(cache: FileBasedCache) -> list[Path]:
    return list(cache.cache_dir.glob("*.fence"))


def test_the_store_is_one(cache: FileBasedCache) -> None:
    store: Store[Any] = cache.store
    assert store.read_entry("a") is None
    value: list[int] = []
    assert store.isolate(value) is value
    assert store.glance("a") is MISSING


def test_an_entry_comes_back_with_its_stamps(cache: FileBasedCache, clock: FakeClock) -> None:
    entry = Entry("value", clock() + 10, clock() + 8, clock() + 30, ("red", "\ud800"), 2.5)
    assert cache.store.write_entry("a", entry) is True
    assert cache.store.read_entry("a") == entry
    assert cache.stats.total_requests == 0
    cache.set("b", 1, ttl=5)
    assert cache.store.read_entry("b") == Entry(1, clock() + 5)
    cache.set("c", 1, tags=["red"], cost=3)
    assert cache.store.read_entry("c") == Entry(1, tags=("red",), cost=3)


def test_a_stale_entry_is_absent_for_the_plain_verbs_only(cache: FileBasedCache, clock: FakeClock) -> None:
    cache.store.write_entry("a", Entry("old", clock() + 10, math.inf, clock() + 30))
    clock.advance(10)
    assert cache.get("a") is None
    assert not cache.exists("a")
    assert len(cache) == 0
    assert cache.cleanup_expired() == 0
    stale = cache.store.read_entry("a")
    assert stale is not None
    assert stale.value == "old"
    clock.advance(20)
    assert cache.store.read_entry("a") is None
    assert cache.cleanup_expired() == 1


def test_touch_moves_the_stale_time_along(cache: FileBasedCache, clock: FakeClock) -> None:
    cache.store.write_entry("a", Entry(1, clock() + 10, clock() + 8, clock() + 30))
    cache.touch("a", 100)
    assert cache.store.read_entry("a") == Entry(1, clock() + 100, math.inf, clock() + 120)
    cache.touch("a", math.inf)
    assert cache.ttl("a") == math.inf
    cache.touch("a", 5)
    assert cache.ttl("a") == 5


def test_a_refresh_may_be_put_off(cache: FileBasedCache, clock: FakeClock) -> None:
    cache.store.write_entry("a", Entry(1, clock() + 10, clock() - 1, clock() + 30))
    token = cache.store.open_token("a")
    cache.store.postpone_refresh("a", clock() + 5, token)
    assert cache.store.read_entry("a") == Entry(1, clock() + 10, clock() + 5, clock() + 30)
    cache.store.postpone_refresh("b", clock() + 5, cache.store.open_token("b"))
    cache.set("a", 2)
    cache.store.postpone_refresh("a", clock() + 5, token)
    assert cache.store.read_entry("a") == Entry(2)
    cache.store.close()
    with pytest.raises(CacheClosedError):
        cache.store.postpone_refresh("a", 5.0, token)
    cache.store = file_cache(cache.cache_dir, clock=clock).store


INVALIDATIONS: dict[str, Callable[[FileBasedCache], object]] = {
    "delete": lambda cache: cache.delete("a"),
    "delete_many": lambda cache: cache.delete_many(["a"]),
    "delete_pattern": lambda cache: cache.delete_pattern("*"),
    "a pattern of others": lambda cache: cache.delete_pattern("b*"),
    "set": lambda cache: cache.set("a", "newer"),
    "set to nothing": lambda cache: cache.set("a", "newer", ttl=0),
    "set_many": lambda cache: cache.set_many({"a": "newer"}),
    "incr": lambda cache: cache.set("a", 1) and cache.incr("a"),
    "tag": lambda cache: cache.invalidate_tags("red"),
    "clear": lambda cache: cache.clear(),
}


@pytest.mark.parametrize("name", INVALIDATIONS)
@pytest.mark.parametrize("is_there", [True, False])
def test_an_invalidation_beats_a_load_that_began_before_it(cache: FileBasedCache, name: str, *, is_there: bool) -> None:
    store = cache.store
    if is_there:
        cache.set("a", "old", tags=["red"])
    token = store.open_token("a")
    assert store.is_current(token)
    INVALIDATIONS[name](cache)
    assert store.is_current(token) is (name == "tag")
    assert store.write_entry("a", Entry("loaded before", tags=("red",)), token) is False
    store.close_token(token)
    assert cache.get("a") != "loaded before"
    after = store.open_token("a")
    assert store.write_entry("a", Entry("loaded after", tags=("red",)), after) is True
    store.close_token(after)
    assert cache.get("a") == "loaded after"
    assert fences_in(cache) == []


def test_what_concerns_others_does_not_stop_a_load(cache: FileBasedCache, clock: FakeClock) -> None:
    cache.set("a", "expiring", ttl=5)
    token = cache.store.open_token("a")
    cache.set("b", 1)
    cache.delete("b")
    cache.invalidate_tags("blue")
    cache.touch("a", 3)
    clock.advance(5)
    assert cache.get("a") is None
    cache.cleanup_expired()
    assert cache.store.write_entry("a", Entry("loaded", tags=("red",)), token) is True
    cache.store.close_token(token)


def test_of_two_loads_the_one_that_began_later_stays(cache: FileBasedCache) -> None:
    early = cache.store.open_token("a")
    cache.invalidate_tags("blue")
    late = cache.store.open_token("a")
    assert cache.store.write_entry("a", Entry("late"), late) is True
    assert cache.store.write_entry("a", Entry("early"), early) is False
    assert cache.get("a") == "late"
    cache.store.close_token(early)
    assert len(fences_in(cache)) == 1
    cache.store.close_token(late)
    assert fences_in(cache) == []


def test_of_two_loads_the_later_one_may_store_over_the_earlier(cache: FileBasedCache) -> None:
    early, late = cache.store.open_token("a"), cache.store.open_token("a")
    assert cache.store.write_entry("a", Entry("early"), early) is True
    assert cache.store.write_entry("a", Entry("late"), late) is True
    assert cache.get("a") == "late"
    for token in (early, late):
        cache.store.close_token(token)


def test_a_token_is_for_one_key_and_one_time(cache: FileBasedCache) -> None:
    token = cache.store.open_token("a")
    with pytest.raises(CacheValueError, match="for the key 'a'"):
        cache.store.write_entry("b", Entry(1), token)
    cache.store.close_token(token)
    cache.store.close_token(token)
    assert not cache.store.is_current(token)
    assert cache.store.write_entry("a", Entry(1), token) is False


def test_a_closed_store_takes_no_load(tmp_path: Path) -> None:
    cache = file_cache(tmp_path)
    token = cache.store.open_token("a")
    cache.close()
    assert not list(tmp_path.glob("*.fence"))
    assert cache.store.write_entry("a", Entry(1), token) is False
    cache.store.close_token(token)
    for call in (
        lambda: cache.store.open_token("a"),
        lambda: cache.store.take_lease("a"),
        lambda: cache.store.read_entry("a"),
        lambda: cache.store.write_entry("a", Entry(1)),
    ):
        with pytest.raises(CacheClosedError):
            call()


def test_a_lease_outlives_the_store_without_harm(tmp_path: Path) -> None:
    cache = file_cache(tmp_path)
    lease: Any = cache.store.take_lease("a")
    cache.close()
    cache.store.drop_lease(lease)


def test_a_fence_that_is_damaged_refuses_its_loads(cache: FileBasedCache) -> None:
    for text in (b"", b"{}", b"[]", b'{"id": 1, "begun": "x"}', b"9" * 5000):
        token = cache.store.open_token("a")
        fences_in(cache)[0].write_bytes(text)
        assert not cache.store.is_current(token)
        assert cache.store.write_entry("a", Entry(1), token) is False
        cache.store.close_token(token)
        assert cache.get_or_set("a", lambda: "loaded") == "loaded"
        assert cache.get("a") == "loaded"
        cache.delete("a")
        assert fences_in(cache) == []


def test_a_load_that_is_stored_while_all_is_cleared(cache: FileBasedCache, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clearing began when the load was admitted already, and has looked for files when it is written."""
    store = cache.store
    token = store.open_token("a")
    replace = store.pairs.replace

    def late(*args: Any) -> Any:
        store.tags.hit_all()
        return replace(*args)

    monkeypatch.setattr(store.pairs, "replace", late)
    assert store.write_entry("a", Entry("loaded"), token) is False
    assert cache.get("a") is None
    store.close_token(token)


def test_what_is_too_large_is_refused_as_a_load_too(tmp_path: Path) -> None:
    with file_cache(tmp_path, max_value_bytes=100) as cache:
        cache.set("a", "old")
        before = cache.store.open_token("a")
        cache.set("a", "new")
        assert cache.store.write_entry("a", Entry("x" * 1000), before) is False
        assert cache.get("a") == "new"
        after = cache.store.open_token("a")
        assert cache.store.write_entry("a", Entry("x" * 1000), after) is False
        assert cache.get("a") is None
        cache.store.close_token(before)
        cache.store.close_token(after)


class LoadMachine(RuleBasedStateMachine):
    """Loads and invalidations in any order: no load that an invalidation overtook is ever served."""

    tokens = Bundle("tokens")

    @initialize()
    def begin(self) -> None:
        self.place = tempfile.TemporaryDirectory()
        self.cache = file_cache(Path(self.place.name))
        self.time = 0
        self.key_hit = dict.fromkeys("ab", -1)
        self.stored = dict.fromkeys("ab", -1)
        self.tag_hit = dict.fromkeys(["red", "blue"], -1)
        self.cleared = -1

    def tick(self) -> int:
        self.time += 1
        return self.time

    @rule(target=tokens, key=st.sampled_from("ab"))
    def open(self, key: str) -> tuple[int, Any]:
        return self.tick(), self.cache.store.open_token(key)

    @rule(opened=consumes(tokens), tags=st.sampled_from([(), ("red",), ("red", "blue")]))
    def finish(self, opened: tuple[int, Any], tags: tuple[str, ...]) -> None:
        born, token = opened
        key = token.key
        is_stored = self.cache.store.write_entry(key, Entry(born, tags=tags), token)
        self.cache.store.close_token(token)
        hits = [self.key_hit[key], self.cleared, *(self.tag_hit[tag] for tag in tags)]
        assert is_stored == (not any(hit > born for hit in hits) and self.stored[key] < born)
        if is_stored:
            self.stored[key] = born
        value = self.cache.get(key)
        assert value is None or value > max(self.key_hit[key], self.cleared)

    @rule(key=st.sampled_from("ab"))
    def delete(self, key: str) -> None:
        self.cache.delete(key)
        self.key_hit[key] = self.tick()
        assert self.cache.get(key) is None

    @rule(tag=st.sampled_from(["red", "blue"]))
    def invalidate(self, tag: str) -> None:
        self.cache.invalidate_tags(tag)
        self.tag_hit[tag] = self.tick()

    @rule()
    def clear(self) -> None:
        self.cache.clear()
        self.cleared = self.tick()

    @rule()
    def sweep(self) -> None:
        self.cache.cleanup_expired()

    def teardown(self) -> None:
        self.cache.close()
        assert not list(Path(self.place.name).glob("*.fence"))
        self.place.cleanup()


TestLoadMachine = LoadMachine.TestCase
TestLoadMachine.settings = settings(max_examples=20)
