"""From an address to the link that goes there."""

from __future__ import annotations

from cachery.backends.redis.driver.address import Address
from cachery.backends.redis.driver.blocking import BlockingLink
from cachery.backends.redis.driver.cluster import BlockingClusterLink, LoopClusterLink
from cachery.backends.redis.driver.loop import LoopLink
from cachery.backends.redis.link import Link

__all__ = ["open_blocking", "open_loop"]


def open_blocking(address: Address) -> Link:
    """Return a link for blocking code. Nothing is connected before the first command."""
    return BlockingClusterLink(address) if address.is_cluster else BlockingLink(address)


def open_loop(address: Address) -> Link:
    """Return a link for event loops, bound to none. Nothing is connected before the first command."""
    return LoopClusterLink(address) if address.is_cluster else LoopLink(address)
