"""Memory before a cluster whose slots move to another server."""

from __future__ import annotations

from pathlib import Path

from tests.servers.redis_servers import HOST, RedisCluster, ask, redis_cluster, wait_until

from cachery import InMemoryCache, RedisCache, TieredCache
from cachery.backends.redis.driver.hearing import slot_owner


def move(slot: int, source: int, target: int) -> None:
    """Move ``slot`` with its keys from the server on the port ``source`` to that on ``target``, as operators do."""
    ask(target, "CLUSTER", "SETSLOT", slot, "IMPORTING", ask(source, "CLUSTER", "MYID"))
    ask(source, "CLUSTER", "SETSLOT", slot, "MIGRATING", ask(target, "CLUSTER", "MYID"))
    for name in ask(source, "CLUSTER", "GETKEYSINSLOT", slot, 100):
        ask(source, "MIGRATE", HOST, target, name, 0, 5000)
    for port in (target, source):
        ask(port, "CLUSTER", "SETSLOT", slot, "NODE", ask(target, "CLUSTER", "MYID"))


def owner_of(cluster: RedisCluster, slot: int) -> int:
    """Return the port of the primary that has ``slot``."""
    ranges = ask(cluster.ports[0], "CLUSTER", "SLOTS")
    return next(int(primary[1]) for first, last, primary, *_ in ranges if first <= slot <= last)


def test_changes_are_heard_of_slots_that_have_moved(tmp_path: Path) -> None:
    with redis_cluster(tmp_path) as cluster:
        address = {"port": cluster.ports[0], "cluster": True}
        with TieredCache(InMemoryCache(), RedisCache(**address)) as near, RedisCache(**address) as other:  # type: ignore[arg-type]
            near.set("key", 0)
            wait_until(lambda: near.get("key") == 0 == near.glance("key"))
            slot = slot_owner(near.tiers[1].names.entry(b"key"))
            source = owner_of(cluster, slot)
            move(slot, source, next(port for port in cluster.ports if port != source))
            for number in (1, 2):
                other.set("key", number)
                wait_until(lambda number=number: near.get("key") == number == near.glance("key"))  # type: ignore[misc]
