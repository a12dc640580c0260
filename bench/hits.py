"""What a hit costs."""

from __future__ import annotations

from bench.caches import KEYS, LIFE, filled, old_lru, old_ttl, ours, rust_lru, rust_ttl, warm_function
from bench.effort import Effort
from bench.rows import Bar, Row, Topic, beside
from bench.timing import Subject, nanoseconds_of

__all__ = ["hits"]

_PEERS = ("cachebox LRUCache.get", "dict.get", "cachetools LRUCache.get", "functools.lru_cache call")
_TTL_PEERS = ("cachebox TTLCache.get", "cachetools TTLCache.get")


def hits(effort: Effort) -> Topic:
    """Measure ``get`` of a key that is there, without a TTL and with one."""
    return Topic("Hits", [*_without_ttl(effort), *_with_ttl(effort)])


def _without_ttl(effort: Effort) -> list[Row]:
    caches = (ours(), rust_lru(), filled({}), old_lru())
    subjects = [Subject("c.get(k)", cache, KEYS) for cache in caches]
    subjects.append(Subject("c(k)", warm_function(), KEYS))
    return beside("get", nanoseconds_of(subjects, effort), _PEERS, [Bar(1.05), Bar(1.8)])


def _with_ttl(effort: Effort) -> list[Row]:
    caches = (ours(default_ttl=LIFE), rust_ttl(), old_ttl())
    subjects = [Subject("c.get(k)", cache, KEYS) for cache in caches]
    return beside("get of an entry with a TTL", nanoseconds_of(subjects, effort), _TTL_PEERS, [Bar(0.8)])
