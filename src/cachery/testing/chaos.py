"""``ChaosCache``: a cache that fails, delays or hangs on a plan, to see what becomes of those who use it."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from cachery.cache import Cache
from cachery.events import Listener
from cachery.exceptions import CacheValueError
from cachery.loading import BlockingEngine
from cachery.model.entry import Entry
from cachery.statistics.stats import CacheStats
from cachery.testing.delegation import VERBS, DelegatingCache

if TYPE_CHECKING:
    from cachery.ports.backend import Backend

__all__ = ["ChaosCache", "Delay", "Disturbance", "Fail", "Hang"]


class Disturbance(Protocol):
    """What befalls one call before it is carried out."""

    def befall(self, sleep: Callable[[float], object]) -> None:
        """Happen. ``sleep`` lets seconds pass."""


@dataclass(frozen=True, slots=True)
class Fail:
    """The call raises ``error``."""

    error: BaseException

    def befall(self, sleep: Callable[[float], object]) -> None:
        """Raise the error."""
        del sleep
        raise self.error


@dataclass(frozen=True, slots=True)
class Delay:
    """The call takes ``seconds`` longer."""

    seconds: float

    def befall(self, sleep: Callable[[float], object]) -> None:
        """Let the seconds pass."""
        sleep(self.seconds)


@dataclass(frozen=True, slots=True)
class Hang:
    """The call hangs until ``release`` is called, on another thread."""

    _released: threading.Event = field(default_factory=threading.Event)
    _reached: threading.Event = field(default_factory=threading.Event)

    def befall(self, sleep: Callable[[float], object]) -> None:
        """Wait to be released."""
        del sleep
        self._reached.set()
        self._released.wait()

    def wait_until_reached(self, timeout: float = 10.0) -> bool:
        """Wait until a call hangs, at most ``timeout`` seconds; True when one does."""
        return self._reached.wait(timeout)

    def release(self) -> None:
        """Let the call go on."""
        self._released.set()


class ChaosCache(DelegatingCache):
    """``cache``, its calls disturbed on a plan.

    The plan names calls, each with what is to befall the first, the second and so on; ``None`` lets one pass, and so
    does the end of the list. Calls are the verbs (``get``, ``set`` and so on, ``size`` for ``len``) and what the
    loading verbs ask of a store: ``read_entry``, ``write_entry``, ``open_token``, ``postpone_refresh``. ``sleep`` lets
    time pass for a ``Delay``.

    >>> from cachery import CacheConnectionError, InMemoryCache
    >>> cache = ChaosCache(InMemoryCache(), get=[None, Fail(CacheConnectionError("gone"))])
    >>> cache.set("a", 1), cache.get("a")
    (True, 1)
    >>> cache.get("a")
    Traceback (most recent call last):
    cachery.exceptions.CacheConnectionError: gone
    """

    def __init__(
        self, cache: Cache, *, sleep: Callable[[float], object] = time.sleep, **plan: Iterable[Disturbance | None]
    ) -> None:
        unknown = plan.keys() - _CALLS
        if unknown:
            raise CacheValueError(f"{sorted(unknown)} are no calls to disturb; there are {sorted(_CALLS)}")
        self.cache = cache
        self._plan = {call: deque(steps) for call, steps in plan.items()}
        self._sleep = sleep

    def disturb(self, call: str) -> None:
        """Let befall what is planned next for ``call``."""
        steps = self._plan.get(call)
        step = steps.popleft() if steps else None
        if step is not None:
            step.befall(self._sleep)

    def build_engine(self) -> BlockingEngine:
        """Return an engine that shares the loads of the cache beneath, and whose store is disturbed."""
        engine = self.cache.engine
        store: Any = _ChaosStore(engine.core.backend, self.disturb)
        return BlockingEngine(engine.core.over(store), engine.recorder)

    def call(self, verb: str, *args: Any, **kwargs: Any) -> Any:
        """Carry out ``verb`` after what is planned for it."""
        self.disturb(verb)
        return len(self.cache) if verb == "size" else getattr(self.cache, verb)(*args, **kwargs)

    @property
    def stats(self) -> CacheStats:
        """The numbers of the cache beneath."""
        return self.cache.stats

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` with each event of the cache beneath."""
        return self.cache.subscribe(listener)

    def check_open(self) -> None:
        """Raise ``CacheClosedError`` on a closed cache."""
        self.cache.check_open()


class _ChaosStore:
    """A store as an engine asks it, its calls disturbed."""

    def __init__(self, store: Backend[Any], disturb: Callable[[str], None]) -> None:
        self._store = store
        self._disturb = disturb

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def read_entry(self, key: str) -> Entry | None:
        self._disturb("read_entry")
        return await self._store.read_entry(key)

    async def write_entry(self, key: str, entry: Entry, token: Any = None) -> bool:
        self._disturb("write_entry")
        return await self._store.write_entry(key, entry, token)

    async def postpone_refresh(self, key: str, until: float, token: Any) -> None:
        self._disturb("postpone_refresh")
        await self._store.postpone_refresh(key, until, token)

    async def open_token(self, key: str, tags: tuple[str, ...] = ()) -> Any:
        self._disturb("open_token")
        return await self._store.open_token(key, tags)

    async def observe(self, keys: Sequence[str], sources: tuple[Any, ...]) -> tuple[str, ...]:
        self._disturb("observe")
        return await self._store.observe(keys, sources)


_CALLS = VERBS | {"size"} | {name for name in vars(_ChaosStore) if not name.startswith("_")}
