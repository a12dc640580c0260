"""How much there may be, and who leaves."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.backends.file_based.children import SECRET, file_cache, names_in

from cachery.events import Event, Evicted, Expired, Stored
from cachery.exceptions import CacheError
from cachery.file_based import FileBasedCache
from cachery.testing import FakeClock, check_invariants


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def make_older(path: Path, seconds: float) -> None:
    """Let ``path`` have been changed ``seconds`` earlier than it was."""
    moment = path.stat().st_mtime - seconds
    os.utime(path, (moment, moment))


def events_of(cache: FileBasedCache) -> list[Event]:
    events: list[Event] = []
    cache.subscribe(lambda event: events.append(event) if isinstance(event, Stored | Evicted | Expired) else None)
    return events


def test_who_was_used_longest_ago_leaves(tmp_path: Path) -> None:
    with file_cache(tmp_path, max_size=3) as cache:
        for key in "abc":
            cache.set(key, key)
        cache.get("a")
        cache.get_or_set("b", lambda: "unexpected")
        events = events_of(cache)
        cache.set("d", "d")
        assert events == [Evicted(None, "c", "size"), Stored(None, "d")]
        cache.set("a", "again")
        assert len(events) == 3
        assert sorted(cache.keys()) == ["a", "b", "d"]
        check_invariants(cache)


def test_uses_survive_in_the_times_of_files(tmp_path: Path) -> None:
    with file_cache(tmp_path, max_size=2) as cache:
        cache.set_many({"a": 1, "b": 2})
        for path in tmp_path.glob("*.meta"):
            make_older(path, 100)
        cache.get("a")
    with file_cache(tmp_path, max_size=2) as cache:
        cache.set("c", 3)
        assert sorted(cache.keys()) == ["a", "c"]


def test_reading_changes_no_file(tmp_path: Path) -> None:
    with file_cache(tmp_path, max_size=5, max_bytes="1MiB") as cache:
        cache.set("a", 1, tags=["red"])
        before = {path: path.stat() for path in tmp_path.iterdir()}
        for _ in range(10):
            assert cache.get("a") == 1
            assert len(cache) == 1
            assert cache.exists("a")
            assert list(cache.keys()) == ["a"]
            assert cache.get("absent") is None
        after = {path: path.stat() for path in tmp_path.iterdir()}
        assert {path: (state.st_mtime_ns, state.st_ino) for path, state in before.items()} == {
            path: (state.st_mtime_ns, state.st_ino) for path, state in after.items()
        }


def test_an_expired_entry_that_makes_room_is_reported_as_such(tmp_path: Path, clock: FakeClock) -> None:
    with file_cache(tmp_path, max_size=2, clock=clock) as cache:
        cache.set("a", 1, ttl=5)
        cache.set("b", 2)
        clock.advance(10)
        events = events_of(cache)
        cache.add("c", 3)
        assert events == [Expired(None, "a"), Stored(None, "c")]
        cache.incr("n")
        assert events[2:] == [Evicted(None, "b", "size"), Stored(None, "n")]


def test_bytes_stay_within_their_bound(tmp_path: Path) -> None:
    with file_cache(tmp_path, max_bytes=200_000) as cache:
        for number in range(100):
            cache.set(f"key {number}", b"x" * 10_000)
            assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 200_500
        assert 14 < len(cache) < 20
        assert cache.get("key 99") is not None
        assert cache.stats.evictions == 100 - len(cache)
        check_invariants(cache)
        cache.set("key 99", b"x" * 150_000)
        assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 200_500
        check_invariants(cache)


def test_what_is_larger_than_the_bound_is_not_stored(tmp_path: Path) -> None:
    with file_cache(tmp_path, max_bytes=1500) as cache:
        cache.set("a", "old")
        events = events_of(cache)
        assert cache.set("a", "x" * 2000) is False
        assert cache.get("a") is None
        assert cache.set_many({"b": 1, "c": "x" * 2000}) is False
        assert events == [Evicted(None, "a", "too_large"), Evicted(None, "c", "too_large"), Stored(None, "b")]
        assert cache.incr("n" * 2000) == 1
        assert not cache.exists("n" * 2000)
        check_invariants(cache)


def test_keys_and_tags_that_no_meta_file_has_room_for(tmp_path: Path) -> None:
    with file_cache(tmp_path) as cache:
        events = events_of(cache)
        long = "\ud83d" * 80_000
        assert cache.set(long, "value") is True
        assert cache.set(long, "another") is True
        assert cache.get(long) == "another"
        assert cache.set("x" * 600_000, 1) is False
        assert cache.set("a", 1, tags=[f"{number:0100000}" for number in range(10)]) is False
        assert [type(event) for event in events] == [Stored, Stored, Evicted, Evicted]
        cache.delete(long)
        assert names_in(tmp_path) == set()


def test_two_processes_keep_a_bound_about(tmp_path: Path) -> None:
    """Each sees what the other wrote when it has written a tenth itself."""
    with file_cache(tmp_path, max_size=50) as one:
        other = FileBasedCache(tmp_path, max_size=50, secret=SECRET)
        for number in range(200):
            (one if number % 2 else other).set(str(number), number)
            assert len(one) <= 60
        other.close()


def test_what_cannot_be_removed_is_no_reason_to_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = FakeClock()
    with file_cache(tmp_path, clock=clock) as cache:
        cache.set("a", 1, ttl=5)
        clock.advance(5)

        def refuse(path: str) -> None:
            raise PermissionError(13, "Permission denied", path)

        with monkeypatch.context() as patch:
            patch.setattr(os, "unlink", refuse)
            assert cache.get("a") is None
            with pytest.raises(CacheError, match="cannot remove"):
                cache.delete("a")
        assert cache.get("a") is None
        assert names_in(tmp_path) == set()
