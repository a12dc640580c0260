"""Hit ratios as a table shows them: a row a policy, the best of each column marked, the optimum below."""

from __future__ import annotations

from collections.abc import Sequence, Sized

from cachery.cli.screen import SECTION_END, Cell, marked
from cachery.simulation import Simulation

__all__ = ["byte_ratio_rows", "ratio_rows", "requests_made"]

_Ratios = dict[str, list[float]]


def requests_made(trace: Sized, sizes: Sequence[int], policies: Sequence[str]) -> int:
    """Return how many requests ``simulate`` tells of in all: those for the optimum and for twice a size, too."""
    return len(trace) * (len(sizes) * (len(policies) + 1) + 1)


def ratio_rows(simulation: Simulation) -> list[list[Cell]]:
    """Return the rows of policies, a column a size, and the optimum."""
    ratios = {name: [replay.hit_ratio for replay in simulation.of_policy(name)] for name in simulation.policies}
    optimal: list[Cell] = [simulation.optimum, *(f"{ratio:.2%}  " for ratio in simulation.optimal_hit_ratios)]
    return [*_rows(ratios), SECTION_END, optimal]


def byte_ratio_rows(simulation: Simulation) -> list[list[Cell]]:
    """Return the rows of policies by bytes; what is best by bytes nobody can say, so there is no optimum."""
    by_bytes = {
        name: [replay.byte_hit_ratio or 0.0 for replay in simulation.of_policy(name)] for name in simulation.policies
    }
    return _rows(by_bytes)


def _rows(ratios: _Ratios) -> list[list[Cell]]:
    best = [max(column) for column in zip(*ratios.values(), strict=True)]
    return [[policy, *map(_cell, row, best)] for policy, row in ratios.items()]


def _cell(ratio: float, best: float) -> Cell:
    return marked(f"{ratio:.2%} *", "bold green") if ratio == best else f"{ratio:.2%}  "
