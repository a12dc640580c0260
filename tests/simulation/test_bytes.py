"""Caches bounded in bytes are simulated as they are, beside a bound that no policy exceeds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cachery import CacheValueError, InMemoryCache
from cachery.policies import POLICIES
from cachery.simulation import Trace, draw_chart, hits_at_most, optimal_hits, replay_trace, simulate, suggest_sizes

SIZES = {"a": 1, "b": 2, "c": 3, "d": 5, "e": 0}
LOOP = Trace([str(number) for number in range(100)] * 5, [10, 1000] * 250)

small_traces = st.lists(st.sampled_from("abcde"), min_size=1, max_size=12)


def sized(keys: list[str]) -> Trace:
    return Trace(keys, [SIZES[key] for key in keys])


def best_of_all_choices(trace: Trace, room: int) -> int:
    """Return the most hits over every way to keep values of at most ``room`` bytes after each request."""
    most = {frozenset[str](): 0}
    for key in trace.keys:
        after: dict[frozenset[str], int] = {}
        for held, hits in most.items():
            for choice in choices(held | {key}, room):
                after[choice] = max(after.get(choice, 0), hits + (key in held))
        most = after
    return max(most.values())


def choices(held: frozenset[str], room: int) -> set[frozenset[str]]:
    """Return every part of ``held`` that fits."""
    parts = {frozenset[str]()}
    for key in held:
        parts |= {part | {key} for part in parts}
    return {part for part in parts if sum(SIZES[key] for key in part) <= room}


@given(small_traces, st.integers(1, 8))
def test_no_choice_of_what_to_keep_exceeds_the_bound(keys: list[str], room: int) -> None:
    assert best_of_all_choices(sized(keys), room) <= hits_at_most(sized(keys), room)


@given(small_traces, st.integers(1, 8), st.sampled_from(POLICIES))
def test_no_policy_exceeds_the_bound(keys: list[str], room: int, policy: str) -> None:
    assert replay_trace(sized(keys), policy, room, unit="bytes").hits <= hits_at_most(sized(keys), room)


@given(st.lists(st.sampled_from("abcde"), max_size=12), st.integers(1, 4))
def test_of_one_size_it_is_a_bound_of_the_optimum(keys: list[str], entries: int) -> None:
    assert hits_at_most(Trace(keys, [7] * len(keys)), 7 * entries) >= optimal_hits(keys, entries)


def test_a_key_whose_size_changes_counts_with_the_least() -> None:
    trace = Trace(["a", "a", "b", "b"], [9, 3, 9, 9])
    assert hits_at_most(trace, 3) == 1
    assert replay_trace(Trace(["a", "a"], [3, 9]), "lru", 3, unit="bytes").hits == 1


def test_a_replay_does_as_a_cache_of_that_many_bytes() -> None:
    cache = InMemoryCache(max_bytes=5000, weigher=lambda _, value: value)
    for key, size in zip(LOOP.keys, LOOP.sizes or (), strict=True):
        if cache.get(key) is None:
            cache.set(key, size)
    replay = replay_trace(LOOP, "lru", 5000, unit="bytes")
    assert (replay.hits, replay.unit, replay.size) == (cache.stats.hits, "bytes", 5000)
    assert replay_trace(LOOP, "lru", None, unit="bytes").hits == 400


def test_what_is_too_large_is_never_kept() -> None:
    assert replay_trace(Trace(["a", "a"], [10, 10]), "tinylfu", 9, unit="bytes").hits == 0
    assert hits_at_most(Trace(["a", "a"], [10, 10]), 9) == 0


def test_every_policy_at_every_size_in_bytes() -> None:
    simulation = simulate(LOOP, ["10kB", 20_000], unit="bytes", policies=["lru", "tinylfu"])
    assert (simulation.unit, simulation.sizes) == ("bytes", (10_000, 20_000))
    assert simulation.optimal_hits == (hits_at_most(LOOP, 10_000), hits_at_most(LOOP, 20_000))
    assert all(replay.unit == "bytes" for replay in simulation.replays)
    said = str(simulation.recommendation)
    assert said.startswith(f"{simulation.recommendation.policy} at ")
    assert "KiB: " in said
    assert " of the optimum; " in said
    picture = draw_chart(simulation)
    assert all(text in picture for text in ("bytes, logarithmic", "9.8 KiB", "bound (PFOO)"))


def test_sizes_are_suggested_by_the_bytes_of_all_keys() -> None:
    assert suggest_sizes(LOOP, "bytes") == (505, 2525, 5050, 12_625, 25_250)
    assert simulate(LOOP, unit="bytes", policies=["lru"]).sizes == suggest_sizes(LOOP, "bytes")


@pytest.mark.parametrize("size", [0, "many", True, 1.5])
def test_a_size_that_no_cache_can_have_is_refused(size: int) -> None:
    with pytest.raises(CacheValueError, match="bytes"):
        hits_at_most(LOOP, size)
    with pytest.raises(CacheValueError, match="bytes"):
        simulate(LOOP, [size], unit="bytes")


def test_one_size_is_taken_as_such() -> None:
    assert simulate(LOOP, "512", unit="bytes", policies=["lru"]).sizes == (512,)
    assert simulate(LOOP, 5, policies=["lru"]).sizes == (5,)


@pytest.mark.parametrize("sizes", [[-1, 1], [1.5, 1], ["1", 1]])
def test_what_is_no_size_in_a_trace_is_refused(sizes: list[int]) -> None:
    trace = Trace(["a", "a"], sizes)
    for work in (lambda: hits_at_most(trace, 5), lambda: simulate(trace, [5], unit="bytes")):
        with pytest.raises(CacheValueError, match="sizes of a trace"):
            work()


def test_sizes_that_look_alike_are_told_apart() -> None:
    picture = draw_chart(simulate(LOOP, [100_000, 100_001], unit="bytes", policies=["lru"]))
    assert "100,000" in picture
    assert simulate(LOOP, ["9" * 300], unit="bytes", policies=["lru"]).recommendation.hit_ratio == 0.8


def test_a_trace_without_sizes_is_refused() -> None:
    for work in (
        lambda: hits_at_most(["a"], 5),
        lambda: replay_trace(["a"], "lru", 5, unit="bytes"),
        lambda: suggest_sizes(["a"], "bytes"),
        lambda: simulate(["a"], [5], unit="bytes"),
    ):
        with pytest.raises(CacheValueError, match="no sizes"):
            work()


def test_another_unit_is_refused() -> None:
    unit = "pages"
    with pytest.raises(CacheValueError, match="pages"):
        simulate(LOOP, [5], unit=unit)  # type: ignore[arg-type]
    with pytest.raises(CacheValueError, match="pages"):
        replay_trace(LOOP, "lru", 5, unit=unit)  # type: ignore[arg-type]
