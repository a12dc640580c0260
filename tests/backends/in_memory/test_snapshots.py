"""A memory cache that is restored from its snapshot is what it was: entries, times, tags, and who leaves next."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.backends.in_memory.ground import SECRET, leaving, live, lives, turn, used

from cachery import FOREVER, CacheClosedError, InMemoryCache, aio
from cachery.invalidation import File, Key
from cachery.policies.registry import POLICIES
from cachery.testing import FakeClock, check_invariants

EXACT = sorted(set(POLICIES) - {"tinylfu"})


@pytest.mark.parametrize("policy", POLICIES)
def test_a_restored_cache_holds_what_was_held(policy: str, place: Path) -> None:
    clock = FakeClock()
    old, new = used(policy, clock=clock), InMemoryCache(100, policy=policy, clock=clock)
    reads = dict(old.stats.hottest_keys(1000))
    assert old.snapshot(place) == new.restore(place) == len(old) == len(new)
    assert dict(new.stats.hottest_keys(1000)) == reads
    assert live(new) == live(old)
    assert lives(new) == pytest.approx(lives(old), abs=2)
    check_invariants(new)


@pytest.mark.parametrize("policy", EXACT)
def test_a_restored_cache_evicts_in_the_same_order(policy: str, place: Path) -> None:
    clock = FakeClock()
    old = used(policy, clock=clock)
    old.snapshot(place, clock=clock)
    new = InMemoryCache(100, policy=policy, clock=FakeClock(5.0))
    assert new.restore(place, clock=clock) == 100
    assert turn(new) == turn(old)
    for cache in (old, new):
        for key in sorted(cache.keys())[::7]:
            cache.get(key)
    assert leaving(new, 60) == leaving(old, 60)
    check_invariants(new)


def test_a_restored_cache_with_tinylfu_evicts_nearly_in_the_same_order(place: Path) -> None:
    old, new = used("tinylfu", size=1000), InMemoryCache(1000, policy="tinylfu")
    old.snapshot(place)
    assert new.restore(place) == 1000
    check_invariants(new)
    kept, kept_there = set(turn(old)[500:]), set(turn(new)[500:])
    assert len(kept & kept_there) > 450
    gone, gone_there = leaving(old, 300), leaving(new, 300)
    assert len(set(gone) & set(gone_there)) > 200


@pytest.mark.parametrize("policy", POLICIES)
def test_any_policy_takes_the_snapshot_of_any_other(policy: str, place: Path) -> None:
    for other in POLICIES:
        used(other).snapshot(place)
        for size in (1, 10, 100, None):
            cache = InMemoryCache(size, policy=policy)
            assert cache.restore(place) == min(100, size or 100)
            check_invariants(cache)
            leaving(cache, 20)
            check_invariants(cache)


@pytest.mark.parametrize("policy", POLICIES)
def test_a_smaller_cache_takes_what_would_leave_last(policy: str, place: Path) -> None:
    old, new = used(policy), InMemoryCache(10, policy=policy)
    old.snapshot(place)
    assert new.restore(place) == len(new) == 10
    assert set(new.keys()) == set(turn(old)[-10:])
    assert new.stats.evictions == 0


@pytest.mark.parametrize("policy", POLICIES)
def test_what_is_held_already_stays_and_leaves_last(policy: str, place: Path) -> None:
    used(policy).snapshot(place)
    cache = InMemoryCache(10, policy=policy)
    cache.set("own", "new", FOREVER)
    cache.set("0", "new", FOREVER)
    assert cache.restore(place) == 8
    assert (cache.get("own"), cache.get("0"), len(cache)) == ("new", "new", 10)
    if policy in {"lru", "ttl"}:
        assert not {"own", "0"} & set(leaving(cache, 8))


def test_a_full_cache_restores_nothing_and_one_full_of_what_is_dead_makes_room(place: Path) -> None:
    used("lru").snapshot(place)
    clock = FakeClock()
    cache = InMemoryCache(5, clock=clock)
    for number in range(5):
        cache.set(f"own {number}", number, ttl=10)
    assert cache.restore(place) == 0
    clock.advance(10)
    assert cache.restore(place) == 5


# Time


def test_time_passes_between(place: Path) -> None:
    wall, then, now = FakeClock(1e9), FakeClock(1000.0), FakeClock(3.0)
    old, new = InMemoryCache(clock=then), InMemoryCache(clock=now)
    old.set("short", 1, ttl=10)
    old.set("long", 2, ttl=100)
    old.set("ever", 3)
    then.advance(5)
    assert old.snapshot(place, clock=wall) == 3
    wall.advance(20)
    assert new.restore(place, clock=wall) == 2
    assert (new.get("short"), new.ttl("long"), new.ttl("ever")) == (None, 75, FOREVER)
    now.advance(75)
    assert live(new) == {"ever": 3}


def test_a_wall_clock_that_was_set_back_takes_nothing_off(place: Path) -> None:
    clock = FakeClock()
    old, new = InMemoryCache(clock=clock), InMemoryCache(clock=clock)
    old.set("a", 1, ttl=10)
    old.snapshot(place, clock=lambda: 5000.0)
    assert new.restore(place, clock=lambda: 1.0) == 1
    assert new.ttl("a") == 10


def test_stale_values_and_refreshes_are_due_as_before(place: Path) -> None:
    clock, wall = FakeClock(), FakeClock()
    old, new = InMemoryCache(clock=clock), InMemoryCache(clock=clock)
    old.get_or_set("stale", lambda: "old", ttl=10, stale_ttl=100)
    old.get_or_set("due", lambda: "old", ttl=20, refresh_ahead=0.5)
    clock.advance(11)
    old.snapshot(place, clock=wall)
    wall.advance(4)
    assert new.restore(place, clock=wall) == 2
    found = new.read_entry("stale")
    assert found is not None
    assert (found.value, found.fresh_until, found.stale_until) == ("old", clock() - 5, clock() + 95)
    due = new.read_entry("due")
    assert due is not None
    assert due.refresh_at == clock() - 5
    assert new.get("stale") is None
    assert len(new) == 1
    assert new.get_or_set("stale", lambda: "new", ttl=10, stale_ttl=100) == "old"
    new.drain()
    assert new.get("stale") == "new"
    check_invariants(new)


def test_what_is_dead_is_not_written(place: Path, tmp_path: Path) -> None:
    clock = FakeClock()
    cache = InMemoryCache(clock=clock)
    file = tmp_path / "source"
    file.write_text("one")
    cache.set("over", 1, ttl=1)
    cache.set("hit", 1, tags=["red"])
    cache.set("changed", 1, depends_on=[File(file)])
    cache.set("kept", 1, tags=["blue"], cost=2.5, depends_on=[File(__file__)])
    clock.advance(1)
    cache.invalidate_tags("red")
    file.write_text("another")
    assert cache.snapshot(place) == 1
    new = InMemoryCache()
    assert new.restore(place) == 1
    entry = new.read_entry("kept")
    assert entry is not None
    assert entry.cost == 2.5
    assert "blue" in entry.tags
    new.invalidate_tags("blue")
    assert live(new) == {}


def test_an_entry_that_depends_on_another_still_does(place: Path) -> None:
    old, new = InMemoryCache(), InMemoryCache()
    for name in ("a", "b", "c"):
        old.set(name, name)
    old.set("of a", 1, depends_on=[Key("a")])
    old.set("of of a", 1, depends_on=[Key("of a")])
    old.set("of b", 1, depends_on=[Key("b")])
    old.set("of c", 1, depends_on=[Key("c")])
    old.set("of none", 1, depends_on=[Key("none")])
    old.set("b", "changed")
    old.snapshot(place)
    new.set("c", "newer")
    new.set("of c here", 1, depends_on=[Key("c")])
    for number in range(20):
        new.set(f"{number}", number)
        new.set(f"of {number}", number, depends_on=[Key(f"{number}")])
    assert new.restore(place) == 6
    assert set(new.keys("of [!0-9]*")) == {"of a", "of of a", "of none", "of c here"}
    new.set("a", "another")
    new.set("none", "there")
    assert (new.get("of a"), new.get("of of a"), new.get("of none")) == (None, None, None)
    check_invariants(new)


def test_deep_copies_are_kept_apart(place: Path) -> None:
    cache = InMemoryCache(copy="deep")
    cache.set("a", [1])
    cache.snapshot(place)
    new = InMemoryCache(copy="deep")
    new.restore(place)
    new.get("a").append(2)
    assert new.get("a") == [1]


def test_many_entries(place: Path) -> None:
    cache, new = InMemoryCache(None), InMemoryCache(None, policy="tinylfu")
    cache.set_many({f"{number}": "x" * 300 for number in range(5000)})
    assert cache.snapshot(place) == new.restore(place) == 5000
    assert InMemoryCache(None).restore(place) == 5000
    check_invariants(new)


def test_both_doors_take_and_restore(place: Path) -> None:
    async def main() -> None:
        cache, new = aio.InMemoryCache(name="both"), aio.InMemoryCache(name="both")
        await cache.set("a", 1, ttl=100)
        assert await cache.snapshot(place, secret=SECRET) == 1
        assert await new.restore(place, secret=SECRET) == 1
        assert await new.get("a") == 1
        assert new.blocking.get("a") == 1
        await cache.close()
        with pytest.raises(CacheClosedError):
            await cache.snapshot(place)

    asyncio.run(main())


def test_nothing_is_left_behind(place: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    cache = InMemoryCache()
    cache.set("a", 1)
    cache.snapshot(place)
    cache.restore(place)
    assert cache.known_keys() == ["a"]
    assert not caplog.records


LIVES = st.one_of(st.none(), st.integers(1, 50))
WRITES = st.lists(
    st.tuples(
        st.text(max_size=3),
        st.one_of(st.integers(), st.text(), st.lists(st.floats(allow_nan=False)), st.none()),
        LIVES,
        st.lists(st.sampled_from(["red", "blue"]), unique=True),
    ),
    max_size=30,
)


@given(WRITES, st.sampled_from(POLICIES), st.integers(0, 60), st.booleans(), st.sampled_from([5, 100, None]))
def test_what_is_live_is_restored(
    writes: Any,
    policy: str,
    wait: int,
    is_hit: bool,  # noqa: FBT001
    size: int | None,
) -> None:
    clock = FakeClock()
    old, new = (InMemoryCache(size, policy=policy, clock=clock) for _ in range(2))
    for number, (key, value, ttl, tags) in enumerate(writes):
        old.set(key, value, ttl, tags=tags)
        if number % 5 == 4 and is_hit:
            old.invalidate_tags("red")
        clock.advance(number % 3)
    with TemporaryDirectory() as folder:
        written = old.snapshot(f"{folder}/some", clock=clock)
        clock.advance(wait)
        restored = new.restore(f"{folder}/some", clock=clock)
    assert restored <= written
    assert live(old) == live(new)
    assert lives(new) == pytest.approx(lives(old))
    assert restored == len(live(old))
    check_invariants(new)
    for cache in (old, new):
        cache.invalidate_tags("blue")
    assert live(old) == live(new)
