"""What the tests of the cache on Redis stand on: servers seen past the cache, loads held open, events noted."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import redis
from tests.servers.redis_servers import HOST, RedisServer

from cachery import LoadContext, RedisCache
from cachery.events import Event

PATIENCE = 30.0
BUDGET = 0.5

E = TypeVar("E", bound=Event)


def raw(port: int, **options: Any) -> redis.Redis:
    """Return a client that goes to the server past every cache."""
    return redis.Redis(HOST, port, **options)


def redis_cache(port: int, prefix: str = "t", **options: Any) -> RedisCache:
    """Return a cache at ``port`` that waits no longer than the budget of the tests."""
    return RedisCache(HOST, port, prefix=prefix, connect_timeout=BUDGET, timeout=BUDGET, **options)


def names_at(port: int) -> set[bytes]:
    """Return the names of all that stands on the server."""
    with raw(port) as client:
        return set(client.keys())


def noted(cache: Any, *kinds: type[E]) -> list[E]:
    """Return a list to which every event of ``kinds`` is added from now on."""
    seen: list[E] = []

    def note(event: Event) -> None:
        if isinstance(event, kinds):
            seen.append(event)

    cache.subscribe(note)
    return seen


class HeldLoad:
    """A load of ``key`` on a thread, which has begun, and ends when it is let go.

    ``loader_tags``: what only the loader knows, and says when it ends.
    """

    def __init__(
        self, cache: Any, value: object, key: str = "a", *, loader_tags: tuple[str, ...] = (), **options: Any
    ) -> None:
        self._began, self._may_end = threading.Event(), threading.Event()
        self.got: list[Any] = []

        def load() -> object:
            self._began.set()
            assert self._may_end.wait(PATIENCE)
            return value

        def load_with_tags(context: LoadContext) -> object:
            loaded = load()
            context.tags = loader_tags
            return loaded

        loader: Callable[..., object] = load_with_tags if loader_tags else load
        self._thread = threading.Thread(
            target=lambda: self.got.append(cache.get_or_set(key, loader, **options)), daemon=True
        )
        self._thread.start()
        assert self._began.wait(PATIENCE)

    def land(self) -> Any:
        """Let it end; return what the one who asked got."""
        self._may_end.set()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
        return self.got[0]


@contextmanager
def paused(server: RedisServer) -> Iterator[None]:
    """Let ``server`` stand still for the time of the block."""
    server.pause()
    try:
        yield
    finally:
        server.resume()
