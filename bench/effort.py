"""How long to measure: the full run, and the quick one that only shows that everything works."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["EFFORTS", "Effort"]


@dataclass(frozen=True, slots=True)
class Effort:
    """The lengths of a run.

    ``repeats`` samples of about ``seconds_each`` for each timed call; memory at each of ``sizes`` entries, resident
    memory of ``held`` entries in all; ``rounds`` of ``thread_seconds`` with one thread and with two; ``stampedes``,
    each on one cold key; and ``cancellations`` of tasks that wait for a key; caches on disk of ``disk_sizes`` entries,
    few, many and very many.
    """

    name: str
    repeats: int
    seconds_each: float
    sizes: tuple[int, ...]
    held: int
    rounds: int
    thread_seconds: float
    stampedes: int
    cancellations: int
    disk_sizes: tuple[int, int, int]


EFFORTS = {
    effort.name: effort
    for effort in (
        Effort("full", 200, 0.005, (10**3, 10**4, 10**5, 10**6), 10**6, 7, 0.8, 200, 10**5, (5000, 400_000, 10**6)),
        Effort("quick", 3, 0.0005, (10**3, 10**4), 10**4, 3, 0.02, 5, 1000, (100, 200, 400)),
    )
}
