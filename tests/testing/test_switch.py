"""Caching switched off for a while."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

import cachery
from cachery import MISSING, Cache, CacheClosedError, CacheKeyError, InMemoryCache, NamespacedCache, NullCache, aio
from cachery.testing import ChaosCache, assert_cached, caching_off, check_invariants

MAKERS: list[Callable[[], Cache]] = [
    InMemoryCache,
    lambda: InMemoryCache(policy="lfu", copy="deep"),
    lambda: NamespacedCache(InMemoryCache(), "part"),
    lambda: ChaosCache(InMemoryCache()),
    NullCache,
]


def check_off(cache: Cache) -> None:
    """Raise ``AssertionError`` if ``cache`` keeps or finds anything."""
    assert (cache.set("a", 2), cache.add("b", 2), cache.set_many({"c": 2})) == (False, False, False)
    assert (cache.get("a"), cache.get("a", "none"), cache.get_many(["a", "b"])) == (None, "none", {})
    assert (cache.exists("a"), cache.has("a"), "a" in cache, cache.peek("a")) == (False, False, False, MISSING)
    assert (cache.delete("a"), cache.delete_many(["a"]), cache.delete_pattern("*")) == (False, 0, 0)
    assert (cache.incr("n", 5), cache.incr("n", 5), cache.decr("n")) == (5, 5, -1)
    assert (cache.ttl("a"), cache.touch("a", 5), list(cache.keys()), len(cache)) == (None, False, [], 0)
    assert (cache.cleanup_expired(), cache.clear()) == (0, True)
    cache.invalidate_tags("red")
    assert [cache.get_or_set("a", lambda number=number: number) for number in range(2)] == [0, 1]
    assert cache.get_many_or_set(["a"], lambda keys: dict.fromkeys(keys, 7)) == {"a": 7}


@pytest.mark.parametrize("make", MAKERS)
def test_caches_keep_and_find_nothing_and_have_all_again(make: Callable[[], Cache]) -> None:
    old = make()
    old.set("a", 1, tags=["red"])
    old.get_or_set("loaded", lambda: 1)
    before = sorted(old.keys())
    with caching_off():
        check_off(old)
        new = make()
        check_off(new)
    assert sorted(old.keys()) == before
    assert old.get("a") == (None if isinstance(old, NullCache) else 1)
    assert list(new.keys()) == []
    assert new.set("a", 1) is not isinstance(new, NullCache)
    check_invariants(old)
    check_invariants(new)


def test_every_patch_is_taken_back() -> None:
    names = [(kind, dict(vars(kind))) for kind in (Cache, InMemoryCache, NamespacedCache, NullCache, aio.Cache)]
    with caching_off(), caching_off():
        pass
    with pytest.raises(ZeroDivisionError), caching_off():
        _ = 1 / 0
    for kind, before in names:
        assert {name: value for name, value in vars(kind).items() if name != "_abc_impl"} == {
            name: value for name, value in before.items() if name != "_abc_impl"
        }


def test_an_exception_switches_caching_on_again() -> None:
    cache = InMemoryCache()

    def fail() -> None:
        with caching_off():
            cache.set("a", 1)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert cache.set("a", 1)
    assert cache.get("a") == 1


def test_it_may_be_nested() -> None:
    cache = InMemoryCache()
    cache.set("a", 1)
    with caching_off():
        with caching_off():
            assert cache.get("a") is None
        assert cache.get("a") is None
    assert cache.get("a") == 1


def test_named_caches_are_off_too() -> None:
    with caching_off():
        assert not cachery.get_cache("switch").set("a", 1)
        assert asyncio.run(cachery.aio.get_cache("switch").get("a")) is None
    assert cachery.get_cache("switch").set("a", 1)
    cachery.get_cache("switch").clear()


def test_decorated_functions_run_each_time() -> None:
    cache = InMemoryCache()
    calls: list[int] = []

    @cache.cached(key="number:{number}")
    def load(number: int) -> int:
        calls.append(number)
        return len(calls)

    assert [load(7), load(7)] == [1, 1]
    with caching_off():
        assert [load(7), load(7), load.refresh(7)] == [2, 3, 4]
        assert not load.invalidate(7)
        assert load.key(7) == "number:7"
    assert load(7) == 1


def test_functions_decorated_while_it_is_off_are_cached_afterwards() -> None:
    cache = InMemoryCache()

    def make(number: int) -> Callable[[], int]:
        @cache.cached
        def load() -> int:
            return number

        return load

    first = make(1)
    with caching_off():
        second = make(2)
        assert (first(), second()) == (1, 2)
    third = make(3)
    for _ in range(2):
        assert (first(), second(), third()) == (1, 2, 3), "three of one name never share"
    assert len(cache) == 3


def test_names_are_not_shared_in_namespaces_either() -> None:
    base = InMemoryCache()
    caches = [base, NamespacedCache(base, "a"), NamespacedCache(NamespacedCache(base, "a"), "b"), ChaosCache(base)]

    def decorate(numbers: range) -> list[Callable[[], int]]:
        return [keeping(cache, number) for number, cache in zip(numbers, caches, strict=True)]

    def keeping(cache: Cache, number: int) -> Callable[[], int]:
        @cache.cached
        def load() -> int:
            return number

        return load

    with caching_off():
        kept = decorate(range(4))
    kept += decorate(range(4, 8))
    assert [load() for load in kept] == list(range(8))
    assert [load() for load in kept] == list(range(8))
    assert len(base) == 8


def test_asynchronous_caches_are_off_too() -> None:
    async def load() -> int:
        await asyncio.sleep(0)
        calls.append(1)
        return len(calls)

    calls: list[int] = []

    async def main() -> None:
        base = aio.InMemoryCache()
        for cache in (base, aio.NamespacedCache(base, "part"), aio.NullCache()):
            calls.clear()
            kept = cache.cached(load)
            was_stored = await cache.set("a", 1)
            with caching_off():
                for each in (cache, aio.InMemoryCache()):
                    assert not await each.set("a", 2)
                    assert (await each.get("a"), await each.size(), await each.exists("a")) == (None, 0, False)
                    assert [key async for key in each.keys("*")] == []
                    calls.clear()
                    assert [await each.get_or_set("a", load) for _ in range(2)] == [1, 2]
                assert [await kept(), await kept()] == [3, 4]
                assert list(await asyncio.gather(kept(), kept())) == [5, 5]
            assert await cache.get("a") == (1 if was_stored else None)
            check_invariants(cache)

    asyncio.run(main())


def test_nothing_is_counted_meanwhile() -> None:
    cache = InMemoryCache()
    cache.set("a", 1)
    cache.get("a")
    before = cache.stats.text()
    counts = (cache.stats.hits, cache.stats.misses, cache.stats.writes, cache.stats.load_success)
    with caching_off():
        check_off(cache)
    assert cache.stats.text() == before
    assert (cache.stats.hits, cache.stats.misses, cache.stats.writes, cache.stats.load_success) == counts


def test_bad_arguments_and_closed_caches_are_refused_all_the_same() -> None:
    closed = InMemoryCache()
    closed.close()
    with caching_off():
        with pytest.raises(CacheKeyError):
            InMemoryCache().get(7)  # type: ignore[arg-type]
        with pytest.raises(CacheClosedError):
            closed.get("a")
        with pytest.raises(CacheClosedError):
            closed.get_or_set("a", lambda: 1)


def test_a_cache_of_ones_own_that_keeps_nothing_stays_as_it_is() -> None:
    class Mine(NullCache):
        pass

    with caching_off():
        check_off(Mine())


def test_what_is_loaded_before_is_kept_after() -> None:
    cache = InMemoryCache()
    assert cache.get_or_set("a", lambda: 1) == 1
    with caching_off():
        with pytest.raises(AssertionError, match="'a' not in"):
            assert_cached(cache, "a")
        assert cache.get_or_set("a", lambda: 2) == 2
    assert_cached(cache, "a")
    assert cache.get_or_set("a", lambda: 3) == 1
