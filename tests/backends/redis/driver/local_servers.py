"""Servers for the tests of the driver: started on free ports, gone with the test or the session."""

from __future__ import annotations

import contextlib
import socket
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from tests.servers.redis_servers import free_port, redis_program

__all__ = ["Shared", "free_port", "join", "make_certificate", "running", "tell", "until", "until_told"]


def tell(port: int, *words: str) -> bytes:
    """Send one command over a connection of its own, and return the raw reply."""
    packed = b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word.encode()) for word in words)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as one:
        one.sendall(packed)
        reply = one.recv(65536)
        while not reply.endswith(b"\r\n"):
            reply += one.recv(65536)
        return reply


def until(is_so: Callable[[], object]) -> None:
    """Ask again and again until it is so; fail after half a minute."""
    deadline = monotonic() + 30
    while not is_so():
        assert monotonic() < deadline


def until_told(port: int, wanted: bytes, *words: str, times: int = 1) -> None:
    """Send a command again and again until the reply contains ``wanted``, so many times."""
    until(lambda: tell(port, *words).count(wanted) >= times)


@contextlib.contextmanager
def running(directory: Path, *options: str, config: str | None = None, port: int | None = None) -> Iterator[int]:
    """Run a server for the time of the block; yield its port."""
    port = free_port() if port is None else port
    directory.mkdir(parents=True, exist_ok=True)
    words = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(directory)]
    if config is not None:
        words = [config, "--port", str(port), "--sentinel"]
    server = subprocess.Popen([redis_program(), *words, *options], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    said = ""
    for line in server.stdout:
        said += line
        if "Ready to accept connections" in line or "Sentinel ID is" in line:
            break
    else:
        raise AssertionError(f"the server on port {port} did not start:\n{said}")
    try:
        yield port
    finally:
        server.kill()
        server.communicate()


@dataclass(frozen=True)
class Shared:
    """The server that most tests share: it listens on a port, on a socket and, encrypted, on a second port."""

    port: int
    path: str
    tls_port: int
    authority: str


def join(ports: Sequence[int]) -> None:
    """Make a cluster of the servers at ``ports``, and wait until each says it is one."""
    bounds = [0, 5461, 10923, 16384]
    for number, port in enumerate(ports):
        tell(port, "CLUSTER", "SET-CONFIG-EPOCH", str(number + 1))
        tell(port, "CLUSTER", "ADDSLOTSRANGE", str(bounds[number]), str(bounds[number + 1] - 1))
        tell(ports[0], "CLUSTER", "MEET", "127.0.0.1", str(port))
    for port in ports:
        until_told(port, b"cluster_state:ok", "CLUSTER", "INFO")
        until_told(port, b"connected", "CLUSTER", "NODES", times=len(ports))


def make_certificate(directory: Path) -> tuple[str, str]:
    """Write a certificate for ``localhost`` that vouches for itself, and its key; return their paths."""
    x509 = pytest.importorskip("cryptography.x509")
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415 - an extra
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    builder: Any = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = (
        builder.serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=9))
    )
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    certificate = builder.sign(key, hashes.SHA256())
    paths = str(directory / "certificate.pem"), str(directory / "key.pem")
    Path(paths[0]).write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    Path(paths[1]).write_bytes(pem)
    return paths
