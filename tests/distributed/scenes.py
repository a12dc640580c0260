"""Three processes over one Redis, each behind a proxy of its own, and what befalls them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from random import Random
from secrets import token_hex
from time import monotonic
from typing import Any, NamedTuple, Self, TypeVar

from tests.distributed.checker import Checker, Rules, disagreements, violations
from tests.distributed.history import NEVER, History, Value
from tests.distributed.node import NodeProcess
from tests.servers.redis_servers import HOST, RedisSentinels, RedisServer, facts, wait_until

from cachery.exceptions import CacheTimeoutError
from cachery.testing import TcpProxy

BLIND = 0.3
PATIENCE = 1.0
ALLOWANCE = 0.15
BOUND = max(BLIND, PATIENCE) + ALLOWANCE
LEASE_LIFE = 1.0
TIMEOUT = 0.4
KINDS = {"a": "blocking", "b": "awaiting", "c": "blocking"}
REPLICATION = 0.5
_WORKERS = 3
_WHO_ONLY_READS = "c"  # and so knows of changes only what it hears

T = TypeVar("T")


class Scene(NamedTuple):
    """What a fault may touch."""

    nodes: Sequence[NodeProcess]
    proxies: Sequence[TcpProxy]
    server: RedisServer
    random: Random
    end: float

    def pause(self, shortest: float, longest: float) -> None:
        """Wait, but not beyond the end."""
        until = min(self.end, monotonic() + self.random.uniform(shortest, longest))
        wait_until(lambda: monotonic() >= until, timeout=NEVER)

    @property
    def goes_on(self) -> bool:
        return monotonic() < self.end

    def some_proxies(self) -> Sequence[TcpProxy]:
        """Return all, or one."""
        return self.random.choice([self.proxies, [self.random.choice(self.proxies)]])

    @contextmanager
    def on_some(self, fault: Callable[[TcpProxy], object]) -> Iterator[None]:
        chosen = self.some_proxies()
        try:
            for proxy in chosen:
                fault(proxy)
            yield
        finally:
            for proxy in chosen:
                proxy.heal()


Fault = Callable[[Scene], int | None]
"""Does its worst until the end of a scene, and leaves all as it was. Returns how many loads may have been taken over;
``None`` where the server is away at times, so that loads go on locally."""


def nothing(scene: Scene) -> int:
    scene.pause(scene.end, scene.end)
    return 0


def slowness(scene: Scene) -> None:
    while scene.goes_on:
        with scene.on_some(lambda proxy: proxy.delay(0.02, jitter=0.05)):
            scene.pause(0.2, 1.0)
            for proxy in scene.proxies:
                for link in scene.random.sample(proxy.links, min(1, proxy.connections)):
                    link.cut()
            scene.pause(0.1, 0.5)
        scene.pause(0.1, 0.5)


def lateness(scene: Scene) -> None:
    """Bring what was sent when nobody waits for the answer any more."""
    while scene.goes_on:
        with scene.on_some(lambda proxy: proxy.delay(0.8 * TIMEOUT, jitter=0.8 * TIMEOUT)):
            scene.pause(0.5, 2.0)
        scene.pause(0.5, 2.0)


def reset(scene: Scene) -> None:
    while scene.goes_on:
        for proxy in scene.some_proxies():
            proxy.reset()
        scene.pause(0.02, 0.6)


def black_hole(scene: Scene) -> None:
    while scene.goes_on:
        scene.pause(0.1, 0.8)
        with scene.on_some(TcpProxy.black_hole):
            scene.pause(0.2, 2.5)
        scene.pause(0.1, 2.5)


def deafness(word: bytes) -> Fault:
    """Return the fault in which only the connections are lost on which changes are heard."""

    def fault(scene: Scene) -> int:
        while scene.goes_on:
            for proxy in scene.some_proxies():
                try:
                    link = proxy.find(word, timeout=0.2)
                except CacheTimeoutError:
                    continue
                scene.random.choice([link.cut, link.reset, link.black_hole])()
            scene.pause(*scene.random.choice([(0.05, 1.0), (1.5 * PATIENCE, 2.5 * PATIENCE)]))
        return 0

    return fault


def restarts(scene: Scene) -> None:
    while scene.goes_on:
        scene.pause(0.3, 1.5)
        scene.server.kill()
        scene.pause(0.0, 1.0)
        scene.server.start()
        scene.pause(0.3, 2.0)


def standstill(scene: Scene) -> int:
    count = 0
    while scene.goes_on:
        count += 1
        scene.pause(0.1, 0.5)
        node = scene.random.choice(scene.nodes)
        node.stand_still()
        try:
            scene.pause(1.2 * LEASE_LIFE, 2 * LEASE_LIFE)
        finally:
            node.go_on()
        scene.pause(0.3, 1.0)
    return count * 2 * _WORKERS  # each worker's load may be taken over, and the next find no answer in time


def failover(trio: RedisSentinels, end: float) -> tuple[float, float]:
    """Kill the primary in the middle; return the time in which it may have lost what it acknowledged."""
    middle = (monotonic() + end) / 2
    wait_until(lambda: monotonic() >= middle, timeout=NEVER)
    begin = monotonic() - REPLICATION
    trio.primary.kill()
    killed = monotonic()
    wait_until(lambda: trio.primary_port == trio.replica.port)
    wait_until(lambda: facts(trio.replica.port, "replication")["role"] == "master")
    end = max(end, monotonic() + 1.0)
    wait_until(lambda: monotonic() >= end, timeout=NEVER)
    return begin, killed


class Outcome(NamedTuple):
    """What came of a scene."""

    history: History
    rules: Rules
    wrong: list[str]

    @classmethod
    def of(cls, rules: Rules, history: History, differing: list[str]) -> Self:
        return cls(history, rules, [*violations(history, rules), *differing])

    def __str__(self) -> str:
        done = self.history
        return (
            f"{len(done.reads)} reads, {len(done.changes)} changes, {len(done.loads)} loads, "
            f"{len(done.errors)} errors; {Checker(done, self.rules).staleness()}"
        )


class Stage:
    """The processes, which play one scene after another."""

    def __init__(self, directory: Path, nodes: Sequence[NodeProcess]) -> None:
        self._directory = directory
        self.nodes = nodes
        self._numbers = count()

    def play(self, fault: Fault, seconds: float, server: RedisServer, bus: str, seed: int) -> Outcome:
        """Let all work for ``seconds`` while ``fault`` does its worst; return what came of it."""
        with ExitStack() as open_proxies:
            proxies = [open_proxies.enter_context(TcpProxy(HOST, server.port)) for _ in self.nodes]
            options = [{"port": proxy.port} for proxy in proxies]
            scene = Scene(self.nodes, proxies, server, Random(seed), monotonic() + seconds)
            takeovers, history, differing = self._work(lambda: fault(scene), options, bus, seed)
            return Outcome.of(Rules(BOUND, takeovers), history, differing)

    def play_failover(self, seconds: float, trio: RedisSentinels) -> Outcome:
        """Let all work for ``seconds``, in the middle of which the primary of ``trio`` is killed."""
        places = [(HOST, port) for port in trio.ports]
        options = [{"sentinels": places, "service_name": trio.service} for _ in self.nodes]
        act = partial(failover, trio, monotonic() + seconds)
        loss, history, differing = self._work(act, options, "tracking", 0)
        return Outcome.of(Rules(BOUND, None, (loss,)), history, differing)

    def _work(
        self, act: Callable[[], T], options: Sequence[dict[str, Any]], bus: str, seed: int
    ) -> tuple[T, History, list[str]]:
        """Let all work over caches with ``options`` while ``act`` goes on.

        Return what that returns, what they did, and what they still see differently in the end.
        """
        common = {"prefix": f"h-{token_hex(4)}", "timeout": TIMEOUT, "connect_timeout": 0.3, "lease_life": LEASE_LIFE}
        for node, own in zip(self.nodes, options, strict=True):
            node.ask("open", {**common, **own}, bus, BLIND)
        for node in self.nodes:
            node.ask("start", seed, _WORKERS, changes=node.name != _WHO_ONLY_READS)
        result = act()
        self._all("stop")
        differing = self._settled()
        places = [str(self._directory / f"{next(self._numbers)}") for _ in self.nodes]
        for answer in [node.tell("close", place) for node, place in zip(self.nodes, places, strict=True)]:
            answer()
        return result, History.of_all([Path(place) for place in places]), differing

    def _all(self, verb: str) -> list[Any]:
        return [answer() for answer in [node.tell(verb) for node in self.nodes]]

    def _settled(self) -> list[str]:
        """Wait until all have told and heard what there is; return what they still see differently."""
        wait_until(lambda: self._all("look") and all(self._all("is_calm")), what="a quiet network")
        until = monotonic() + BOUND
        wait_until(lambda: monotonic() > until)
        views = dict(zip(KINDS, self._all("look"), strict=True))
        return disagreements(
            {
                node: {key: None if text is None else Value.of(text) for key, text in view.items()}
                for node, view in views.items()
            }
        )
