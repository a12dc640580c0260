"""Warming on threads: what is loaded, stored, counted, tried again and given up."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest

from cachery import CacheClosedError, CacheError, CacheKeyError, CacheValueError, InMemoryCache, NamespacedCache, aio
from cachery.exceptions import CacheRecursionError
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
    WarmingStats,
)

WAIT = 10.0
KEYS = [f"key:{number}" for number in range(250)]


def once(**options: Any) -> WarmingConfig:
    return WarmingConfig(**{"retry_on_failure": False, **options})


def warmer_of(cache: Any, load: Callable[[Any], Any], keys: list[Any] = KEYS, **options: Any) -> CacheWarmer:
    named = {name: options.pop(name) for name in ("progress", "sleep", "clock", "random") if name in options}
    return CacheWarmer(cache, StaticKeyProvider(keys), CallableValueLoader(load), once(**options), **named)


@pytest.fixture(params=["dict", "memory"])
def cache(request: pytest.FixtureRequest) -> Any:
    return {} if request.param == "dict" else InMemoryCache()


class Unnamed:
    def get_keys(self) -> Any:
        raise RuntimeError("not today")

    def load(self, key: Any) -> Any:
        raise RuntimeError(key)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: StaticKeyProvider(None), "keys is a list of keys, not NoneType"),  # type: ignore[arg-type]
        (lambda: RememberedKeyProvider(None), "path is that of a file, not None"),  # type: ignore[arg-type]
        (lambda: RememberedKeyProvider(""), "path is that of a file, not ''"),
        (lambda: RememberedKeyProvider("x").save(None), "hot keys of a cache of cachery, not of NoneType"),
        (lambda: AdaptiveKeyProvider(None), "tracker is an AccessTracker"),  # type: ignore[arg-type]
        (lambda: WarmingConfig(retry_on_failure="no"), "retry_on_failure is True or False"),  # type: ignore[arg-type]
        (lambda: WarmingConfig(batch_size=0), "batch_size is 1 or more, not 0"),
        (lambda: WarmingConfig(max_workers=-2), "max_workers is 1 or more, not -2"),
        (lambda: WarmingConfig(max_retries=-1), "max_retries is 0 or more, not -1"),
        (lambda: warmer_of({}, str.upper, progress=3), "progress is called with two numbers; int"),
        (
            lambda: warmer_of(aio.InMemoryCache(), str.upper),
            r"cachery\.InMemoryCache\(\).*not cachery\.aio\.in_memory\.",
        ),
        (lambda: CacheWarmer({}, 5, Unnamed()), "has get_keys"),  # type: ignore[arg-type]
        (lambda: CacheWarmer({}, Unnamed(), object()), "has load.*not object"),  # type: ignore[arg-type]
    ],
)
def test_what_cannot_be_is_refused(make: Callable[[], Any], said: str) -> None:
    with pytest.raises(CacheError, match=said) as raised:
        make()
    assert " at 0x" not in str(raised.value)


@pytest.mark.parametrize("key", [None, [], {}])
def test_what_can_be_no_key_is_not_counted(key: Any) -> None:
    with pytest.raises(CacheKeyError, match=f"{type(key).__name__} can be no key"):
        AccessTracker().record_access(key)


def test_parts_show_what_they_are() -> None:
    tracker = AccessTracker()
    tracker.record_access("a")
    config = once(strategy="eager")
    warmer = CacheWarmer({}, StaticKeyProvider(["a"]), BatchValueLoader(dict.fromkeys), config)
    shown = "<CacheWarmer of a dict, eager: <StaticKeyProvider of 1 keys>, BatchValueLoader(dict.fromkeys)>"
    assert repr(warmer) == shown
    assert repr(CallableValueLoader(str.upper)) == "CallableValueLoader(str.upper)"
    assert repr(AdaptiveKeyProvider(tracker, 2)) == (
        "AdaptiveKeyProvider(<AccessTracker of 1 keys>, threshold=2, limit=1000)"
    )
    with pytest.raises(CacheError, match="the key provider Unnamed failed, so nothing was warmed: RuntimeError: not"):
        CacheWarmer({}, Unnamed(), Unnamed(), once()).warm()  # type: ignore[arg-type]


def test_every_key_is_warmed(cache: Any) -> None:
    warmer = warmer_of(cache, str.upper, clock=lambda: 86400.0)
    stats = warmer.warm()
    assert all(cache.get(key) == key.upper() for key in KEYS)
    assert (stats.keys_warmed, stats.keys_failed, stats.success_rate, stats.is_complete) == (250, 0, 1.0, True)
    assert stats.last_warming == datetime(1970, 1, 2, tzinfo=UTC)
    assert stats.total_time_ms > 0
    assert stats.errors == []
    assert warmer.stats is stats
    assert not warmer.is_warming


def test_nothing_to_warm_is_success(cache: Any) -> None:
    stats = warmer_of(cache, str.upper, keys=[]).warm()
    assert (stats.keys_warmed, stats.success_rate, stats.is_complete, stats.timed_out) == (0, 1.0, True, False)


def test_a_second_run_loads_anew(cache: Any) -> None:
    numbers = count()
    warmer = warmer_of(cache, lambda _: next(numbers), keys=["a"])
    warmer.warm()
    warmer.warm()
    assert cache.get("a") == 1


def test_none_and_other_empty_values_are_values(cache: Any) -> None:
    values = {"a": None, "b": 0, "c": ""}
    assert warmer_of(cache, values.__getitem__, keys=list(values)).warm().keys_warmed == 3
    assert {key: cache.get(key, "absent") for key in values} == values


def test_given_keys_in_place_of_the_providers(cache: Any) -> None:
    assert warmer_of(cache, str.upper).warm(["x", "y", "x"]).keys_warmed == 2
    assert cache.get("x") == "X"
    assert "key:0" not in cache


def test_an_empty_message_is_a_failure_too(cache: Any) -> None:
    def load(key: str) -> str:
        if key.endswith("7"):
            raise ValueError
        return key

    stats = warmer_of(cache, load).warm()
    bad = {key for key in KEYS if key.endswith("7")}
    assert (stats.keys_failed, stats.keys_warmed) == (25, 225)
    assert set(stats.failed) == bad
    assert set(stats.failed.values()) == {"ValueError: "}
    assert "'key:7': ValueError: " in stats.errors
    assert stats.success_rate == 0.9
    assert not any(key in cache for key in bad)


def test_what_is_warmed_has_the_ttl_and_the_tags_asked_for() -> None:
    cache = InMemoryCache(clock=FakeClock(), default_ttl=100)
    warmer_of(cache, str.upper, keys=["a"]).warm()
    assert cache.ttl("a") == 100
    warmer_of(cache, str.upper, keys=["a"], ttl="5m", tags=["letters"]).warm()
    assert cache.ttl("a") == 300
    cache.invalidate_tags("letters")
    assert cache.get("a") is None


def test_a_ttl_and_tags_by_key_and_value() -> None:
    cache = InMemoryCache(clock=FakeClock(), default_ttl=100)
    spans = {"a": 10, "b": None, "c": 0}
    warmer = warmer_of(
        cache, str.upper, keys=list("abc"), ttl=lambda key, _: spans[key], tags=lambda key, value: [key + value]
    )
    stats = warmer.warm()
    assert [cache.ttl(key) for key in "abc"] == [10, 100, None]
    assert "its TTL is over" in stats.failed["c"]
    cache.invalidate_tags("aA")
    assert list(cache.keys()) == ["b"]


def test_jitter_only_shortens() -> None:
    cache = InMemoryCache(clock=FakeClock())
    warmer_of(cache, str.upper, keys=["a"], ttl=100, jitter=0.1, random=lambda: 0.5).warm()
    assert cache.ttl("a") == 95


def test_a_ttl_that_is_none_fails_its_key_alone() -> None:
    cache = InMemoryCache()
    warmer = warmer_of(cache, str.upper, keys=["a", "b"], ttl=lambda key, _: "soon" if key == "a" else 1)
    assert list(warmer.warm().failed) == ["a"]
    assert "b" in cache


def test_a_part_of_a_cache_is_warmed_as_a_part() -> None:
    base = InMemoryCache()
    part = NamespacedCache(base, "part")
    warmer_of(part, str.upper, keys=["a"], tags=["tag"]).warm()
    assert list(base.keys()) == ["part:a"]
    assert part.stats.writes == 1
    base.invalidate_tags("tag")
    assert part.get("a") == "A"
    part.invalidate_tags("tag")
    assert part.get("a") is None


@pytest.mark.parametrize(
    "overtake",
    [
        lambda cache: cache.delete("key"),
        lambda cache: cache.set("key", "newer"),
        lambda cache: cache.clear(),
        lambda cache: cache.invalidate_tags("tag"),
        lambda cache: cache.delete_pattern("k*"),
    ],
)
def test_what_somebody_invalidates_meanwhile_stays_invalidated(overtake: Callable[[InMemoryCache], object]) -> None:
    cache = InMemoryCache()
    cache.set("key", "old", tags=["tag"])

    def load(_: str) -> str:
        overtake(cache)
        return "outdated"

    stats = warmer_of(cache, load, keys=["key"], tags=["tag"]).warm()
    assert cache.get("key") in (None, "newer")
    assert (stats.keys_warmed, stats.keys_failed, stats.keys_superseded) == (0, 0, 1)
    assert stats.is_complete


def test_a_value_that_only_one_could_use_is_a_failure(cache: Any) -> None:
    stats = warmer_of(cache, lambda _: (number for number in range(3)), keys=["a"]).warm()
    assert "generator" in stats.failed["a"]


def test_an_asynchronous_loader_belongs_to_the_other_warmer(cache: Any) -> None:
    async def load(key: str) -> str:
        return key

    assert "AsyncCacheWarmer" in warmer_of(cache, load, keys=["a"]).warm().failed["a"]


def test_what_a_cache_has_no_room_for_is_a_failure() -> None:
    class Full(dict[Any, Any]):
        def update(self, *args: Any, **kwargs: Any) -> None:
            raise MemoryError

    stats = warmer_of(Full(), str.upper, keys=["a", "b"]).warm()
    assert stats.failed == {"a": "MemoryError: ", "b": "MemoryError: "}


# Batches and workers


def test_workers_take_batches(cache: Any) -> None:
    sizes: list[int] = []
    loader = BatchValueLoader(lambda keys: sizes.append(len(keys)) or {key: key.upper() for key in keys})
    stats = CacheWarmer(cache, StaticKeyProvider(KEYS), loader, once(batch_size=100)).warm()
    assert sorted(sizes) == [50, 100, 100]
    assert stats.keys_warmed == 250


def test_batches_are_loaded_at_the_same_time(cache: Any) -> None:
    together = threading.Barrier(3)
    warmer = warmer_of(cache, lambda key: (together.wait(WAIT), key)[1], keys=list("abc"), batch_size=1, max_workers=3)
    assert warmer.warm().is_complete


def test_no_more_workers_than_allowed(cache: Any) -> None:
    inside, most, lock = 0, 0, threading.Lock()

    def load(key: str) -> str:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        with lock:
            inside -= 1
        return key

    warmer_of(cache, load, batch_size=1, max_workers=2).warm()
    assert most <= 2


def test_a_batch_that_fails_is_split(cache: Any) -> None:
    def load(keys: list[str]) -> dict[str, str]:
        if "key:3" in keys:
            raise LookupError("no 3")
        return {key: key.upper() for key in keys}

    stats = CacheWarmer(cache, StaticKeyProvider(KEYS), BatchValueLoader(load), once()).warm()
    assert stats.failed == {"key:3": "LookupError: no 3"}
    assert stats.keys_warmed == 249
    assert cache.get("key:4") == "KEY:4"


def test_a_key_that_a_batch_leaves_out_failed(cache: Any) -> None:
    loader = BatchValueLoader(lambda keys: {key: 1 for key in keys if key != "b"})
    stats = CacheWarmer(cache, StaticKeyProvider(["a", "b"]), loader, once()).warm()
    assert stats.failed == {"b": "the loader returned nothing for it"}
    assert stats.keys_warmed == 1


def test_a_batch_that_is_no_mapping_fails_its_keys(cache: Any) -> None:
    stats = CacheWarmer(cache, StaticKeyProvider(["a", "b"]), BatchValueLoader(list), once()).warm()
    assert stats.keys_failed == 2
    assert "mapping" in stats.failed["a"]


def test_nothing_of_a_batch_is_kept_by_its_loader() -> None:
    numbers = count()
    loader = BatchValueLoader(lambda keys: dict.fromkeys(keys, next(numbers)))
    assert [loader.load("a"), loader.load("a")] == [0, 1]
    with pytest.raises(CacheKeyError, match="nothing"):
        BatchValueLoader(lambda _: {}).load("a")


# Trying again


class Flaky(ValueLoader):
    """Fails the first so many times for each key."""

    def __init__(self, failures: int) -> None:
        self.left: dict[str, int] = {}
        self.failures = failures

    def load(self, key: str) -> str:
        left = self.left[key] = self.left.get(key, self.failures + 1) - 1
        if left:
            raise ConnectionError("not yet")
        return key.upper()


def test_what_failed_is_tried_again_after_longer_and_longer_pauses(cache: Any) -> None:
    pytest.importorskip("tenacity")
    pauses: list[float] = []
    config = WarmingConfig(max_retries=3, backoff_s=1, backoff_max_s=3, max_workers=1)
    keys = StaticKeyProvider(["a", "b"])
    stats = CacheWarmer(cache, keys, Flaky(3), config, sleep=pauses.append, random=lambda: 0.0).warm()
    assert stats.keys_warmed == 2
    assert pauses == [1, 2, 3]
    again = CacheWarmer(cache, keys, Flaky(4), config, sleep=pauses.append, random=lambda: 1.0).warm()
    assert again.failed == dict.fromkeys("ab", "ConnectionError: not yet")
    assert pauses[3:] == [0.5, 1, 1.5]


def test_only_what_failed_is_loaded_again(cache: Any) -> None:
    pytest.importorskip("tenacity")
    calls: list[list[str]] = []

    def load(keys: list[str]) -> dict[str, str]:
        calls.append(keys)
        if "b" in keys and len(calls) < 5:
            raise ConnectionError
        return {key: key for key in keys if key != "c"}

    stats = CacheWarmer(cache, StaticKeyProvider(["a", "b", "c"]), BatchValueLoader(load), sleep=id).warm()
    assert calls == [["a", "b", "c"], ["a"], ["b"], ["c"], ["b"]]
    assert (stats.keys_warmed, list(stats.failed)) == (2, ["c"])


def test_without_retries_the_extra_is_not_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tenacity", None)
    assert warmer_of({}, str.upper).warm().is_complete
    with pytest.raises(ImportError, match=r'pip install "cachery\[warm\]"'):
        CacheWarmer({}, StaticKeyProvider([]), CallableValueLoader(str.upper))
    CacheWarmer({}, StaticKeyProvider([]), CallableValueLoader(str.upper), WarmingConfig(max_retries=0))


# Time


@pytest.fixture
def hanging() -> Iterator[threading.Event]:
    released = threading.Event()
    yield released
    released.set()


def test_a_run_does_not_wait_for_what_hangs(cache: Any, hanging: threading.Event) -> None:
    returned = threading.Semaphore(0)

    def load(key: str) -> str:
        if key == "stuck":
            hanging.wait(WAIT)
            returned.release()
        return key

    warmer = warmer_of(cache, load, keys=["a", "stuck", "b"], batch_size=1, warmup_timeout_s="50ms")
    stats = warmer.warm()
    assert (stats.keys_warmed, stats.keys_pending, stats.timed_out, stats.is_complete) == (2, 1, True, False)
    assert stats.success_rate == 1.0
    hanging.set()
    assert returned.acquire(timeout=WAIT)
    for thread in threading.enumerate():
        if thread.name == "cachery-warm":
            thread.join(WAIT)
    assert "stuck" not in cache
    assert warmer.stats is stats


def test_a_pause_between_retries_ends_with_the_run(cache: Any) -> None:
    pytest.importorskip("tenacity")
    config = WarmingConfig(backoff_s=3600, backoff_max_s=3600, warmup_timeout_s="50ms")
    stats = CacheWarmer(cache, StaticKeyProvider(["a"]), Flaky(9), config).warm()
    assert stats.timed_out
    for thread in threading.enumerate():
        if thread.name == "cachery-warm":
            thread.join(WAIT)
            assert not thread.is_alive()


def test_a_run_may_take_as_long_as_it_takes(cache: Any) -> None:
    assert warmer_of(cache, str.upper, warmup_timeout_s=float("inf")).warm().is_complete


# Progress


def test_progress_rises_to_the_whole(cache: Any) -> None:
    seen: list[tuple[int, int]] = []
    warmer_of(cache, str.upper, batch_size=10, progress=lambda *numbers: seen.append(numbers)).warm()
    assert seen[-1] == (250, 250)
    assert seen == sorted(seen)


def test_progress_that_fails_ends_the_run(cache: Any) -> None:
    def progress(*_: int) -> None:
        raise KeyboardInterrupt

    warmer = warmer_of(cache, str.upper, progress=progress)
    with pytest.raises(KeyboardInterrupt):
        warmer.warm()
    assert not warmer.is_warming


def test_what_ends_a_worker_ends_the_run(cache: Any) -> None:
    def load(_: str) -> str:
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        warmer_of(cache, load).warm()


# Providers


def test_a_provider_that_fails_is_named(cache: Any) -> None:
    def find_keys() -> list[str]:
        raise OSError("disk on fire")

    warmer = CacheWarmer(cache, CallableKeyProvider(find_keys), CallableValueLoader(str.upper), once())
    with pytest.raises(CacheError, match=r"find_keys.*disk on fire") as caught:
        warmer.warm()
    assert isinstance(caught.value.__cause__, OSError)
    assert warmer.stats == WarmingStats()
    assert not warmer.is_warming


@pytest.mark.parametrize("keys", ["abc", None, 7])
def test_what_is_no_list_of_keys_is_refused(keys: Any) -> None:
    with pytest.raises(CacheError, match="list of keys"):
        CacheWarmer({}, CallableKeyProvider(lambda: keys), CallableValueLoader(str), once()).warm()


def test_an_asynchronous_provider_belongs_to_the_other_warmer() -> None:
    async def keys() -> list[str]:
        return ["a"]

    with pytest.raises(CacheError, match="list of keys, not coroutine"):
        CacheWarmer({}, CallableKeyProvider(keys), CallableValueLoader(str), once()).warm()


def test_a_key_that_is_none_leaves_all_as_it_was() -> None:
    cache = InMemoryCache()
    with pytest.raises(CacheKeyError):
        warmer_of(cache, str, keys=["a", 7]).warm()
    assert len(cache) == 0


def test_a_dictionary_takes_any_key() -> None:
    squares: dict[int, int] = {}
    assert warmer_of(squares, lambda number: number**2, keys=[2, 3]).warm().keys_warmed == 2
    assert squares == {2: 4, 3: 9}


# Two at once


def test_a_second_call_joins_the_run_under_way(cache: Any, hanging: threading.Event) -> None:
    began, calls = threading.Event(), count()

    def load(_: str) -> int:
        began.set()
        hanging.wait(WAIT)
        return next(calls)

    warmer = warmer_of(cache, load, keys=["a"])
    first, _ = warmer.warm_async(), began.wait(WAIT)
    assert warmer.is_warming
    second = warmer.warm_async()
    hanging.set()
    assert first.result(WAIT) is second.result(WAIT)
    assert next(calls) == 1


def test_a_call_with_keys_of_its_own_waits_for_its_turn(cache: Any, hanging: threading.Event) -> None:
    began = threading.Event()
    warmer = warmer_of(cache, lambda key: (began.set(), hanging.wait(WAIT), key)[2], keys=["a"])
    first, _ = warmer.warm_async(), began.wait(WAIT)
    second = warmer.warm_async(["b", "c"])
    assert "b" not in cache
    hanging.set()
    assert (first.result(WAIT).keys_warmed, second.result(WAIT).keys_warmed) == (1, 2)


def test_those_who_wait_get_the_error_as_their_own(hanging: threading.Event) -> None:
    began = threading.Event()

    def keys() -> list[str]:
        began.set()
        hanging.wait(WAIT)
        raise OSError("gone")

    warmer = CacheWarmer({}, CallableKeyProvider(keys), CallableValueLoader(str), once())
    first, _ = warmer.warm_async(), began.wait(WAIT)
    second = warmer.warm_async()
    hanging.set()
    errors = [future.exception(WAIT) for future in (first, second)]
    assert all(isinstance(error, CacheError) for error in errors)
    assert errors[0] is not errors[1]


def test_a_loader_cannot_warm_what_it_loads_for(cache: Any) -> None:
    warmer = warmer_of(cache, lambda _: warmer.warm(), keys=["a"])
    assert CacheRecursionError.__name__ in warmer.warm().failed["a"]


def test_nor_can_progress_or_the_provider(cache: Any) -> None:
    warmers: list[CacheWarmer] = []

    def warm(*_: int) -> Any:
        return warmers[-1].warm()

    warmers.append(warmer_of(cache, str, progress=warm))
    with pytest.raises(CacheRecursionError):
        warm()
    warmers.append(CacheWarmer(cache, CallableKeyProvider(warm), CallableValueLoader(str), once()))
    with pytest.raises(CacheError, match="CacheRecursionError"):
        warm()
    with pytest.raises(CacheValueError, match="list of keys"):
        warmers[0].warm("abc")


def test_statistics_are_exact_under_threads() -> None:
    cache = InMemoryCache(max_size=None)
    keys = [f"{number}" for number in range(5000)]

    def load(key: str) -> str:
        if key.endswith("0"):
            raise ValueError(key)
        return key

    stats = warmer_of(cache, load, keys=keys, batch_size=7, max_workers=16).warm()
    assert (stats.keys_warmed, stats.keys_failed, len(cache), cache.stats.writes) == (4500, 500, 4500, 4500)


# One key


def test_a_key_alone(cache: Any) -> None:
    warmer = warmer_of(cache, lambda key: {"a": 1}[key])
    assert warmer.warm_key("a")
    assert not warmer.warm_key("b")
    assert cache.get("a") == 1
    assert (warmer.stats.keys_warmed, warmer.stats.keys_failed, list(warmer.stats.failed)) == (1, 1, ["b"])


def test_a_key_alone_is_tried_again(cache: Any) -> None:
    pytest.importorskip("tenacity")
    pauses: list[float] = []
    warmer = CacheWarmer(cache, StaticKeyProvider([]), Flaky(2), sleep=pauses.append)
    assert warmer.warm_key("a")
    assert len(pauses) == 2


def test_reasons_of_single_keys_are_bounded() -> None:
    warmer = warmer_of({}, lambda key: {}[key])
    for number in range(1005):
        with pytest.raises(KeyError):
            warmer.get(number)
    assert warmer.stats.keys_failed == 1005
    assert len(warmer.stats.failed) == len(warmer.stats.errors) == 1000


# Refusals


def test_a_closed_cache_is_refused() -> None:
    cache = InMemoryCache()
    warmer = warmer_of(cache, str.upper)
    cache.close()
    with pytest.raises(CacheClosedError):
        warmer.warm()
    with pytest.raises(CacheClosedError):
        warmer_of(cache, str.upper)


@pytest.mark.parametrize("target", [None, [], "cache", object()])
def test_what_cannot_be_filled_is_refused(target: Any) -> None:
    with pytest.raises(CacheValueError, match="dictionary or a cache"):
        warmer_of(target, str.upper)


@pytest.mark.parametrize("options", [{"ttl": 5}, {"tags": ["a"]}, {"ttl": 5, "jitter": 0.1}])
def test_a_dictionary_has_no_ttl(options: dict[str, Any]) -> None:
    with pytest.raises(CacheValueError, match="dictionary has no ttl"):
        warmer_of({}, str.upper, **options)


def test_parts_that_do_not_fit_are_refused() -> None:
    keys, loader = StaticKeyProvider([]), CallableValueLoader(str)
    with pytest.raises(CacheValueError, match="StaticKeyProvider"):
        CacheWarmer({}, ["a"], loader)  # type: ignore[arg-type]
    with pytest.raises(CacheValueError, match="CallableValueLoader"):
        CacheWarmer({}, keys, str)  # type: ignore[arg-type]
    with pytest.raises(CacheValueError, match="WarmingConfig"):
        CacheWarmer({}, keys, loader, "eager")  # type: ignore[arg-type]
    for make in (CallableKeyProvider, CallableValueLoader, BatchValueLoader):
        with pytest.raises(CacheValueError, match="cannot be called"):
            make(7)  # type: ignore[arg-type]
    with pytest.raises(CacheValueError, match=r"write \['abc'\]"):
        StaticKeyProvider("abc")
