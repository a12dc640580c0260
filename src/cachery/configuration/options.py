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
    SECRETS,
    SIZE,
    SPAN,
    TABLE,
    TEXT,
    Kind,
    one_of,
)

__all__ = ["BACKENDS", "kinds_for"]

_NEAR = {"max_size": COUNT, "policy": TEXT, "copy": one_of("never", "deep")}
_MEMORY = {"default_ttl": LIFE, **_NEAR}
_STORED = {
    "default_ttl": LIFE,
    "serializer": TEXT,
    "secret": SECRETS,
    "compression": TEXT,
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
    "url_or_host": TEXT,
    "redis_url": TEXT,
    "host": TEXT,
    "port": NUMBER,
    "db": NUMBER,
    "username": TEXT,
    "password": TEXT,
    "ssl": FLAG,
    "sentinels": PAIRS,
    "service_name": TEXT,
    "cluster": FLAG,
    "connection_options": TABLE,
    "connect_timeout": SPAN,
    "timeout": SPAN,
    "max_connections": NUMBER,
    "prefix": TEXT,
    "lease_life": SPAN,
}
_CHANNEL = {"bus": one_of("auto", "tracking", "pubsub"), "max_stale_when_blind": SPAN}
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
