"""What each backend takes from settings, and of what kind it is: known here, so that nothing is loaded to check them.

Objects (a clock, a client, a breaker) are given in code.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cachery.configuration.kinds import (
    COUNT,
    FLAG,
    LIFE,
    NUMBER,
    PAIRS,
    PATH,
    PATIENCE,
    PORT,
    POSITIVE,
    SECRETS,
    SIZE,
    SPAN,
    STALENESS,
    TABLE,
    TEXT,
    URL,
    Kind,
    one_of,
)

__all__ = ["BACKENDS", "kinds_for"]

_POLICY = one_of("fifo", "lfu", "lru", "tinylfu", "ttl", in_any_case=True)
_SERIALIZER = one_of("json", "msgpack", "pickle", "string", "typed")
_COMPRESSION = one_of("zlib", "zstd", "lz4")

_NEAR = {"max_size": COUNT, "policy": _POLICY, "copy": one_of("never", "deep")}
_MEMORY = {"default_ttl": LIFE, "idle_ttl": LIFE, "max_bytes": SIZE, **_NEAR}
_STORED = {
    "default_ttl": LIFE,
    "serializer": _SERIALIZER,
    "secret": SECRETS,
    "compression": _COMPRESSION,
    "compression_threshold": SIZE,
    "encryption": SECRETS,
    "max_value_bytes": SIZE,
    "lease_timeout": SPAN,
}
_PLACED = {**_STORED, "max_bytes": SIZE, "max_size": COUNT, "write_timeout": SPAN}
_FILES = {"cache_dir": PATH, **_PLACED}
_DISK = {"path": PATH, "durability": one_of("process", "commit"), **_PLACED}
_REDIS = {
    **_STORED,
    "url_or_host": URL,
    "redis_url": URL,
    "host": TEXT,
    "port": PORT,
    "db": NUMBER,
    "username": TEXT,
    "password": TEXT,
    "ssl": FLAG,
    "sentinels": PAIRS,
    "service_name": TEXT,
    "cluster": FLAG,
    "connection_options": TABLE,
    "connect_timeout": PATIENCE,
    "timeout": PATIENCE,
    "max_connections": POSITIVE,
    "prefix": TEXT,
    "lease_life": PATIENCE,
}
_CHANNEL = {"bus": one_of("auto", "tracking", "pubsub"), "max_stale_when_blind": STALENESS}
_OVER = {"over": one_of("redis", "disk")}

BACKENDS: dict[str, dict[str, Kind]] = {
    "disk": _DISK,
    "file_based": _FILES,
    "in_memory": _MEMORY,
    "null": _MEMORY,
    "redis": _REDIS,
    "tiered": {**_REDIS, **_CHANNEL, **_NEAR, **_OVER},
}
"""For each backend its options, ``default_ttl`` among them; a tiered one is over Redis unless it says otherwise."""


def kinds_for(backend: str, table: Mapping[str, Any]) -> dict[str, Kind]:
    """Return the options that a cache of ``backend`` takes, by name; ``table`` is what is said of it.

    >>> "path" in kinds_for("tiered", {"over": "disk"}), "path" in kinds_for("tiered", {})
    (True, False)
    """
    if backend == "tiered" and table.get("over") == "disk":
        return {**_DISK, **_NEAR, **_OVER}
    return BACKENDS[backend]
