"""What a hit costs where the package runs as plain Python, in a process that sees the uncompiled copy of it."""

from __future__ import annotations

import json
import sys

import cachery
from bench.caches import KEYS, LIFE, old_ttl, ours
from bench.child import ROOT, answer_of
from bench.effort import EFFORTS, Effort
from bench.rows import Bar, Row, Topic
from bench.timing import Subject, nanoseconds_of
from cachery.backends.in_memory import store

__all__ = ["interpreted"]

_COPY = ROOT / "build" / "interpreted"
_TITLE = "Interpreted"
_PEER = "cachetools TTLCache.get"


def interpreted(effort: Effort) -> Topic:
    """Measure ``get`` there, or say why it cannot be."""
    if not _COPY.is_dir():
        return Topic(_TITLE, [], [f"not measured: tools/interpreted.sh has not made {_COPY.relative_to(ROOT)}"])
    answer = answer_of("interpreted", effort.name, path=_COPY)
    if answer["compiled"] or not answer["file"].endswith(".py"):
        return Topic(_TITLE, [], [f"not measured: what was loaded is {answer['file']}"])
    plain, with_ttl, theirs = answer["nanoseconds"]
    rows = [
        Row("interpreted get", plain, _PEER, theirs, Bar(0.4)),
        Row("interpreted get of an entry with a TTL", with_ttl, _PEER, theirs),
    ]
    return Topic(_TITLE, rows)


def _measure(effort: Effort) -> dict[str, object]:
    caches = (ours(), ours(default_ttl=LIFE), old_ttl())
    nanoseconds = nanoseconds_of([Subject("c.get(k)", cache, KEYS) for cache in caches], effort)
    return {"compiled": cachery.compiled, "file": store.__file__, "nanoseconds": nanoseconds}


if __name__ == "__main__":
    print(json.dumps(_measure(EFFORTS[sys.argv[1]])))
