"""What storing costs: over an old value, with a TTL, and where another entry must leave."""

from __future__ import annotations

from bench.caches import KEYS, LIFE, OTHERS, ours, rust_lru, rust_ttl
from bench.effort import Effort
from bench.rows import Bar, Row, Topic, beside
from bench.timing import Subject, nanoseconds_of

__all__ = ["writes"]

_SET, _SET_ITEM, _INSERT = "c.set(k, v)", "c[k] = v", "c.insert(k, v)"


def writes(effort: Effort) -> Topic:
    """Measure ``set``."""
    return Topic("Writes", [*_overwriting(effort), *_with_ttl(effort), *_evicting(effort)])


def _overwriting(effort: Effort) -> list[Row]:
    subjects = [
        Subject(_SET, ours(), KEYS),
        Subject(_INSERT, rust_lru(), KEYS),
        Subject(_SET_ITEM, rust_lru(), KEYS),
    ]
    peers = ["cachebox LRUCache.insert", "cachebox LRUCache, cache[k] = v"]
    return beside("set over an old value", nanoseconds_of(subjects, effort), peers, [Bar(1.0, goal=0.8)])


def _with_ttl(effort: Effort) -> list[Row]:
    subjects = [
        Subject(f"c.set(k, v, {LIFE})", ours(), KEYS),
        Subject(_INSERT, rust_ttl(), KEYS),
    ]
    peers = ["cachebox TTLCache.insert"]
    return beside("set with a TTL, over an old value", nanoseconds_of(subjects, effort), peers, [Bar(0.7)])


def _evicting(effort: Effort) -> list[Row]:
    subjects = [
        Subject(_SET, ours(), OTHERS),
        Subject(_INSERT, rust_lru(), OTHERS),
    ]
    peers = ["cachebox LRUCache.insert"]
    return beside("set that evicts", nanoseconds_of(subjects, effort), peers, [Bar(1.25, goal=1.0)])
