"""What happens seldom: calls that do half of what they should, files that change meanwhile, threads that wait."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.backends.file_based.children import faults_of, file_cache, names_in

from cachery.backends.file_based.layout import Drafts, hash_of
from cachery.backends.file_based.site import EVERYTHING, place_of
from cachery.events import Event
from cachery.exceptions import CacheClosedError, CacheConnectionError, CacheRecursionError, CacheTimeoutError
from cachery.file_based import FileBasedCache
from cachery.model.entry import Entry
from cachery.model.sentinels import MISSING
from cachery.serializers import CacheSerializer
from cachery.testing import check_invariants


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[FileBasedCache]:
    with file_cache(tmp_path, write_timeout="50ms") as cache:
        yield cache


def test_calls_that_do_a_part_at_a_time(cache: FileBasedCache, monkeypatch: pytest.MonkeyPatch) -> None:
    read, write = os.read, os.write
    monkeypatch.setattr(os, "read", lambda file, size: read(file, min(size, 100)))
    monkeypatch.setattr(os, "write", lambda file, data: write(file, data[:70]))
    value = {"body": "x" * 1000}
    cache.set("a", "old")
    cache.set("a", value)
    assert cache.get("a") == value
    check_invariants(cache)


def test_a_file_that_is_shorter_than_the_system_says(cache: FileBasedCache, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.set("a", "x" * 1000)
    faults = faults_of(cache)
    pieces = iter([b"x" * 50, b""])
    monkeypatch.setattr(os, "read", lambda *_: next(pieces))
    assert cache.get("a") is None
    assert faults == [("a", "damaged")]


def test_a_file_that_a_server_has_replaced_meanwhile(cache: FileBasedCache, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.set("a", 1)
    faults = faults_of(cache)
    real = os.fstat
    left = [2]

    def stale(file: int) -> os.stat_result:
        left[0] -= 1
        if left[0] >= 0:
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
        return real(file)

    monkeypatch.setattr(os, "fstat", stale)
    assert cache.get("a") == 1
    left[0] = 3
    assert cache.get("a") is None
    assert faults == [("a", "file")]


def test_who_is_overtaken_by_writers_again_and_again_looks_behind_them(
    cache: FileBasedCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.set("a", "old")
    faults = faults_of(cache)
    match = cache.store.pairs._match
    left = [4]

    def overtaken(*args: Any) -> Any:
        left[0] -= 1
        return (None, left[0]) if left[0] >= 0 else match(*args)

    monkeypatch.setattr(cache.store.pairs, "_match", overtaken)
    assert cache.get("a") == "old"
    left[0] = 100
    assert cache.get("a") is None
    monkeypatch.setattr("cachery.backends.file_based.pairs._PATIENCE", 0.01)
    with ThreadPoolExecutor(1) as pool:
        place = place_of(hash_of(b"a"))
        pool.submit(cache.store.site.acquire, place, 1).result()
        left[0] = 4
        assert cache.get("a") is None, "a writer that was stopped is not waited for"
        pool.submit(cache.store.site.release, place).result()
    assert faults == [("a", "signature"), ("a", "file")]


def test_nothing_that_waits_for_a_thread_waits_for_ever(cache: FileBasedCache) -> None:
    site = cache.store.site
    with ThreadPoolExecutor(1) as pool:
        place = place_of(hash_of(b"a"))
        pool.submit(site.acquire, place, 1).result()
        with pytest.raises(CacheTimeoutError, match="same key"):
            cache.set("a", 1)
        assert not site.try_acquire(place)
        pool.submit(site.release, place).result()
        pool.submit(site.acquire, EVERYTHING, 1).result()
        with pytest.raises(CacheTimeoutError):
            cache.invalidate_tags("red")
        pool.submit(site.release, EVERYTHING).result()
    assert cache.set("a", 1) is True
    assert not list(cache.cache_dir.glob("*.tmp"))


def test_threads_that_make_room_wait_for_one_another(tmp_path: Path) -> None:
    with file_cache(tmp_path, max_size=5, write_timeout="50ms") as cache, ThreadPoolExecutor(1) as pool:
        room = cache.store.budget.room("0" * 32, 10)
        pool.submit(room.__enter__).result()
        with pytest.raises(CacheTimeoutError, match="another thread"):
            cache.set("a", 1)
        pool.submit(room.__exit__, None, None, None).result()
        assert cache.set("a", 1) is True
        check_invariants(cache)


def test_a_write_in_the_midst_of_a_write_is_refused(cache: FileBasedCache) -> None:
    """A finalizer may try that, whenever it runs."""
    place = place_of(hash_of(b"a"))
    cache.store.site.acquire(place, 1)
    with pytest.raises(CacheRecursionError, match="finalizer"):
        cache.set("a", 2)
    token = cache.store.open_token("b")
    cache.store.site.release(place)
    cache.store.close_token(token)
    check_invariants(cache)


def test_a_fence_that_cannot_be_reached_stays_for_the_sweep(
    cache: FileBasedCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cachery.backends.file_based.loads._SHORT", 0.01)
    token = cache.store.open_token("a")
    place = place_of(token.hash)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(cache.store.site.acquire, place, 1).result()
        cache.store.close_token(token)
        pool.submit(cache.store.site.release, place).result()
    assert len(list(cache.cache_dir.glob("*.fence"))) == 1
    assert cache.get_or_set("a", lambda: "loaded") == "loaded"
    assert cache.get("a") == "loaded"


def test_a_lease_of_this_process_and_one_of_another(cache: FileBasedCache) -> None:
    lease = cache.store.take_lease("a")
    assert lease is not None
    assert cache.store.take_lease("a") is not None, "threads share it: the engine sees to them"
    lease.process += 1
    cache.store.drop_lease(lease)
    lease.process -= 1
    cache.store.drop_lease(lease)
    assert not list(cache.cache_dir.glob("*.fence"))


def test_a_lease_that_cannot_be_dropped_is_no_error(cache: FileBasedCache, monkeypatch: pytest.MonkeyPatch) -> None:
    lease: Any = cache.store.take_lease("a")

    def refuse(_: int) -> None:
        raise OSError(5, "no")

    monkeypatch.setattr(cache.store.site, "drop_lease", refuse)
    cache.store.drop_lease(lease)


def test_a_place_that_another_process_leases(cache: FileBasedCache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache.store.site, "take_lease", lambda _: False)
    assert cache.store.take_lease("a") is None


def test_a_site_is_shared_and_closed_with_its_last_cache(tmp_path: Path) -> None:
    one, other = file_cache(tmp_path), file_cache(tmp_path)
    site = one.store.site
    assert other.store.site is site
    one.close()
    assert other.set("a", 1) is True
    other.close()
    with pytest.raises(CacheClosedError):
        site.acquire(place_of("0" * 32), 1)
    assert not site.try_acquire(place_of("0" * 32))
    assert not site.take_lease(1)
    site.drop_lease(1)
    with file_cache(tmp_path) as third:
        assert third.store.site is not site
        assert third.get("a") == 1


def test_what_a_child_forgets(cache: FileBasedCache) -> None:
    cache.store.site.reset_after_fork()
    cache.store.budget.reset_after_fork()
    cache.store.reset_after_fork()
    assert cache.set("a", 1) is True


def test_a_directory_in_which_nothing_can_be_made_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file_cache(tmp_path).close()
    real = os.open

    def refuse(path: Any, *args: Any, **named: Any) -> int:
        if "probe." in str(path):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return real(path, *args, **named)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", refuse)
        with pytest.raises(CacheConnectionError):
            file_cache(tmp_path)
    file_cache(tmp_path).close()


def test_a_directory_that_cannot_be_listed(cache: FileBasedCache, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> Any:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    cache.set("a", 1)
    monkeypatch.setattr(os, "scandir", refuse)
    for count in (lambda: len(cache), lambda: list(cache.keys()), cache.clear):
        with pytest.raises(CacheConnectionError):
            count()
    assert cache.get("a") == 1


def test_files_that_go_while_they_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with file_cache(tmp_path, max_size=50) as cache:
        cache.set_many({"a": 1, "b": 2})
        survey = cache.store._survey
        listing = survey.listing()
        cache.delete("a")
        assert [meta.key for _, meta in survey.entries(listing)] == ["b"]
        assert survey.key_of("0" * 32) == ""
        before = list(cache.store.files.listed())
        cache.delete("b")
        monkeypatch.setattr(cache.store.files, "listed", lambda: iter(before))
        cache.store.budget.count()
        assert cache.cleanup_expired() == 0
        assert len(cache) == 0


def test_a_process_that_is_not_ours_is_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(process: int, number: int) -> None:
        raise PermissionError(process, number)

    monkeypatch.setattr(os, "kill", refuse)
    assert not Drafts().is_abandoned(f"a.{Drafts.host}.77.1.tmp")
    monkeypatch.setattr(os, "name", "nt")
    assert not Drafts().is_abandoned(f"a.{Drafts.host}.77.1.tmp")


class Moody(CacheSerializer):
    """Fails to read when told so."""

    name = "moody"
    is_good = True

    def serialize(self, value: Any) -> bytes:
        return str(value).encode()

    def deserialize(self, data: bytes) -> Any:
        if not self.is_good:
            raise ValueError("not today")
        return data.decode()


def test_a_value_that_its_serializer_cannot_read(tmp_path: Path) -> None:
    serializer = Moody()
    with file_cache(tmp_path, serializer=serializer) as cache:
        cache.set("a", "")
        assert cache.get("a") == ""
        next(tmp_path.glob("*.cache")).write_bytes(b"more")
        assert cache.get("a") is None
        cache.set("a", "text")
        faults = faults_of(cache)
        serializer.is_good = False
        assert cache.get("a", MISSING) is MISSING
        assert cache.store.read_entry("a") is None
        assert cache.store.verify().__next__() == ("a", "")
        assert faults == [("a", "value")] * 2


def test_a_number_that_cannot_be_decrypted_begins_anew(tmp_path: Path) -> None:
    pytest.importorskip("cryptography")
    with file_cache(tmp_path, encryption="one secret of these tests") as cache:
        assert cache.incr("n", 5) == 5
    with file_cache(tmp_path, encryption="another secret of these tests") as cache:
        faults = faults_of(cache)
        assert cache.incr("n") == 1
        assert faults == [("n", "encryption")]


def test_many_uses_are_remembered_up_to_a_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cachery.backends.file_based.budget._MOST_USES", 3)
    with file_cache(tmp_path, max_size=10) as cache:
        cache.set_many({str(number): number for number in range(10)})
        assert len(cache.store.budget._uses) == 3
        check_invariants(cache)


def test_what_is_being_changed_does_not_leave(tmp_path: Path) -> None:
    with file_cache(tmp_path, max_size=2) as cache, ThreadPoolExecutor(1) as pool:
        cache.set("a", 1)
        cache.set("b", 2)
        site, place = cache.store.site, place_of(hash_of(b"a"))
        pool.submit(site.acquire, place, 1).result()
        cache.set("c", 3)
        assert sorted(cache.keys()) == ["a", "c"]
        other = place_of(hash_of(b"c"))
        pool.submit(site.acquire, other, 1).result()
        assert cache.set("d", 4) is True, "there is none that could"
        assert len(cache) == 3
        for held in (place, other):
            pool.submit(site.release, held).result()
        cache.set("e", 5)
        assert len(cache) == 2
        check_invariants(cache)


def test_a_count_that_is_wrong_is_found_out(tmp_path: Path) -> None:
    with file_cache(tmp_path, max_size=2) as cache:
        cache.set("a", 1)
        cache.store.budget.entries += 1
        assert len(cache.store.audit()) == 1
        cache.cleanup_expired()
        assert cache.store.audit() == []


def test_an_interrupt_leaves_no_draft(cache: FileBasedCache, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    for name in ("write", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(os, name, interrupt)
            with pytest.raises(KeyboardInterrupt):
                cache.set("a", 1)
    cache.set("a", 2)
    cache.cleanup_expired()
    ours = {name for name in names_in(cache.cache_dir) if name.endswith(".tmp")}
    assert len(ours) <= 1
    assert cache.get("a") == 2


def test_listeners_hear_of_other_threads_only_what_those_did_themselves(tmp_path: Path) -> None:
    heard: list[Event] = []
    with file_cache(tmp_path, max_size=1) as cache, ThreadPoolExecutor(1) as pool:
        cache.subscribe(heard.append)
        cache.store.note(cache.evicted, "a", "size")
        pool.submit(cache.set, "b", 1).result()
        assert [type(event).__name__ for event in heard] == ["Stored"]
        cache.store.tell()
        assert [type(event).__name__ for event in heard] == ["Stored", "Evicted"]


@pytest.mark.parametrize("kind", ["tag", "sequence"])
def test_numbers_in_files_that_cannot_be_read(cache: FileBasedCache, kind: str) -> None:
    cache.set("a", 1, tags=["red"])
    cache.invalidate_tags("blue")
    cache.set("b", 2, tags=["blue"])
    path = next(cache.cache_dir.glob("*.tag")) if kind == "tag" else cache.cache_dir / ".sequence"
    path.unlink()
    path.symlink_to("/dev/zero")
    assert cache.get("a") == 1
    assert cache.get("b") == (None if kind == "tag" else 2)
    token = cache.store.open_token("c")
    assert cache.store.write_entry("c", Entry(1), token) is True
    cache.store.close_token(token)
    calls: list[Callable[[], object]] = [lambda: cache.set("a", 2, tags=["red"]), lambda: cache.invalidate_tags("red")]
    for call in calls:
        call()
    assert cache.get("a") is None
    assert not (cache.cache_dir / ".sequence").is_symlink()
