"""Which alerts are raised: rules are judged, each episode is told once, and nobody is told while a lock is held."""

from __future__ import annotations

import logging
from _thread import get_ident
from collections.abc import Callable
from dataclasses import dataclass
from inspect import iscoroutinefunction
from typing import Any

from cachery.exceptions import CacheValueError
from cachery.locks import make_lock
from cachery.monitoring.alerts import Alert, AlertCallback, AlertRule, Limit, Reading

__all__ = ["Watch"]

_logger = logging.getLogger("cachery.monitoring")
_LEVELS = {"warning": logging.WARNING, "critical": logging.ERROR}


@dataclass(frozen=True, slots=True)
class _Judged:
    """A rule, what was read for it, and its limits at that moment; ``is_known`` unless something failed."""

    rule: AlertRule
    reading: Reading | None
    threshold: float | None
    clear_at: float | None
    is_known: bool = True


class Watch:
    """The rules, the raised alerts, and who hears of them."""

    def __init__(self, rules: list[AlertRule]) -> None:
        self._lock = make_lock()
        self._rules = {rule.name: rule for rule in rules}
        self._raised: dict[str, Alert] = {}
        self._failing: set[str] = set()
        self._callbacks: dict[object, AlertCallback] = {}
        self._judging: set[int] = set()

    def add(self, rule: AlertRule) -> None:
        """Judge by ``rule`` from now on, in the place of one of the same name."""
        with self._lock:
            self._rules = {**self._rules, rule.name: rule}

    def remove(self, name: str) -> bool:
        """Judge by the rule ``name`` no more, and forget its alert; True if there was one."""
        with self._lock:
            self._raised.pop(name, None)
            rules = dict(self._rules)
            found = rules.pop(name, None)
            self._rules = rules
        return found is not None

    def rules(self) -> list[AlertRule]:
        """Return the rules."""
        return list(self._rules.values())

    def raised(self) -> list[Alert]:
        """Return the alerts that are raised now."""
        with self._lock:
            return list(self._raised.values())

    def hear(self, callback: AlertCallback) -> Callable[[], None]:
        """Tell ``callback`` from now on; return a function that ends it."""
        if not callable(callback):
            raise CacheValueError(f"callback is called with each alert; {callback!r} cannot be called")
        if iscoroutinefunction(callback):
            raise CacheValueError("callback is called, not awaited: let it start a task of your loop")
        token = object()
        with self._lock:
            self._callbacks = {**self._callbacks, token: callback}

        def unsubscribe() -> None:
            with self._lock:
                self._callbacks = {each: heard for each, heard in self._callbacks.items() if each is not token}

        return unsubscribe

    def check(self, monitor: Any, now: float) -> list[Alert]:
        """Judge by all rules, tell what changed, and return it; called by a rule that is being judged, do nothing."""
        me = get_ident()
        if me in self._judging:
            return []
        self._judging.add(me)
        try:
            judged = [self._judge(rule, monitor) for rule in self.rules()]
        finally:
            self._judging.discard(me)
        with self._lock:
            changes = [change for each in judged if (change := self._settle(each, now)) is not None]
        for change in changes:
            self._tell(change)
        return changes

    def _judge(self, rule: AlertRule, monitor: Any) -> _Judged:
        try:
            threshold = _limit(rule.threshold, monitor)
            clear_at = None if threshold is None else _limit(rule.clear_at, monitor)
            reading = None if threshold is None else _reading(rule.read(monitor))
        except Exception:
            if rule.name not in self._failing:
                _logger.exception("the alert rule %r failed; it is logged again when it has worked between", rule.name)
            self._failing.add(rule.name)
            return _Judged(rule, None, None, None, is_known=False)
        self._failing.discard(rule.name)
        return _Judged(rule, reading, threshold, clear_at)

    def _settle(self, judged: _Judged, now: float) -> Alert | None:
        """Raise or clear; return what changed."""
        rule, reading = judged.rule, judged.reading
        if not judged.is_known or self._rules.get(rule.name) is not rule:
            return None
        raised = self._raised.get(rule.name)
        if raised is None:
            return self._raise(judged, now)
        if reading is not None and judged.threshold is not None:
            is_enough = reading.samples >= rule.min_samples
            if not (is_enough and rule.is_over(reading.value, judged.threshold, judged.clear_at)):
                return None
        del self._raised[rule.name]
        value = None if reading is None else reading.value
        threshold = raised.threshold if judged.threshold is None else judged.threshold
        said = rule.message(value, threshold, is_raised=False)
        return Alert(rule.name, rule.severity, "cleared", value, threshold, now, said)

    def _raise(self, judged: _Judged, now: float) -> Alert | None:
        rule, reading, threshold = judged.rule, judged.reading, judged.threshold
        if reading is None or threshold is None or reading.samples < rule.min_samples:
            return None
        if not rule.is_reached(reading.value, threshold):
            return None
        said = rule.message(reading.value, threshold, is_raised=True)
        alert = Alert(rule.name, rule.severity, "raised", reading.value, threshold, now, said)
        self._raised[rule.name] = alert
        return alert

    def _tell(self, alert: Alert) -> None:
        level = _LEVELS[alert.severity] if alert.state == "raised" else logging.INFO
        _logger.log(level, "%s %s: %s", alert.name, alert.state, alert.message)
        for callback in self._callbacks.values():
            try:
                callback(alert)
            except Exception:
                _logger.exception("the callback %r failed on %r", callback, alert)


def _limit(limit: Limit, monitor: Any) -> float | None:
    found = limit(monitor) if callable(limit) else limit
    return None if found is None else float(found)


def _reading(found: Reading | float | None) -> Reading | None:
    if found is None:
        return None
    reading = found if isinstance(found, Reading) else Reading(found)
    value = float(reading.value)
    return None if value != value else Reading(value, reading.samples)  # noqa: PLR0124 - a nan is nothing to judge by
