"""What the verbs of ``cachery.aio`` cost, and decorated coroutines; all are awaited on one event loop."""

from __future__ import annotations

import cachery.aio
from bench.caches import KEYS, LIFE, Strangers
from bench.effort import Effort
from bench.functions import answer_later, cashews, kept_by_cashews, kept_later, load_later
from bench.rows import Bar, Row, Topic, above, beside
from bench.timing import Subject, nanoseconds_of

__all__ = ["coroutines"]

_CALL, _LOAD = "await c(k)", f"await c.get_or_set(k, v, {LIFE})"
_SET, _GET = f"await c.set(k, v, {LIFE})", "await c.get(k)"
_BAR = Bar(12, is_absolute=True, unit=" µs")
_PEERS = ("cashews decorator", "an empty coroutine")


def coroutines(effort: Effort) -> Topic:
    """Measure hits, and calls that must load."""
    return Topic("Coroutines", [*_hits(effort), *_verbs(effort), *_misses(effort)])


def _hits(effort: Effort) -> list[Row]:
    functions = (kept_later(), kept_by_cashews(), _do_nothing)
    subjects = [Subject(_CALL, function, KEYS) for function in functions]
    return beside("decorated coroutine that hits", nanoseconds_of(subjects, effort), _PEERS, [Bar(0.1), Bar(6)])


def _verbs(effort: Effort) -> list[Row]:
    caches = (cachery.aio.InMemoryCache(len(KEYS)), cashews())
    subjects = [Subject(call, cache, KEYS) for call in (_SET, _GET) for cache in caches]
    nanoseconds = nanoseconds_of(subjects, effort)
    gets = beside("await get", nanoseconds[2:], ["cashews get"], [Bar(0.15)])
    return [*gets, *beside("await set over an old value", nanoseconds[:2], ["cashews set"])]


def _misses(effort: Effort) -> list[Row]:
    functions = (kept_later(), kept_by_cashews(), answer_later)
    subjects = [Subject(_CALL, function, Strangers()) for function in functions]
    subjects += [
        Subject(_LOAD, cachery.aio.InMemoryCache(len(KEYS)), Strangers(), load_later),
        Subject("await v()", None, Strangers(), load_later),
    ]
    decorated, peer, called, ours, loader = nanoseconds_of(subjects, effort)
    name, theirs = _PEERS[0], (peer, called)
    return [
        above("await get_or_set that misses, above its loader", (ours, loader), name, theirs, _BAR),
        above("decorated coroutine that misses, above the coroutine", (decorated, called), name, theirs),
    ]


async def _do_nothing(_key: str) -> None:
    """Cost what the least coroutine costs."""
