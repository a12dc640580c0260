"""What a decorated function costs when its result is kept."""

from __future__ import annotations

from bench.caches import KEYS
from bench.effort import Effort
from bench.functions import kept, kept_by_cachetools, kept_by_functools
from bench.rows import Bar, Topic, beside
from bench.timing import Subject, nanoseconds_of

__all__ = ["decorated"]

_PEERS = ("functools.lru_cache, typed", "cachetools cached, TTLCache, with a lock")


def decorated(effort: Effort) -> Topic:
    """Measure it with one argument, a ``str``."""
    functions = (kept(), kept_by_functools(), kept_by_cachetools())
    subjects = [Subject("c(k)", function, KEYS) for function in functions]
    rows = beside("decorated function that hits", nanoseconds_of(subjects, effort), _PEERS, [Bar(3), Bar(0.5)])
    return Topic("Decorated functions", rows)
