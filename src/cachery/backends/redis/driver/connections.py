"""How redis-py is told to connect: the settings of an address in its words."""

from __future__ import annotations

from typing import Any

import redis.asyncio.connection as for_loops
import redis.connection as for_threads
from redis.asyncio.retry import Retry as LoopRetry
from redis.asyncio.sentinel import Sentinel as LoopSentinel
from redis.backoff import NoBackoff
from redis.retry import Retry
from redis.sentinel import Sentinel

from cachery.backends.redis.driver.address import Address

__all__ = ["blocking_connection", "find_primary", "find_primary_in_loop", "loop_connection"]

_FOR_CLUSTERS_AND_SENTINELS = ("sentinel_kwargs", "address_remap")


def blocking_connection(address: Address, host: str, port: int) -> Any:
    """Return a connection for blocking code to the server at ``host`` and ``port``, not yet open."""
    return _connection(for_threads, address, host, port)


def loop_connection(address: Address, host: str, port: int) -> Any:
    """Return a connection for an event loop to the server at ``host`` and ``port``, not yet open."""
    return _connection(for_loops, address, host, port)


def find_primary(address: Address) -> tuple[str, int]:
    """Ask the Sentinels who is primary. Raises what redis-py raises."""
    settings = {"retry": Retry(NoBackoff(), 0), **_sentinel_settings(address)}
    make: Any = Sentinel
    manager = make(address.nodes, sentinel_kwargs=settings)
    try:
        host, port = manager.discover_master(address.service_name)
    finally:
        for sentinel in manager.sentinels:
            sentinel.close()
    return str(host), int(port)


async def find_primary_in_loop(address: Address) -> tuple[str, int]:
    """Ask the Sentinels who is primary. Raises what redis-py raises."""
    settings = {"retry": LoopRetry(NoBackoff(), 0), **_sentinel_settings(address)}
    make: Any = LoopSentinel
    manager = make(address.nodes, sentinel_kwargs=settings)
    try:
        host, port = await manager.discover_master(address.service_name)
    finally:
        for sentinel in manager.sentinels:
            await sentinel.aclose()
    return str(host), int(port)


def _connection(library: Any, address: Address, host: str, port: int) -> Any:
    if address.path is not None:
        return library.UnixDomainSocketConnection(path=address.path, **_settings(address))
    kind = library.SSLConnection if address.is_tls else library.Connection
    return kind(host=host, port=port, **_settings(address))


def _settings(address: Address) -> dict[str, Any]:
    """Return what every connection is told: the older protocol has fewer types of replies, and needs no greeting."""
    settings = {
        "db": address.db,
        "username": address.username,
        "password": address.password,
        "socket_timeout": address.timeout,
        "socket_connect_timeout": address.connect_timeout,
        "protocol": 2,
        **address.options,
    }
    return {name: value for name, value in settings.items() if name not in _FOR_CLUSTERS_AND_SENTINELS}


def _sentinel_settings(address: Address) -> dict[str, Any]:
    return {
        "socket_timeout": address.timeout,
        "socket_connect_timeout": address.connect_timeout,
        **address.options.get("sentinel_kwargs", {}),
    }
