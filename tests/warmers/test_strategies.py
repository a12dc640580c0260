"""When a warmer warms by itself, and what it takes from a tracker, from statistics and from a file."""

from __future__ import annotations

import gc
import json
import logging
import os
import stat
import threading
from pathlib import Path
from typing import Any

import pytest

from cachery import CacheConnectionError, CacheValueError, InMemoryCache
from cachery.testing import FakeClock
from cachery.warmers import (
    AccessTracker,
    AdaptiveKeyProvider,
    BatchValueLoader,
    CacheWarmer,
    CallableKeyProvider,
    CallableValueLoader,
    RememberedKeyProvider,
    StaticKeyProvider,
    ValueLoader,
    WarmingConfig,
    WarmingStrategy,
)

WAIT = 10.0


def warmer_of(cache: Any, strategy: WarmingStrategy, loader: ValueLoader | None = None, **options: Any) -> CacheWarmer:
    config = WarmingConfig(strategy, retry_on_failure=False, refresh_interval_s="1ms", **options)
    return CacheWarmer(cache, StaticKeyProvider(["a", "b"]), loader or CallableValueLoader(str.upper), config)


@pytest.fixture(params=["dict", "memory"])
def cache(request: pytest.FixtureRequest) -> Any:
    return {} if request.param == "dict" else InMemoryCache()


class Counting(ValueLoader):
    """Counts its loads, and says when there were so many."""

    def __init__(self, until: int = 1) -> None:
        self.loads: list[str] = []
        self.until = until
        self.was_enough = threading.Event()

    def load(self, key: str) -> str:
        self.loads.append(key)
        if len(self.loads) >= self.until:
            self.was_enough.set()
        return key.upper()


def test_eager_warms_all_at_the_start(cache: Any) -> None:
    warmer = warmer_of(cache, WarmingStrategy.EAGER)
    assert "a" not in cache
    stats = warmer.start()
    assert stats is not None
    assert stats.keys_warmed == 2
    assert "b" in cache


def test_lazy_warms_a_key_when_it_is_asked_for(cache: Any) -> None:
    loader = Counting()
    with warmer_of(cache, WarmingStrategy.LAZY, loader) as warmer:
        assert loader.loads == []
        assert [warmer.get("b"), warmer.get("b"), warmer.get("c")] == ["B", "B", "C"]
        assert loader.loads == ["b", "c"]
        assert cache.get("b") == "B"
        assert warmer.stats.keys_warmed == 2


def test_lazy_passes_on_what_the_loader_raises(cache: Any) -> None:
    warmer = warmer_of(cache, WarmingStrategy.LAZY, BatchValueLoader(lambda _: {}))
    with pytest.raises(KeyError):
        warmer.get("a")
    assert "nothing" in warmer.stats.failed["a"]


def test_lazy_stores_as_a_run_does() -> None:
    cache = InMemoryCache(clock=FakeClock())
    config = WarmingConfig(retry_on_failure=False, ttl=lambda key, value: len(key + value), tags=lambda key, _: [key])
    warmer = CacheWarmer(cache, StaticKeyProvider([]), CallableValueLoader(str.upper), config)
    assert warmer.get("a") == "A"
    assert cache.ttl("a") == 2
    cache.invalidate_tags("a")
    assert "a" not in cache


def test_many_who_ask_for_one_key_cause_one_load() -> None:
    cache, loader = InMemoryCache(), Counting()
    warmer = warmer_of(cache, WarmingStrategy.LAZY, loader)
    threads = [threading.Thread(target=warmer.get, args=("a",)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert loader.loads == ["a"]


def test_scheduled_warms_at_once_and_again(cache: Any) -> None:
    loader = Counting(until=6)
    with warmer_of(cache, WarmingStrategy.SCHEDULED, loader) as warmer:
        assert loader.was_enough.wait(WAIT)
        warmer.start_scheduler()
        assert sum(thread.name == "cachery-warm-schedule" for thread in threading.enumerate()) == 1
    assert not any(thread.name == "cachery-warm-schedule" for thread in threading.enumerate())
    done = len(loader.loads)
    assert done == len(loader.loads)
    warmer.stop_scheduler()


def test_a_schedule_survives_a_run_that_fails(caplog: pytest.LogCaptureFixture) -> None:
    loader, failures = Counting(), iter([OSError("not yet"), None])

    def keys() -> list[str]:
        if (error := next(failures, None)) is not None:
            raise error
        return ["a"]

    config = WarmingConfig(retry_on_failure=False, refresh_interval_s="1ms")
    warmer = CacheWarmer({}, CallableKeyProvider(keys), loader, config)
    with caplog.at_level(logging.ERROR, logger="cachery"):
        warmer.start_scheduler()
        assert loader.was_enough.wait(WAIT)
        warmer.stop_scheduler()
    assert "not yet" in caplog.text


def test_a_schedule_over_a_closed_cache_is_quiet(caplog: pytest.LogCaptureFixture) -> None:
    cache, asked = InMemoryCache(), threading.Event()
    config = WarmingConfig(retry_on_failure=False, refresh_interval_s="1ms")
    provider = CallableKeyProvider(lambda: (asked.set(), ["a"])[1])
    warmer = CacheWarmer(cache, provider, CallableValueLoader(str), config)
    cache.close()
    warmer.start_scheduler()
    assert asked.wait(WAIT)
    warmer.stop_scheduler()
    assert not caplog.records


def test_a_warmer_that_nobody_holds_ends_its_thread() -> None:
    warmer = warmer_of({}, WarmingStrategy.SCHEDULED)
    warmer.start()
    (thread,) = (thread for thread in threading.enumerate() if thread.name == "cachery-warm-schedule")
    del warmer
    while thread.is_alive():
        gc.collect()
        thread.join(0.05)


@pytest.mark.no_cover  # the tracer has locks of its own, which another thread may hold at the fork
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_child_has_no_run_under_way() -> None:
    inside, released = threading.Event(), threading.Event()
    loader = CallableValueLoader(lambda key: (inside.set(), released.wait(WAIT), key)[2])
    warmer = warmer_of({}, WarmingStrategy.EAGER, loader)
    future, _ = warmer.warm_async(), inside.wait(WAIT)
    child = os.fork()
    if child == 0:
        released.set()
        os._exit(0 if not warmer.is_warming and warmer.warm().keys_warmed == 2 else 1)
    released.set()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert future.result(WAIT).keys_warmed == 2


# What is in demand


def test_adaptive_warms_what_the_statistics_call_hot() -> None:
    cache = InMemoryCache()
    cache.set("b", 1)
    cache.get("b")
    warmer = warmer_of(cache, WarmingStrategy.ADAPTIVE)
    assert warmer.warm().keys_warmed == 1
    assert (cache.get("b"), "a" in cache) == ("B", False)


def test_adaptive_knows_no_better_than_the_provider_at_first(cache: Any) -> None:
    assert warmer_of(cache, WarmingStrategy.ADAPTIVE).warm().keys_warmed == 2


def test_adaptive_over_a_dictionary_learns_from_what_it_is_asked() -> None:
    target: dict[str, str] = {}
    warmer = warmer_of(target, WarmingStrategy.ADAPTIVE)
    warmer.get("b")
    warmer.get("z")
    target.clear()
    assert warmer.warm().keys_warmed == 1
    assert target == {"b": "B"}


def test_an_adaptive_provider_learns_too() -> None:
    tracker = AccessTracker()
    config = WarmingConfig(WarmingStrategy.ADAPTIVE, retry_on_failure=False)
    target: dict[str, str] = {}
    warmer = CacheWarmer(target, AdaptiveKeyProvider(tracker, threshold=2), CallableValueLoader(str.upper), config)
    for key in ["a", "b", "a"]:
        warmer.get(key)
    target.clear()
    assert warmer.warm().keys_warmed == 1
    assert target == {"a": "A"}


def test_adaptive_runs_on_a_schedule() -> None:
    loader = Counting(until=4)
    with warmer_of({}, WarmingStrategy.ADAPTIVE, loader):
        assert loader.was_enough.wait(WAIT)


# The tracker


def test_a_tracker_counts() -> None:
    tracker = AccessTracker()
    for key, times in (("a", 5), ("b", 7), ("c", 1)):
        for _ in range(times):
            tracker.record_access(key)
    assert tracker.get_hot_keys() == ["b", "a"]
    assert tracker.get_hot_keys(threshold=1, limit=1) == ["b"]
    assert [tracker.get_access_count(key) for key in "abcd"] == [5, 7, 1, 0]
    tracker.clear()
    assert (tracker.get_hot_keys(1), tracker.get_recent_keys()) == ([], [])


def test_a_tracker_knows_what_was_asked_for_last() -> None:
    clock = FakeClock()
    tracker = AccessTracker(clock=clock)
    for key in "aba":
        tracker.record_access(key)
        clock.advance(100)
    assert tracker.get_recent_keys() == ["a", "b"]
    assert tracker.get_recent_keys(limit=1) == ["a"]
    assert tracker.get_recent_keys(seconds=150) == ["a"]
    assert tracker.get_recent_keys(seconds="1m") == []


def test_a_tracker_is_bounded_and_keeps_what_is_hot() -> None:
    tracker = AccessTracker(max_keys=10)
    for number in range(1000):
        tracker.record_access("hot")
        tracker.record_access(f"cold:{number}")
    assert tracker.get_hot_keys(500, 1) == ["hot"]
    assert tracker.get_access_count("hot") == 1000
    assert len(tracker.get_recent_keys(limit=100)) == 10
    assert len(tracker.get_hot_keys(1)) == 10


@pytest.mark.parametrize("most", [0, -1, 1.5, None])
def test_a_tracker_has_room_for_a_key(most: Any) -> None:
    with pytest.raises(CacheValueError, match="max_keys"):
        AccessTracker(most)


# The file


def test_hot_keys_survive_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "hot.json"
    cache = InMemoryCache()
    for key, times in (("a", 1), ("b", 3), ("\udc80é", 2)):
        cache.set(key, 1)
        for _ in range(times):
            cache.get(key)
    provider = RememberedKeyProvider(path, limit=2)
    assert provider.get_keys() == []
    assert provider.save(cache) == 2
    assert RememberedKeyProvider(path).get_keys() == ["b", "\udc80é"]
    assert RememberedKeyProvider(path, limit=1).get_keys() == ["b"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["hot.json"]


@pytest.mark.parametrize("content", [b"", b"[1]", b"{}", b'["a"', b"\xff", b"[" * 100_000])
def test_a_damaged_file_is_empty(tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "hot.json"
    path.write_bytes(content)
    provider = RememberedKeyProvider(path)
    assert provider.get_keys() == []
    assert str(path) in caplog.text
    assert str(path) in repr(provider)


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    cache = InMemoryCache()
    with pytest.raises(CacheConnectionError, match="cannot write"):
        RememberedKeyProvider(tmp_path / "nowhere" / "hot.json").save(cache)
    (tmp_path / "hot.json").mkdir()
    with pytest.raises(CacheConnectionError):
        RememberedKeyProvider(tmp_path / "hot.json").save(cache)
    assert [path.name for path in tmp_path.iterdir()] == ["hot.json"]
    (tmp_path / "keys.json").write_text(json.dumps(["a"]), encoding="ascii")
    assert RememberedKeyProvider(tmp_path / "keys.json").get_keys() == ["a"]


@pytest.mark.parametrize("limit", [0, True, "1"])
def test_a_limit_is_a_number_of_keys(limit: Any, tmp_path: Path) -> None:
    with pytest.raises(CacheValueError, match="limit"):
        RememberedKeyProvider(tmp_path / "hot.json", limit)


# The configuration


def test_the_defaults() -> None:
    config = WarmingConfig()
    assert config.strategy is WarmingStrategy.LAZY
    assert (config.batch_size, config.max_workers, config.refresh_interval_s) == (100, 4, 300.0)
    assert (config.warmup_timeout_s, config.retry_on_failure, config.max_retries) == (60.0, True, 3)
    assert WarmingConfig("eager").strategy is WarmingStrategy.EAGER  # type: ignore[arg-type]
    assert [strategy.value for strategy in WarmingStrategy] == ["eager", "lazy", "scheduled", "adaptive"]


@pytest.mark.parametrize(
    "options",
    [
        {"strategy": "sometimes"},
        {"batch_size": 0},
        {"batch_size": 1.5},
        {"max_workers": 0},
        {"max_workers": True},
        {"max_retries": -1},
        {"refresh_interval_s": 0},
        {"refresh_interval_s": float("inf")},
        {"warmup_timeout_s": -1},
        {"warmup_timeout_s": "soon"},
        {"backoff_s": 0},
        {"backoff_max_s": 0},
        {"ttl": "soon"},
        {"jitter": 2},
        {"tags": "tag"},
    ],
)
def test_a_configuration_out_of_range_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(CacheValueError):
        WarmingConfig(**options)
