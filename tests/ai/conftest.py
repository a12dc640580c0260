"""Caches of answers over each place that there is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import pytest
from tests.servers.redis_servers import HOST

from cachery.ai import AIResponseCache

BUDGET = 0.5
"""Seconds until a server that says nothing counts as away, where that is what a test is about."""

PATIENCE = 20.0
PLACES = ["memory", "redis", "redis without memory"]

Make: TypeAlias = Callable[..., AIResponseCache]


def over_redis(port: int, prefix: str, budget: float = PATIENCE, **options: Any) -> AIResponseCache:
    """Return a cache on the server at ``port`` that waits no longer than ``budget`` seconds."""
    url = f"redis://{HOST}:{port}"
    return AIResponseCache(url, prefix=prefix, connect_timeout=budget, timeout=budget, **options)


@pytest.fixture(params=PLACES)
def make(request: pytest.FixtureRequest, redis_prefix: str) -> Make:
    """Return a function that makes caches of one kind; all that one test makes over Redis share their answers."""
    if request.param == "memory":
        return lambda **options: AIResponseCache(None, **options)
    port = request.getfixturevalue("redis_port")
    own = {} if request.param == "redis" else {"memory_cache_size": 0}
    return lambda **options: over_redis(port, redis_prefix, **{**own, **options})


@pytest.fixture
def share(redis_port: int, redis_prefix: str) -> Make:
    """Return a function that makes caches on Redis which share their answers."""
    return lambda **options: over_redis(redis_port, redis_prefix, **options)
