"""From an address to the link that goes there."""

from __future__ import annotations

from cachery.backends.redis.driver.address import Address
from cachery.backends.redis.driver.blocking import BlockingLink
from cachery.backends.redis.driver.cluster import BlockingClusterLink, LoopClusterLink
from cachery.backends.redis.driver.connections import blocking_connection
from cachery.backends.redis.driver.loop import LoopLink
from cachery.backends.redis.link import Link
from cachery.exceptions import CacheValueError

__all__ = ["open_blocking", "open_loop"]


def open_blocking(address: Address) -> Link:
    """Return a link for blocking code. Nothing is connected before the first command.

    Raises ``CacheValueError`` for ``connection_options`` that redis-py's connections do not take.
    """
    try:
        blocking_connection(address, *address.nodes[0])
    except TypeError as error:
        raise CacheValueError(f"redis-py refuses an option of its connections: {error}") from error
    return BlockingClusterLink(address) if address.is_cluster else BlockingLink(address)


def open_loop(address: Address) -> Link:
    """Return a link for event loops, bound to none. Nothing is connected before the first command."""
    return LoopClusterLink(address) if address.is_cluster else LoopLink(address)
