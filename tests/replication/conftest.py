"""Two sites that follow each other through one log."""

from __future__ import annotations

import pytest
from tests.replication.sites import FlakyLog, made

from cachery.replication import ReplicatedCache


@pytest.fixture
def log() -> FlakyLog:
    return FlakyLog()


@pytest.fixture
def paris(log: FlakyLog) -> ReplicatedCache:
    return made(log, site="paris")


@pytest.fixture
def tokyo(log: FlakyLog) -> ReplicatedCache:
    return made(log, site="tokyo")
