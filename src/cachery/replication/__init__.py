"""Stores of different sites follow one another: what is written at one is soon at all, and the last writer wins.

>>> from cachery import InMemoryCache
>>> from cachery.replication import MemoryLog, ReplicatedCache
>>> log = MemoryLog()
>>> with ReplicatedCache(InMemoryCache(), log, site="paris") as paris:
...     with ReplicatedCache(InMemoryCache(), log, site="tokyo") as tokyo:
...         _ = paris.set("answer", 42, ttl="5m"), paris.replica.wait_until_caught_up(5)
...         _ = tokyo.replica.wait_until_caught_up(5)
...         tokyo.get("answer")
42

Between machines the log is a stream of Redis or Valkey: ``StreamLog("redis://...")``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cachery._lazy import lazy_exports

if TYPE_CHECKING:
    from cachery.replication.cache import ReplicatedCache
    from cachery.replication.log import Log, LogState, Record
    from cachery.replication.memory_log import MemoryLog
    from cachery.replication.replica import Replica
    from cachery.replication.stream_log import StreamLog

__all__ = ["Log", "LogState", "MemoryLog", "Record", "Replica", "ReplicatedCache", "StreamLog"]

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "Log": "cachery.replication.log:Log",
        "LogState": "cachery.replication.log:LogState",
        "MemoryLog": "cachery.replication.memory_log:MemoryLog",
        "Record": "cachery.replication.log:Record",
        "Replica": "cachery.replication.replica:Replica",
        "ReplicatedCache": "cachery.replication.cache:ReplicatedCache",
        "StreamLog": "cachery.replication.stream_log:StreamLog",
    },
)
