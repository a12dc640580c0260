"""Caches that are opened and closed with an app, and how its routes come by them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from fastapi.requests import HTTPConnection

from cachery.exceptions import CacheClosedError, CacheValueError
from cachery.integrations.fastapi.opening import Shared, is_finished_cache, opened

__all__ = ["CacheLifespan", "shared"]

Dependency = Callable[[HTTPConnection], Coroutine[Any, Any, Any]]


@dataclass(eq=False, slots=True)
class _Run:
    """The life of an app in a loop. ``caches`` are there while all are open."""

    app: Any
    loop: asyncio.AbstractEventLoop
    caches: Mapping[str, Any] | None = None

    @property
    def router(self) -> Any:
        """What a request to an app that is mounted in this one knows it by."""
        return getattr(self.app, "router", None)


class CacheLifespan:
    """Opens caches when an app starts, and closes them when it ends: ``FastAPI(lifespan=CacheLifespan(...))``.

    Each cache has a name, and is a function that makes it, which may be a coroutine function or an asynchronous context
    manager, or the cache itself. Prefer a function: an app that starts again, in tests for instance, then has a new
    cache, and two apps have one each. They are opened in their order and closed in the opposite one, all of them, even
    if one raises. Blocking caches are closed on a thread.

    Within a lifespan of your own, write ``async with caches(app):``. Raises ``CacheValueError`` for what is no cache.

    >>> import asyncio
    >>> from cachery import aio
    >>> from fastapi import FastAPI
    >>> caches = CacheLifespan(pages=lambda: aio.InMemoryCache(1000), notes=lambda: aio.InMemoryCache(10))
    >>> app = FastAPI(lifespan=caches)
    >>> async def main():
    ...     async with caches(app):
    ...         return list(caches.of(app))
    >>> asyncio.run(main())
    ['pages', 'notes']
    """

    def __init__(self, **caches: Any) -> None:
        for name, source in caches.items():
            if not (callable(source) or isinstance(source, Shared) or is_finished_cache(source)):
                raise CacheValueError(f"{name} is a cache, or a function that makes one, not {type(source).__name__}")
        self._sources = caches
        self._dependencies = {name: self._giving(name) for name in caches}
        self._runs: list[_Run] = []
        self._was_open = False

    def __repr__(self) -> str:
        return f"<CacheLifespan of {', '.join(self._sources) or 'no caches'}>"

    def __call__(self, app: Any) -> AbstractAsyncContextManager[None]:
        """Return what opens the caches of ``app``, for the loop that runs, and closes them.

        Entering it raises ``CacheValueError`` while they are open, or for a cache that was closed with an app before,
        and whatever a function raises that should make one; then those before it are closed again.
        """
        return self._while_open(app)

    def dependency(self, name: str) -> Dependency:
        """Return what ``Depends`` takes to give a route, or a WebSocket, the cache of that ``name``.

        It is the same object each time, so ``app.dependency_overrides`` knows it. A request outside of the lifespan
        raises ``CacheClosedError``. Raises ``CacheValueError`` for a name that there is not.

        >>> caches = CacheLifespan(pages=lambda: None)
        >>> caches.dependency("pages") is caches.dependency("pages")
        True
        """
        try:
            return self._dependencies[name]
        except KeyError:
            known = ", ".join(self._sources)
            raise CacheValueError(f"there is no cache {name!r} among those of this lifespan: {known}") from None

    def of(self, app: Any) -> Mapping[str, Any]:
        """Return the caches that are open for ``app`` in the loop that runs, by name.

        For code that no request reaches. Raises ``CacheClosedError`` when they are not open.
        """
        return self._found(app)

    @asynccontextmanager
    async def _while_open(self, app: Any) -> AsyncIterator[None]:
        run = _Run(app, asyncio.get_running_loop())
        if any(other.app is app and other.loop is run.loop for other in tuple(self._runs)):
            raise CacheValueError("the caches are open for this app already: it takes its lifespan once")
        self._check_unspent()
        self._runs.append(run)  # from here on nobody else opens them
        try:
            async with AsyncExitStack() as stack:
                caches = {name: await opened(stack, name, source) for name, source in self._sources.items()}
                run.caches = MappingProxyType(caches)
                try:
                    yield
                finally:
                    run.caches = None
        finally:
            self._runs.remove(run)

    def _check_unspent(self) -> None:
        """Let caches that were given as they are be opened once: they cannot be opened again."""
        given = [name for name, source in self._sources.items() if is_finished_cache(source)]
        if given and self._was_open:
            raise CacheValueError(
                f"the cache {given[0]!r} goes with the first app that started: give a function for it"
            )
        self._was_open = True

    def _giving(self, name: str) -> Dependency:
        async def cache(connection: HTTPConnection) -> Any:
            """Return the cache for the app that serves this request, or for the one that it is mounted in."""
            return self._found(connection.scope["app"], connection.scope.get("router"))[name]

        return cache

    def _found(self, app: Any, router: Any = None) -> Mapping[str, Any]:
        loop = asyncio.get_running_loop()
        known = tuple(self._runs)  # other threads may change it
        runs = [run for run in known if run.app is app]
        runs += [run for run in known if run.router is not None and run.router is router]
        for run in runs:
            if run.loop is loop and run.caches is not None:
                return run.caches
        raise CacheClosedError(_ELSEWHERE if runs else _NOT_OPEN)


_NOT_OPEN = (
    "the caches are open while the app runs, which has not started or has ended: write FastAPI(lifespan=caches), or "
    "'async with caches(app):' in the lifespan of the app"
)
_ELSEWHERE = "the caches are open in another event loop, are being opened, or are being closed"


def shared(cache: Any) -> Shared:
    """Return ``cache``, or a function that returns one, as a cache that a lifespan hands out and does not close.

    For those that others use too, such as named caches. Raises ``CacheValueError`` for what is no cache.

    >>> from cachery.aio import get_cache
    >>> caches = CacheLifespan(pages=shared(lambda: get_cache("pages")))
    """
    if not (callable(cache) or is_finished_cache(cache)):
        raise CacheValueError(f"shared takes a cache, or a function that returns one, not {type(cache).__name__}")
    return Shared(cache)
