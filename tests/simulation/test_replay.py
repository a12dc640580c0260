"""A replay counts what a cache of that policy and size would have hit, and the time it took."""

from __future__ import annotations

from itertools import count

import pytest

from cachery import CacheValueError
from cachery.policies import POLICIES
from cachery.simulation import read_trace, replay_trace, shipped_traces


@pytest.mark.parametrize(
    ("name", "size", "percent"), [("web07", 1000, 50.41), ("multi2", 500, 35.98), ("multi2", 1500, 48.31)]
)
def test_lru_on_the_shipped_traces(name: str, size: int, percent: float) -> None:
    replayed = replay_trace(read_trace(shipped_traces()[name]), "lru", size)
    assert round(100 * replayed.hit_ratio, 2) == percent


@pytest.mark.parametrize("policy", POLICIES)
def test_a_cache_that_holds_all_misses_each_key_once(policy: str) -> None:
    replayed = replay_trace(list("abcabcabc"), policy, 3)
    assert (replayed.policy, replayed.size, replayed.hits, replayed.requests) == (policy, 3, 6, 9)
    assert replayed.hit_ratio == pytest.approx(2 / 3)


def test_progress_adds_up_to_the_requests() -> None:
    steps: list[int] = []
    replay_trace(["a"] * 10_000, "lru", 1, progress=steps.append)
    assert len(steps) > 1
    assert sum(steps) == 10_000


def test_the_time_is_that_of_a_request_without_the_progress() -> None:
    readings = count()  # a second a reading: one step takes a second, and so does its progress
    replayed = replay_trace(
        ["a"] * 1000, "lru", 1, progress=lambda _: next(readings), clock=lambda: float(next(readings))
    )
    assert replayed.nanoseconds == pytest.approx(1e9 / 1000)


def test_an_empty_trace_has_no_hits() -> None:
    replayed = replay_trace([], "lru", 1)
    assert (replayed.hits, replayed.requests, replayed.hit_ratio, replayed.nanoseconds) == (0, 0, 0.0, 0.0)


def test_a_size_of_none_is_no_bound() -> None:
    assert replay_trace([str(key) for key in range(2000)] * 2, "lru", None).hits == 2000


@pytest.mark.parametrize(("policy", "size"), [("best", 1), ("lru", 0)])
def test_what_no_cache_can_have_is_refused(policy: str, size: int) -> None:
    with pytest.raises(CacheValueError):
        replay_trace(["a"], policy, size)
