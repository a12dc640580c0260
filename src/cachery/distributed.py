"""What many machines share: tiers, the bus on which they hear of changes, leases of loads.

``TieredCache`` puts memory before a ``RedisCache``. ``Tracking`` and ``Publishing`` are the two kinds of bus, chosen by
``TieredCache(..., bus=...)``. ``Lease`` is the right to load a key that a process holds while its loader runs; loads
through ``get_or_set`` take and drop it by themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cachery._lazy import lazy_exports

if TYPE_CHECKING:
    from cachery.backends.redis.near.bus import Publishing, Tracking
    from cachery.backends.redis.renewal import Lease
    from cachery.events import TierDown, TierUp
    from cachery.redis import RedisCache
    from cachery.tiered import TieredCache

__all__ = ["Lease", "Publishing", "RedisCache", "TierDown", "TierUp", "TieredCache", "Tracking"]

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "Lease": "cachery.backends.redis.renewal:Lease",
        "Publishing": "cachery.backends.redis.near.bus:Publishing",
        "RedisCache": "cachery.redis:RedisCache",
        "TierDown": "cachery.events:TierDown",
        "TierUp": "cachery.events:TierUp",
        "TieredCache": "cachery.tiered:TieredCache",
        "Tracking": "cachery.backends.redis.near.bus:Tracking",
    },
)
