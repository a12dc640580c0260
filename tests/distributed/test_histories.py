"""What three processes see of one another's changes, whatever happens between them and Redis.

Each writes, invalidates, reads and loads at random; then ``checker.py`` judges what all of them noted. Promised is:

* What a process changed, it sees itself at once. The others see it ``max(max_stale_when_blind, 1 s)`` after it
  returned, in whatever way it was changed; a load that had begun before is never served later than that.
* While Redis is away a change is taken in memory. Then it holds at once in its own process, and for the others it is
  a change that lasts until Redis has been told. Whatever others did to the key meanwhile was done at the same time,
  so either may stand: of two writes the newest does as long as Redis still has it, but a write that is told late may
  come after a removal, of which nothing is left to compare it with.
* What is loaded while Redis is away is served where it was loaded, no longer than the bound, and told to nobody. So
  loads are counted only where Redis is within reach: one between two changes, and one more for each lease lost.
* What raised may have happened or not, at any time.
* A primary that dies takes with it what it acknowledged and had not yet replicated. Changes acknowledged within half a
  second before its death are not held against anybody, for the two sides of Redis do not agree about them either.
* When all is well again and all is told, everybody reads the same.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.distributed.node import NodeProcess
from tests.distributed.scenes import (
    KINDS,
    Fault,
    Outcome,
    Stage,
    black_hole,
    deafness,
    lateness,
    nothing,
    reset,
    restarts,
    slowness,
    standstill,
)
from tests.servers.redis_servers import RedisServer, redis_sentinels

pytest.importorskip("redis")

_logger = logging.getLogger(__name__)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    directory = tmp_path_factory.mktemp("histories")
    with RedisServer(directory / "source") as source, ExitStack() as running:
        nodes = [running.enter_context(NodeProcess(name, kind, source.port)) for name, kind in KINDS.items()]
        yield Stage(directory, nodes)


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Callable[[Outcome], None]:
    """Return a function that shows the numbers of an outcome, where output is shown."""
    return lambda outcome: _logger.info("%s: %s", request.node.name, outcome)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with RedisServer(tmp_path_factory.mktemp("cached")) as server:
        yield server


FAULTS: dict[str, tuple[Fault, str]] = {
    "nothing": (nothing, "tracking"),
    "nothing-pubsub": (nothing, "pubsub"),
    "slowness": (slowness, "tracking"),
    "lateness": (lateness, "tracking"),
    "reset": (reset, "tracking"),
    "reset-pubsub": (reset, "pubsub"),
    "black-hole": (black_hole, "tracking"),
    "deafness": (deafness(b"TRACKING"), "tracking"),
    "deafness-pubsub": (deafness(b"SUBSCRIBE"), "pubsub"),
    "restarts": (restarts, "tracking"),
    "restarts-pubsub": (restarts, "pubsub"),
    "standstill": (standstill, "tracking"),
}


@pytest.mark.stress
@pytest.mark.parametrize("name", FAULTS)
def test_nobody_is_answered_with_what_was_overtaken(
    name: str, stage: Stage, server: RedisServer, stress: float, report: Callable[[Outcome], None]
) -> None:
    fault, bus = FAULTS[name]
    outcome = stage.play(fault, 60 * stress + 0.5, server, bus, secrets.randbelow(2**32))
    report(outcome)
    assert outcome.wrong == []


@pytest.mark.stress
def test_nobody_is_answered_with_what_was_overtaken_when_a_replica_takes_over(
    stage: Stage, tmp_path: Path, stress: float, report: Callable[[Outcome], None]
) -> None:
    with redis_sentinels(tmp_path) as trio:
        outcome = stage.play_failover(60 * stress + 0.5, trio)
    report(outcome)
    assert outcome.wrong == []
