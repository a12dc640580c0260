"""What a client of redis-py that a user gives is set to."""

from __future__ import annotations

from typing import Any

import redis
import redis.asyncio
from redis.asyncio.connection import SSLConnection as LoopTLS
from redis.asyncio.connection import UnixDomainSocketConnection as LoopUnix
from redis.asyncio.sentinel import SentinelConnectionPool as LoopSentinelPool
from redis.connection import SSLConnection, UnixDomainSocketConnection
from redis.sentinel import SentinelConnectionPool

from cachery.exceptions import CacheValueError

__all__ = ["settings_of_client"]

_KEPT = ("credential_provider", "client_name", "socket_keepalive", "socket_keepalive_options")


def settings_of_client(client: Any) -> dict[str, Any]:
    """Return the fields of an address that ``client`` is set to; a blocking client of one server is kept among them.

    Raises ``CacheValueError`` for what is no client of redis-py.
    """
    if isinstance(client, redis.RedisCluster | redis.asyncio.RedisCluster):
        return _of_cluster(client)
    if isinstance(client, redis.Redis):
        return {**_of_pool(client.connection_pool), "client": client}
    if isinstance(client, redis.asyncio.Redis):
        return _of_pool(client.connection_pool)
    raise CacheValueError(f"client must be a client of redis-py, not {type(client).__name__}")


def _of_pool(pool: Any) -> dict[str, Any]:
    settings, kind = dict(pool.connection_kwargs), pool.connection_class
    fields = _of_settings(settings, is_tls=issubclass(kind, SSLConnection | LoopTLS))
    fields["max_connections"] = min(pool.max_connections, 1000)
    if isinstance(pool, SentinelConnectionPool | LoopSentinelPool):
        manager = pool.sentinel_manager
        places = [sentinel.connection_pool.connection_kwargs for sentinel in manager.sentinels]
        fields["nodes"] = tuple((place["host"], int(place["port"])) for place in places)
        fields["service_name"] = pool.service_name
        fields["options"]["sentinel_kwargs"] = dict(manager.sentinel_kwargs)
    elif issubclass(kind, UnixDomainSocketConnection | LoopUnix):
        fields["path"] = settings["path"]
    else:
        fields["nodes"] = ((settings.get("host", "localhost"), int(settings.get("port", 6379))),)
    return fields


def _of_cluster(client: Any) -> dict[str, Any]:
    manager = client.nodes_manager
    settings = dict(manager.connection_kwargs)
    kind = settings.get("connection_class")
    is_tls = bool(settings.get("ssl")) or (isinstance(kind, type) and issubclass(kind, SSLConnection | LoopTLS))
    fields = _of_settings(settings, is_tls=is_tls)
    fields["nodes"] = tuple((node.host, int(node.port)) for node in manager.startup_nodes.values())
    if getattr(manager, "address_remap", None) is not None:
        fields["options"]["address_remap"] = manager.address_remap
    return {**fields, "is_cluster": True}


def _of_settings(settings: dict[str, Any], *, is_tls: bool) -> dict[str, Any]:
    fields: dict[str, Any] = {"is_tls": is_tls, "db": int(settings.get("db") or 0)}
    for name in ("username", "password"):
        if settings.get(name) is not None:
            fields[name] = settings[name]
    for name, ours in (("socket_timeout", "timeout"), ("socket_connect_timeout", "connect_timeout")):
        if settings.get(name) is not None:
            fields[ours] = settings[name]
    kept = {name: value for name, value in settings.items() if name in _KEPT or (is_tls and name.startswith("ssl_"))}
    fields["options"] = {name: value for name, value in kept.items() if value is not None}
    return fields
