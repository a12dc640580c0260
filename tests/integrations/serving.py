"""Apps, served by a real server on a free port, in a thread; and caches that tell what became of them."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any, Self

import httpx
import uvicorn
from tests.servers.redis_servers import HOST, wait_until

from cachery import aio

WAIT = 30.0


@contextmanager
def served(app: Any) -> Iterator[httpx.Client]:
    """Serve ``app``; give a client of it. A lifespan that fails to start is a failure."""
    config = uvicorn.Config(app, lifespan="on", ws="none", log_config=None, timeout_graceful_shutdown=5)
    server = uvicorn.Server(config)
    listening = socket.create_server((HOST, 0))
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # asyncio does so where it made the socket
    address = f"http://{HOST}:{listening.getsockname()[1]}"
    thread = Thread(target=_run, args=(server, listening), name="server of a test")
    thread.start()
    try:
        wait_until(lambda: server.started or not thread.is_alive())
        assert server.started, "the app did not start"
        with httpx.Client(base_url=address, timeout=WAIT) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join(WAIT)
        listening.close()


def _run(server: uvicorn.Server, listening: socket.socket) -> None:
    try:
        server.run(sockets=[listening])
    except SystemExit:  # how it says that the app did not start
        assert not server.started


class Witness(aio.InMemoryCache):
    """A cache that tells when it is entered and closed; it may refuse to close."""

    def __init__(self, name: str, story: list[str], refusal: Exception | None = None) -> None:
        super().__init__(10, name=name)
        self.story, self.refusal = story, refusal

    async def __aenter__(self) -> Self:
        self.story.append(f"open {self.name}")
        return self

    async def close(self) -> None:
        self.story.append(f"close {self.name}")
        await super().close()
        if self.refusal is not None:
            raise self.refusal
