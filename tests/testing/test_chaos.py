"""A cache that fails, delays or hangs: what becomes of those who use it."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from cachery import (
    MISSING,
    CacheConnectionError,
    CacheTimeoutError,
    CacheValueError,
    InMemoryCache,
    NamespacedCache,
    aio,
)
from cachery.testing import ChaosCache, Delay, Fail, FakeClock, Hang, assert_cached, check_invariants

PATIENCE = 30.0
GONE = CacheConnectionError("gone")


def test_each_call_meets_what_is_planned_for_it_and_the_rest_pass() -> None:
    cache = ChaosCache(InMemoryCache(), get=[None, Fail(GONE), None], set=[Fail(GONE)])
    with pytest.raises(CacheConnectionError, match="gone"):
        cache.set("a", 1)
    assert not cache.cache.exists("a")
    assert cache.set("a", 1)
    assert cache.get("a") == 1
    with pytest.raises(CacheConnectionError):
        cache.get("a")
    assert [cache.get("a"), cache.get("a")] == [1, 1]
    check_invariants(cache)


@pytest.mark.parametrize(
    ("verb", "arguments"),
    [
        ("get", ("a",)),
        ("peek", ("a",)),
        ("set", ("a", 1)),
        ("add", ("a", 1)),
        ("delete", ("a",)),
        ("exists", ("a",)),
        ("clear", ()),
        ("get_many", (["a"],)),
        ("set_many", ({"a": 1},)),
        ("delete_many", (["a"],)),
        ("incr", ("n",)),
        ("decr", ("n",)),
        ("touch", ("a",)),
        ("ttl", ("a",)),
        ("keys", ()),
        ("delete_pattern", ("*",)),
        ("invalidate_tags", ("red",)),
        ("cleanup_expired", ()),
        ("close", ()),
    ],
)
def test_every_verb_can_be_disturbed(verb: str, arguments: tuple[Any, ...]) -> None:
    beneath, plain = InMemoryCache(), InMemoryCache()
    for cache in (beneath, plain):
        cache.set("a", 0, tags=["red"])
    plan: Any = {verb: [Fail(GONE)]}
    chaos = ChaosCache(beneath, **plan)
    with pytest.raises(CacheConnectionError, match="gone"):
        getattr(chaos, verb)(*arguments)
    assert beneath.get("a") == 0, "what failed did nothing"
    plain.get("a")
    found, expected = (getattr(cache, verb)(*arguments) for cache in (chaos, plain))
    assert (list(found) == list(expected)) if verb == "keys" else found == expected


def test_the_size_can_be_disturbed_too() -> None:
    cache = ChaosCache(InMemoryCache(), size=[Fail(GONE)])
    with pytest.raises(CacheConnectionError):
        len(cache)
    assert len(cache) == 0


def test_a_delay_lets_time_pass() -> None:
    clock = FakeClock()
    cache = ChaosCache(InMemoryCache(clock=clock), sleep=clock.advance, get=[Delay(5), Delay(5)])
    cache.set("a", 1, ttl=10)
    assert cache.get("a") == 1
    assert cache.ttl("a") == 5
    assert cache.get("a") is None


def test_a_slow_store_makes_a_load_slow_and_nothing_else() -> None:
    clock = FakeClock()
    cache = ChaosCache(InMemoryCache(clock=clock), sleep=clock.advance, write_entry=[Delay(5)])
    assert cache.get_or_set("a", lambda: 1, ttl=10) == 1
    assert clock() == 1005
    assert cache.ttl("a") == 5


def test_who_hangs_goes_on_when_released() -> None:
    hang = Hang()
    cache = ChaosCache(InMemoryCache(), get=[hang])
    cache.set("a", 1)
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(cache.get, "a")
        assert hang.wait_until_reached(PATIENCE)
        assert not asking.done()
        assert cache.get("a") == 1, "others are not held up"
        hang.release()
        assert asking.result(PATIENCE) == 1


def test_nobody_hangs_that_was_released_before() -> None:
    hang = Hang()
    assert not hang.wait_until_reached(0)
    hang.release()
    assert ChaosCache(InMemoryCache(), get=[hang]).get("a") is None
    assert hang.wait_until_reached(0)


def test_one_load_for_all_while_the_store_hangs() -> None:
    hang = Hang()
    cache = ChaosCache(InMemoryCache(), write_entry=[hang])
    loads: list[int] = []
    with ThreadPoolExecutor(4) as pool:
        asking = [pool.submit(cache.get_or_set, "a", lambda: loads.append(1) or "value") for _ in range(4)]
        assert hang.wait_until_reached(PATIENCE)
        while cache.stats.coalesced < 3:
            assert not any(future.done() for future in asking)
        hang.release()
        assert [future.result(PATIENCE) for future in asking] == ["value"] * 4
    assert loads == [1]
    check_invariants(cache)


@pytest.mark.parametrize("call", ["read_entry", "open_token"])
def test_a_store_that_cannot_be_asked_is_an_error_of_the_load(call: str) -> None:
    plan: Any = {call: [Fail(GONE), None, Fail(GONE)]}
    cache = ChaosCache(InMemoryCache(), **plan)
    with pytest.raises(CacheConnectionError, match="gone"):
        cache.get_or_set("a", lambda: 1)
    check_invariants(cache)
    assert cache.get_or_set("a", lambda: 1) == 1
    with pytest.raises(CacheConnectionError, match="gone"):
        cache.get_many_or_set(["b"], lambda keys: dict.fromkeys(keys, 2))
    assert cache.get_many_or_set(["b"], lambda keys: dict.fromkeys(keys, 2)) == {"b": 2}
    check_invariants(cache)


@pytest.mark.parametrize("call", ["read_entry", "open_token"])
def test_a_store_that_cannot_be_asked_is_an_error_of_the_load_under_asyncio(call: str) -> None:
    plan: Any = {call: [Fail(GONE), None, Fail(GONE)]}

    async def main() -> None:
        chaos = ChaosCache(InMemoryCache(), **plan)
        cache = aio.InMemoryCache.to(chaos)
        with pytest.raises(CacheConnectionError, match="gone"):
            await cache.get_or_set("a", lambda: 1)
        assert await cache.get_or_set("a", lambda: 1) == 1
        with pytest.raises(CacheConnectionError, match="gone"):
            await cache.get_many_or_set(["b"], lambda keys: dict.fromkeys(keys, 2))
        assert await cache.get_many_or_set(["b"], lambda keys: dict.fromkeys(keys, 2)) == {"b": 2}
        check_invariants(cache)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())


def test_who_waits_for_a_load_is_told_that_the_store_failed() -> None:
    hang = Hang()

    class HangAndFail:
        def befall(self, sleep: Any) -> None:
            hang.befall(sleep)
            raise GONE

    cache = ChaosCache(InMemoryCache(), open_token=[HangAndFail()])
    with ThreadPoolExecutor(2) as pool:
        asking = [pool.submit(cache.get_or_set, "a", lambda: 1) for _ in range(2)]
        assert hang.wait_until_reached(PATIENCE)
        while cache.stats.coalesced < 1:
            assert not any(future.done() for future in asking)
        hang.release()
        errors = [future.exception(PATIENCE) for future in asking]
    assert [type(error) for error in errors] == [CacheConnectionError] * 2
    assert errors[0] is not errors[1]
    check_invariants(cache)


def test_a_value_that_cannot_be_stored_is_returned_all_the_same(caplog: pytest.LogCaptureFixture) -> None:
    cache = ChaosCache(InMemoryCache(), write_entry=[Fail(GONE)] * 3)
    with caplog.at_level(logging.WARNING, logger="cachery"):
        assert cache.get_or_set("a", lambda: 1) == 1
        assert cache.get_many_or_set(["b", "c"], lambda keys: dict.fromkeys(keys, 2)) == {"b": 2, "c": 2}
    assert len(cache) == 0
    assert [record.levelname for record in caplog.records] == ["WARNING"] * 3
    assert "a loaded value could not be stored" in caplog.text
    assert "'a'" not in caplog.text
    assert "gone" in caplog.text
    assert cache.get_or_set("a", lambda: 3) == 3
    assert cache.get("a") == 3
    check_invariants(cache)


def test_a_stale_value_helps_out_and_is_left_alone_though_the_store_fails() -> None:
    clock = FakeClock()
    cache = ChaosCache(InMemoryCache(clock=clock), postpone_refresh=[Delay(1)], sleep=clock.advance)
    options: Any = {"ttl": 10, "stale_ttl": 100, "soft_timeout": 60}
    cache.get_or_set("a", lambda: "old", **options)
    clock.advance(10)

    def fail() -> None:
        raise OSError("down")

    assert cache.get_or_set("a", fail, **options) == "old"
    assert cache.drain(PATIENCE)
    assert clock() == 1011
    check_invariants(cache)


def test_a_hanging_store_is_a_timeout_where_one_is_asked_for() -> None:
    hang = Hang()
    cache = ChaosCache(InMemoryCache(), write_entry=[hang])
    with pytest.raises(CacheTimeoutError):
        cache.get_or_set("a", lambda: 1, hard_timeout=0.01)
    hang.release()
    assert cache.drain(PATIENCE)
    check_invariants(cache)


def test_decorated_functions_and_namespaces_are_disturbed_too() -> None:
    chaos = ChaosCache(InMemoryCache(), peek=[Fail(GONE)], write_entry=[None, Fail(GONE)])
    part = NamespacedCache(chaos, "part")
    for cache in (chaos, part):
        kept = cache.cached(key="number:{x}")(abs)
        if cache is chaos:
            with pytest.raises(CacheConnectionError):
                kept(-1)
        assert kept(-1) == 1
    assert_cached(chaos, "number:-1")
    assert list(part.keys()) == []


def test_it_is_a_cache_like_the_one_beneath() -> None:
    beneath = InMemoryCache()
    seen: list[object] = []
    with ChaosCache(beneath) as cache:
        cache.subscribe(seen.append)
        assert cache.set("a", 1, tags=["red"], cost=2.5)
        assert cache.stats is beneath.stats
        assert (cache.peek("a"), cache.peek("b")) == (1, MISSING)
        assert len(seen) == 2
    with pytest.raises(Exception, match="closed"):
        beneath.get("a")


@pytest.mark.parametrize("call", ["gets", "drain", "call", "stats", "__len__", "get_or_set"])
def test_a_call_there_is_not_is_refused(call: str) -> None:
    plan: Any = {call: [None]}
    with pytest.raises(
        CacheValueError, match=rf"\['{call}'\] are no calls to disturb; there are .*'get'.*'read_entry'"
    ):
        ChaosCache(InMemoryCache(), **plan)


def test_what_is_loaded_through_a_disturbed_namespace_stays_in_it() -> None:
    base = InMemoryCache()
    chaos = ChaosCache(NamespacedCache(base, "part"))
    assert chaos.get_or_set("a", lambda: 1) == 1
    assert list(base.keys()) == ["part:a"]
    assert chaos.get("a") == 1
