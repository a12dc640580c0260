"""What a store on a server is made with."""

from __future__ import annotations

from dataclasses import dataclass

from cachery.ports.clock import Clock, monotonic

__all__ = ["Settings"]


@dataclass(frozen=True, slots=True)
class Settings:
    """Seconds, all of them.

    ``default_life``: of an entry stored without a TTL. ``lease_life``: how long a lease holds that is not renewed.
    ``lease_timeout``: how long a load waits for that of another. ``longest_load``: what takes longer is not stored.
    """

    default_life: float
    lease_life: float = 10.0
    lease_timeout: float = 60.0
    longest_load: float = 3600.0
    clock: Clock = monotonic
