"""How much there may be: never more, and what goes first."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.backends.disk.actors import SECRET, disk_cache

from cachery import CacheValueError, DiskCache
from cachery.events import Event, Evicted, Expired
from cachery.testing import FakeClock

MIB = 2**20


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def seen() -> list[Event]:
    return []


@pytest.fixture
def cache(tmp_path: Path, clock: FakeClock, seen: list[Event]) -> Iterator[DiskCache]:
    with disk_cache(tmp_path, max_bytes=MIB, clock=clock) as cache:
        cache.subscribe(seen.append)
        yield cache
        cache.cleanup_expired()
        assert cache.store.audit() == []


def evicted(seen: list[Event], cause: str = "size") -> list[str]:
    return [event.key for event in seen if isinstance(event, Evicted) and event.cause == cause]


def test_there_are_never_more_bytes_than_allowed(tmp_path: Path, stress: float) -> None:
    chance = random.Random(6)
    with disk_cache(tmp_path, max_bytes=8 * MIB) as cache:
        for number in range(int(400 + 10_000 * stress)):
            key, size = f"key {chance.randint(0, 300)}", int(2 ** chance.uniform(0, 21.5))
            if chance.random() < 0.1:
                cache.set_many({key: bytes(size), f"{number}": bytes(size // 2)})
            elif chance.random() < 0.1:
                cache.add(key, bytes(size))
            else:
                assert cache.set(key, bytes(size))
                assert len(cache.get(key)) == size, "what was just stored stays"
            assert cache.total_bytes <= 8 * MIB
        assert cache.stats.evictions > 50
        assert cache.total_bytes > 4 * MIB
        cache.cleanup_expired()
        assert cache.store.audit() == []
        large = sum(file.stat().st_size for file in (tmp_path / "values").iterdir())
        assert large <= cache.total_bytes


def test_what_is_used_stays_longer_than_what_is_not(cache: DiskCache, clock: FakeClock) -> None:
    hot = [f"hot {number}" for number in range(50)]
    cache.set_many(dict.fromkeys(hot, bytes(1000)))
    for number in range(5000):
        clock.advance(1)
        cache.set(f"cold {number}", bytes(1000))
        cache.get(hot[number % len(hot)])
    assert len(cache) < 1100
    assert sum(cache.exists(key) for key in hot) >= 45
    assert not any(cache.exists(f"cold {number}") for number in range(100))


def test_what_another_process_reads_counts_when_it_writes(tmp_path: Path, clock: FakeClock) -> None:
    with disk_cache(tmp_path, max_bytes=MIB, clock=clock) as cache:
        cache.set_many({f"key {number}": bytes(1000) for number in range(700)})
        clock.advance(10)
        for number in range(100):
            assert cache.get(f"key {number}")
    clock.advance(10)
    with disk_cache(tmp_path, max_bytes=MIB, clock=clock) as cache:
        for number in range(500):
            cache.set(f"new {number}", bytes(1000))
        assert sum(cache.exists(f"key {number}") for number in range(100)) > 80
        assert sum(cache.exists(f"key {number}") for number in range(100, 700)) < 450


def test_what_is_over_goes_before_what_is_alive(cache: DiskCache, clock: FakeClock, seen: list[Event]) -> None:
    for number in range(800):
        cache.set(f"key {number}", bytes(1000), ttl=10 if number % 2 else 1000)
    assert evicted(seen) == []
    clock.advance(20)
    for number in range(150):
        cache.set(f"new {number}", bytes(1000))
    assert len(evicted(seen)) <= 3, "sixteen that are all alive are rare"
    assert sum(isinstance(event, Expired) for event in seen) > 40


@pytest.mark.parametrize("size", [MIB + 1, 3 * MIB])
def test_what_is_larger_than_all_is_not_stored_and_the_old_value_is_gone(
    cache: DiskCache, seen: list[Event], size: int
) -> None:
    cache.set_many({"a": "old", "b": "beside"})
    assert cache.set("a", bytes(size)) is False
    assert cache.get_many(["a", "b"]) == {"b": "beside"}
    assert evicted(seen, "too_large") == ["a"]
    assert cache.set_many({"c": 1, "d": bytes(size)}) is False
    assert cache.get_many(["c", "d"]) == {"c": 1}
    assert cache.add("e", bytes(size)) is False
    assert cache.get_or_set("f", lambda: bytes(size)) == bytes(size)
    assert not cache.exists("f")
    assert not (cache.path / "values").exists() or list((cache.path / "values").iterdir()) == []


def test_a_value_of_too_many_bytes_is_not_stored(tmp_path: Path) -> None:
    seen: list[Event] = []
    with disk_cache(tmp_path, max_value_bytes=1000, compression="zlib") as cache:
        cache.subscribe(seen.append)
        assert cache.set("a", bytes(900))
        assert cache.set("a", bytes(2000)) is False, "before it is compressed"
        assert cache.get("a") is None
        assert cache.set("n", 2**7000)
        assert cache.set("n", 2**9000) is False
        assert evicted(seen, "too_large") == ["a", "n"]


def test_there_are_never_more_entries_than_allowed(tmp_path: Path, clock: FakeClock) -> None:
    chance = random.Random(7)
    with disk_cache(tmp_path, max_size=20, clock=clock) as cache:
        for number in range(500):
            clock.advance(1)
            kind = chance.randint(0, 3)
            if kind == 0:
                cache.set_many({f"key {chance.randint(0, 60)}": 1 for _ in range(5)})
            elif kind == 1:
                cache.incr(f"number {chance.randint(0, 60)}")
            elif kind == 2:
                cache.add(f"key {chance.randint(0, 60)}", 1, ttl=5)
            else:
                cache.set(f"key {chance.randint(0, 60)}", number, ttl=chance.choice([5, 50, None]))
            assert len(cache) <= 20
            assert cache.store.audit() == []
        cache.set("kept", 1)
        for _ in range(20):
            clock.advance(1)
            cache.set("kept", 2)
        assert cache.get("kept") == 2


@pytest.mark.parametrize("options", [{"max_bytes": 0}, {"max_bytes": -1}, {"max_bytes": "much"}, {"max_size": -1}])
def test_bounds_that_make_no_sense_are_refused(tmp_path: Path, options: dict[str, Any]) -> None:
    with pytest.raises(CacheValueError, match=next(iter(options))):
        DiskCache(tmp_path, secret=SECRET, **options)


def test_what_is_counted_is_what_is_there(tmp_path: Path, clock: FakeClock, stress: float) -> None:
    chance = random.Random(8)
    with disk_cache(tmp_path, max_bytes=6 * MIB, clock=clock) as cache:
        for number in range(int(500 + 20_000 * stress)):
            size = MIB + number if chance.random() < 0.05 else chance.randint(0, 3000)
            work = chance.choices(WORKS, WEIGHTS)[0]
            work(cache, f"key {chance.randint(0, 40)}", bytes(size), chance.choice([None, None, 5, 50]))
            clock.advance(chance.choice([0, 0, 0, 5]))
            assert cache.drain(60)
            assert cache.store.audit() == []
            assert cache.total_bytes <= 6 * MIB
            if number % 50 == 0:
                cache.cleanup_expired()
                _check_files(cache)


def _check_files(cache: DiskCache) -> None:
    """Look whether there are as many files as large values, those included that may be served stale."""
    found = cache.get_many(list(cache.keys("key*"))).values()
    large = sum(isinstance(value, bytes) and len(value) >= MIB for value in found)
    files = len(list((cache.path / "values").glob("*")))
    assert large <= files <= large + len(cache)


WORKS: list[Callable[[DiskCache, str, bytes, Any], object]] = [
    lambda cache, key, value, ttl: cache.set(key, value, ttl),
    lambda cache, key, value, ttl: cache.set(key, value, ttl, tags=["red"]),
    lambda cache, key, value, ttl: cache.set_many({key: value, "key 1": 1}, ttl),
    lambda cache, key, _, ttl: cache.touch(key, ttl),
    lambda cache, key, value, ttl: cache.incr(f"number {key}", 2 ** (len(value) % 300), ttl=ttl),
    lambda cache, key, value, _: cache.get_or_set(key, lambda: value, ttl=10, stale_ttl=10),
    lambda cache, key, _, __: cache.get(key),
    lambda cache, key, _, __: cache.delete(key),
    lambda cache, key, _, __: cache.delete_many([key, "key 2"]),
    lambda cache, key, _, __: cache.delete_pattern(f"{key[:5]}*"),
    lambda cache, _, __, ___: cache.invalidate_tags("red"),
    lambda cache, _, __, ___: cache.clear(),
]
WEIGHTS = [20, 10, 5, 5, 5, 8, 5, 5, 3, 1, 2, 0.2]
