"""Chooses a policy and a size from what replays showed, and says why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import log2

from cachery.simulation.outcomes import DEFAULT_POLICY, POINTS_WORTH_DOUBLING, Recommendation
from cachery.simulation.replay import Replay

__all__ = ["choose", "explain"]


def choose(replays: Iterable[Replay]) -> Replay:
    """Return the one to recommend: the best policy at the smallest size that is not worth enlarging.

    A larger size is worth it when it brings 3 points or more each time that the size doubles on the way there.
    """
    by_size: dict[int, list[Replay]] = {}
    for replay in replays:
        by_size.setdefault(replay.size or 0, []).append(replay)
    best = [_best(by_size[size]) for size in sorted(by_size)]
    return next(
        one
        for place, one in enumerate(best)
        if all(_gain(one, more) < POINTS_WORTH_DOUBLING for more in best[place + 1 :])
    )


def explain(chosen: Replay, at_its_size: Sequence[Replay], optimal_hits: int, twice: Replay) -> Recommendation:
    """Return ``chosen`` with its reasons. ``twice``: the same policy at twice the size."""
    usual = next((replay for replay in at_its_size if replay.policy == DEFAULT_POLICY), None)
    return Recommendation(
        policy=chosen.policy,
        size=chosen.size or 0,
        hit_ratio=chosen.hit_ratio,
        points_above_lru=None if usual is None else _points(usual, chosen),
        share_of_optimum=chosen.hits / optimal_hits if optimal_hits else 0.0,
        points_at_twice_the_size=_points(chosen, twice),
        unit=chosen.unit,
    )


def _best(replays: Iterable[Replay]) -> Replay:
    """Return the one with the most hits; of equals the default, or else the first."""
    return max(replays, key=lambda replay: (replay.hits, replay.policy == DEFAULT_POLICY))


def _points(one: Replay, other: Replay) -> float:
    return 100 * (other.hit_ratio - one.hit_ratio)


def _gain(one: Replay, larger: Replay) -> float:
    """Return the points that each doubling brings, on the way from one size to the larger."""
    return _points(one, larger) / log2((larger.size or 0) / (one.size or 1))
