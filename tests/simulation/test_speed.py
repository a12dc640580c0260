"""The cost of a hit is measured for every policy, beside what Python itself offers."""

from __future__ import annotations

from cachery.policies import POLICIES
from cachery.simulation import measure_speed


def test_every_call_is_measured() -> None:
    speeds = measure_speed(repeats=2, seconds_each=0.001)
    assert [speed.call for speed in speeds] == [
        "dict.get",
        "functools.lru_cache",
        *(f"InMemoryCache.get, {policy}" for policy in POLICIES),
    ]
    assert all(speed.nanoseconds > 0 for speed in speeds)
