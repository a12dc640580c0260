"""Which entry leaves when room is needed.

``LRUPolicy``, ``LFUPolicy``, ``FIFOPolicy`` and ``TTLPolicy`` are bounded containers for use on their own; the caches
take the same policies by name: ``InMemoryCache(policy="lfu")``.
"""

from __future__ import annotations

from cachery.policies.containers import EvictionPolicy, FIFOPolicy, LFUPolicy, LRUPolicy, TTLPolicy
from cachery.policies.registry import POLICIES, create_policy

__all__ = ["POLICIES", "EvictionPolicy", "FIFOPolicy", "LFUPolicy", "LRUPolicy", "TTLPolicy", "create_policy"]
