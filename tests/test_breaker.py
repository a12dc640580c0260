"""A circuit breaker by itself, and in front of loaders."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from cachery import CacheCircuitOpenError, CacheValueError, CircuitBreaker, InMemoryCache, aio
from cachery.testing import FakeClock, check_invariants

PATIENCE = 30.0


class Source:
    """A source that is up or down."""

    def __init__(self) -> None:
        self.asked = 0
        self.is_up = False

    def ask(self) -> int:
        self.asked += 1
        if not self.is_up:
            raise OSError("down")
        return self.asked

    async def ask_in_loop(self) -> int:
        await asyncio.sleep(0)
        return self.ask()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def breaker(clock: FakeClock) -> CircuitBreaker:
    return CircuitBreaker(failure_threshold=3, recovery_time="10s", clock=clock)


def fail(breaker: CircuitBreaker, times: int = 3) -> None:
    for _ in range(times):
        assert breaker.allow() == 0.0
        breaker.record(is_success=False)


def test_closed_it_lets_every_call_through(breaker: CircuitBreaker) -> None:
    for _ in range(10):
        assert breaker.allow() == 0.0
    assert breaker.state == "closed"
    assert repr(breaker) == "<CircuitBreaker closed>"


def test_it_opens_after_failures_in_a_row(breaker: CircuitBreaker) -> None:
    states = []
    for _ in range(3):
        fail(breaker, 1)
        states.append(breaker.state)
    assert states == ["closed", "closed", "open"]
    assert breaker.allow() == 10.0
    assert repr(breaker) == "<CircuitBreaker open>"


def test_a_success_in_between_begins_the_count_anew(breaker: CircuitBreaker) -> None:
    for _ in range(5):
        fail(breaker, 2)
        breaker.record(is_success=True)
    assert breaker.state == "closed"


def test_open_it_tells_how_long_to_wait(breaker: CircuitBreaker, clock: FakeClock) -> None:
    fail(breaker)
    clock.advance(4)
    assert breaker.allow() == 6.0
    clock.advance(5.5)
    assert breaker.allow() == 0.5
    assert breaker.state == "open"


def test_half_open_it_lets_one_trial_through(breaker: CircuitBreaker, clock: FakeClock) -> None:
    fail(breaker)
    clock.advance(10)
    assert breaker.state == "half-open"
    assert breaker.allow() == 0.0
    assert breaker.allow() == 10.0
    clock.advance(3)
    assert breaker.allow() == 7.0
    assert breaker.state == "half-open"


def test_a_trial_that_succeeds_closes_it(breaker: CircuitBreaker, clock: FakeClock) -> None:
    fail(breaker)
    clock.advance(10)
    assert breaker.allow() == 0.0
    breaker.record(is_success=True)
    assert breaker.state == "closed"
    fail(breaker, 2)
    assert breaker.state == "closed", "the failures of before are forgotten"


def test_a_trial_that_fails_opens_it_again(breaker: CircuitBreaker, clock: FakeClock) -> None:
    fail(breaker)
    for _ in range(3):
        clock.advance(10)
        assert breaker.allow() == 0.0
        breaker.record(is_success=False)
        assert breaker.state == "open"
        assert breaker.allow() == 10.0


def test_a_trial_nobody_reports_on_is_given_up(breaker: CircuitBreaker, clock: FakeClock) -> None:
    fail(breaker)
    clock.advance(10)
    assert breaker.allow() == 0.0
    clock.advance(9)
    assert breaker.allow() == 1.0
    clock.advance(1)
    assert breaker.allow() == 0.0, "another may try"
    assert breaker.allow() == 10.0


def test_resetting_closes_it(breaker: CircuitBreaker) -> None:
    fail(breaker)
    breaker.reset()
    assert breaker.state == "closed"
    assert breaker.allow() == 0.0
    fail(breaker, 2)
    assert breaker.state == "closed"


def test_one_trial_for_many_threads(breaker: CircuitBreaker, clock: FakeClock) -> None:
    fail(breaker)
    clock.advance(10)
    with ThreadPoolExecutor(8) as pool:
        waits = list(pool.map(lambda _: breaker.allow(), range(200)))
    assert waits.count(0.0) == 1


def test_without_a_clock_it_goes_by_real_time() -> None:
    breaker = CircuitBreaker(1, "1h")
    breaker.record(is_success=False)
    assert 3500 < breaker.allow() <= 3600.01
    assert CircuitBreaker().recovery_time == 30.0
    assert CircuitBreaker().failure_threshold == 5


@pytest.mark.parametrize("threshold", [0, -1, 1.5, True, None, "3"])
def test_a_threshold_is_a_number_of_failures(threshold: Any) -> None:
    with pytest.raises(CacheValueError, match="failure_threshold"):
        CircuitBreaker(threshold)


@pytest.mark.parametrize("span", [0, -1, float("inf"), float("nan"), None, True, "soon", []])
def test_a_recovery_time_is_a_span_above_nothing(span: Any) -> None:
    with pytest.raises(CacheValueError, match="recovery_time"):
        CircuitBreaker(recovery_time=span)


@pytest.mark.parametrize(("span", "seconds"), [("2m", 120.0), (timedelta(minutes=1), 60.0), (0.5, 0.5)])
def test_a_recovery_time_may_be_written_in_any_way(span: Any, seconds: float) -> None:
    assert CircuitBreaker(recovery_time=span).recovery_time == seconds


def test_loaders_are_left_alone_while_it_is_open(breaker: CircuitBreaker, clock: FakeClock) -> None:
    cache, source = InMemoryCache(clock=clock), Source()
    for number in range(3):
        with pytest.raises(OSError, match="down"):
            cache.get_or_set(f"key {number}", source.ask, breaker=breaker)
    with pytest.raises(CacheCircuitOpenError, match=r"'other'.*tried again in 10 seconds") as caught:
        cache.get_or_set("other", source.ask, breaker=breaker)
    assert caught.value.context == {"key": "other", "retry_after": 10.0}
    assert source.asked == 3
    clock.advance(10)
    source.is_up = True
    assert cache.get_or_set("other", source.ask, breaker=breaker) == 4
    assert breaker.state == "closed"
    check_invariants(cache)


def test_what_is_cached_needs_no_breaker(breaker: CircuitBreaker) -> None:
    cache = InMemoryCache()
    cache.set("a", 1)
    fail(breaker)
    assert cache.get_or_set("a", Source().ask, breaker=breaker) == 1


def test_one_breaker_for_many_keys_and_caches(breaker: CircuitBreaker) -> None:
    caches, source = [InMemoryCache(), InMemoryCache()], Source()
    for number in range(3):
        with pytest.raises(OSError, match="down"):
            caches[number % 2].get_or_set(f"key {number}", source.ask, breaker=breaker)
    for cache in caches:
        with pytest.raises(CacheCircuitOpenError):
            cache.get_or_set("other", source.ask, breaker=breaker)
    source.is_up = True
    assert caches[0].get_or_set("other", source.ask) == 4, "without it, the loader is called"


def test_a_call_for_many_keys_counts_once(breaker: CircuitBreaker) -> None:
    cache, source = InMemoryCache(), Source()

    def many(keys: list[str]) -> dict[str, int]:
        return dict.fromkeys(keys, source.ask())

    for _ in range(3):
        assert breaker.state == "closed"
        with pytest.raises(OSError, match="down"):
            cache.get_many_or_set(["a", "b", "c", "d"], many, breaker=breaker)
    assert breaker.state == "open"
    with pytest.raises(CacheCircuitOpenError):
        cache.get_many_or_set(["a", "b"], many, breaker=breaker)
    assert source.asked == 3
    check_invariants(cache)


def test_a_stale_value_is_served_while_it_is_open(breaker: CircuitBreaker, clock: FakeClock) -> None:
    cache, source = InMemoryCache(clock=clock), Source()
    source.is_up = True
    options: Any = {"ttl": 1, "stale_ttl": 1000, "soft_timeout": 60, "breaker": breaker}
    assert cache.get_or_set("a", source.ask, **options) == 1
    source.is_up = False
    for _ in range(6):
        clock.advance(1)
        assert cache.get_or_set("a", source.ask, **options) == 1
    assert breaker.state == "open"
    assert source.asked == 4, "three failures, and then none"
    assert cache.stats.stale_hits == 6
    clock.advance(10)
    source.is_up = True
    assert cache.get_or_set("a", source.ask, **options) == 5
    check_invariants(cache)


def test_a_refresh_in_the_background_minds_it_too(breaker: CircuitBreaker, clock: FakeClock) -> None:
    cache, source = InMemoryCache(clock=clock), Source()
    source.is_up = True
    options: Any = {"ttl": 10, "stale_ttl": 1000, "breaker": breaker}
    assert cache.get_or_set("a", source.ask, **options) == 1
    fail(breaker)
    clock.advance(9.99)
    clock.advance(0.005)
    assert cache.get_or_set("a", source.ask, **options) == 1
    assert cache.drain(PATIENCE)
    assert source.asked == 1
    check_invariants(cache)


def test_a_kept_exception_is_not_a_failure_of_now(breaker: CircuitBreaker, clock: FakeClock) -> None:
    cache, source = InMemoryCache(clock=clock), Source()
    for _ in range(5):
        with pytest.raises(OSError, match="down"):
            cache.get_or_set("a", source.ask, ttl=60, cache_exceptions=OSError, breaker=breaker)  # type: ignore[arg-type]
    assert (source.asked, breaker.state) == (1, "closed")


def test_an_open_circuit_is_not_kept_as_an_exception(breaker: CircuitBreaker, clock: FakeClock) -> None:
    cache, source = InMemoryCache(clock=clock), Source()
    options: Any = {"ttl": 60, "cache_exceptions": OSError, "breaker": breaker}
    fail(breaker)
    with pytest.raises(CacheCircuitOpenError):
        cache.get_or_set("a", source.ask, **options)
    clock.advance(10)
    source.is_up = True
    assert cache.get_or_set("a", source.ask, **options) == 1


def test_it_guards_loaders_of_event_loops_too(breaker: CircuitBreaker, clock: FakeClock) -> None:
    async def main() -> None:
        cache, source = aio.InMemoryCache(), Source()
        for _ in range(3):
            with pytest.raises(OSError, match="down"):
                await cache.get_or_set("a", source.ask_in_loop, breaker=breaker)
        with pytest.raises(CacheCircuitOpenError):
            await cache.get_or_set("a", source.ask_in_loop, breaker=breaker)
        assert source.asked == 3
        clock.advance(10)
        trial = asyncio.create_task(cache.get_or_set("a", asyncio.Event().wait, breaker=breaker))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        with pytest.raises(CacheCircuitOpenError):
            await cache.get_or_set("b", source.ask_in_loop, breaker=breaker)
        trial.cancel()
        await asyncio.gather(trial, return_exceptions=True)
        clock.advance(10)
        source.is_up = True
        assert await cache.get_or_set("b", source.ask_in_loop, breaker=breaker) == 4
        assert breaker.state == "closed"
        check_invariants(cache)

    asyncio.run(main())
