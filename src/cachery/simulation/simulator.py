"""Replays a trace through every policy at every size."""

from __future__ import annotations

from collections.abc import Iterable

from cachery.exceptions import CacheValueError
from cachery.policies.registry import POLICIES, create_order
from cachery.policies.table import capacity_of
from cachery.simulation.advice import choose, explain
from cachery.simulation.belady import optimal_hits
from cachery.simulation.outcomes import Simulation
from cachery.simulation.replay import Progress, replay_trace
from cachery.simulation.workload import Workload, keys_of

__all__ = ["simulate", "suggest_sizes"]

_SHARES = (0.01, 0.05, 0.10, 0.25, 0.50)


def suggest_sizes(trace: Workload) -> tuple[int, ...]:
    """Return sizes worth a try, in entries: 1, 5, 10, 25 and 50 % of the distinct keys of ``trace``, 1 or more.

    >>> suggest_sizes([str(number) for number in range(1000)])
    (10, 50, 100, 250, 500)
    """
    distinct = len(set(keys_of(trace)))
    return tuple(sorted({max(1, round(share * distinct)) for share in _SHARES}))


def simulate(
    trace: Workload,
    sizes: Iterable[int] | None = None,
    *,
    policies: Iterable[str] = POLICIES,
    progress: Progress | None = None,
) -> Simulation:
    """Replay ``trace`` through caches of all ``sizes`` in entries under all ``policies``; return what came of it.

    Without ``sizes`` those of ``suggest_sizes``. ``progress`` is called now and then with how many requests were made
    since the last time; in all, those of the trace once for each size and policy, for the optimum at each size, and for
    twice the size that is recommended.

    Raises ``CacheValueError`` for a trace without a request, and for sizes and policies that no cache can have.

    >>> trace = ["hot", "hot", *"abcd", "hot", *"efgh", "hot"]
    >>> simulation = simulate(trace, [2, 3], policies=["lru", "lfu"])
    >>> [(replay.policy, replay.size, replay.hits) for replay in simulation.replays]
    [('lru', 2, 1), ('lru', 3, 1), ('lfu', 2, 3), ('lfu', 3, 3)]
    >>> print(simulation.recommendation)
    lfu at 2 entries: 25.0 %, 16.7 points above lru, 100 % of the optimum; twice the size brings 0.0 points more
    """
    if not len(trace):
        raise CacheValueError("there is no request in the trace")
    checked_sizes = _checked_sizes(suggest_sizes(trace) if sizes is None else sizes)
    checked_policies = _checked_policies(policies)
    advance = progress or _unheard
    replays = [
        replay_trace(trace, policy, size, progress=advance) for policy in checked_policies for size in checked_sizes
    ]
    optimal = {size: _most_hits(trace, size, advance) for size in checked_sizes}
    chosen = choose(replays)
    size = chosen.size or 0
    beside = [replay for replay in replays if replay.size == size]
    twice = replay_trace(trace, chosen.policy, 2 * size, progress=advance)
    return Simulation(
        requests=len(trace),
        distinct_keys=len(set(keys_of(trace))),
        sizes=checked_sizes,
        policies=checked_policies,
        replays=tuple(replays),
        optimal_hits=tuple(optimal.values()),
        recommendation=explain(chosen, beside, optimal[size], twice),
    )


def _checked_sizes(sizes: Iterable[int]) -> tuple[int, ...]:
    """Return ``sizes``, smallest first and each once."""
    checked = {capacity_of(size) for size in sizes}
    if not checked or 0 in checked:
        raise CacheValueError("say which sizes to try, in entries" if not checked else "a size is a number of entries")
    return tuple(sorted(checked))


def _checked_policies(policies: Iterable[str]) -> tuple[str, ...]:
    names = (policies,) if isinstance(policies, str) else tuple(policies)
    if not names:
        raise CacheValueError(f"say which policies to try: {', '.join(POLICIES)}")
    for name in names:
        create_order(name)
    return tuple(dict.fromkeys(name.lower() for name in names))


def _most_hits(trace: Workload, size: int, advance: Progress) -> int:
    hits = optimal_hits(keys_of(trace), size)
    advance(len(trace))
    return hits


def _unheard(requests: int) -> None:
    """Take no notice of ``requests``."""
