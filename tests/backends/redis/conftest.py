"""One server for all of these tests, emptied before each: starting one takes longer than most of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.servers.redis_servers import RedisServer, flush


@pytest.fixture(scope="session")
def server_of_these_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with RedisServer(tmp_path_factory.mktemp("redis-of-caches")) as server:
        yield server


@pytest.fixture
def own_redis(server_of_these_tests: RedisServer) -> RedisServer:
    """Return a server that nobody else uses meanwhile; it may be restarted."""
    flush(server_of_these_tests.port)
    return server_of_these_tests
