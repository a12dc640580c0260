"""The suite for caches finds what is broken, and nothing where nothing is."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from cachery import Cache, InMemoryCache, aio
from cachery.testing import AsyncCacheConformance, CacheConformance, FakeClock, LoopThread


class LoadsTwice(InMemoryCache):
    def get_or_set(self, key: str, loader: Callable[[], Any], ttl: Any = None, **options: Any) -> Any:
        loader()
        return super().get_or_set(key, loader, ttl, **options)


class Unfenced(InMemoryCache):
    def get_or_set(self, key: str, loader: Callable[[], Any], ttl: Any = None, **options: Any) -> Any:
        if not self.exists(key):
            self.set(key, loader(), ttl, tags=options.get("tags", ()))
        return self.get(key)


class ForgetsToTouch(InMemoryCache):
    def touch(self, key: str, ttl: Any = None) -> bool:
        del ttl
        return self.exists(key)


class KeepsWhatIsTagged(InMemoryCache):
    def invalidate_tags(self, *tags: str) -> None:
        """Do nothing."""


class TakesNoneForNothing(InMemoryCache):
    def get(self, key: str, default: Any = None) -> Any:
        found = super().get(key, default)
        return default if found is None else found


class CountsQuestions(InMemoryCache):
    def exists(self, key: str) -> bool:
        return self.get(key) is not None


class StaysOpen(InMemoryCache):
    def close(self) -> None:
        """Do nothing."""


class Silent(InMemoryCache):
    def subscribe(self, listener: Any) -> Callable[[], None]:
        return super().subscribe(lambda _: None)


class AsyncLoadsTwice(aio.InMemoryCache):
    async def get_or_set(self, key: str, loader: Callable[[], Any], ttl: Any = None, **options: Any) -> Any:
        await loader()
        return await super().get_or_set(key, loader, ttl, **options)


class AsyncKeepsWhatIsTagged(aio.InMemoryCache):
    async def invalidate_tags(self, *tags: str) -> None:
        """Do nothing."""


class AsyncMiscounts(aio.InMemoryCache):
    async def size(self) -> int:
        return await super().size() + 1


def suite_of(kind: type[InMemoryCache]) -> CacheConformance:
    class Suite(CacheConformance):
        def make_cache(self, **options: Any) -> Cache:
            return kind(clock=self.clock, **options)

        def advance(self, seconds: float) -> None:
            self.clock.advance(seconds)

    return Suite()


def async_suite_of(kind: type[aio.InMemoryCache], loop: LoopThread) -> CacheConformance:
    class Suite(AsyncCacheConformance):
        def make_async_cache(self, **options: Any) -> aio.Cache:
            return kind(clock=self.clock, **options)

        def advance(self, seconds: float) -> None:
            self.clock.advance(seconds)

    suite = Suite()
    suite.loop = loop
    return suite


def failures(suite: CacheConformance) -> set[str]:
    """Return the names of the tests that ``suite`` fails, of those that need a cache at most."""
    failed = set()
    for name, test in inspect.getmembers(suite, inspect.ismethod):
        if not name.startswith("test_") or getattr(test, "pytestmark", []):
            continue
        needed = list(inspect.signature(test).parameters)
        if needed not in ([], ["cache"]):
            continue
        suite.clock = FakeClock()
        try:
            test(*[suite.make_cache() for _ in needed])
        except (Exception, pytest.fail.Exception):  # noqa: BLE001 - whatever it is, the test fails
            failed.add(name)
    return failed


def test_a_good_cache_passes() -> None:
    assert failures(suite_of(InMemoryCache)) == set()


def test_a_good_asynchronous_cache_passes() -> None:
    with LoopThread() as loop:
        assert failures(async_suite_of(aio.InMemoryCache, loop)) == set()


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (LoadsTwice, "test_loads_what_is_absent_and_keeps_it"),
        (Unfenced, "test_asking_for_ones_own_key_is_refused"),
        (ForgetsToTouch, "test_touch_moves_the_end"),
        (KeepsWhatIsTagged, "test_a_tag_reaches_every_entry_that_carries_it"),
        (CountsQuestions, "test_asking_without_reading_counts_nothing"),
        (StaysOpen, "test_with_closes"),
        (Silent, "test_loads_are_reported"),
    ],
)
def test_a_broken_cache_fails(kind: type[InMemoryCache], expected: str) -> None:
    assert expected in failures(suite_of(kind))


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (AsyncLoadsTwice, "test_loads_what_is_absent_and_keeps_it"),
        (AsyncKeepsWhatIsTagged, "test_a_tag_reaches_every_entry_that_carries_it"),
        (AsyncMiscounts, "test_plain_verbs_see_nothing_stale"),
    ],
)
def test_a_broken_asynchronous_cache_fails(kind: type[aio.InMemoryCache], expected: str) -> None:
    with LoopThread() as loop:
        assert expected in failures(async_suite_of(kind, loop))


def test_a_cache_that_takes_none_for_nothing_fails() -> None:
    for kind, is_good in ((InMemoryCache, True), (TakesNoneForNothing, False)):
        suite = suite_of(kind)
        suite.clock = FakeClock()
        test: Any = suite.test_every_value_is_kept_none_too
        if is_good:
            test(suite.make_cache(), None)
        else:
            with pytest.raises(AssertionError):
                test(suite.make_cache(), None)
