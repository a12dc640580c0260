"""The engine for callers of one kind: what the loading verbs of a cache, and its decorator, work with."""

from __future__ import annotations

import atexit
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from contextvars import copy_context
from inspect import CO_ASYNC_GENERATOR, CO_COROUTINE, CO_GENERATOR, isawaitable
from random import random
from types import FunctionType, MethodType
from typing import Any
from weakref import WeakSet

from cachery.backends.adapt import Inline
from cachery.engine.bulk import load_many
from cachery.engine.context import check_callable, wants_context
from cachery.engine.core import Engine
from cachery.engine.flights import Flights
from cachery.engine.load import Loading
from cachery.engine.request import Request
from cachery.exceptions import CacheValueError
from cachery.keys.text import exact_key, exact_keys, exact_tags
from cachery.model.durations import Duration
from cachery.model.options import load_options
from cachery.model.outcome import Outcome
from cachery.ports.backend import Backend, BlockingBackend
from cachery.ports.clock import stopwatch
from cachery.ports.runtime import Runtime
from cachery.runtimes.threads import ThreadRuntime
from cachery.sources.source import Source, exact_sources
from cachery.statistics.counters import Counters
from cachery.statistics.recorder import Recorder
from cachery.step import step

__all__ = [
    "BlockingEngine",
    "LoopEngine",
    "blocking_engine",
    "drain_at_exit",
    "found_sources",
    "go_on_without",
    "stepped_engine",
]

_LONGEST_EXIT = 5.0
_USED_UP = CO_GENERATOR | CO_ASYNC_GENERATOR
_NOT_BLOCKING = CO_COROUTINE | _USED_UP


def _check_loader(loader: Callable[..., Any], refused: int) -> None:
    """Raise ``CacheValueError`` for a function of one of the ``refused`` kinds, flags of its code.

    Other callables that return something to be awaited or gone through are found out when they are called.
    """
    plain = loader.__func__ if type(loader) is MethodType else loader
    if type(plain) is FunctionType and plain.__code__.co_flags & refused:
        raise _refusal(plain, refused)


def _refusal(loader: FunctionType, refused: int) -> CacheValueError:
    is_asynchronous = loader.__code__.co_flags & (CO_COROUTINE | CO_ASYNC_GENERATOR)
    if refused & CO_COROUTINE and is_asynchronous:
        return CacheValueError(
            f"{loader.__qualname__} is asynchronous, and this cache is not: use the cache of the same name "
            "in cachery.aio, for instance cachery.aio.get_cache(name)"
        )
    return CacheValueError(
        f"{loader.__qualname__} is a generator function, and a generator can be read only once: "
        "return a list of it, or decorate the function with cached"
    )


class BlockingEngine:
    """The engine for threads: every call returns when it is done. ``core`` is the engine itself."""

    def __init__(self, core: Engine[Any], recorder: Recorder) -> None:
        self.core = core
        self.recorder = recorder

    def load(self, key: str, loader: Callable[..., Any], ttl: Duration | None, options: Mapping[str, Any]) -> Outcome:
        """Return what became of loading ``key``."""
        _check_loader(loader, _NOT_BLOCKING)
        return _carried(self.core.load(_request(key, loader, ttl, options)))

    def load_as(self, request: Request) -> Outcome:
        """Return what became of ``request``, which is checked already."""
        return _carried(self.core.load(request))

    def reload(self, request: Request) -> Outcome:
        """Return what became of loading anew, whatever is there."""
        return _carried(self.core.reload(request))

    def within(self, prefix: str, counters: Counters) -> BlockingEngine:
        """Return the engine of the part of the store under ``prefix``, which counts in ``counters`` too."""
        recorder = self.recorder.beside(counters)
        return BlockingEngine(self.core.within(prefix, recorder), recorder)

    def load_many(
        self, keys: Iterable[str], loader: Callable[..., Any], ttl: Duration | None, options: Mapping[str, Any]
    ) -> Outcome:
        """Return what became of loading ``keys`` by one call."""
        _check_loader(loader, _NOT_BLOCKING)
        return _carried(load_many(self.core, exact_keys(keys), _bulk_request(loader, ttl, options)))

    def for_loops(self, backend: Backend[Any] | None = None) -> LoopEngine:
        """Return an engine for event loops that shares the store and the loads of this one.

        ``backend``: the same store as loops are to ask it; ``None`` for one that answers at once.
        """
        from cachery.runtimes.loop import LoopRuntime  # noqa: PLC0415 - blocking code does without asyncio

        core = self.core if backend is None else self.core.over(backend)
        return LoopEngine(core.on(LoopRuntime()), self.recorder)

    def drain(self, timeout: float) -> bool:
        """Let what goes on in the background end, at most ``timeout`` seconds; True when nothing is left."""
        return step(self.core.runtime.drain(timeout))


def _carried(work: Coroutine[Any, Any, Outcome]) -> Outcome:
    """Carry ``work`` through in a copy of the caller's context, where it notes what is being loaded.

    Not in the context itself: setting a variable may set off the garbage collector, hence a finalizer that loads; if
    that sets a variable of the same context, CPython 3.11 goes on with a mapping that is freed.
    """
    return copy_context().run(step, work)


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
        _check_loader(loader, _USED_UP)
        return self.core.load(_request(key, loader, ttl, options))

    def load_as(self, request: Request) -> Awaitable[Outcome]:
        """Return what became of ``request``, which is checked already."""
        return self.core.load(request)

    def reload(self, request: Request) -> Awaitable[Outcome]:
        """Return what became of loading anew, whatever is there."""
        return self.core.reload(request)

    def load_anew(
        self, key: str, loader: Callable[..., Any], ttl: Duration | None, options: Mapping[str, Any]
    ) -> Awaitable[Outcome]:
        """Return what became of loading ``key`` anew, whatever is there; that stays where nothing is stored."""
        _check_loader(loader, _USED_UP)
        return self.core.reload(_request(key, loader, ttl, options))

    def load_many(
        self, keys: Iterable[str], loader: Callable[..., Any], ttl: Duration | None, options: Mapping[str, Any]
    ) -> Awaitable[Outcome]:
        """Return what became of loading ``keys`` by one call."""
        _check_loader(loader, _USED_UP)
        return load_many(self.core, exact_keys(keys), _bulk_request(loader, ttl, options))

    def within(self, prefix: str, counters: Counters) -> LoopEngine:
        """Return the engine of the part of the store under ``prefix``, which counts in ``counters`` too."""
        recorder = self.recorder.beside(counters)
        return LoopEngine(self.core.within(prefix, recorder), recorder)

    async def drain(self, timeout: float) -> bool:
        """Let what goes on in the background end, at most ``timeout`` seconds; True when nothing was late."""
        return await self.core.runtime.drain(timeout)


def blocking_engine(backend: BlockingBackend[Any], recorder: Recorder) -> BlockingEngine:
    """Return an engine that loads through ``backend`` on the threads of its callers."""
    return stepped_engine(Inline(backend), recorder)


def stepped_engine(backend: Backend[Any], recorder: Recorder) -> BlockingEngine:
    """Return the same over a ``backend`` that is awaited, and never suspends."""
    loading = Loading(backend, ThreadRuntime(), recorder, stopwatch, random)
    return BlockingEngine(Engine(loading, Flights(stopwatch)), recorder)


def go_on_without(engine: BlockingEngine | LoopEngine, work: Callable[[], Coroutine[Any, Any, object]]) -> None:
    """Have what ``work`` returns carried out in the background; ``drain`` waits for it. A failure is logged."""
    runtime, errand = engine.core.runtime, _Errand()
    runtime.spawn(_carried_out(runtime, errand, work), errand)


_drained_at_exit: WeakSet[BlockingEngine] = WeakSet()


def drain_at_exit(engine: BlockingEngine) -> None:
    """Let what ``engine`` does in the background end before the interpreter does, for a while at most."""
    if not _drained_at_exit:
        atexit.unregister(_drain_all)
        atexit.register(_drain_all)
    _drained_at_exit.add(engine)


def _drain_all() -> None:
    for engine in list(_drained_at_exit):
        engine.drain(_LONGEST_EXIT)


class _Errand:
    """The end of something in the background that nobody waits for."""

    home: object = None
    is_over = False

    def attend(self, wake: Callable[[], object]) -> bool:
        """Refuse: nobody waits."""
        del wake
        return False

    def desert(self, wake: Callable[[], object]) -> None:
        """Do nothing: nobody waits."""


async def _carried_out(runtime: Runtime, errand: _Errand, work: Callable[[], Coroutine[Any, Any, object]]) -> None:
    try:
        await work()
    except Exception:
        logging.getLogger("cachery").warning("work in the background failed", exc_info=True)
    finally:
        runtime.release(errand)


def _request(key: str, loader: Callable[..., Any], ttl: Duration | None, options: Mapping[str, Any]) -> Request:
    """Return the request for ``key``, everything that a caller gave checked."""
    if type(key) is not str:
        key = exact_key(key)
    if not options:
        return Request(key, loader, load_options(ttl), wants_context=wants_context(loader))
    tags, sources, rest = _parted(options)
    return Request(key, loader, load_options(ttl, **rest), tags, sources, wants_context=wants_context(loader))


def _bulk_request(loader: Callable[..., Any], ttl: Duration | None, options: Mapping[str, Any]) -> Request:
    """Return the request that stands for many keys, which its ``loader`` is given."""
    check_callable(loader)
    tags, sources, rest = _parted(options)
    return Request("", loader, load_options(ttl, **rest), tags, sources)


def found_sources(found: Any) -> tuple[Source, ...]:
    """Return the sources that a function given as ``depends_on`` ``found``.

    Raises ``CacheValueError`` when it is asynchronous, and for what is no source.
    """
    if isawaitable(found):
        if isinstance(found, Coroutine):
            found.close()  # nobody will await it
        raise CacheValueError("depends_on is a collection of sources, or a function that is not asynchronous")
    return exact_sources(found)


def _parted(options: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[Source, ...], dict[str, Any]]:
    """Return the tags and the sources that stand among ``options``, and the rest."""
    rest = dict(options)
    depends_on = rest.pop("depends_on", ())
    if callable(depends_on):
        depends_on = found_sources(depends_on())
    tags = rest.pop("tags", ())
    return exact_tags(tags) if tags else (), exact_sources(depends_on) if depends_on != () else (), rest
