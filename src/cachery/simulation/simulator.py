"""Replays a trace through every policy at every size."""

from __future__ import annotations

from collections.abc import Iterable

from cachery.exceptions import CacheValueError
from cachery.model.sizes import Size, bytes_of
from cachery.policies.registry import POLICIES, create_order
from cachery.policies.table import capacity_of
from cachery.simulation.advice import choose, explain
from cachery.simulation.belady import optimal_hits
from cachery.simulation.outcomes import Simulation
from cachery.simulation.pfoo import hits_at_most
from cachery.simulation.replay import Progress, replay_trace
from cachery.simulation.workload import Unit, Workload, is_in_bytes, keys_of, weight_of

__all__ = ["simulate", "suggest_sizes"]

_SHARES = (0.01, 0.05, 0.10, 0.25, 0.50)


def suggest_sizes(trace: Workload, unit: Unit = "entries") -> tuple[int, ...]:
    """Return sizes worth a try: 1, 5, 10, 25 and 50 % of the distinct keys of ``trace`` or of their bytes, 1 or more.

    Raises ``CacheValueError`` for bytes of a trace without sizes.

    >>> suggest_sizes([str(number) for number in range(1000)])
    (10, 50, 100, 250, 500)
    """
    weight = weight_of(trace, unit)
    return tuple(sorted({max(1, round(share * weight)) for share in _SHARES}))


def simulate(
    trace: Workload,
    sizes: Iterable[Size] | Size | None = None,
    *,
    unit: Unit = "entries",
    policies: Iterable[str] = POLICIES,
    progress: Progress | None = None,
) -> Simulation:
    """Replay ``trace`` through caches of all ``sizes`` under all ``policies``; return what came of it.

    Sizes are entries, or in the ``unit`` ``"bytes"`` bytes such as ``"64MiB"``, for which the trace has to know what
    its values take. Without ``sizes`` those of ``suggest_sizes``. ``progress`` is called now and then with how many
    requests were made since the last time; in all, those of the trace once for each size and policy, for the optimum at
    each size, and for twice the size that is recommended.

    Raises ``CacheValueError`` for a trace without a request, for bytes of one without sizes, and for sizes and policies
    that no cache can have.

    >>> trace = ["hot", "hot", *"abcd", "hot", *"efgh", "hot"]
    >>> simulation = simulate(trace, [2, 3], policies=["lru", "lfu"])
    >>> [(replay.policy, replay.size, replay.hits) for replay in simulation.replays]
    [('lru', 2, 1), ('lru', 3, 1), ('lfu', 2, 3), ('lfu', 3, 3)]
    >>> print(simulation.recommendation)
    lfu at 2 entries: 25.0 %, 16.7 points above lru, 100 % of the optimum; twice the size brings 0.0 points more
    """
    if not len(trace):
        raise CacheValueError("there is no request in the trace")
    checked_sizes = _checked_sizes(suggest_sizes(trace, unit) if sizes is None else sizes, unit)
    checked_policies = _checked_policies(policies)
    advance = progress or _unheard
    replays = [
        replay_trace(trace, policy, size, unit=unit, progress=advance)
        for policy in checked_policies
        for size in checked_sizes
    ]
    optimal = {size: _most_hits(trace, size, unit, advance) for size in checked_sizes}
    chosen = choose(replays)
    size = chosen.size or 0
    beside = [replay for replay in replays if replay.size == size]
    twice = replay_trace(trace, chosen.policy, 2 * size, unit=unit, progress=advance)
    return Simulation(
        requests=len(trace),
        distinct_keys=len(set(keys_of(trace))),
        sizes=checked_sizes,
        policies=checked_policies,
        replays=tuple(replays),
        optimal_hits=tuple(optimal.values()),
        recommendation=explain(chosen, beside, optimal[size], twice),
        unit=unit,
    )


def _checked_sizes(sizes: Iterable[Size] | Size, unit: Unit) -> tuple[int, ...]:
    """Return ``sizes``, smallest first and each once; one alone is taken as such."""
    in_bytes = is_in_bytes(unit)
    given = (sizes,) if isinstance(sizes, str | int) else sizes
    checked = {bytes_of(size, "size") if in_bytes else capacity_of(size) for size in given}
    if not checked or 0 in checked:
        raise CacheValueError(f"say which sizes to try, in {unit}" if not checked else "a size is a number of entries")
    return tuple(sorted(checked))


def _checked_policies(policies: Iterable[str]) -> tuple[str, ...]:
    names = (policies,) if isinstance(policies, str) else tuple(policies)
    if not names:
        raise CacheValueError(f"say which policies to try: {', '.join(POLICIES)}")
    for name in names:
        create_order(name)
    return tuple(dict.fromkeys(name.lower() for name in names))


def _most_hits(trace: Workload, size: int, unit: Unit, advance: Progress) -> int:
    hits = optimal_hits(keys_of(trace), size) if unit == "entries" else hits_at_most(trace, size)
    advance(len(trace))
    return hits


def _unheard(requests: int) -> None:
    """Take no notice of ``requests``."""
