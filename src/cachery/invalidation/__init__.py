"""Invalidation: what an entry depends on, graphs of such things, files that are watched, and a manager of it all.

``File``, ``Key`` and ``Version`` stand in ``depends_on=`` of ``set``, ``get_or_set`` and ``cached``, beside names.
``DependencyGraph`` knows which names, files and keys come from which. ``watch`` invalidates what depends on a file when
that changes. ``InvalidationManager`` is a small cache with tags, patterns and versions, and a policy of one's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cachery._lazy import lazy_exports

if TYPE_CHECKING:
    from cachery.events import Invalidated
    from cachery.exceptions import CacheInvalidationError
    from cachery.invalidation.graph import DependencyGraph
    from cachery.invalidation.manager import InvalidationManager
    from cachery.invalidation.policies import (
        CacheEntry,
        FIFOPolicy,
        InvalidationPolicy,
        InvalidationStrategy,
        LFUPolicy,
        LRUPolicy,
        TTLPolicy,
    )
    from cachery.invalidation.watching import Watch, watch
    from cachery.sources.source import File, Key, Version

__all__ = [
    "CacheEntry",
    "CacheInvalidationError",
    "DependencyGraph",
    "FIFOPolicy",
    "File",
    "Invalidated",
    "InvalidationManager",
    "InvalidationPolicy",
    "InvalidationStrategy",
    "Key",
    "LFUPolicy",
    "LRUPolicy",
    "TTLPolicy",
    "Version",
    "Watch",
    "watch",
]

_POLICIES = [name for name in __all__ if name.endswith("Policy")]

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "CacheEntry": "cachery.invalidation.policies:CacheEntry",
        "CacheInvalidationError": "cachery.exceptions:CacheInvalidationError",
        "DependencyGraph": "cachery.invalidation.graph:DependencyGraph",
        "File": "cachery.sources.source:File",
        "Invalidated": "cachery.events:Invalidated",
        "InvalidationManager": "cachery.invalidation.manager:InvalidationManager",
        "InvalidationStrategy": "cachery.invalidation.policies:InvalidationStrategy",
        "Key": "cachery.sources.source:Key",
        "Version": "cachery.sources.source:Version",
        "Watch": "cachery.invalidation.watching:Watch",
        "watch": "cachery.invalidation.watching:watch",
        **{name: f"cachery.invalidation.policies:{name}" for name in _POLICIES},
    },
)
