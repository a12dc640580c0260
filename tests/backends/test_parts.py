"""The parts of the caches on disk, each by itself: what other tests see only from another process."""

from __future__ import annotations

import asyncio
import errno
import gc
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cachery import (
    CacheClosedError,
    CacheConnectionError,
    CacheError,
    CacheFullError,
    CacheTimeoutError,
    CacheValueError,
    DiskCache,
    LoadContext,
    aio,
)
from cachery.backends import byte_locks
from cachery.backends.byte_locks import ByteLocks
from cachery.backends.claim import claim, read_claim
from cachery.backends.disk import checking
from cachery.backends.disk.calls import Calls
from cachery.backends.disk.environment import LmdbError
from cachery.backends.places import refusal
from cachery.model.sizes import bytes_of
from cachery.statistics.uses import Uses
from cachery.testing import FakeClock

SECRET = "a secret of the tests"


def disk(place: Path, **options: Any) -> DiskCache:
    return DiskCache(place, secret=SECRET, **options)


class TestChecking:
    def test_what_the_child_finds(self, tmp_path: Path) -> None:
        with disk(tmp_path) as cache:
            cache.set_many({str(number): number for number in range(30)})
            cache.set("big", b"x" * 2**20)
            environment = cache.store.volume.environment
            with environment.begin(write=True) as transaction:
                rows = [digest for digest, _ in transaction.cursor(environment.index)]
                for digest in rows[:2]:
                    transaction.delete(digest, db=environment.index)
                for digest in rows[5:27]:
                    transaction.put(digest, b"no record", db=environment.records)
                transaction.put(b"x" * 16, transaction.get(rows[3], db=environment.index), db=environment.index)
            next((tmp_path / "values").iterdir()).unlink()
        health = checking._walk(tmp_path)
        assert not health.is_sound
        assert health.records == 31
        assert health.problems[20].startswith("and ")

    def test_a_sound_store(self, tmp_path: Path) -> None:
        with disk(tmp_path) as cache:
            cache.set("a", 1)
        assert checking._walk(tmp_path) == (1, ())

    def test_a_child_that_takes_too_long_or_says_nothing(self, tmp_path: Path) -> None:
        with disk(tmp_path) as cache:
            assert "not over" in cache.check(timeout=0.001).problems[0]
        assert not checking.check_store(tmp_path / "nothing").is_sound


class BusyLeases:
    """Another process holds every lease for so many looks."""

    def __init__(self, cache: DiskCache, looks: int, meanwhile: Callable[[], object] = lambda: None) -> None:
        self.looks = looks
        self.meanwhile = meanwhile
        self.store = cache.store
        self.take = cache.store.take_lease
        cache.store.take_lease = self.take_lease  # type: ignore[method-assign]

    def take_lease(self, key: str) -> Any:
        self.looks -= 1
        if self.looks >= 0:
            return None
        self.meanwhile()
        return self.take(key)


class TestLeases:
    def test_one_waits_and_finds_what_the_holder_stored(self, tmp_path: Path) -> None:
        with disk(tmp_path) as cache:
            BusyLeases(cache, 3, lambda: cache.set("key", "theirs"))
            assert cache.get_or_set("key", lambda: "ours") == "theirs"
            assert cache.stats.load_success == 0

    def test_one_waits_and_loads_when_the_holder_stored_nothing(self, tmp_path: Path) -> None:
        with disk(tmp_path) as cache:
            leases = BusyLeases(cache, 3)
            assert cache.get_or_set("key", lambda: "ours") == "ours"
            leases.looks = 2
            assert cache.get_many_or_set(["key", "a", "b"], lambda keys: dict.fromkeys(keys, 1)) == {
                "key": "ours",
                "a": 1,
                "b": 1,
            }

    def test_a_holder_that_hangs_is_left_behind(self, tmp_path: Path) -> None:
        with disk(tmp_path, lease_timeout="20ms") as cache:
            BusyLeases(cache, 10**6)
            assert cache.get_or_set("key", lambda: "ours") == "ours"

    def test_a_refresh_leaves_it_to_the_holder(self, tmp_path: Path) -> None:
        clock = FakeClock()
        with disk(tmp_path, clock=clock) as cache:
            leases = BusyLeases(cache, 0)
            options: Any = {"ttl": 10, "stale_ttl": 100}
            cache.get_or_set("key", lambda: "old", **options)
            clock.advance(20)
            leases.looks = 10**6
            assert cache.get_or_set("key", lambda: "new", **options) == "old"
            assert cache.drain()
            assert cache.get_or_set("key", lambda: "new", **options) == "old"

    def test_a_reload_waits_and_loads_all_the_same(self, tmp_path: Path) -> None:
        with disk(tmp_path) as cache:
            calls: list[int] = []

            @cache.cached(key="key")
            def load() -> int:
                calls.append(1)
                return len(calls)

            assert load() == 1
            BusyLeases(cache, 2, lambda: cache.set("key", 7))
            assert load.refresh() == 2

    def test_a_store_that_fails_to_answer_is_the_failure(self, tmp_path: Path) -> None:
        with disk(tmp_path) as cache:

            def fail() -> None:
                def broken(_: str) -> None:
                    raise CacheConnectionError("gone")

                cache.store.read_entry = broken  # type: ignore[assignment, method-assign]

            BusyLeases(cache, 1, fail)
            with pytest.raises(CacheConnectionError, match="gone"):
                cache.get_or_set("key", lambda: 1)

    def test_under_a_loop(self, tmp_path: Path) -> None:
        async def main() -> None:
            cache = aio.DiskCache(tmp_path, secret=SECRET, name="mine")
            BusyLeases(cache.blocking, 2)

            async def load(context: LoadContext) -> str:
                return context.key

            assert await cache.get_or_set("key", load) == "key"
            assert await cache.check() == (1, ())
            assert (cache.name, cache.max_size, cache.default_ttl) == ("mine", None, None)
            await cache.close()

        asyncio.run(main())


class TestLocks:
    def test_a_place_is_counted_within_a_process(self, tmp_path: Path) -> None:
        locks = ByteLocks(tmp_path / "locks")
        assert locks.try_hold(7)
        assert locks.hold(7, 1)
        locks.release(7)
        locks.release(7)
        locks.release(7)
        assert locks.lock(5, 0.0)
        locks.unlock(5)
        assert not locks.is_removed
        (tmp_path / "locks").unlink()
        assert locks.is_removed
        locks.close()
        locks.close()
        locks.unlock(5)
        with pytest.raises(CacheClosedError):
            locks.try_lock(5)

    def test_a_busy_place_is_waited_for(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        locks = ByteLocks(tmp_path / "locks")
        answers = [OSError(errno.EAGAIN, "busy")] * 3

        def lock(*_: object) -> None:
            if answers:
                raise answers.pop()

        monkeypatch.setattr(byte_locks, "_lockf", lock)
        assert locks.hold(7, 5)
        answers += [OSError(errno.EAGAIN, "busy")] * 10**4
        assert not locks.lock(8, 0.001)
        answers[:] = [OSError(errno.ENOLCK, "no locks on this drive")]
        assert locks.try_lock(9)
        answers[:] = [OSError(errno.EIO, "broken")]
        with pytest.raises(CacheConnectionError, match="broken"):
            locks.try_lock(9)
        locks.close()

    def test_calls_are_waited_for(self) -> None:
        calls = Calls()
        with calls:
            entered = threading.Thread(target=calls.hold)
            entered.start()
            while not calls.is_held:
                pass
        entered.join(10)
        late: list[int] = []

        def call() -> None:
            calls.enter()
            late.append(1)
            calls.leave()

        caller = threading.Thread(target=call)
        caller.start()
        assert not late
        calls.resume()
        caller.join(10)
        assert (late, calls.count) == ([1], 0)
        calls.enter()
        calls.restart()
        assert calls.count == 0

    def test_who_writes_is_let_in_while_somebody_within_may_wait_for_it(self) -> None:
        class Mine:
            is_mine = True

        calls = Calls(Mine())
        calls.enter()
        holding = threading.Thread(target=calls.hold)
        holding.start()
        while not calls.is_held:
            pass
        calls.enter()  # one who writes
        calls.leave()
        calls.leave()
        holding.join(10)
        writer = threading.Thread(target=calls.enter)
        writer.start()  # nobody is within any more: the database may be closed already
        assert calls.count == 0
        calls.resume()
        writer.join(10)
        assert calls.count == 1


class TestPlaces:
    def test_what_the_system_says_becomes_an_error(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        assert isinstance(refusal(OSError(errno.ENOSPC, "full"), tmp_path, "write"), CacheFullError)
        assert isinstance(refusal(OSError(errno.EACCES, "denied"), tmp_path, "write"), CacheConnectionError)
        assert isinstance(refusal(OSError(errno.EIO, "broken"), tmp_path, "write"), CacheConnectionError)

        def full(**_: object) -> None:
            raise OSError(errno.ENOSPC, "full")

        monkeypatch.setattr("tempfile.TemporaryFile", full)
        assert isinstance(refusal(OSError(errno.EIO, "half a write"), tmp_path, "write"), CacheFullError)

    def test_a_name_too_long_for_a_directory(self, tmp_path: Path) -> None:
        with pytest.raises(CacheConnectionError, match="too long"):
            disk(tmp_path / ("x" * 300))

    @pytest.mark.parametrize("text", ["{", "[]", '{"kind": "disk"}', "\0"])
    def test_a_claim_that_cannot_be_read(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "cachery.json").write_text(text)
        with pytest.raises(CacheConnectionError, match="not what cachery wrote"):
            disk(tmp_path)

    def test_a_claim_is_made_once(self, tmp_path: Path) -> None:
        assert read_claim(tmp_path) is None
        assert claim(tmp_path, "disk", 1, "mine") == claim(tmp_path, "disk", 1, None) == "mine"
        with pytest.raises(CacheValueError, match="'mine'"):
            claim(tmp_path, "disk", 1, "yours")
        (tmp_path / "cachery.json").unlink()
        (tmp_path / "cachery.json").mkdir()
        with pytest.raises(CacheConnectionError):
            read_claim(tmp_path)
        with pytest.raises(CacheConnectionError):
            claim(tmp_path / "nowhere", "disk", 1, None)

    @pytest.mark.parametrize("size", ["", "5 apples", -1, 0, 1.5, None, True, "0"])
    def test_what_is_no_size(self, size: Any) -> None:
        with pytest.raises(CacheValueError, match="max_bytes"):
            bytes_of(size, "max_bytes")


class TestFailures:
    def test_a_database_that_fails_is_an_error_of_ours(self, tmp_path: Path) -> None:
        with disk(tmp_path) as cache:
            cache.set("a", 1)
            environment = cache.store.volume.environment
            begin = environment.begin

            def fail(*_: object, **__: object) -> None:
                raise LmdbError("broken")

            environment.begin = fail
            for verb in (lambda: cache.get("a"), lambda: cache.set("a", 2), lambda: len(cache), cache.cleanup_expired):
                with pytest.raises(CacheError, match="broken"):
                    verb()
            environment.begin = begin
            assert cache.get("a") == 1

    def test_a_writer_in_the_same_process_is_waited_for(self, tmp_path: Path) -> None:
        with disk(tmp_path, write_timeout="50ms") as cache, cache.transaction():
            failures: list[BaseException] = []

            def write() -> None:
                try:
                    cache.set("a", 1)
                except CacheTimeoutError as error:
                    failures.append(error)

            thread = threading.Thread(target=write)
            thread.start()
            thread.join(10)
            assert len(failures) == 1

    def test_a_cache_that_is_dropped_is_closed_by_the_next(self, tmp_path: Path) -> None:
        cache = disk(tmp_path / "a")
        cache.set("a", 1)
        volume = cache.store.volume
        del cache
        gc.collect()
        disk(tmp_path / "b").close()
        assert volume.users == 0

    def test_a_removed_directory_is_noticed(self, tmp_path: Path) -> None:
        clock = FakeClock()
        with disk(tmp_path / "cache", clock=clock) as cache:
            cache.set("a", 1)
            (tmp_path / "cache" / "locks").unlink()
            clock.advance(1)
            with pytest.raises(CacheConnectionError, match="was removed"):
                cache.set("a", 2)
            assert cache.get("a") == 1

    def test_the_most_used_of_very_many_keys(self) -> None:
        uses = Uses()
        for number in range(20_000):
            uses.note(str(number))
            uses.note("hot")
        assert uses.hottest(1)[0][0] == "hot"
        uses.reset()
        assert uses.hottest(1) == []
