"""The policies by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cachery.exceptions import CacheValueError
from cachery.policies.containers import EvictionPolicy, FIFOPolicy, LFUPolicy, LRUPolicy, TTLPolicy
from cachery.policies.expiry import ExpiryOrder
from cachery.policies.fifo import FifoOrder
from cachery.policies.lfu import LfuOrder
from cachery.policies.lru import LruOrder
from cachery.policies.node import is_compiled
from cachery.policies.order import Order
from cachery.policies.tinylfu import TinyLfuOrder

__all__ = ["POLICIES", "create_order", "create_policy"]

_ORDERS: dict[str, type[Order]] = {
    "fifo": FifoOrder,
    "lfu": LfuOrder,
    "lru": LruOrder,
    "tinylfu": TinyLfuOrder,
    "ttl": ExpiryOrder,
}
_CONTAINERS: dict[str, Callable[..., EvictionPolicy]] = {
    "fifo": FIFOPolicy,
    "lfu": LFUPolicy,
    "lru": LRUPolicy,
    "ttl": TTLPolicy,
}

if not is_compiled:
    from cachery.policies.interrupts import note_when_interrupted

    note_when_interrupted(ExpiryOrder, LfuOrder, TinyLfuOrder)

POLICIES = tuple(_ORDERS)
"""The names, sorted."""


def create_order(policy: str) -> Order:
    """Return a new, empty order. Raises ``CacheValueError`` for a name that is not in ``POLICIES``."""
    return _ORDERS[_known(policy)]()


def create_policy(policy_name: str, max_size: int, **options: Any) -> EvictionPolicy:
    """Return a new container: ``policy_name`` is ``fifo``, ``lfu``, ``lru`` or ``ttl``, in any case.

    ``options`` are those of its class (``default_ttl``, ``clock``). Raises ``CacheValueError`` for another name.
    There is no container by ``tinylfu``, which knows how often a key was asked for by its hash, so it takes texts only.

    >>> create_policy("LRU", max_size=100).size()
    0
    """
    container = _CONTAINERS.get(_known(policy_name))
    if container is None:
        raise CacheValueError(f"there is no container by {policy_name!r}: write InMemoryCache(policy={policy_name!r})")
    return container(max_size, **options)


def _known(name: str) -> str:
    if isinstance(name, str) and name.lower() in _ORDERS:
        return name.lower()
    raise CacheValueError(f"Unknown policy: {name!r}; there are {', '.join(POLICIES)}", policy=repr(name))
