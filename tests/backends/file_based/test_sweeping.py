"""Tags, time, and going through all files."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.backends.file_based.children import faults_of, file_cache, names_in

from cachery.backends.file_based.layout import Drafts, hash_of, tag_hash, writer_of
from cachery.events import Expired
from cachery.file_based import FileBasedCache
from cachery.model.entry import Entry
from cachery.testing import FakeClock, check_invariants

DAY = 86400


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def cache(tmp_path: Path, clock: FakeClock) -> Iterator[FileBasedCache]:
    with file_cache(tmp_path / "cache", clock=clock) as cache:
        yield cache
        check_invariants(cache)


def make_older(path: Path, seconds: float) -> None:
    """Let ``path`` have been changed ``seconds`` earlier than it was."""
    moment = path.stat().st_mtime - seconds
    os.utime(path, (moment, moment))


# What is left behind


def test_a_sweep_removes_halves_of_entries(cache: FileBasedCache) -> None:
    cache.set_many({"a": 1, "b": 2, "c": 3})
    next(cache.cache_dir.glob(f"{hash_of(b'a')}.meta")).unlink()
    next(cache.cache_dir.glob(f"{hash_of(b'b')}.cache")).unlink()
    assert len(cache.store.audit()) == 3
    assert cache.cleanup_expired() == 0
    assert len(names_in(cache.cache_dir)) == 2
    assert cache.get_many(["a", "b", "c"]) == {"c": 3}


def test_a_sweep_removes_what_nobody_is_writing_any_more(cache: FileBasedCache) -> None:
    host = Drafts.host
    place = cache.cache_dir
    gone = place / f"probe.{host}.{2**22 + 1}.1.tmp"
    ours = place / f"probe.{host}.{os.getpid()}.1.tmp"
    young, old = place / "probe.elsewhere.7.1.tmp", place / "probe.elsewhere.7.2.tmp"
    for path in (gone, ours, young, old):
        path.touch()
    make_older(old, 3700)
    assert len(cache.store.audit()) == 4
    cache.cleanup_expired()
    assert names_in(place) == {ours.name, young.name}
    make_older(ours, 3700)
    make_older(young, 3700)
    cache.cleanup_expired()
    assert names_in(place) == set()


def test_a_name_says_who_writes() -> None:
    drafts = Drafts()
    names = {drafts.name("a") for _ in range(100)}
    assert len(names) == 100
    assert {writer_of(name) for name in names} == {(Drafts.host, os.getpid())}
    assert not drafts.is_abandoned(f"a.{Drafts.host}.1.1.tmp")
    assert drafts.is_abandoned(f"a.{Drafts.host}.{10**30}.1.tmp")
    assert not drafts.is_abandoned("a.elsewhere.4194305.1.tmp")
    assert not drafts.is_abandoned("thesis.tmp")


def test_a_sweep_removes_old_fences(cache: FileBasedCache) -> None:
    token = cache.store.open_token("a")
    fence = next(cache.cache_dir.glob("*.fence"))
    cache.cleanup_expired()
    make_older(fence, DAY + 100)
    cache.cleanup_expired()
    assert not fence.exists()
    assert cache.store.write_entry("a", Entry(1), token) is False
    cache.store.close_token(token)


def test_files_of_others_are_left_alone(cache: FileBasedCache) -> None:
    names = [
        "notes.txt",
        "notes.meta",
        "x.cache",
        "a.tmp",
        "0" * 31 + ".cache",
        "0" * 32 + ".cache.bak",
        "A" * 32 + ".meta",
    ]
    for name in names:
        (cache.cache_dir / name).write_text("mine")
    (cache.cache_dir / "folder").mkdir()
    cache.set("a", 1)
    assert len(cache) == 1
    cache.cleanup_expired()
    cache.clear()
    assert names_in(cache.cache_dir) == {*names, "folder"}


def test_a_copy_of_a_directory_is_a_cache(cache: FileBasedCache, tmp_path: Path) -> None:
    cache.set("a", "old", tags=["red"])
    cache.set("a", "new", ttl=100, tags=["red"])
    cache.set("b", [1])
    shutil.copytree(cache.cache_dir, tmp_path / "copy")
    with file_cache(tmp_path / "copy", clock=cache.store.read_clock) as copy:
        faults = faults_of(copy)
        assert copy.get_many(["a", "b"]) == {"a": "new", "b": [1]}
        assert copy.ttl("a") == 100
        assert sorted(copy.keys()) == ["a", "b"]
        assert copy.cleanup_expired() == 0
        assert copy.store.audit() == []
        assert copy.set("b", [2]) is True
        copy.invalidate_tags("red")
        assert copy.get_many(["a", "b"]) == {"b": [2]}
        assert faults == []
    assert cache.get("a") == "new"


def test_an_operator_sees_every_entry(cache: FileBasedCache, clock: FakeClock) -> None:
    cache.set("a", "x" * 1000, ttl=10)
    cache.set("b", 1)
    clock.advance(20)
    found = {entry.key: entry for entry in cache.store.summaries()}
    assert found["a"].fresh_until == found["a"].dead_at == clock() - 10
    assert found["b"].fresh_until == float("inf")
    assert found["a"].size > 1200 > found["b"].size > 100
    assert sorted(cache.store.verify()) == [("a", ""), ("b", "")]


def test_what_is_dead_is_removed_and_reported_once(cache: FileBasedCache, clock: FakeClock) -> None:
    cache.set_many({"a": 1, "b": 2, "c": 3}, ttl=10)
    cache.set("d", 4, tags=["red"])
    cache.set("e", 5, tags=["red"])
    cache.invalidate_tags("red")
    clock.advance(10)
    expired: list[str] = []
    cache.subscribe(lambda event: expired.append(event.key) if isinstance(event, Expired) else None)
    assert cache.get("a") is None
    assert cache.get("a") is None
    assert not cache.delete("b")
    assert not cache.delete("d")
    assert cache.cleanup_expired() == 2
    assert expired == ["a", "b", "c"]
    assert cache.stats.deletes == 2
    assert {name for name in names_in(cache.cache_dir) if not name.endswith(".tag")} == set()


# Tags


def test_tags_are_forgotten_when_nobody_carries_them(cache: FileBasedCache) -> None:
    cache.set("a", 1, tags=["carried"])
    cache.invalidate_tags("lost", "carried")
    cache.set("a", 2, tags=["carried"])
    cache.cleanup_expired()
    assert len(list(cache.cache_dir.glob("*.tag"))) == 2
    for path in cache.cache_dir.glob("*.tag"):
        make_older(path, DAY + 100)
    token = cache.store.open_token("b")
    cache.invalidate_tags("other")
    cache.cleanup_expired()
    assert {path.stem for path in cache.cache_dir.glob("*.tag")} == {tag_hash("carried"), tag_hash("other")}
    assert cache.get("a") == 2
    assert cache.store.write_entry("b", Entry(1, tags=("lost",)), token) is False, "nobody knows any more"
    assert cache.store.write_entry("b", Entry(1), token) is True
    cache.store.close_token(token)


def test_far_too_many_tags_are_forgotten_at_once(cache: FileBasedCache) -> None:
    cache.set("kept", 1, tags=["kept"])
    token = cache.store.open_token("a")
    cache.invalidate_tags("red")
    for start in range(0, 3300, 100):
        cache.invalidate_tags(*[f"tag {number}" for number in range(start, start + 100)])
    assert len(list(cache.cache_dir.glob("*.tag"))) < 1500
    assert cache.store.write_entry("a", Entry("loaded", tags=("red",)), token) is False
    assert cache.store.write_entry("a", Entry("loaded without tags"), token) is True
    cache.store.close_token(token)
    assert cache.get("kept") == 1
    cache.invalidate_tags("kept")
    assert cache.get("kept") is None


def test_entries_without_tags_do_not_touch_the_numbers(cache: FileBasedCache) -> None:
    cache.set("a", 1)
    cache.incr("n")
    cache.touch("a", 5)
    cache.delete("a")
    assert not (cache.cache_dir / ".sequence").exists()


@pytest.mark.parametrize("text", [None, b"", b"{}", b"[]", b'{"number": 0, "epoch": 5, "forgotten": 0}', b"9" * 5000])
def test_numbers_that_were_lost_are_found_again(cache: FileBasedCache, text: bytes | None) -> None:
    """An invalidation counts also when the file of numbers was removed or damaged before."""
    for _ in range(5):
        cache.invalidate_tags("blue")
    cache.set("a", "old", tags=["red"])
    cache.set("b", "old", tags=["blue"])
    token = cache.store.open_token("c")
    path = cache.cache_dir / ".sequence"
    path.unlink() if text is None else path.write_bytes(text)
    cache.invalidate_tags("red")
    assert cache.get("a") is None
    assert cache.store.write_entry("c", Entry("loaded"), token) is False
    cache.store.close_token(token)
    cache.set("a", "new", tags=["red", "blue"])
    assert cache.get("a") == "new"
    cache.invalidate_tags("blue")
    assert cache.get("a") is None
    assert cache.get("b") is None


def test_an_entry_with_tags_is_stored_while_the_numbers_are_damaged(cache: FileBasedCache) -> None:
    cache.invalidate_tags("red")
    (cache.cache_dir / ".sequence").write_bytes(b"damaged")
    assert not cache.store.tags.admits(100, ())
    cache.set("a", 1, tags=["red"])
    assert cache.get("a") == 1
    cache.invalidate_tags("red")
    assert cache.get("a") is None


@pytest.mark.parametrize("text", [b"", b"{}", b'{"number": "5"}', b'{"number": -5}', b"[" * 9999])
def test_a_tag_whose_file_is_damaged_counts_as_invalidated(cache: FileBasedCache, text: bytes) -> None:
    cache.set("a", 1, tags=["red"])
    cache.invalidate_tags("blue")
    assert cache.get("a") == 1
    (cache.cache_dir / f"{tag_hash('red')}.tag").write_bytes(text)
    assert cache.get("a") is None
    assert list(cache.keys()) == []
    cache.invalidate_tags("red")
    cache.set("a", 2, tags=["red"])
    assert cache.get("a") == 2


# Time


def test_time_is_that_of_the_file_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with file_cache(tmp_path) as cache:
        cache.set("a", 1, ttl=1000)
        said = json.loads(next(tmp_path.glob("*.meta")).read_bytes())
        assert said["timestamp"] == pytest.approx(next(tmp_path.glob("*.meta")).stat().st_mtime, abs=5)
        monkeypatch.setattr("time.time", lambda: 0.0)
        assert cache.ttl("a") == pytest.approx(1000, abs=20)
        cache.cleanup_expired()
        assert cache.get("a") == 1


def test_time_goes_on_as_on_this_machine_and_is_measured_by_a_sweep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [50.0]
    monkeypatch.setattr("cachery.backends.file_based.site.since_boot", lambda: now[0])
    with file_cache(tmp_path) as cache:
        cache.set("a", 1, ttl=100)
        now[0] += 60
        assert cache.ttl("a") == pytest.approx(40)
        assert file_cache(tmp_path).ttl("a") == cache.ttl("a")
        cache.cleanup_expired()
        assert cache.ttl("a") == pytest.approx(100, abs=20), "no time has passed on the file system"
        now[0] += 120
        assert cache.get("a") is None
        assert cache.stats.expirations == 1
