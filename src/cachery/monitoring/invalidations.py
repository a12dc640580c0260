"""How often a cache is invalidated, by what, and what could be done about it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from cachery.monitoring.entries import summed
from cachery.monitoring.figures import average
from cachery.monitoring.journal import Entry, Tally, Window

__all__ = ["Invalidations", "invalidation_advice", "invalidation_section"]

_NEWEST = 50
_PATTERNS = 10
_MOST = 0.5
_FEW_KEYS, _MANY_KEYS = 1, 100
_ENOUGH = 3


@dataclass(frozen=True, slots=True)
class Invalidations:
    """What a report is made of: the events of the window, those of the last hour and day, and the thresholds."""

    window: Window
    last_hour: int
    last_day: int
    retention_hours: float
    warning: float
    critical: float

    @property
    def level(self) -> str:
        """``"normal"``, ``"warning"`` or ``"critical"``."""
        if self.last_hour >= self.critical:
            return "critical"
        return "warning" if self.last_hour >= self.warning else "normal"


def invalidation_section(seen: Invalidations) -> dict[str, Any]:
    """Return what there is to say about invalidations."""
    events, keys, _ = summed(seen.window.counts)
    thresholds = {"warning_per_hour": seen.warning, "critical_per_hour": seen.critical}
    if not (events or seen.last_day):
        return {
            "no_invalidations": True,
            "total_invalidations": 0,
            "total_keys_invalidated": 0,
            "warning_threshold_per_hour": seen.warning,
            "critical_threshold_per_hour": seen.critical,
        }
    newest = seen.window.entries[-_NEWEST:]
    return {
        "total_invalidations": events,
        "total_keys_invalidated": keys,
        "rates": {
            "last_hour": seen.last_hour,
            "last_24_hours": seen.last_day,
            "average_per_hour": events / seen.retention_hours,
        },
        "thresholds": {**thresholds, "current_alert_level": seen.level},
        "patterns": {
            "most_common_patterns": dict(Counter(entry[4] for entry in newest).most_common(_PATTERNS)),
            "invalidation_types": dict(Counter(entry[5] for entry in newest)),
        },
        "efficiency": _efficiency((events, keys, 0), newest),
    }


def _efficiency(totals: Tally, newest: list[Entry]) -> dict[str, Any]:
    events, keys, _ = totals
    times = [entry[3] for entry in newest]
    return {
        "avg_keys_per_invalidation": keys / events if events else 0.0,
        "avg_duration": average(times),
        "max_duration": max(times, default=0.0),
    }


def invalidation_advice(seen: Invalidations) -> list[dict[str, Any]]:
    """Return what could be done better."""
    return [*_too_often(seen), *_always_the_same(seen), *_too_few_or_many(seen)]


def _too_often(seen: Invalidations) -> list[dict[str, Any]]:
    if seen.level == "normal":
        return []
    return [
        {
            "severity": seen.level,
            "issue": "High invalidation frequency",
            "message": f"{seen.last_hour} invalidations in the last hour; {seen.warning:g} are many",
            "suggestions": [
                "find out who invalidates, by the operation context",
                "let entries expire where exactness is not needed",
                "invalidate by tags or operations what changes together, in one call",
            ],
        }
    ]


def _always_the_same(seen: Invalidations) -> list[dict[str, Any]]:
    entries = seen.window.entries
    (pattern, count), *_ = Counter(entry[4] for entry in entries).most_common(1) or [("", 0)]
    if len(entries) < _ENOUGH or count <= _MOST * len(entries):
        return []
    return [
        {
            "severity": "info",
            "issue": "Dominant invalidation pattern",
            "message": f"the pattern {pattern!r} is {100 * count / len(entries):.0f} % of all invalidations",
            "suggestions": [
                "give what it stands for a shorter life, so that it need not be invalidated",
                "see whether what it stands for should be kept at all",
            ],
        }
    ]


def _too_few_or_many(seen: Invalidations) -> list[dict[str, Any]]:
    events, keys, _ = summed(seen.window.counts)
    if not events:
        return []
    each = keys / events
    if each < _FEW_KEYS:
        issue, severity = "Low invalidation efficiency", "info"
        suggestions = ["see whether the patterns are right: most hit nothing", "invalidate after what really changes"]
    elif each > _MANY_KEYS:
        issue, severity = "High invalidation impact", "warning"
        suggestions = ["use narrower patterns", "warm what is asked for most after an invalidation"]
    else:
        return []
    said = f"an invalidation hits {each:.1f} keys on average"
    return [{"severity": severity, "issue": issue, "message": said, "suggestions": suggestions}]
