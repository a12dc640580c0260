"""What ``get_or_set`` costs: beside ``get`` where the key is there, above its loader where it is not."""

from __future__ import annotations

from bench.caches import KEYS, LIFE, Strangers
from bench.effort import Effort
from bench.functions import answer, kept, kept_by_cachetools, load
from bench.rows import Bar, Row, Topic, above, beside
from bench.timing import Subject, nanoseconds_of
from cachery import InMemoryCache

__all__ = ["loading"]

_BAR = Bar(6, is_absolute=True, unit=" µs")
_CALL = f"c.get_or_set(k, v, {LIFE})"


def loading(effort: Effort) -> Topic:
    """Measure both, and a decorated function that must call the one it decorates."""
    return Topic("Loading", [*_hits(effort), *_misses(effort)])


def _hits(effort: Effort) -> list[Row]:
    cache = InMemoryCache(len(KEYS))
    subjects = [Subject(_CALL, cache, KEYS, load), Subject("c.get(k)", cache, KEYS)]
    return beside("get_or_set that hits", nanoseconds_of(subjects, effort), ["get of the same keys"], [Bar(6)])


def _misses(effort: Effort) -> list[Row]:
    functions = (kept(), kept_by_cachetools(), answer)
    subjects = [Subject("c(k)", function, Strangers()) for function in functions]
    subjects += [Subject(_CALL, InMemoryCache(len(KEYS)), Strangers(), load), Subject("v()", None, Strangers(), load)]
    decorated, peer, called, ours, loader = nanoseconds_of(subjects, effort)
    name, theirs = "cachetools cached, TTLCache, with a lock", (peer, called)
    return [
        above("get_or_set that misses, above its loader", (ours, loader), name, theirs, _BAR),
        above("decorated function that misses, above the function", (decorated, called), name, theirs),
    ]
