"""What a loaded value depends on: looked at before its load begins, so that a change during the load shows.

A key that is not there then may be brought by the loader itself, which loads what its value is made of. Such a key is
watched: a token tells whether it was written at all, and a load of it within the loader's own context bears witness of
what it stored. Where neither is so, somebody else has written it meanwhile, and nobody knows which value the loader
saw: then its value goes to those who wait, and is not kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from cachery.engine.request import Request
from cachery.exceptions import CacheInvalidationError
from cachery.model.marks import without_marks
from cachery.sources.observing import absent_keys, absent_mark, without_absent
from cachery.sources.source import Key

if TYPE_CHECKING:
    from cachery.engine.flights import Flight
    from cachery.engine.load import Loading

__all__ = ["Watch", "bear_witness", "concluded", "observed", "watching", "with_bonds"]


class Watch:
    """Keys that were not there when the load of ``keys`` began, each with a token.

    ``witnessed``: the tags of who depends on what a load within ours has stored under them.
    """

    __slots__ = ("_backend", "keys", "tokens", "witnessed")

    def __init__(self, backend: Any, keys: Sequence[str]) -> None:
        self._backend = backend
        self.keys = keys
        self.tokens: dict[str, Any] = {}
        self.witnessed: dict[str, tuple[str, ...]] = {}

    def close(self) -> None:
        """Forget all tokens."""
        while self.tokens:
            self._backend.close_token(self.tokens.popitem()[1])


watching: ContextVar[tuple[Watch, ...]] = ContextVar("watching", default=())
"""The watches of the loads that this code is called by."""


async def observed(loading: Loading[Any], request: Request, keys: Sequence[str]) -> Request:
    """Return ``request``, the load of ``keys``, with what its sources look like now."""
    backend = loading.backend
    tags = await backend.observe(keys, request.sources)
    absent = absent_keys(tags)
    if not absent:
        return request.bound((*request.bonds, *tags))
    watch = Watch(backend, keys)
    try:
        for key in absent:
            watch.tokens[key.name] = await backend.open_token(key.name)
        tags = (*without_absent(tags), *await backend.observe(keys, tuple(absent)))  # again, now that it is watched
        for name in watch.tokens.keys() - {key.name for key in absent_keys(tags)}:
            backend.close_token(watch.tokens.pop(name))
    except BaseException:
        watch.close()
        raise
    bound = request.bound((*request.bonds, *tags))
    bound.watch = watch
    return bound


async def bear_witness(loading: Loading[Any], flight: Flight) -> None:
    """Tell the loads that wait for ``flight``, which was just stored, what their values depend on."""
    name = flight.key
    for watch in watching.get():
        if name in watch.tokens:
            try:
                tags = await loading.backend.observe(watch.keys, (Key(name),))
            except CacheInvalidationError:  # it depends on who waits for it
                continue
            if loading.backend.is_current(flight.token):  # else it was written again
                watch.witnessed[name] = tags


async def concluded(loading: Loading[Any], request: Request) -> Request | None:
    """Return ``request`` with what became of the keys that were not there; ``None``: nobody knows what was seen."""
    watch = request.watch
    if watch is None:
        return request
    bonds = list(without_absent(request.bonds))
    for name, token in watch.tokens.items():
        tags = watch.witnessed.get(name)
        if tags is None:
            found = await loading.backend.read_entry(name)
            if found is not None or not loading.backend.is_current(token):
                return None
            tags = (absent_mark(name),)
        bonds.extend(tags)
    return request.bound(bonds)


def with_bonds(tags: tuple[str, ...], request: Request) -> tuple[str, ...]:
    """Return ``tags`` with the bonds of ``request``, which say anew what was seen."""
    return tuple(dict.fromkeys((*without_marks(tags), *request.bonds))) if request.sources else tags
