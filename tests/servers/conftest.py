"""Real servers for tests: started on a free port, gone with the test session."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def redis_program() -> str:
    """Return the path of ``redis-server``; where there is none, skip the test, or fail it where one was promised."""
    found = shutil.which("redis-server")
    if found is None and os.environ.get("CACHERY_TEST_REDIS") == "required":
        pytest.fail("CACHERY_TEST_REDIS=required, and there is no redis-server")
    if found is None:
        pytest.skip("there is no redis-server on this machine")
    return found


@pytest.fixture(scope="session")
def redis_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Return the port of a Redis server that keeps nothing on disk."""
    program, port = redis_program(), free_port()
    directory: Path = tmp_path_factory.mktemp("redis")
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(directory)]
    server = subprocess.Popen([program, *options], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    for line in server.stdout:
        if "Ready to accept connections" in line:
            break
    yield port
    server.terminate()
    server.communicate()
