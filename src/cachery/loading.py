"""The engine for callers of one kind: what the loading verbs of a cache, and its decorator, work with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from types import FunctionType, MethodType
from typing import Any

from cachery.backends.adapt import Inline
from cachery.engine.bulk import load_many
from cachery.engine.context import check_callable, wants_context
from cachery.engine.core import Engine
from cachery.engine.flights import Flights
from cachery.engine.request import Request
from cachery.exceptions import CacheValueError
from cachery.keys.text import exact_key, exact_keys
from cachery.model.durations import Duration
from cachery.model.options import LoadOptions, load_options
from cachery.model.outcome import Outcome
from cachery.ports.backend import BlockingBackend
from cachery.ports.clock import stopwatch
from cachery.runtimes.step import step
from cachery.runtimes.threads import ThreadRuntime
from cachery.statistics.counters import Counters
from cachery.statistics.recorder import Recorder

__all__ = ["BlockingEngine", "LoopEngine", "blocking_engine", "check_blocking"]

_CO_SPECIAL = 0x2A0
_CO_GENERATOR, _CO_COROUTINE, _CO_ASYNC_GENERATOR = 0x20, 0x80, 0x200


def check_blocking(loader: Callable[..., Any]) -> None:
    """Raise ``CacheValueError`` for a loader that returns something to be awaited or gone through.

    Other callables that do are found out when they are called.
    """
    flags = loader.__code__.co_flags if type(loader) is FunctionType else _flags_of(loader)
    if not flags & _CO_SPECIAL:
        return
    if flags & (_CO_COROUTINE | _CO_ASYNC_GENERATOR):
        raise CacheValueError(
            f"{_name_of(loader)} is asynchronous, and this cache is not: use the cache of the same name "
            "in cachery.aio, for instance cachery.aio.get_cache(name)"
        )
    _check_no_generator(loader, flags)


def check_loop(loader: Callable[..., Any]) -> None:
    """Raise ``CacheValueError`` for a loader that returns something to be gone through."""
    flags = loader.__code__.co_flags if type(loader) is FunctionType else _flags_of(loader)
    if flags & (_CO_GENERATOR | _CO_ASYNC_GENERATOR):
        _check_no_generator(loader, flags)


def _check_no_generator(loader: Callable[..., Any], flags: int) -> None:
    if flags & (_CO_GENERATOR | _CO_ASYNC_GENERATOR):
        raise CacheValueError(
            f"{_name_of(loader)} is a generator function, and a generator can be read only once: "
            "return a list of it, or decorate the function with cached"
        )


def _flags_of(loader: Callable[..., Any]) -> int:
    plain = loader.__func__ if isinstance(loader, MethodType) else loader
    return plain.__code__.co_flags if isinstance(plain, FunctionType) else 0


def _name_of(loader: object) -> str:
    return str(getattr(loader, "__qualname__", repr(loader)))


class BlockingEngine:
    """The engine for threads: every call returns when it is done. ``core`` is the engine itself."""

    def __init__(self, core: Engine[Any], recorder: Recorder) -> None:
        self.core = core
        self.recorder = recorder

    def load(self, key: str, loader: Callable[..., Any], ttl: Duration | None, options: Mapping[str, Any]) -> Outcome:
        """Return what became of loading ``key``."""
        check_blocking(loader)
        chosen, tags = _parted(ttl, options)
        if type(key) is not str:
            key = exact_key(key)
        return step(self.core.load(Request(key, loader, chosen, tags, wants_context=wants_context(loader))))

    def load_as(self, request: Request) -> Outcome:
        """Return what became of ``request``, which is checked already."""
        return step(self.core.load(request))

    def reload(self, request: Request) -> Outcome:
        """Return what became of loading anew, whatever is there."""
        return step(self.core.reload(request))

    def within(self, prefix: str, counters: Counters) -> BlockingEngine:
        """Return the engine of the part of the store under ``prefix``, which counts in ``counters`` too."""
        recorder = self.recorder.beside(counters)
        return BlockingEngine(self.core.within(prefix, recorder), recorder)

    def load_many(
        self, keys: Iterable[str], loader: Callable[..., Any], ttl: Duration | None, options: Mapping[str, Any]
    ) -> Outcome:
        """Return what became of loading ``keys`` by one call."""
        check_callable(loader)
        check_blocking(loader)
        chosen, tags = _parted(ttl, options)
        return step(load_many(self.core, exact_keys(keys), Request("", loader, chosen, tags)))

    def for_loops(self) -> LoopEngine:
        """Return an engine for event loops that shares the store and the loads of this one."""
        from cachery.runtimes.loop import LoopRuntime  # noqa: PLC0415 - blocking code does without asyncio

        return LoopEngine(self.core.on(LoopRuntime()), self.recorder)

    def drain(self, timeout: float) -> bool:
        """Let what goes on in the background end, at most ``timeout`` seconds; True when nothing is left."""
        return step(self.core.runtime.drain(timeout))


class LoopEngine:
    """The engine for event loops."""

    def __init__(self, core: Engine[Any], recorder: Recorder) -> None:
        self.core = core
        self.recorder = recorder

    # Not coroutines themselves: what is wrong is said at once, and the engine's own coroutine is what is awaited.

    def load(
        self, key: str, loader: Callable[..., Any], ttl: Duration | None, options: Mapping[str, Any]
    ) -> Awaitable[Outcome]:
        """Return what became of loading ``key``."""
        check_loop(loader)
        chosen, tags = _parted(ttl, options)
        if type(key) is not str:
            key = exact_key(key)
        return self.core.load(Request(key, loader, chosen, tags, wants_context=wants_context(loader)))

    def load_as(self, request: Request) -> Awaitable[Outcome]:
        """Return what became of ``request``, which is checked already."""
        return self.core.load(request)

    def reload(self, request: Request) -> Awaitable[Outcome]:
        """Return what became of loading anew, whatever is there."""
        return self.core.reload(request)

    def load_many(
        self, keys: Iterable[str], loader: Callable[..., Any], ttl: Duration | None, options: Mapping[str, Any]
    ) -> Awaitable[Outcome]:
        """Return what became of loading ``keys`` by one call."""
        check_callable(loader)
        check_loop(loader)
        chosen, tags = _parted(ttl, options)
        return load_many(self.core, exact_keys(keys), Request("", loader, chosen, tags))

    def within(self, prefix: str, counters: Counters) -> LoopEngine:
        """Return the engine of the part of the store under ``prefix``, which counts in ``counters`` too."""
        recorder = self.recorder.beside(counters)
        return LoopEngine(self.core.within(prefix, recorder), recorder)

    async def drain(self, timeout: float) -> bool:
        """Let what goes on in the background end, at most ``timeout`` seconds; True when nothing was late."""
        return await self.core.runtime.drain(timeout)


def blocking_engine(backend: BlockingBackend[Any], recorder: Recorder) -> BlockingEngine:
    """Return an engine that loads through ``backend`` on the threads of its callers."""
    return BlockingEngine(Engine(Inline(backend), Flights(stopwatch), ThreadRuntime(), recorder), recorder)


def _parted(ttl: Duration | None, options: Mapping[str, Any]) -> tuple[LoadOptions, Iterable[str]]:
    """Return the options, checked, and the tags that stand among them."""
    if not options:
        return load_options(ttl), ()
    rest = dict(options)
    tags = rest.pop("tags", ())
    return load_options(ttl, **rest), tags
