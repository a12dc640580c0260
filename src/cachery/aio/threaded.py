"""The door to a cache of another's making, of which nothing is known but its verbs: each call runs on a thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from cachery.aio.offloaded import OffloadedDoor, off_loop
from cachery.backends.adapt import OffLoop
from cachery.keys.text import exact_key
from cachery.model.sentinels import MISSING
from cachery.ports.backend import Backend, Leases
from cachery.step import step
from cachery.stepped import SteppedStore

if TYPE_CHECKING:  # loaded when something is loaded through a cache for the first time
    from cachery.loading import LoopEngine

__all__ = ["ThreadedDoor"]

Token = TypeVar("Token")


class ThreadedDoor(OffloadedDoor):
    """The asynchronous door to any cache that derives from ``cachery.Cache``."""

    @property
    def name(self) -> str | None:
        """The name of the cache, where it has one."""
        return getattr(self.blocking, "name", None)

    @property
    def max_size(self) -> int | None:
        """The most entries there may be; ``None`` when there is no bound, or none is known."""
        return getattr(self.blocking, "max_size", None)

    async def get(self, key: str, default: Any = None) -> Any:
        """Return the value of ``key``, or ``default`` when it is absent or expired."""
        return await off_loop(self.blocking.get, key, default)

    def peek(self, key: str) -> Any:
        """Return ``MISSING``: to look may take time, so the engine does it, off the loop."""
        exact_key(key)
        self.check_open()
        return MISSING

    def build_engine(self) -> LoopEngine:
        """Return an engine that shares its store and its loads with the blocking door, and asks it off the loop."""
        engine: LoopEngine = self.blocking.engine.for_loops(_SteppedOffLoop(self.blocking.engine.core.backend))
        return engine


class _SteppedOffLoop(OffLoop[Token]):
    """The ``backend`` of a blocking engine, which never suspends, carried through on another thread."""

    def __init__(self, backend: Backend[Token]) -> None:
        stepped: Any = SteppedStore(backend)
        super().__init__(stepped, off_loop)
        self.leases: Leases | None = None if backend.leases is None else _LeasesOffLoop(backend.leases)

    async def open_token(self, key: str, tags: tuple[str, ...] = ()) -> Token:
        """Note the moment: a load of ``key`` begins now, whose value will carry ``tags``, as far as is known."""
        begin: Any = self._backend.open_token
        token: Token = await off_loop(begin, key, tags)
        return token


class _LeasesOffLoop:
    """Its ``leases``, taken on another thread."""

    def __init__(self, leases: Leases) -> None:
        self._leases = leases
        self.timeout = leases.timeout
        self.found, self.token, self.drop = leases.found, leases.token, leases.drop

    async def take(self, key: str, tags: tuple[str, ...]) -> Any:
        """Return a lease to load ``key``; ``None`` while another process holds it."""
        return await off_loop(lambda: step(self._leases.take(key, tags)))
