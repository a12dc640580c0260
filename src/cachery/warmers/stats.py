"""What became of a run, and how it is added up."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

__all__ = ["Result", "WarmingStats"]

_MOST_REASONS = 1000


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one batch: how many keys were warmed, why others ``failed``, how many others were newer."""

    warmed: int = 0
    failed: Mapping[Hashable, str] = field(default_factory=dict)
    superseded: int = 0

    @classmethod
    def of(cls, results: Iterable[Result]) -> Result:
        """Return all ``results`` as one."""
        parts = list(results)
        failed = {key: reason for part in parts for key, reason in part.failed.items()}
        return cls(sum(part.warmed for part in parts), failed, sum(part.superseded for part in parts))

    @property
    def done(self) -> int:
        """How many keys there is nothing left to do for."""
        return self.warmed + len(self.failed) + self.superseded


@dataclass(frozen=True, slots=True)
class WarmingStats:
    """The numbers of a run; those of keys that were warmed one by one since are added.

    ``keys_failed``: keys that could not be loaded or stored; ``failed`` has the reason by key, ``errors`` a line for
    each. ``keys_superseded``: keys that somebody set or invalidated during their load, whose loaded value was therefore
    left out. ``keys_pending``: keys that a run did not come to in its time; ``timed_out`` tells that there was none
    left. ``total_time_ms``: milliseconds. ``last_warming``: when it ended, in UTC.

    >>> WarmingStats(keys_warmed=3, keys_failed=1).success_rate
    0.75
    """

    keys_warmed: int = 0
    keys_failed: int = 0
    total_time_ms: float = 0.0
    last_warming: datetime | None = None
    errors: list[str] = field(default_factory=list)
    failed: Mapping[Hashable, str] = field(default_factory=dict)
    keys_superseded: int = 0
    keys_pending: int = 0
    timed_out: bool = False

    @property
    def success_rate(self) -> float:
        """The share of the keys attempted that were warmed, from 0 to 1; 1.0 when none was attempted."""
        attempted = self.keys_warmed + self.keys_failed
        return self.keys_warmed / attempted if attempted else 1.0

    @property
    def is_complete(self) -> bool:
        """Whether no key failed and none is left."""
        return not self.keys_failed and not self.keys_pending

    @classmethod
    def of(cls, result: Result, total: int, milliseconds: float, ended: datetime) -> WarmingStats:
        """Return the numbers of a run over ``total`` keys."""
        pending = total - result.done
        return cls(
            result.warmed,
            len(result.failed),
            milliseconds,
            ended,
            _lines(result.failed),
            result.failed,
            result.superseded,
            pending,
            timed_out=pending > 0,
        )

    def plus(self, result: Result, milliseconds: float, ended: datetime) -> WarmingStats:
        """Return these numbers with those of one key, of whose likes any number may follow: reasons are bounded."""
        failed = dict(list({**self.failed, **result.failed}.items())[-_MOST_REASONS:])
        return replace(
            self,
            keys_warmed=self.keys_warmed + result.warmed,
            keys_failed=self.keys_failed + len(result.failed),
            keys_superseded=self.keys_superseded + result.superseded,
            total_time_ms=self.total_time_ms + milliseconds,
            last_warming=ended,
            errors=_lines(failed),
            failed=failed,
        )


def _lines(failed: Mapping[Hashable, str]) -> list[str]:
    return [f"{key!r}: {reason}" for key, reason in failed.items()]
