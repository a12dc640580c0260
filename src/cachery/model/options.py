"""How a value is loaded and kept: what ``get_or_set`` and ``cached`` take, checked once and turned into seconds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol, TypedDict

from cachery.exceptions import CacheValueError
from cachery.model.durations import Duration, seconds

__all__ = ["Breaker", "CachedOptions", "LoadOptions", "LoadingOptions", "load_options"]

LONGEST_THROTTLE = 30.0
"""Seconds: after a failure with a stale value at hand, the loader is tried again after its TTL, or this if shorter."""


class LoadingOptions(TypedDict, total=False):
    """How ``get_or_set``, ``get_many_or_set`` and ``cached`` load and keep; times are seconds, a ``timedelta`` or text.

    ``stale_ttl``: so long after its TTL a value may still be served, while it is refreshed in the background or when
    the loader fails; after a failure the loader is left alone for another TTL, 30 seconds at most. ``refresh_ahead``:
    refresh in the background once this share of the TTL has passed. ``jitter``: shorten the TTL by a random share up to
    this one. ``soft_timeout``: wait no longer for the refresh of a stale value, but serve it. ``hard_timeout``: wait no
    longer at all, but raise ``CacheTimeoutError``. ``negative_ttl``: the TTL of a loaded ``None``.
    ``cache_exceptions``: exceptions to keep for the same TTL, and to raise again. ``tags``: names by which
    ``invalidate_tags`` finds the entry. ``depends_on``: what the value is made of, looked at before it is loaded:
    names, paths, and ``File``, ``Key`` and ``Version`` of ``cachery.invalidation``, or a function that returns such;
    of ``cached``, one of the arguments. ``breaker``: a ``CircuitBreaker``.

    With ``stale_ttl``, ``refresh_ahead`` or a timeout a loader of blocking code may run on another thread, with the
    context variables of the caller but without its thread-locals.
    """

    stale_ttl: Duration | None
    refresh_ahead: float | None
    jitter: float
    soft_timeout: Duration | None
    hard_timeout: Duration | None
    negative_ttl: Duration | None
    cache_exceptions: tuple[type[Exception], ...]
    tags: Iterable[str]
    depends_on: Iterable[Any] | Callable[..., Iterable[Any]]
    breaker: Breaker | None


class CachedOptions(LoadingOptions, total=False):
    """What ``cached`` takes besides: how a call becomes a key."""

    key: str | Callable[..., str] | None
    key_self: str | Callable[[Any], Any] | None


class Breaker(Protocol):
    """What keeps calls from a loader that fails."""

    def allow(self) -> float:
        """Return 0.0 when a call may be tried, else the seconds until one may."""

    def record(self, *, is_success: bool) -> None:
        """Note what became of a call that was allowed."""

    def withdraw(self) -> None:
        """Note that a call that was allowed was cancelled: nothing is known of it."""


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """The options of a load, times in seconds; ``None`` is "not asked for", and for ``life`` the cache's default."""

    life: float | None = None
    stale: float | None = None
    refresh_ahead: float | None = None
    jitter: float = 0.0
    soft: float | None = None
    hard: float | None = None
    negative: float | None = None
    cache_exceptions: tuple[type[BaseException], ...] = ()
    breaker: Breaker | None = None

    def throttle(self, default_life: float) -> float:
        """Return the seconds to wait after a failed load before the next one."""
        life = default_life if self.life is None else self.life
        return min(max(life, 0.0), LONGEST_THROTTLE)


_NAMES = [name for name in LoadingOptions.__annotations__ if name not in {"tags", "depends_on"}]


@lru_cache(maxsize=256, typed=True)
def _checked(  # noqa: PLR0913, PLR0917 - the options of a load are independent
    ttl: Duration | None,
    stale_ttl: Duration | None = None,
    refresh_ahead: float | None = None,
    jitter: float = 0.0,
    soft_timeout: Duration | None = None,
    hard_timeout: Duration | None = None,
    negative_ttl: Duration | None = None,
    cache_exceptions: tuple[type[BaseException], ...] = (),
    breaker: Breaker | None = None,
) -> LoadOptions:
    stale = None if stale_ttl is None else _above_zero(stale_ttl, "stale_ttl")
    soft = None if soft_timeout is None else _above_zero(soft_timeout, "soft_timeout")
    hard = None if hard_timeout is None else _above_zero(hard_timeout, "hard_timeout")
    _check_timeouts(stale, soft, hard)
    if refresh_ahead is not None:
        _check_share(refresh_ahead, "refresh_ahead", "0.8 refreshes once 80 % of ttl has passed")
    if jitter != 0:
        _check_share(jitter, "jitter", "0.1 shortens ttl by up to 10 %")
    if breaker is not None and (isinstance(breaker, type) or not hasattr(breaker, "allow")):
        raise CacheValueError(f"breaker is a CircuitBreaker(...), not {breaker!r}")
    return LoadOptions(
        life=None if ttl is None else seconds(ttl),
        stale=stale,
        refresh_ahead=refresh_ahead,
        jitter=jitter,
        soft=soft,
        hard=hard,
        negative=None if negative_ttl is None else seconds(negative_ttl, "negative_ttl"),
        cache_exceptions=_exception_types(cache_exceptions),
        breaker=breaker,
    )


def load_options(ttl: Duration | None = None, **options: Any) -> LoadOptions:
    """Return ``LoadingOptions``, but for their tags, checked. Equal arguments give one object.

    Raises ``CacheValueError``, saying what to write instead, for a value out of range and for options that contradict
    each other; ``TypeError`` for an option that there is not.

    >>> load_options("5m", stale_ttl="1h").stale
    3600.0
    """
    if options and (unknown := options.keys() - set(_NAMES)):
        names = ", ".join(sorted(unknown))
        raise TypeError(
            f"{names}: no option of loading; there are {', '.join(_NAMES)}, tags, depends_on, "
            "and for cached key, key_self"
        )
    try:
        return _checked(ttl, **options)
    except TypeError:  # something unhashable: a list of exceptions, or what is no duration at all
        return _checked.__wrapped__(ttl, **options)


def _above_zero(span: Duration, name: str) -> float:
    number = seconds(span, name)
    if number <= 0:
        raise CacheValueError(f"{name} must be above 0, not {span!r}; leave it out to do without")
    return number


def _check_timeouts(stale: float | None, soft: float | None, hard: float | None) -> None:
    if soft is not None and stale is None:
        raise CacheValueError(
            "soft_timeout serves a stale value when the load is slow, so it needs stale_ttl: "
            "write for instance soft_timeout=0.1, stale_ttl='1h', or hard_timeout=0.1 to raise instead"
        )
    if soft is not None and hard is not None and soft > hard:
        raise CacheValueError(
            f"soft_timeout={soft:g} is longer than hard_timeout={hard:g}, so it would never come to it"
        )


def _check_share(share: object, name: str, example: str) -> None:
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share < 1:
        raise CacheValueError(f"{name} is a share between 0 and 1, not {share!r}: {example}")


def _exception_types(given: Any) -> tuple[type[BaseException], ...]:
    kinds = (given,) if isinstance(given, type) else given
    try:
        kinds = tuple(kinds)
    except TypeError:
        kinds = (given,)
    for kind in kinds:
        if not isinstance(kind, type) or not issubclass(kind, Exception):
            raise CacheValueError(
                f"cache_exceptions is a tuple of exception classes, for instance (LookupError,), not {given!r}"
            )
    return kinds
