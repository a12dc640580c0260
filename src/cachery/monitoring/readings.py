"""What exporters read of caches when they are asked: numbers that are at hand, under names that are told apart."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from cachery.cache import Cache
from cachery.exceptions import CacheClosedError, CacheValueError

__all__ = ["COUNTERS", "SAVED", "CacheReading", "Source", "named"]

_logger = logging.getLogger("cachery.monitoring")

COUNTERS: Final = {
    "hits": "Requests that found a live value.",
    "misses": "Requests that did not.",
    "writes": "Values stored.",
    "deletes": "Entries removed on purpose.",
    "evictions": "Entries that left to make room.",
    "expirations": "Entries removed because their time was over.",
    "load_success": "Values that a loader returned.",
    "load_failure": "Values that a loader failed to return.",
    "stale_hits": "Hits answered with a value past its time.",
    "coalesced": "Requests that waited for the load of another.",
}
"""The counters of ``CacheStats``, and what each says."""

SAVED: Final = {
    "calls": "Calls of models that answers from the cache saved.",
    "input_tokens": "Tokens of input that those calls would have taken.",
    "output_tokens": "Tokens of output that those calls would have taken.",
    "seconds": "Seconds that those calls would have taken.",
}
"""What savings consist of. They are read for each model and operation, never for a scope: that may name a person."""

_QUICKLY_COUNTED = {"cachery.in_memory": "InMemoryCache", "cachery.disk": "DiskCache", "cachery.null": "NullCache"}


@dataclass(frozen=True, slots=True)
class CacheReading:
    """The numbers of one cache at one moment; ``None`` is what it has not, or what it would take long to find out."""

    counters: dict[str, int]
    entries: int | None
    max_entries: int | None
    is_degraded: bool | None
    savings: dict[tuple[str, str], dict[str, float]]
    is_open: bool = True


class Source:
    """A cache that is exported, under a name."""

    def __init__(self, cache: Any, name: str) -> None:
        self.cache = cache
        self.name = name
        self._is_failing = False

    def read(self) -> CacheReading | None:
        """Return the numbers of this moment; ``None``, and a line in the log, once, if the cache cannot be asked."""
        try:
            reading = _read(self.cache)
        except Exception:
            if not self._is_failing:
                _logger.exception("the cache %r cannot be asked for its numbers", self.name)
            self._is_failing = True
            return None
        self._is_failing = False
        return reading


def named(caches: Iterable[Any], taken: Iterable[str] = ()) -> list[Source]:
    """Return each of ``caches`` under its name, or else that of its class; with a number where that is taken.

    Raises ``CacheValueError`` for what has neither ``stats`` nor ``savings``.
    """
    names, sources = set(taken), []
    for cache in caches:
        if not (_has(cache, "stats") or _has(cache, "savings")):
            raise CacheValueError(f"a cache has stats or savings; {cache!r} has neither")
        name = _untaken(_name_of(cache), names)
        names.add(name)
        sources.append(Source(cache, name))
    return sources


def _has(cache: Any, name: str) -> bool:
    """Tell whether there is such an attribute; where its class says so it is not read, which might fail."""
    return hasattr(type(cache), name) or hasattr(cache, name)


def _name_of(cache: Any) -> str:
    return str(getattr(cache, "name", None) or getattr(cache, "namespace", None) or type(cache).__name__)


def _untaken(name: str, taken: set[str]) -> str:
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}-{number}"
    return free


def _read(cache: Any) -> CacheReading:
    given = getattr(cache, "stats", None)
    stats: Any = given() if callable(given) else given
    degraded = getattr(cache, "degraded", None)
    return CacheReading(
        counters={name: int(getattr(stats, name)) for name in COUNTERS if hasattr(stats, name)},
        entries=int(stats.size) if _is_quickly_counted(cache, stats) else None,
        max_entries=int(getattr(stats, "max_size", 0)) or None,
        is_degraded=degraded if isinstance(degraded, bool) else None,
        savings=_savings(cache),
        is_open=_is_open(cache),
    )


def _is_quickly_counted(cache: Any, stats: Any) -> bool:
    """Tell whether the entries can be counted without a look at each, on a server perhaps."""
    own = getattr(cache, "blocking", cache)
    if not isinstance(own, Cache):
        return hasattr(stats, "size")
    loaded = [(sys.modules.get(module), kind) for module, kind in _QUICKLY_COUNTED.items()]
    return isinstance(own, tuple(getattr(module, kind) for module, kind in loaded if module is not None))


def _is_open(cache: Any) -> bool:
    check = getattr(getattr(cache, "blocking", cache), "check_open", None)
    try:
        if check is not None:
            check()
    except CacheClosedError:
        return False
    return True


def _savings(cache: Any) -> dict[tuple[str, str], dict[str, float]]:
    """Return what was saved, by model and operation, added up over all scopes."""
    found: dict[tuple[str, str], dict[str, float]] = {}
    for record in cache.savings() if _has(cache, "savings") else ():
        sums = found.setdefault((record.model or "", record.operation), dict.fromkeys(SAVED, 0))
        for name in SAVED:
            sums[name] += getattr(record, name)
    return found
