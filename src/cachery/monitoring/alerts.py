"""What an alert is, and the rule by which it is raised and cleared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf, isnan
from typing import Any, Literal, TypeAlias

from cachery.exceptions import CacheValueError
from cachery.monitoring.arguments import exact_count, exact_name

__all__ = ["Alert", "AlertCallback", "AlertRule", "Limit", "Reading", "Severity"]

Severity: TypeAlias = Literal["warning", "critical"]
Limit: TypeAlias = float | Callable[[Any], float | None] | None
"""A number, or a function that returns one for a monitor; ``None`` switches off."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A number, and from how many measurements it was made.

    >>> Reading(0.25, samples=40)
    Reading(value=0.25, samples=40)
    """

    value: float
    samples: int = 1


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert that was raised, or cleared, at the time ``at`` of the monitor's clock, in seconds."""

    name: str
    severity: Severity
    state: Literal["raised", "cleared"]
    value: float | None
    threshold: float
    at: float
    message: str


AlertCallback: TypeAlias = Callable[[Alert], object]


@dataclass(frozen=True, slots=True)
class AlertRule:
    """When an alert is raised and when it is cleared.

    ``read`` takes the monitor and returns a number, a ``Reading``, or ``None`` where there is nothing to judge by. The
    alert is raised when that is ``threshold`` or more (or less, with ``direction="below"``) and is made of
    ``min_samples`` measurements or more. It is cleared when the number is back at ``clear_at``, which lies on the good
    side of the threshold, and when there is nothing to judge by any more. Without ``clear_at`` it is cleared as soon as
    it would not be raised. ``threshold`` and ``clear_at`` may be functions of the monitor; a threshold of ``None``
    switches the rule off. ``description`` says what is read, in messages.

    Raises ``CacheValueError`` for what it cannot work with.

    >>> from cachery.monitoring import AlertRule, CachePerformanceMonitor
    >>> monitor = CachePerformanceMonitor()
    >>> monitor.add_alert_rule(AlertRule("many_kinds", lambda monitor: 7, 5, clear_at=3, severity="critical"))
    >>> [(alert.name, alert.state, alert.value) for alert in monitor.check_alerts()]
    [('many_kinds', 'raised', 7.0)]
    """

    name: str
    read: Callable[[Any], Reading | float | None]
    threshold: Limit
    clear_at: Limit = None
    severity: Severity = "warning"
    direction: Literal["above", "below"] = "above"
    min_samples: int = 1
    description: str = ""

    def __post_init__(self) -> None:
        """Refuse what contradicts itself."""
        if not exact_name(self.name, "name"):
            raise CacheValueError("name is the name of an alert, not empty")
        if not callable(self.read):
            raise CacheValueError(f"read is a function of the monitor, not {self.read!r}")
        for name, value, allowed in (
            ("severity", self.severity, ("warning", "critical")),
            ("direction", self.direction, ("above", "below")),
        ):
            if value not in allowed:
                raise CacheValueError(f"{name} is {' or '.join(map(repr, allowed))}, not {value!r}")
        exact_count(self.min_samples, "min_samples", least=1)
        _check_limits(self)

    def is_reached(self, value: float, threshold: float) -> bool:
        """Tell whether ``value`` is as bad as ``threshold``."""
        return value >= threshold if self.direction == "above" else value <= threshold

    def is_over(self, value: float, threshold: float, clear_at: float | None) -> bool:
        """Tell whether ``value`` is good enough for a raised alert to be cleared."""
        if clear_at is None:
            return not self.is_reached(value, threshold)
        return value <= clear_at if self.direction == "above" else value >= clear_at

    def message(self, value: float | None, threshold: float, *, is_raised: bool) -> str:
        """Return one line for a person."""
        what = self.description or self.name
        if value is None:
            return f"{what}: nothing is measured any more"
        than = "or more" if self.direction == "above" else "or less"
        return f"{what}: {value:.6g}" + (f", which is {threshold:.6g} {than}" if is_raised else " again")


def _check_limits(rule: AlertRule) -> None:
    for name, limit in (("threshold", rule.threshold), ("clear_at", rule.clear_at)):
        if not (limit is None or callable(limit) or _is_number(limit)):
            raise CacheValueError(f"{name} is a number, or a function of the monitor, not {limit!r}")
    if isinstance(rule.threshold, int | float) and isinstance(rule.clear_at, int | float):
        is_good = rule.clear_at < rule.threshold if rule.direction == "above" else rule.clear_at > rule.threshold
        if not is_good:
            side = "below" if rule.direction == "above" else "above"
            raise CacheValueError(f"clear_at lies {side} the threshold {rule.threshold!r}, not at {rule.clear_at!r}")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and not isnan(value) and abs(value) < inf
