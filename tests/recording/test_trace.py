"""What a live cache is asked for becomes a trace, whatever threads, keys, forks and full disks do."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cachery import Cache, CacheClosedError, CacheError, CacheValueError, InMemoryCache, NamespacedCache, aio
from cachery.simulation import read_trace, record_trace
from cachery.testing import FakeClock


@pytest.mark.parametrize("name", ["some.trace", "some.trace.gz"])
def test_every_request_is_a_line(name: str, tmp_path: Path) -> None:
    cache = InMemoryCache(10)
    cache.get("before")
    with record_trace(cache, tmp_path / name) as recording:
        cache.set("a", 1)
        cache.get_many(["a", "b"])
        cache.get_or_set("a", lambda: 1)
        cache.get_or_set("c", lambda: 1)
        cache.delete("a")
        assert recording.requests == 4
    cache.get("after")
    assert read_trace(tmp_path / name) == ["a", "b", "a", "c"]
    assert recording.requests == 4
    recording.close()


def test_a_stale_answer_is_a_request_too(tmp_path: Path) -> None:
    clock = FakeClock()
    cache = InMemoryCache(10, clock=clock)
    cache.get_or_set("a", lambda: 1, ttl=10, stale_ttl=100)
    clock.advance(20)
    with record_trace(cache, str(tmp_path / "some.trace")):
        cache.get_or_set("a", lambda: 2, ttl=10, stale_ttl=100)
        cache.drain()
    assert read_trace(tmp_path / "some.trace") == ["a"]


def test_caches_of_event_loops_and_parts_of_caches_are_recorded(tmp_path: Path) -> None:
    async def ask() -> None:
        cache = aio.InMemoryCache(10)
        with record_trace(cache, tmp_path / "aio.trace"):
            await cache.get("a")
        part = NamespacedCache(cache.blocking, "part")
        with record_trace(part, tmp_path / "part.trace"):
            part.get("b")
            await cache.get("c")

    asyncio.run(ask())
    assert read_trace(tmp_path / "aio.trace") == ["a"]
    assert read_trace(tmp_path / "part.trace") == ["b"]


@pytest.mark.parametrize("is_part", [False, True])
def test_every_cache_can_record_itself(tmp_path: Path, is_part: bool) -> None:  # noqa: FBT001
    async def ask(cache: aio.Cache) -> None:
        with cache.record_trace(tmp_path / "aio.trace") as recording:
            await cache.get("b")
            assert recording.requests == 1

    base = aio.InMemoryCache(10)
    blocking: Cache = NamespacedCache(base.blocking, "part") if is_part else base.blocking
    with blocking.record_trace(tmp_path / "some.trace"):
        blocking.get("a")
    asyncio.run(ask(aio.NamespacedCache(base, "part") if is_part else base))
    assert [read_trace(tmp_path / name) for name in ("some.trace", "aio.trace")] == [["a"], ["b"]]
    blocking.close()
    with pytest.raises(CacheClosedError):
        blocking.record_trace(tmp_path / "other.trace")


def test_many_threads_lose_nothing(tmp_path: Path) -> None:
    cache = InMemoryCache(100)

    def ask(thread: int) -> None:
        for number in range(5000):
            cache.get(f"{thread}:{number % 50}")

    with record_trace(cache, tmp_path / "some.gz"), ThreadPoolExecutor(4) as pool:
        list(pool.map(ask, range(4)))
    assert Counter(read_trace(tmp_path / "some.gz")) == {f"{t}:{n}": 100 for t in range(4) for n in range(50)}


@given(st.lists(st.text(), min_size=1))
def test_different_keys_stay_different(tmp_path_factory: pytest.TempPathFactory, keys: list[str]) -> None:
    place = tmp_path_factory.mktemp("recorded") / "some.trace"
    cache = InMemoryCache(10)
    with record_trace(cache, place):
        cache.get("first")
        for key in keys:
            cache.get(key)
    read = read_trace(place)[1:]
    assert len(read) == len(keys)
    assert len(set(zip(keys, read, strict=True))) == len(set(keys)) == len(set(read))


def test_what_a_line_cannot_carry_is_written_as_json(tmp_path: Path) -> None:
    cache = InMemoryCache(10)
    with record_trace(cache, tmp_path / "some.trace"):
        for key in ("key,size", "two\nlines", "", "*", " a", '"', "größe"):
            cache.get(key)
    expected = ['"key,size"', r'"two\nlines"', '""', '"*"', '" a"', r'"\""', "größe"]
    assert read_trace(tmp_path / "some.trace") == expected


def test_a_file_that_is_there_is_written_over(tmp_path: Path) -> None:
    place = tmp_path / "some.trace"
    place.write_text("old\n" * 10)
    cache = InMemoryCache(10)
    with record_trace(cache, place):
        cache.get("new")
    assert read_trace(place) == ["new"]


def test_a_cache_may_close_before_its_recording(tmp_path: Path) -> None:
    cache = InMemoryCache(10)
    with record_trace(cache, tmp_path / "some.trace"):
        cache.get("a")
        cache.close()
    assert read_trace(tmp_path / "some.trace") == ["a"]
    with pytest.raises(CacheClosedError):
        record_trace(cache, tmp_path / "other.trace")
    assert not (tmp_path / "other.trace").exists()


@pytest.mark.parametrize("name", ["a.csv", "a.tsv.gz", "a.xz"])
def test_a_name_that_says_something_else_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(CacheValueError, match="says else"):
        record_trace(InMemoryCache(10), tmp_path / name)


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CacheValueError, match=r"cannot record to .*: No such file"):
        record_trace(InMemoryCache(10), tmp_path / "none" / "some.trace")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is full")
def test_a_full_disk_is_told_at_the_end_and_harms_no_caller(caplog: pytest.LogCaptureFixture) -> None:
    cache = InMemoryCache(10)
    recording = record_trace(cache, "/dev/full")
    for _ in range(10_000):
        cache.get("a")
    with pytest.raises(CacheError, match="'/dev/full' is cut short: No space left"):
        recording.close()
    assert [record.message for record in caplog.records] == [
        "the recording to '/dev/full' ends: [Errno 28] No space left on device"
    ]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="cannot fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_child_of_a_fork_records_nothing(tmp_path: Path) -> None:
    cache = InMemoryCache(10)
    with record_trace(cache, tmp_path / "some.gz") as recording:
        cache.get("a")
        child = os.fork()
        if not child:
            cache.get("child")
            recording.close()
            os._exit(recording.requests)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        cache.get("b")
    assert read_trace(tmp_path / "some.gz") == ["a", "b"]
