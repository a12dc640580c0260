"""The optimum is the best there is on every small trace, and the published one on the shipped traces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cachery import CacheValueError
from cachery.policies import POLICIES
from cachery.simulation import optimal_hits, read_trace, replay_trace, shipped_traces

small_traces = st.lists(st.sampled_from("abcde"), max_size=14)


def best_of_all_choices(trace: list[str], size: int) -> int:
    """Return the most hits over every way to keep at most ``size`` keys after each request."""
    most = {frozenset[str](): 0}
    for key in trace:
        after: dict[frozenset[str], int] = {}
        for held, hits in most.items():
            wanted = held | {key}
            kept = [wanted] if len(wanted) <= size else [wanted - {leaving} for leaving in wanted]
            for choice in kept:
                after[choice] = max(after.get(choice, 0), hits + (key in held))
        most = after
    return max(most.values())


@given(small_traces, st.integers(1, 4))
def test_no_choice_of_what_to_keep_has_more_hits(trace: list[str], size: int) -> None:
    assert optimal_hits(trace, size) == best_of_all_choices(trace, size)


@given(small_traces, st.integers(1, 4), st.sampled_from(POLICIES))
def test_no_policy_has_more_hits(trace: list[str], size: int, policy: str) -> None:
    assert replay_trace(trace, policy, size).hits <= optimal_hits(trace, size)


@given(small_traces)
def test_without_a_bound_only_first_requests_miss(trace: list[str]) -> None:
    assert optimal_hits(trace, None) == len(trace) - len(set(trace))


@pytest.mark.parametrize(
    ("name", "size", "percent"), [("web07", 1000, 63.59), ("multi2", 500, 53.62), ("multi2", 1500, 69.76)]
)
def test_the_optimum_of_the_shipped_traces(name: str, size: int, percent: float) -> None:
    trace = read_trace(shipped_traces()[name])
    assert round(100 * optimal_hits(trace, size) / len(trace), 2) == percent


@pytest.mark.parametrize("size", [0, -1, 1.5, True])
def test_a_size_that_no_cache_can_have_is_refused(size: int) -> None:
    with pytest.raises(CacheValueError, match="max_size"):
        optimal_hits(["a"], size)
