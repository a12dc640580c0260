"""What three processes see of one another's changes, whatever happens between them and Redis."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.distributed.node import NodeProcess
from tests.distributed.scenes import (
    KINDS,
    Fault,
    Stage,
    black_hole,
    deafness,
    nothing,
    reset,
    restarts,
    slowness,
    standstill,
)
from tests.servers.redis_servers import RedisServer

pytest.importorskip("redis")


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    directory = tmp_path_factory.mktemp("histories")
    with RedisServer(directory / "source") as source, ExitStack() as running:
        nodes = [running.enter_context(NodeProcess(name, kind, source.port)) for name, kind in KINDS.items()]
        yield Stage(directory, nodes)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with RedisServer(tmp_path_factory.mktemp("cached")) as server:
        yield server


FAULTS = {
    "nothing": (nothing, "tracking", 0),
    "nothing, pubsub": (nothing, "pubsub", 0),
    "slowness": (slowness, "tracking", None),
    "reset": (reset, "tracking", None),
    "reset, pubsub": (reset, "pubsub", None),
    "black hole": (black_hole, "tracking", None),
    "deafness": (deafness(b"TRACKING"), "tracking", 0),
    "deafness, pubsub": (deafness(b"SUBSCRIBE"), "pubsub", 0),
    "restarts": (restarts, "tracking", None),
    "restarts, pubsub": (restarts, "pubsub", None),
}


@pytest.mark.stress
@pytest.mark.parametrize("name", FAULTS)
def test_nobody_sees_what_was_overtaken(
    name: str, stage: Stage, server: RedisServer, stress: float, record_property: pytest.Function
) -> None:
    fault, bus, takeovers = FAULTS[name]
    outcome = stage.play(fault, max(60 * stress, 1.0), server, bus=bus, takeovers=takeovers)
    print(name, outcome)
    assert outcome.wrong == []
