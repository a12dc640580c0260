"""What all tests share."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, settings
from tests.servers.redis_servers import (
    RedisCluster,
    RedisSentinels,
    RedisServer,
    redis_cluster,
    redis_sentinels,
)

from cachery import CacheManager
from cachery.settings import VARIABLES

_HOME = TemporaryDirectory(prefix="cachery-tests-")
os.environ.update(XDG_DATA_HOME=_HOME.name, XDG_CACHE_HOME=_HOME.name)  # nothing of the user is touched

pytest.register_assert_rewrite("cachery.testing.conformance")

STRESS = float(os.environ.get("CACHERY_STRESS", "0.01"))
"""The length of long tests: 1 is the full one, a hundredth the default."""

settings.register_profile("cachery", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("stress", parent=settings.get_profile("cachery"), max_examples=int(50 + 5000 * STRESS))
settings.load_profile("stress" if STRESS > 0.01 else "cachery")


@pytest.fixture
def stress() -> float:
    """Return the factor by which a long test is long."""
    return STRESS


@pytest.fixture
def fresh_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Give a test a default manager of its own and an environment that says nothing about caches."""
    managers: list[CacheManager] = []
    monkeypatch.setattr("cachery.manager._managers", managers)
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CACHE_DIR", str(tmp_path))
    yield
    for manager in managers:
        manager.close()


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """Return a Redis server that all tests share: use ``redis_prefix`` for keys, and do not stop it."""
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(scope="session")
def redis_port(redis_server: RedisServer) -> int:
    """Return the port of the Redis server that all tests share."""
    return redis_server.port


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """Return a Redis server of this test's own, to be stopped, killed, paused and restarted."""
    with RedisServer(tmp_path / "own-redis") as server:
        yield server


@pytest.fixture(scope="session")
def shared_redis_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisCluster]:
    """Return a cluster of three primaries that all tests share."""
    with redis_cluster(tmp_path_factory.mktemp("redis-cluster")) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def redis_cluster_ports(shared_redis_cluster: RedisCluster) -> tuple[int, ...]:
    """Return the ports of the three primaries of the cluster that all tests share."""
    return shared_redis_cluster.ports


@pytest.fixture(scope="session")
def shared_redis_sentinels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisSentinels]:
    """Return three sentinels with a primary and a replica, shared by all tests: fail over, but leave all running."""
    with redis_sentinels(tmp_path_factory.mktemp("redis-sentinels")) as sentinels:
        yield sentinels


@pytest.fixture
def redis_prefix(request: pytest.FixtureRequest) -> str:
    """Return a beginning for keys that no other test uses."""
    return f"{request.node.name}-{secrets.token_hex(4)}:"
