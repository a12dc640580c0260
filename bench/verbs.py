"""What the other verbs, policies and views cost."""

from __future__ import annotations

from bench.caches import KEYS, LIFE, OTHERS, ours
from bench.effort import Effort
from bench.rows import Bar, Row, Topic
from bench.timing import Subject, nanoseconds_of
from cachery import InMemoryCache, NamespacedCache
from cachery.events import Event

__all__ = ["verbs"]

_GET = "c.get(k)"
_POLICIES = ("lru", "lfu", "fifo", "ttl")
_BATCH = 100
_ABOVE = Bar(100, is_absolute=True, unit=" ns")


def verbs(effort: Effort) -> Topic:
    """Measure them, all taking turns."""
    subjects = {**_policies(), **_single_verbs(), **_variants_of_get()}
    times = dict(zip(subjects, nanoseconds_of(list(subjects.values()), effort), strict=True))
    return Topic("Other verbs", [*[Row(what, time) for what, time in times.items()], *_namespaced(effort)])


def _policies() -> dict[str, Subject]:
    subjects = {f"get, {policy}": Subject(_GET, _ruled_by(policy), KEYS) for policy in _POLICIES}
    evicting = {f"set that evicts, {policy}": Subject("c.set(k, v)", _ruled_by(policy), OTHERS) for policy in _POLICIES}
    return subjects | evicting


def _single_verbs() -> dict[str, Subject]:
    numbers = InMemoryCache(len(KEYS))
    batches = [KEYS[start : start + _BATCH] for start in range(0, len(KEYS), _BATCH)]
    return {
        "incr": Subject("c.incr(k)", numbers, KEYS),
        f"get_many of {_BATCH}, for each key": Subject("c.get_many(k)", ours(), batches, items=_BATCH),
    }


def _variants_of_get() -> dict[str, Subject]:
    heard, tagged = ours(), ours()
    heard.subscribe(_ignore)
    for key in KEYS:
        tagged.set(key, "value", tags=["tag"])
    return {
        "get that misses": Subject(_GET, ours(), OTHERS),
        "get with a listener": Subject(_GET, heard, KEYS),
        "get of a tagged entry": Subject(_GET, tagged, KEYS),
    }


def _namespaced(effort: Effort) -> list[Row]:
    base = InMemoryCache(len(KEYS))
    part = NamespacedCache(base, "part")
    part.set_many(dict.fromkeys(KEYS, "value"))
    through, inner = nanoseconds_of([Subject(_GET, part, KEYS), Subject(_GET, base, list(base.keys()))], effort)
    return [
        Row("NamespacedCache.get", through, "get of the cache beneath", inner),
        Row("NamespacedCache.get above that", through - inner, bar=_ABOVE),
    ]


def _ruled_by(policy: str) -> InMemoryCache:
    return ours(policy=policy, default_ttl=LIFE if policy == "ttl" else None)


def _ignore(event: Event) -> None:
    """Do what the cheapest listener does."""
