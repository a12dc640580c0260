"""What a warmer is told: when to warm, how much at once, how long, how often again."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import KW_ONLY, dataclass
from enum import Enum
from math import inf
from typing import Any, TypeAlias

from cachery.exceptions import CacheValueError
from cachery.keys.text import check_whole, exact_tags
from cachery.model.durations import Duration, seconds
from cachery.model.options import load_options
from cachery.sources.source import exact_sources

__all__ = ["Sources", "Tags", "TimeToLive", "WarmingConfig", "WarmingStrategy", "as_seconds"]

TimeToLive: TypeAlias = Duration | Callable[[Any, Any], Duration | None] | None
"""A TTL for all, or a function of key and value that returns one; ``None`` is the default of the cache."""

Tags: TypeAlias = Iterable[str] | Callable[[Any, Any], Iterable[str]]
"""Tags for all, or a function of key and value that returns them."""


Sources: TypeAlias = Iterable[Any] | Callable[[Any], Iterable[Any]]
"""What all values depend on, or a function of the key that returns it."""


class WarmingStrategy(Enum):
    """When a warmer warms by itself.

    ``EAGER``: all keys, when it is started. ``LAZY``: each key when ``get`` is first asked for it. ``SCHEDULED``: all
    keys, every ``refresh_interval_s``. ``ADAPTIVE``: the same with those keys only that are in demand.

    >>> WarmingStrategy("eager") is WarmingStrategy.EAGER
    True
    """

    EAGER = "eager"
    LAZY = "lazy"
    SCHEDULED = "scheduled"
    ADAPTIVE = "adaptive"


@dataclass(frozen=True, slots=True)
class WarmingConfig:
    """How a warmer works. Times are seconds, a ``timedelta`` or text such as ``"5m"``.

    ``batch_size``: keys that a worker takes at a time. ``max_workers``: threads, or tasks of an event loop.
    ``refresh_interval_s``: from the end of a scheduled run to the next. ``warmup_timeout_s``: how long a run lasts at
    most, ``inf`` for as long as it takes. ``retry_on_failure``, ``max_retries``: how often what failed is tried again,
    after ``backoff_s``, twice that, and so on up to ``backoff_max_s``, each time less a
    random part of up to a half.

    ``ttl``: of what is stored, or a function of key and value; ``jitter``: the share by which it is shortened at random
    at most. ``tags``: of what is stored, or a function of key and value. ``depends_on``: what the values are made of,
    as for ``get_or_set``, or a function of the key; looked at before they are loaded. A dictionary has none of these.

    Raises ``CacheValueError`` for a value out of range.

    >>> WarmingConfig(refresh_interval_s="5m").refresh_interval_s
    300.0
    """

    strategy: WarmingStrategy = WarmingStrategy.LAZY
    batch_size: int = 100
    max_workers: int = 4
    refresh_interval_s: Duration = 300.0
    warmup_timeout_s: Duration = 60.0
    retry_on_failure: bool = True
    max_retries: int = 3
    _: KW_ONLY
    ttl: TimeToLive = None
    jitter: float = 0.0
    tags: Tags = ()
    depends_on: Sources = ()
    backoff_s: Duration = 0.1
    backoff_max_s: Duration = 10.0

    def __post_init__(self) -> None:
        try:
            object.__setattr__(self, "strategy", WarmingStrategy(self.strategy))
        except ValueError:
            known = ", ".join(strategy.value for strategy in WarmingStrategy)
            raise CacheValueError(f"strategy is one of {known}, not {self.strategy!r}") from None
        check_whole(batch_size=self.batch_size, max_workers=self.max_workers, max_retries=self.max_retries)
        for name, least in (("batch_size", 1), ("max_workers", 1), ("max_retries", 0)):
            if getattr(self, name) < least:
                raise CacheValueError(f"{name} is {least} or more, not {getattr(self, name)}")
        if not isinstance(self.retry_on_failure, bool):
            raise CacheValueError(f"retry_on_failure is True or False, not {self.retry_on_failure!r}")
        for name in ("refresh_interval_s", "warmup_timeout_s", "backoff_s", "backoff_max_s"):
            object.__setattr__(self, name, _above_zero(getattr(self, name), name))
        if self.refresh_interval_s == inf:
            raise CacheValueError("refresh_interval_s is finite: without a scheduler nothing is warmed again")
        load_options(None if callable(self.ttl) else self.ttl, jitter=self.jitter)
        self._settle("tags", exact_tags)
        self._settle("depends_on", exact_sources)

    def _settle(self, name: str, exact: Callable[[Any], Any]) -> None:
        """Give what is called ``name`` its exact form, unless a function is to say it."""
        said = getattr(self, name)
        if not callable(said):
            object.__setattr__(self, name, exact(said))

    @property
    def retries(self) -> int:
        """How often what failed is tried again."""
        return self.max_retries if self.retry_on_failure else 0

    @property
    def needs_a_cache(self) -> bool:
        """Whether it asks for what a dictionary does not have."""
        return self.ttl is not None or self.jitter > 0 or bool(self.tags) or bool(self.depends_on)


def _above_zero(span: Duration, name: str) -> float:
    number = seconds(span, name)
    if number <= 0:
        raise CacheValueError(f"{name} is above 0, not {span!r}")
    return number


def as_seconds(span: Duration) -> float:
    """Return ``span`` of a configuration, which holds seconds by now."""
    return seconds(span)
