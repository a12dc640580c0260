"""``RedisTier``: memory before a ``RedisCache``, as blocking code and event loops share it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, Protocol, TypeAlias
from weakref import WeakMethod

from cachery.backends.redis.driver.address import Address
from cachery.backends.redis.link import Link
from cachery.backends.redis.names import Names
from cachery.backends.redis.near.bus import Bus, Publishing, Tracking
from cachery.backends.redis.near.channel import Channel, Pulse
from cachery.backends.redis.near.copies import Copies, Copy, Marks
from cachery.backends.redis.near.store import NearStore
from cachery.backends.redis.shelf import Later
from cachery.backends.redis.shelter import Shelter
from cachery.backends.redis.sheltered import ShelteredStore
from cachery.backends.redis.store import RedisStore
from cachery.exceptions import CacheError, CacheValueError
from cachery.in_memory import InMemoryCache
from cachery.model.durations import Duration, seconds
from cachery.ports.clock import Clock
from cachery.ports.store import Observer

__all__ = ["BusChoice", "RedisTier"]

BusChoice: TypeAlias = Literal["auto", "tracking", "pubsub"]

_BEAT, _PATIENCE = 0.25, 1.0
_LONGEST = 3600.0
_MOST_CHANGED = 10_000


class Far(Protocol):
    """The cache on Redis, as far as it is needed here."""

    address: Address
    names: Names
    observer: Observer
    clock: Clock | None

    @property
    def link(self) -> Link:
        """The link for blocking code."""

    def store_over(self, link: Link, observer: Observer, later: Later) -> RedisStore:
        """Return a store over ``link``."""


class RedisTier:
    """Copies of ``far`` in ``near``, a cache in memory, and the channel on which they are kept coherent.

    ``bus``: ``"tracking"``, or ``"pubsub"``, where all who write have to use it; ``"auto"`` is the former.
    ``max_stale_when_blind``: how old a copy may be, in seconds, of which nobody would say that it has changed.
    """

    def __init__(
        self,
        far: Far,
        near: Any,
        *,
        bus: BusChoice,
        max_stale_when_blind: Duration,
        observer: Observer,
        later: Later,
    ) -> None:
        bound = seconds(max_stale_when_blind, "max_stale_when_blind")
        if not 0 <= bound <= _LONGEST:
            raise CacheValueError(f"max_stale_when_blind is 0 to an hour, not {max_stale_when_blind!r}")
        if bus not in {"auto", "tracking", "pubsub"}:
            raise CacheValueError(f"bus is 'auto', 'tracking' or 'pubsub', not {bus!r}")
        self._far = far
        far_store, memory = far.store_over(far.link, observer, later), InMemoryCache(_MOST_CHANGED, clock=far.clock)
        self.shelter = Shelter(far_store, memory, tier=far.address.name, longest=max(bound, _PATIENCE))
        self._life: float = near.default_life
        self._bound = bound
        self._bus: Bus = Publishing(far.names) if bus == "pubsub" else Tracking(far.names)
        near.weigh_within(Copy)
        self.copies = Copies(near, Marks(far.clock))
        pulse = Pulse(_BEAT, _PATIENCE, max(bound, _PATIENCE))
        self.channel = Channel(
            far.address,
            self._bus,
            self.copies.marks,
            pulse,
            on_down=_weakly(self._note_down),  # its thread keeps no cache alive
            on_up=_weakly(self._note_up),
        )

    is_awaited = True

    @property
    def look(self) -> Callable[..., Any]:
        """A quick look at the copies."""
        return self.copies.look

    def blocking_store(self) -> NearStore:
        """Return the store for blocking code."""
        return self._before(self.shelter.blocking)

    def loop_store(self, link: Link, observer: Observer, later: Later) -> NearStore:
        """Return the store over ``link``, one for event loops."""
        return self._before(self.shelter.over(self._far.store_over(link, observer, later)))

    @property
    def let_go(self) -> Callable[[], None]:
        """What ends the thread that hears. It keeps no cache alive."""
        return self.channel.close

    def close(self) -> None:
        """Tell the server what it missed, and hear no more."""
        self.shelter.close()
        self.channel.close()

    def _before(self, far: ShelteredStore) -> NearStore:
        """Return the store that has the copies before ``far``."""
        far.reach.announce = self._bus.announcement
        return NearStore(far, self.copies, self.channel, life=self._life, bound=self._bound)

    @property
    def _name(self) -> str:
        return f"changes on {self._far.address.name}"

    def _note_down(self, error: CacheError) -> None:
        self._far.observer.tier_down(self._name, str(error))

    def _note_up(self) -> None:
        self._far.observer.tier_up(self._name)


def _weakly(method: Callable[..., object]) -> Callable[..., None]:
    """Return a function that calls ``method`` as long as its object lives."""
    reference = WeakMethod(method)

    def call(*arguments: object) -> None:
        found = reference()
        if found is not None:
            found(*arguments)

    return call
