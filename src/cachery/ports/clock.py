"""Time, read in one place.

A clock is a function without arguments that returns seconds. Memory uses a monotonic one; only what a person reads, a
creation date for instance, comes from the wall clock. The compiled memory cache reads a coarse monotonic clock
(``clock.pxd``): it costs 6 ns and moves on every 4 to 16 ms.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import TypeAlias

__all__ = ["Clock", "monotonic", "since_boot", "stopwatch", "wall"]

Clock: TypeAlias = Callable[[], float]

monotonic: Clock = time.monotonic
stopwatch: Clock = time.perf_counter
wall: Clock = time.time

since_boot: Clock = (
    partial(time.clock_gettime, time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic
)
"""Seconds since the machine was started, the same for all its processes, times of sleep included."""
