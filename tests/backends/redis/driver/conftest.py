"""Servers that the tests of the driver share, and one of a test's own."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.backends.redis.driver.local_servers import Shared, free_port, join, make_certificate, running, tell

pytest.importorskip("redis")
pytest.importorskip("hiredis")


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    directory = tmp_path_factory.mktemp("driver")
    certificate, key = make_certificate(directory)
    tls_port, path = free_port(), str(directory / "r.sock")
    encrypted = ["--tls-port", str(tls_port), "--tls-cert-file", certificate, "--tls-key-file", key]
    encrypted += ["--tls-ca-cert-file", certificate, "--tls-auth-clients", "no"]
    extra = ["--unixsocket", path, "--enable-debug-command", "yes"]
    with running(directory, *extra, *encrypted) as port:
        tell(port, "ACL", "SETUSER", "ann", "on", ">s3cr#t/@", "~*", "&*", "+@all")
        yield Shared(port, path, tls_port, certificate)


@pytest.fixture
def port(shared: Shared) -> int:
    """Return the port of the shared server, emptied."""
    tell(shared.port, "FLUSHALL")
    return shared.port


@pytest.fixture
def own_port(tmp_path: Path) -> Iterator[int]:
    """Return the port of a server of this test's own, which may be paused or killed."""
    with running(tmp_path / "own", "--enable-debug-command", "yes") as port:
        yield port


@pytest.fixture(scope="session")
def cluster_ports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[int]]:
    """Return the ports of three primaries that share all slots."""
    directory = tmp_path_factory.mktemp("cluster")
    with contextlib.ExitStack() as stack:
        ports = []
        for number in range(3):
            place = directory / str(number)
            options = ["--cluster-enabled", "yes", "--cluster-node-timeout", "2000", "--enable-debug-command", "yes"]
            ports.append(stack.enter_context(running(place, *options)))
        join(ports)
        yield ports
