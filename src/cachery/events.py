"""What a cache reports to those who subscribed: frozen records, one kind a fact.

``cache`` is the name of the cache or ``None``. Records carry keys, never values, so keeping one keeps nothing alive.

    >>> from cachery import InMemoryCache
    >>> seen = []
    >>> cache = InMemoryCache(max_size=1, name="small")
    >>> unsubscribe = cache.subscribe(seen.append)
    >>> cache.set("a", 1) and cache.set("b", 2)
    True
    >>> seen[-2]
    Evicted(cache='small', key='a', cause='size')
    >>> unsubscribe()
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from cachery.exceptions import CacheValueError

__all__ = [
    "Answered",
    "Event",
    "Evicted",
    "Expired",
    "Hit",
    "Invalidated",
    "Listener",
    "LoadFailed",
    "Loaded",
    "Miss",
    "ServedStale",
    "Stored",
    "TierDown",
    "TierUp",
    "Unreadable",
    "check_listener",
    "listening",
    "notify",
    "without",
]


@dataclass(frozen=True, slots=True)
class Event:
    """The common part: which cache speaks."""

    cache: str | None


@dataclass(frozen=True, slots=True)
class Hit(Event):
    """``key`` was asked for and found."""

    key: str


@dataclass(frozen=True, slots=True)
class Miss(Event):
    """``key`` was asked for and not found."""

    key: str


@dataclass(frozen=True, slots=True)
class Stored(Event):
    """A value was stored under ``key``, new or over an old one."""

    key: str


@dataclass(frozen=True, slots=True)
class Evicted(Event):
    """``key`` left. ``cause`` is ``"size"`` when it made room for another, ``"too_large"`` when a value had no room."""

    key: str
    cause: Literal["size", "too_large"]


@dataclass(frozen=True, slots=True)
class Expired(Event):
    """The time of ``key`` was over and its entry was removed."""

    key: str


@dataclass(frozen=True, slots=True)
class Invalidated(Event):
    """Someone removed entries on purpose.

    ``target`` is the key for the cause ``"delete"``, the tag for ``"tag"``, the glob for ``"pattern"`` and empty for
    ``"clear"``. One record a call and target, however many entries it removed.
    """

    cause: Literal["clear", "delete", "pattern", "tag"]
    target: str


@dataclass(frozen=True, slots=True)
class Loaded(Event):
    """A loader returned the value of ``key`` after ``duration`` seconds."""

    key: str
    duration: float


@dataclass(frozen=True, slots=True)
class LoadFailed(Event):
    """A loader raised an exception for ``key`` after ``duration`` seconds; ``error`` is the name of its class."""

    key: str
    duration: float
    error: str


@dataclass(frozen=True, slots=True)
class ServedStale(Event):
    """``key`` was asked for and answered with a value that is past its time."""

    key: str


@dataclass(frozen=True, slots=True)
class Unreadable(Event):
    """What stands under ``key`` cannot be read, so it counts as absent.

    ``reason``: ``"format"``, another or a later one; ``"secret"``, another key signed it; ``"signature"``, it was
    changed; ``"key"``, it belongs under another key; ``"serializer"``, ``"compression"`` or ``"encryption"``, it was
    written with another, or cannot be undone; ``"damaged"``, ``"value"`` or ``"file"``, parts of it are wrong or gone.
    """

    key: str
    reason: str


@dataclass(frozen=True, slots=True)
class TierDown(Event):
    """The server ``tier`` cannot be reached or takes too long; ``error`` says what happened. Once an episode."""

    tier: str
    error: str


@dataclass(frozen=True, slots=True)
class TierUp(Event):
    """The server that ``tier`` names answers again."""

    tier: str


@dataclass(frozen=True, slots=True)
class Answered(Event):
    """An ``AIResponseCache`` answered a request, ``duration`` seconds after it was asked.

    ``operation`` is that of the request, ``model`` the one it names, if any. ``outcome``: ``"hit"``, kept or shared
    with a call under way; ``"computed"``, by a call of its own; ``"passed"``, by one that is never kept; ``"failed"``,
    not at all, for the ``error`` whose class is named. The tokens are those that the answer says it took, 0 where it
    says nothing.
    """

    operation: str
    model: str | None
    outcome: Literal["computed", "failed", "hit", "passed"]
    duration: float
    input_tokens: int
    output_tokens: int
    error: str | None = None


Listener: TypeAlias = Callable[[Event], object]
"""Called with each event, on the thread of the call that caused it. What it raises is logged and harms nobody."""


def notify(listeners: tuple[Listener, ...], event: Event) -> None:
    """Hand ``event`` to each listener. One that raises is logged, and the others hear it all the same."""
    for listener in listeners:
        try:
            listener(event)
        except Exception:
            import logging  # noqa: PLC0415 - loaded only when something goes wrong

            logging.getLogger("cachery").exception("the listener %r failed on %r", listener, event)


def without(listeners: tuple[Listener, ...], listener: Listener) -> tuple[Listener, ...]:
    """Return ``listeners`` without ``listener``; once, when it is there more often.

    >>> without((print, repr, print), print)
    (<built-in function repr>, <built-in function print>)
    """
    kept = list(listeners)
    if listener in kept:
        kept.remove(listener)
    return tuple(kept)


def check_listener(listener: Listener) -> None:
    """Raise ``CacheValueError`` for a listener that cannot be called."""
    if not callable(listener):
        raise CacheValueError(f"a listener is called with each event; {listener!r} cannot be called")


def listening(listener: Listener, stop: Callable[[Listener], object]) -> Callable[[], None]:
    """Return a function that calls ``stop`` with ``listener``, the first time only.

    Raises ``CacheValueError`` for a listener that cannot be called.
    """
    check_listener(listener)
    pending = [listener]

    def unsubscribe() -> None:
        while pending:
            stop(pending.pop())

    return unsubscribe
