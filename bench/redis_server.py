"""A Redis server for measurements: started on a free port, gone afterwards."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["has_redis", "redis_port"]


def has_redis() -> bool:
    """Tell whether there is a ``redis-server`` on this machine."""
    return shutil.which("redis-server") is not None


@contextmanager
def redis_port() -> Iterator[int]:
    """Run a server that keeps nothing; give its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603
    try:
        assert server.stdout is not None  # noqa: S101 - it is a pipe
        next(line for line in server.stdout if "Ready to accept connections" in line)
        yield port
    finally:
        server.terminate()
        server.communicate()
