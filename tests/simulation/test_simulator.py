"""Every policy at every size, beside the optimum, and the recommendation that follows from it."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from cachery import CacheValueError
from cachery.policies import POLICIES
from cachery.simulation import (
    Recommendation,
    Trace,
    draw_chart,
    optimal_hits,
    read_trace,
    replay_trace,
    shipped_traces,
    simulate,
    suggest_sizes,
)

MULTI2 = read_trace(shipped_traces()["multi2"])
LOOP = [str(number) for number in range(100)] * 5
SVG = "{http://www.w3.org/2000/svg}"


def test_each_policy_is_replayed_at_each_size() -> None:
    simulation = simulate(MULTI2, [500, 100, 500], policies=["lru", "FIFO", "lru"])
    assert (simulation.sizes, simulation.policies) == ((100, 500), ("lru", "fifo"))
    assert (simulation.requests, simulation.distinct_keys) == (26_311, 5_684)
    for policy in simulation.policies:
        expected = [replay_trace(MULTI2, policy, size).hits for size in (100, 500)]
        assert [replay.hits for replay in simulation.of_policy(policy)] == expected
    assert simulation.optimal_hits == (optimal_hits(MULTI2, 100), optimal_hits(MULTI2, 500))
    assert simulation.optimal_hit_ratios[1] == pytest.approx(0.5362, abs=1e-4)


def test_all_policies_and_sensible_sizes_are_tried_unless_told_else() -> None:
    simulation = simulate(LOOP)
    assert simulation.policies == POLICIES
    assert simulation.sizes == suggest_sizes(LOOP) == (1, 5, 10, 25, 50)
    assert suggest_sizes(["a", "a"]) == (1,)


def test_progress_adds_up() -> None:
    steps: list[int] = []
    simulate(LOOP, [1, 2, 3], policies=["lru", "lfu"], progress=steps.append)
    assert sum(steps) == len(LOOP) * (3 * (2 + 1) + 1)


def test_sizes_give_a_ratio_by_bytes() -> None:
    (replay,) = simulate(Trace(list("abaca"), [100, 5000, 100, 1, 100]), [2], policies=["lru"]).replays
    assert (replay.hits, replay.bytes_hit, replay.bytes_requested) == (2, 200, 5301)
    assert replay.byte_hit_ratio == pytest.approx(200 / 5301)
    assert simulate(Trace(["a", "a"], [0, 0]), [2]).replays[0].byte_hit_ratio == 0.0
    assert simulate(["a", "a"], [2]).replays[0].byte_hit_ratio is None


def test_the_smallest_size_that_is_not_worth_enlarging_is_recommended() -> None:
    hot = ["hot", "cold"] * 200
    assert simulate(hot, [1, 2, 50]).recommendation.size == 2
    advice = simulate(LOOP, [10, 50, 100, 400]).recommendation
    assert (advice.policy, advice.size) == ("lru", 100)  # at 10 nothing is gained by 20, but much by 100
    assert advice.reason == "80.0 %, 100 % of the optimum; twice the size brings 0.0 points more"
    assert str(advice).startswith("lru at 100 entries: 80.0 %")


def test_the_largest_size_is_recommended_while_more_helps() -> None:
    advice = simulate(LOOP, [50], policies=["lru"]).recommendation
    assert str(advice) == "lru at 50 entries: no hit; twice the size brings 80.0 points"
    advice = simulate(MULTI2, [200, 500], policies=["lru"]).recommendation
    assert advice.size == 500
    assert advice.reason.endswith("points more, so try larger ones")


def test_a_policy_is_compared_with_the_default_if_that_was_tried() -> None:
    both = simulate(MULTI2, [500], policies=["lru", "tinylfu"]).recommendation
    assert both.policy == "tinylfu"
    assert both.points_above_lru is not None
    assert 5 < both.points_above_lru < 20
    assert 0.8 < both.share_of_optimum <= 1
    assert "points above lru" in both.reason
    alone = simulate(MULTI2, [500], policies=["tinylfu"]).recommendation
    assert alone.points_above_lru is None
    assert "lru" not in alone.reason.replace("tinylfu", "")


def test_of_equal_policies_it_is_the_default() -> None:
    assert simulate(["a", "a"], [1]).recommendation.policy == "lru"
    assert simulate(["a", "a"], [1], policies=["ttl", "fifo"]).recommendation.policy == "ttl"


def test_where_nobody_can_hit_it_says_so() -> None:
    advice = simulate(["a", "b"], [1]).recommendation
    assert str(advice) == "lru at 1 entry: no hit; twice the size brings 0.0 points"
    assert advice.share_of_optimum == 0.0


def test_the_reason_is_in_words() -> None:
    advice = Recommendation("tinylfu", 2000, 0.61, 9.0, 0.89, 2.0)
    assert str(advice) == (
        "tinylfu at 2,000 entries: 61.0 %, 9.0 points above lru, 89 % of the optimum; "
        "twice the size brings 2.0 points more"
    )


@pytest.mark.parametrize(
    ("trace", "sizes", "policies", "said"),
    [
        ([], None, POLICIES, "no request"),
        (["a"], [], POLICIES, "which sizes"),
        (["a"], [None], POLICIES, "number of entries"),
        (["a"], [0], POLICIES, "holds nothing"),
        (["a"], [1.5], POLICIES, "not float"),
        (["a"], [1], [], "which policies"),
        (["a"], [1], ["lru", "arc"], "Unknown policy: 'arc'"),
    ],
)
def test_what_cannot_be_simulated_is_refused_before_anything_is(
    trace: list[str], sizes: list[int], policies: list[str], said: str
) -> None:
    steps: list[int] = []
    with pytest.raises(CacheValueError, match=said):
        simulate(trace, sizes, policies=policies, progress=steps.append)
    assert steps == []


def test_a_policy_alone_may_be_text() -> None:
    assert simulate(["a"], [1], policies="lru").policies == ("lru",)


class TestChart:
    def test_it_has_a_line_for_each_policy_axes_and_a_legend(self) -> None:
        root = ET.fromstring(draw_chart(simulate(MULTI2, [100, 1000, 3000]), title="<mine>"))  # noqa: S314 - our own
        said = [text.text for text in root.iter(f"{SVG}text")]
        assert said[0] == "<mine>"
        assert {"100", "1,000", "3,000", "0 %", "80 %", "entries, logarithmic", "optimal (Bélády)"} <= set(said)
        assert {"lru", "lfu", "tinylfu", "fifo, ttl"} <= set(said)  # without a TTL, these two are one
        paths = [path.get("class", "") for path in root.iter(f"{SVG}path")]
        assert sum(kind.startswith("line s") for kind in paths) == 2 * 4
        assert sum(kind == "m0" for kind in paths) == 3 + 1
        assert "prefers-color-scheme: dark" in (root.findtext(f"{SVG}style") or "")

    @pytest.mark.parametrize("trace", [["a", "b"], LOOP, ["a"] * 50], ids=["none", "loop", "all"])
    @pytest.mark.parametrize("sizes", [[1], [1, 2], list(range(1, 60))], ids=["one", "two", "many"])
    def test_all_stands_within_the_picture(self, trace: list[str], sizes: list[int]) -> None:
        root = ET.fromstring(draw_chart(simulate(trace, sizes)))  # noqa: S314 - our own
        for text in root.iter(f"{SVG}text"):
            assert 0 <= float(text.get("x", "-1")) <= 760
            assert 0 <= float(text.get("y", "-1")) <= 440
