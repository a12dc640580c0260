"""Redis servers for tests: one, a cluster, or a trio of sentinels; each keeps nothing and goes with who started it."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Self

import pytest

HOST = "127.0.0.1"
SERVICE = "mymaster"
_GIVEN: set[int] = set()


def free_port() -> int:
    """Return a port of this machine that nobody listens on, nor on that 10,000 above, which is a cluster's own.

    Both are below those that systems give to connections (32,768 on Linux), lest one of these takes them meanwhile.
    """
    while True:
        port = 10_000 + secrets.randbelow(10_000)
        if port not in _GIVEN and _is_free(port) and _is_free(port + 10_000):
            _GIVEN.add(port)
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def redis_program() -> str:
    """Return the path of ``redis-server``; where there is none, skip the test, or fail it where one was promised."""
    found = shutil.which("redis-server")
    if found is None and os.environ.get("CACHERY_TEST_REDIS") == "required":
        pytest.fail("CACHERY_TEST_REDIS=required, and there is no redis-server")
    if found is None:
        pytest.skip("there is no redis-server on this machine")
    return found


def wait_until(condition: Callable[[], object], timeout: float = 20.0, what: str = "") -> None:
    """Return as soon as ``condition`` is true; fail after ``timeout`` seconds."""
    end = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"{what or condition} was not so within {timeout} s")
        time.sleep(0.002)


class RefusedError(Exception):
    """What a server answered that did not carry out a command."""


def ask(port: int, *words: str | int, timeout: float = 5.0) -> Any:
    """Return what the server on ``port`` answers to a command: ``str``, ``int``, ``None`` or a list of such.

    Needs no client library. Raises ``OSError`` where no server answers, ``RefusedError`` for what it refuses.
    """
    parts = [str(word).encode() for word in words]
    command = b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)
    with socket.create_connection((HOST, port), timeout=timeout) as connection, connection.makefile("rb") as answers:
        connection.sendall(command)
        return _answer(answers)


def _answer(answers: Any) -> Any:
    line: str = answers.readline().decode().rstrip("\r\n")
    if not line:
        raise ConnectionResetError("the server closed the connection")
    kind, rest = line[0], line[1:]
    if kind == "-":
        raise RefusedError(rest)
    if kind == "$":
        return None if rest == "-1" else answers.read(int(rest) + 2)[:-2].decode()
    if kind == "*":
        return None if rest == "-1" else [_answer(answers) for _ in range(int(rest))]
    return int(rest) if kind == ":" else rest


def flush(*ports: int) -> None:
    """Remove every key from the servers on ``ports``."""
    for port in ports:
        ask(port, "FLUSHALL")


def facts(port: int, section: str) -> dict[str, str]:
    """Return what ``INFO`` tells about ``section``."""
    lines = ask(port, "INFO", section).splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)


class RedisServer:
    """A ``redis-server`` on ``port``, by default a free one, which stays the same over restarts.

    It keeps nothing on disk, so a restart begins empty. ``options`` are lines of its configuration, ``name value``.
    """

    def __init__(
        self, directory: Path, *, port: int = 0, options: Sequence[str] = (), is_sentinel: bool = False
    ) -> None:
        self.directory = directory
        self.port = port or free_port()
        self.options = list(options)
        self._is_sentinel = is_sentinel
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its address for clients."""
        return f"redis://{HOST}:{self.port}"

    @property
    def is_running(self) -> bool:
        """Whether its process is there."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> Self:
        """Start it and wait until it answers."""
        self.directory.mkdir(parents=True, exist_ok=True)
        configuration = self.directory / "redis.conf"
        configuration.write_text("\n".join(self._lines()) + "\n", encoding="utf-8")
        kind = ["--sentinel"] if self._is_sentinel else []
        command = [*_dying_with_us(), redis_program(), str(configuration), *kind]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: self.answers() or not self.is_running, what=f"an answer of {self!r}")
        if not self.is_running:
            raise AssertionError(f"{self!r} did not start:\n{self.log}")
        return self

    def stop(self) -> None:
        """Let it end in order; nothing happens when it does not run."""
        if self.is_running:
            self.resume()
            self._signal(signal.SIGTERM)
        self._reap()

    def kill(self) -> None:
        """End it at once, as a crash does."""
        if self.is_running:
            self._signal(signal.SIGKILL)
        self._reap()

    def restart(self) -> None:
        """Kill it and start it again on the same port, empty."""
        self.kill()
        self.start()

    def pause(self) -> None:
        """Let it stand still: connections stay, nothing is answered."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def ask(self, *words: str | int) -> Any:
        """Return what it answers to a command."""
        return ask(self.port, *words)

    def answers(self) -> bool:
        """Tell whether it answers now, and holds what it is to hold."""
        try:
            return bool(self.ask("PING") == "PONG")
        except (OSError, RefusedError):
            return False

    @property
    def log(self) -> str:
        """What it has written about itself."""
        log = self.directory / "log"
        return log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *failure: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<RedisServer on port {self.port}>"

    def _lines(self) -> list[str]:
        common = [f"port {self.port}", f"bind {HOST}", f"dir {self.directory}", f"logfile {self.directory / 'log'}"]
        kept = [] if self._is_sentinel else ['save ""', "appendonly no", "repl-diskless-sync-delay 0"]
        return [*common, *kept, *self.options]

    def _signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def _reap(self) -> None:
        if self._process is not None:
            self._process.wait(timeout=20)
            self._process = None


def _dying_with_us() -> list[str]:
    """Return what lets a program end with the thread that started it, also when that is killed; where it is known."""
    program = shutil.which("setpriv")
    return [] if program is None else [program, "--pdeathsig", "KILL"]


@dataclass(frozen=True, slots=True)
class RedisCluster:
    """A cluster of primaries, each of which has a part of the slots."""

    servers: tuple[RedisServer, ...]

    @property
    def ports(self) -> tuple[int, ...]:
        """The ports of the primaries."""
        return tuple(server.port for server in self.servers)


@contextmanager
def redis_cluster(directory: Path, size: int = 3) -> Iterator[RedisCluster]:
    """Run a cluster of ``size`` primaries until the end of the block; it is whole when the block begins."""
    buses = [free_port() for _ in range(size)]
    with ExitStack() as running:
        servers = tuple(
            running.enter_context(RedisServer(directory / f"node-{number}", options=_node_options(bus)))
            for number, bus in enumerate(buses)
        )
        for number, server in enumerate(servers):
            server.ask("CLUSTER", "ADDSLOTSRANGE", 16384 * number // size, 16384 * (number + 1) // size - 1)
            server.ask("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        for server, bus in zip(servers[1:], buses[1:], strict=True):
            servers[0].ask("CLUSTER", "MEET", HOST, server.port, bus)
        for server in servers:
            wait_until(partial(_is_whole, server, size), what=f"a cluster of {server!r}")
        yield RedisCluster(servers)


def _node_options(bus: int) -> list[str]:
    return ["cluster-enabled yes", f"cluster-port {bus}", "cluster-config-file nodes.conf", "cluster-node-timeout 2000"]


def _is_whole(server: RedisServer, size: int) -> bool:
    told: str = server.ask("CLUSTER", "INFO")
    return "cluster_state:ok" in told and f"cluster_known_nodes:{size}" in told and f"cluster_size:{size}" in told


@dataclass(frozen=True, slots=True)
class RedisSentinels:
    """Sentinels that watch a primary and its replica, which change their roles when the primary fails."""

    primary: RedisServer
    replica: RedisServer
    sentinels: tuple[RedisServer, ...]
    service: str = SERVICE

    @property
    def ports(self) -> tuple[int, ...]:
        """The ports of the sentinels."""
        return tuple(sentinel.port for sentinel in self.sentinels)

    @property
    def primary_port(self) -> int:
        """The port of who is primary now, as the first sentinel says."""
        return int(self.sentinels[0].ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", self.service)[1])


@contextmanager
def redis_sentinels(directory: Path, size: int = 3) -> Iterator[RedisSentinels]:
    """Run a primary, a replica and ``size`` sentinels until the end of the block; they know one another when it begins.

    A primary counts as down after 500 ms.
    """
    with ExitStack() as running:
        primary = running.enter_context(RedisServer(directory / "primary"))
        following = [f"replicaof {HOST} {primary.port}"]
        replica = running.enter_context(RedisServer(directory / "replica", options=following))
        wait_until(lambda: facts(replica.port, "replication").get("master_link_status") == "up", what="a replica")
        sentinels = tuple(
            running.enter_context(
                RedisServer(directory / f"sentinel-{number}", options=_watching(primary, size), is_sentinel=True)
            )
            for number in range(size)
        )
        for sentinel in sentinels:
            wait_until(partial(_knows_all, sentinel, size), what=f"the view of {sentinel!r}")
        yield RedisSentinels(primary, replica, sentinels)


def _watching(primary: RedisServer, size: int) -> list[str]:
    return [
        f"sentinel monitor {SERVICE} {HOST} {primary.port} {size // 2 + 1}",
        f"sentinel down-after-milliseconds {SERVICE} 500",
        f"sentinel failover-timeout {SERVICE} 2000",
        f"sentinel parallel-syncs {SERVICE} 1",
    ]


def _knows_all(sentinel: RedisServer, size: int) -> bool:
    told: list[str] = sentinel.ask("SENTINEL", "MASTER", SERVICE)
    known = dict(zip(told[::2], told[1::2], strict=True))
    return known["num-other-sentinels"] == str(size - 1) and known["num-slaves"] == "1" and known["flags"] == "master"
