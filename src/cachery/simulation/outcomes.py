"""What came of a simulation: every policy at every size, beside the optimum, and what that speaks for."""

from __future__ import annotations

from dataclasses import dataclass

from cachery.simulation.replay import Replay
from cachery.simulation.workload import Unit, said_size

__all__ = ["DEFAULT_POLICY", "POINTS_WORTH_DOUBLING", "Recommendation", "Simulation"]

DEFAULT_POLICY = "lru"
"""What a cache has that was told nothing, so what others are compared with."""

POINTS_WORTH_DOUBLING = 3.0
"""How many points of hit ratio a cache of twice the size must bring to be worth it."""


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A policy and a size in ``unit``, with what speaks for them. Points are those of a hit ratio in percent.

    ``points_above_lru`` is ``None`` when ``lru`` was not simulated; ``share_of_optimum``, 0.0 to 1.0, is 0.0 when the
    optimum itself has no hit, and in bytes, where only a bound of the optimum is known, the least that it can be;
    ``points_at_twice_the_size``: what the same policy gains there.
    """

    policy: str
    size: int
    hit_ratio: float
    points_above_lru: float | None
    share_of_optimum: float
    points_at_twice_the_size: float
    unit: Unit = "entries"

    @property
    def reason(self) -> str:
        """What speaks for it, in words.

        >>> print(Recommendation("tinylfu", 2000, 0.61, 9.0, 0.894, 2.0).reason)
        61.0 %, 9.0 points above lru, 89 % of the optimum; twice the size brings 2.0 points more
        """
        if not self.hit_ratio:
            return f"no hit; twice the size brings {self.points_at_twice_the_size:.1f} points"
        more = f"twice the size brings {self.points_at_twice_the_size:.1f} points more"
        if self.points_at_twice_the_size >= POINTS_WORTH_DOUBLING:
            more += ", so try larger ones"
        share = f"{self.share_of_optimum:.0%}"
        if self.unit == "bytes" and self.share_of_optimum < 1:
            share = f"at least {int(100 * self.share_of_optimum)}%"
        ratio = f"{self.hit_ratio:.1%}"
        return f"{ratio}{self._beside_lru()}, {share} of the optimum; {more}".replace("%", " %")

    def _beside_lru(self) -> str:
        if self.policy == DEFAULT_POLICY or self.points_above_lru is None:
            return ""
        return f", {self.points_above_lru:.1f} points above {DEFAULT_POLICY}"

    def __str__(self) -> str:
        """Return it in one line: policy, size and reason."""
        return f"{self.policy} at {said_size(self.size, self.unit)}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Simulation:
    """What caches of all ``sizes``, smallest first and counted in ``unit``, did under all ``policies``.

    ``requests`` were made, for ``distinct_keys``. ``replays`` are by policy and then by size; ``optimal_hits`` by size:
    the most hits that any policy could have had or, in bytes, a bound that none exceeds.
    """

    requests: int
    distinct_keys: int
    sizes: tuple[int, ...]
    policies: tuple[str, ...]
    replays: tuple[Replay, ...]
    optimal_hits: tuple[int, ...]
    recommendation: Recommendation
    unit: Unit = "entries"

    @property
    def optimum(self) -> str:
        """What ``optimal_hits`` are called.

        >>> from cachery.simulation import simulate
        >>> simulate(["a", "b", "a"], [1]).optimum
        'optimal (Bélády)'
        """
        return "optimal (Bélády)" if self.unit == "entries" else "bound (PFOO)"

    @property
    def optimal_hit_ratios(self) -> tuple[float, ...]:
        """The best hit ratio that was possible, 0.0 to 1.0, by size."""
        return tuple(hits / self.requests for hits in self.optimal_hits)

    def of_policy(self, policy: str) -> tuple[Replay, ...]:
        """Return what came of one of ``policies``, by size; nothing for another."""
        return tuple(replay for replay in self.replays if replay.policy == policy)
